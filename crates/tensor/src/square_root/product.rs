//! Products of square matrices in panels.

use rayon::prelude::*;

use super::panels::Panels;
use crate::packed::Tile;
use crate::prefetch::Lines;
use crate::simd::{Kernel, Simd};

/// Rows of both factors that are multiplied at a time, so that a panel's stay in the first-level cache.
const DEPTH: usize = 256;

/// Which part of a product is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// The squares on the diagonal and above it.
    Upper,
}

/// `product` := L^T R.
pub(super) struct Job<'a> {
    pub(super) left: &'a [f32],
    pub(super) right: &'a [f32],
    pub(super) product: &'a mut [f32],
}

impl Panels {
    /// Computes products, or a part of them.
    pub(super) fn multiply(self, part: Part, jobs: &mut [Job<'_>]) {
        jobs.par_iter_mut().for_each(|Job { left, right, product }| {
            let (left, right) = (&left[..self.len()], &right[..self.len()]);
            let panels = product[..self.len()].par_chunks_mut(self.panel_len()).enumerate();
            // The last ones have most rows.
            panels.rev().for_each(|(panel, product)| {
                let rows = if part == Part::Whole { self.padded } else { (panel + 1) * self.isa.panel() };
                let right = &right[panel * self.panel_len()..][..self.panel_len()];
                self.isa.dispatch(Panel { padded: self.padded, rows, left, right, product });
            });
        });
    }
}

/// The first rows of a panel of a product.
struct Panel<'a> {
    padded: usize,
    rows: usize,
    left: &'a [f32],
    right: &'a [f32],
    product: &'a mut [f32],
}

impl Kernel for Panel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { padded, rows, left, right, product } = self;
        let panel_len = padded * S::PANEL;
        assert!(padded.is_multiple_of(S::PANEL) && rows.is_multiple_of(S::PANEL) && rows <= padded);
        assert!(left.len() == padded * padded && right.len() == panel_len && product.len() == panel_len);
        for block in (0..padded).step_by(DEPTH) {
            let depth = DEPTH.min(padded - block);
            let right = right[block * S::PANEL..].as_ptr();
            for first in (0..rows).step_by(S::PANEL) {
                let left = &left[first * padded + block * S::PANEL..];
                for row in (0..S::PANEL).step_by(S::ROWS) {
                    // SAFETY: `left` is a panel of columns of L from row `block` on, `right` one of R, with at least `depth` rows of
                    // PANEL numbers each, of which columns `row..row + rows` of the former are read; rows `first + row..` of the
                    // product's panel have PANEL numbers each and lie below `rows`.
                    unsafe {
                        let tile = Tile {
                            depth,
                            a: left.as_ptr().add(row),
                            a_row: 1,
                            a_step: S::PANEL,
                            b: right,
                            c: product.as_mut_ptr().add((first + row) * S::PANEL),
                            c_stride: S::PANEL,
                            accumulate: block > 0,
                            prefetch: [Lines::NONE, Lines::NONE],
                        };
                        tile.run_rows(simd, S::ROWS.min(S::PANEL - row));
                    }
                }
            }
        }
    }
}
