//! Sums over many numbers, accumulated in `f64` over fixed blocks that are added in order: the same bits on any
//! number of threads.

use rayon::prelude::*;

use crate::Element;

/// Elements in one block.
const BLOCK: usize = 1 << 15;

/// The sum of `term(a_i, b_i)` over two slices of equal length.
///
/// # Panics
/// If the lengths differ.
pub fn sum_pairs<T: Element>(a: &[T], b: &[T], term: impl Fn(f64, f64) -> f64 + Sync) -> f64 {
    assert_eq!(a.len(), b.len(), "slices of equal length");
    let block_sum = |(a, b): (&[T], &[T])| {
        // Eight partial sums, so that the additions do not wait for each other.
        let mut partial = [0.0; 8];
        for (a, b) in a.chunks(8).zip(b.chunks(8)) {
            for ((sum, &a), &b) in partial.iter_mut().zip(a).zip(b) {
                *sum += term(a.to_f64(), b.to_f64());
            }
        }
        partial.iter().sum::<f64>()
    };
    let sums: Vec<f64> = a.par_chunks(BLOCK).zip(b.par_chunks(BLOCK)).map(block_sum).collect();
    sums.iter().sum()
}

/// <a, b>, the inner product.
///
/// # Panics
/// If the lengths differ.
pub fn dot<T: Element>(a: &[T], b: &[T]) -> f64 {
    sum_pairs(a, b, |a, b| a * b)
}

/// ||a - b||^2, the squared Euclidean distance.
///
/// # Panics
/// If the lengths differ.
pub fn squared_distance<T: Element>(a: &[T], b: &[T]) -> f64 {
    sum_pairs(a, b, |a, b| (a - b) * (a - b))
}
