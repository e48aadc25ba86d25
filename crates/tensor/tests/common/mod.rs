//! Random tensors for the property tests.

use impasto_proptest::strategies;
pub(crate) use impasto_proptest::strategies::with_zeros as numbers;
use impasto_tensor::{Element, Shape, Tensor};
use proptest::prelude::*;

/// A tensor of one of the shapes; some numbers are exactly 0, some equal to each other.
pub(crate) fn tensor(shapes: impl Strategy<Value = Shape>) -> impl Strategy<Value = Tensor<f64>> {
    strategies::tensors(shapes, numbers)
}

/// Shapes with sides from `least` to `most`, odd and even, and 1 to 5 channels.
pub(crate) fn shapes(least: usize, most: usize) -> impl Strategy<Value = Shape> {
    strategies::shapes(least..=most, 1..=5)
}

/// A larger tensor of fixed, uneven numbers in [-1, 1], so that work is cut into many blocks.
pub(crate) fn wavy<T: Element>(shape: Shape) -> Tensor<T> {
    Tensor::from_vec(shape, wave(shape.len())).expect("a usable shape")
}

/// Fixed, uneven numbers in [-1, 1].
pub(crate) fn wave<T: Element>(len: usize) -> Vec<T> {
    (0..len).map(|i| T::from_f64((i as f64 * 0.7 + (i * i % 97) as f64).sin())).collect()
}

/// Numbers in -1..1 that look random; the same for the same seed.
pub(crate) fn pseudorandom(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

/// Asserts that every element is within `tolerance` of its twin.
pub(crate) fn assert_close<T: Element>(got: &[T], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
        let difference = (got.to_f64() - expected).abs();
        assert!(difference <= tolerance, "element {index}: {got} is not {expected}");
    }
}
