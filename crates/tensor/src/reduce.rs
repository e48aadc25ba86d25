//! Sums over many numbers, accumulated in `f64` over fixed blocks that are added in order: the same bits on any
//! number of threads.

use rayon::prelude::*;

use crate::Element;

/// Elements in one block.
const BLOCK: usize = 1 << 15;

/// Partial sums of a block, so that the additions do not wait for each other.
const PARTIAL: usize = 8;

/// A sum of terms t(a_i, b_i) over two vectors that come in pieces, one after the other: cut into pieces in any way, it has the
/// same bits.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunningSum {
    /// The sum of the blocks that are full.
    full: f64,
    /// The partial sums of the block that is not, and how many elements it has.
    open: [f64; PARTIAL],
    len: usize,
}

impl RunningSum {
    /// Adds the terms of the next elements.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn add<T: Element>(&mut self, a: &[T], b: &[T], term: impl Fn(f64, f64) -> f64 + Sync) {
        assert_eq!(a.len(), b.len(), "slices of equal length");
        // What is left of a block's eight, and then of the block.
        let few = (self.len.next_multiple_of(PARTIAL) - self.len).min(a.len());
        let ((few_a, a), (few_b, b)) = (a.split_at(few), b.split_at(few));
        for (&a, &b) in few_a.iter().zip(few_b) {
            self.open[self.len % PARTIAL] += term(a.to_f64(), b.to_f64());
            self.len += 1;
        }
        let more = (self.len.next_multiple_of(BLOCK) - self.len).min(a.len());
        let ((more_a, a), (more_b, b)) = (a.split_at(more), b.split_at(more));
        add_terms(&mut self.open, more_a, more_b, &term);
        self.len += more;
        self.close_if_full();
        let sums = |(a, b): (&[T], &[T])| {
            let mut partial = [0.0; PARTIAL];
            add_terms(&mut partial, a, b, &term);
            partial
        };
        let blocks: Vec<[f64; PARTIAL]> = a.par_chunks(BLOCK).zip(b.par_chunks(BLOCK)).map(sums).collect();
        for (block, a) in blocks.into_iter().zip(a.chunks(BLOCK)) {
            (self.open, self.len) = (block, a.len());
            self.close_if_full();
        }
    }

    /// Adds the open block to the full ones if it is one.
    fn close_if_full(&mut self) {
        if self.len == BLOCK {
            *self = Self { full: self.total(), ..Self::default() };
        }
    }

    /// The sum.
    pub fn total(&self) -> f64 {
        self.full + self.open.iter().sum::<f64>()
    }
}

/// Adds the terms of a piece of a block to its partial sums.
#[inline]
fn add_terms<T: Element>(
    partial: &mut [f64; PARTIAL],
    a: &[T],
    b: &[T],
    term: &(impl Fn(f64, f64) -> f64 + Sync),
) {
    for (a, b) in a.chunks(PARTIAL).zip(b.chunks(PARTIAL)) {
        for ((sum, &a), &b) in partial.iter_mut().zip(a).zip(b) {
            *sum += term(a.to_f64(), b.to_f64());
        }
    }
}

/// The sum of `term(a_i, b_i)` over two slices of equal length.
///
/// # Panics
/// If the lengths differ.
pub fn sum_pairs<T: Element>(a: &[T], b: &[T], term: impl Fn(f64, f64) -> f64 + Sync) -> f64 {
    let mut sum = RunningSum::default();
    sum.add(a, b, term);
    sum.total()
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
