//! Shapes, tensors and kernels.

use std::ops::RangeInclusive;

use impasto_tensor::{Shape, Tensor};
use proptest::collection::vec;
use proptest::prelude::*;

use super::numbers;

/// H x W x C with sides in `sides`, odd and even, and channels in `channels`. Shrinks to the smallest of each.
pub fn shapes(
    sides: RangeInclusive<usize>,
    channels: RangeInclusive<usize>,
) -> impl Strategy<Value = Shape> + Clone {
    (sides.clone(), sides, channels).prop_map(|(height, width, channels)| Shape::new(height, width, channels))
}

/// The sides of an array of any rank: 1 to `rank` of them, each 1 to `most`. Shrinks to `[1]`.
pub fn dimensions(rank: usize, most: usize) -> impl Strategy<Value = Vec<usize>> + Clone {
    vec(1..=most, 1..=rank)
}

/// A tensor of such a shape, filled by any strategy of so many numbers: `tensors(shapes(1..=9, 1..=4), ties)`.
///
/// # Panics
/// If that strategy draws another number of numbers than it is asked for, or the shape is empty.
pub fn tensors<S: Strategy<Value = Vec<f64>>>(
    shapes: impl Strategy<Value = Shape>,
    numbers: impl Fn(usize) -> S,
) -> impl Strategy<Value = Tensor<f64>> {
    shapes.prop_flat_map(move |shape| {
        numbers(shape.len())
            .prop_map(move |data| Tensor::from_vec(shape, data).expect("as many numbers as the shape has"))
    })
}

/// The kernel of a convolution, `side` x `side` x `inputs` x `outputs` numbers: scaled so that responses stay about 1, by a power of 2, so that
/// they are still short. Shrinks to zeros.
pub fn kernels(side: usize, inputs: usize, outputs: usize) -> impl Strategy<Value = Vec<f64>> {
    let scale = 2_f64.powi(-((side * side * inputs) as f64).log2().div_euclid(2.0) as i32);
    numbers(side * side * inputs * outputs)
        .prop_map(move |row| row.into_iter().map(|number| scale * number).collect())
}
