//! Sums over many numbers, accumulated in `f64` over fixed blocks that are added in order: the same bits on any
//! number of threads.

use std::ops::Range;

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
        self.add_pieces(a.len(), |piece, partial| {
            add_terms(partial, &a[piece.clone()], &b[piece], &term);
        });
    }

    /// Adds `term` of 0, 1 and so on up to `count`: the terms of the next elements, each of which may be a sum itself.
    pub fn add_each(&mut self, count: usize, term: impl Fn(usize) -> f64 + Sync) {
        self.add_pieces(count, |piece, partial| {
            for (at, index) in piece.enumerate() {
                partial[at % PARTIAL] += term(index);
            }
        });
    }

    /// Adds the terms of the next `count` elements: those of a piece of them to the partial sums that it is given, one after the other,
    /// which are no fewer than the piece where they are not all eight.
    fn add_pieces(&mut self, count: usize, add: impl Fn(Range<usize>, &mut [f64]) + Sync) {
        // What is left of a block's eight, and then of the block.
        let few = (self.len.next_multiple_of(PARTIAL) - self.len).min(count);
        add(0..few, &mut self.open[self.len % PARTIAL..]);
        self.len += few;
        let more = (self.len.next_multiple_of(BLOCK) - self.len).min(count - few);
        add(few..few + more, &mut self.open);
        self.len += more;
        self.close_if_full();
        let rest = few + more..count;
        if rest.is_empty() {
            return;
        }
        let block = |number: usize| {
            let start = rest.start + number * BLOCK;
            start..rest.end.min(start + BLOCK)
        };
        let sums = |number: usize| {
            let mut partial = [0.0; PARTIAL];
            add(block(number), &mut partial);
            partial
        };
        let blocks: Vec<[f64; PARTIAL]> = (0..rest.len().div_ceil(BLOCK)).into_par_iter().map(sums).collect();
        for (number, sums) in blocks.into_iter().enumerate() {
            (self.open, self.len) = (sums, block(number).len());
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
fn add_terms<T: Element>(partial: &mut [f64], a: &[T], b: &[T], term: &(impl Fn(f64, f64) -> f64 + Sync)) {
    let mut sums = [0.0; PARTIAL];
    let lanes = partial.len();
    sums[..lanes].copy_from_slice(partial);
    for (a, b) in a.chunks(PARTIAL).zip(b.chunks(PARTIAL)) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += term(a.to_f64(), b.to_f64());
        }
    }
    partial.copy_from_slice(&sums[..lanes]);
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
