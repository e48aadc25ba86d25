//! Pictures.

use std::ops::RangeInclusive;

use impasto_tensor::{Shape, Tensor};
use proptest::collection::vec;
use proptest::prelude::*;

use super::tensors::shapes;

/// What a picture shows.
#[derive(Debug, Clone)]
enum Subject {
    /// One colour.
    Colour([u8; 3]),
    /// Grey that grows by so much from pixel to pixel.
    Ramp(usize),
    /// Squares of this side, black and white.
    Board(usize),
    /// One white pixel on black.
    Point(prop::sample::Index),
    /// Every number by itself.
    Noise(Vec<u8>),
}

/// Pictures H x W x 3 in 0..=255, whole numbers: one colour, ramps, boards, a point, noise. Shrinks to one black pixel, or to the smallest
/// side that is asked for.
pub fn pictures(sides: RangeInclusive<usize>) -> impl Strategy<Value = Tensor<f32>> {
    shapes(sides, 3..=3).prop_flat_map(|shape| {
        let subject = prop_oneof![
            any::<[u8; 3]>().prop_map(Subject::Colour),
            (1..8_usize).prop_map(Subject::Ramp),
            (1..4_usize).prop_map(Subject::Board),
            any::<prop::sample::Index>().prop_map(Subject::Point),
            vec(any::<u8>(), shape.len()).prop_map(Subject::Noise),
        ];
        subject.prop_map(move |subject| painted(shape, &subject))
    })
}

fn painted(shape: Shape, subject: &Subject) -> Tensor<f32> {
    let value = |at: usize| {
        let (position, channel) = (at / 3, at % 3);
        let (y, x) = (position / shape.width, position % shape.width);
        match subject {
            Subject::Colour(colour) => f32::from(colour[channel]),
            Subject::Ramp(step) => ((x + y) * step % 256) as f32,
            Subject::Board(side) => f32::from(u8::from((x / side + y / side) % 2 == 1)) * 255.0,
            Subject::Point(index) => f32::from(u8::from(position == index.index(shape.positions()))) * 255.0,
            Subject::Noise(values) => f32::from(values[at]),
        }
    };
    Tensor::from_vec(shape, (0..shape.len()).map(value).collect()).expect("as many numbers as the shape has")
}
