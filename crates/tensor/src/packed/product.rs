//! The loops of the packed product around its micro-kernel.

use super::DEPTH;
use super::tile::Tile;
use crate::prefetch::Parts;
use crate::simd::{Kernel, Simd};

/// C := A B or C += A B for an m x k x n product with B packed; A and C with their row strides. It
/// panics if a slice is too short for its sizes, or C's rows are shorter than whole panels.
pub(crate) struct Product<'a> {
    pub(crate) m: usize,
    pub(crate) k: usize,
    pub(crate) n: usize,
    pub(crate) a: &'a [f32],
    pub(crate) a_stride: usize,
    pub(crate) b: &'a [f32],
    pub(crate) c: &'a mut [f32],
    pub(crate) c_stride: usize,
    pub(crate) accumulate: bool,
    /// Numbers to prefetch meanwhile.
    pub(crate) prefetch: [&'a [f32]; 2],
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Product { m, k, n, a, a_stride, b, c, c_stride, accumulate, prefetch } = self;
        if m == 0 || n == 0 {
            return;
        }
        let padded = n.next_multiple_of(S::PANEL);
        assert!(a_stride >= k && a.len() >= (m - 1) * a_stride + k, "A has m rows of k numbers");
        assert!(b.len() >= k * padded, "B is packed for k x n");
        assert!(c_stride >= padded && c.len() >= (m - 1) * c_stride + padded, "C has m rows of whole panels");
        let c = c.as_mut_ptr();
        // While a panel is multiplied, the next one is prefetched, a part with every group of rows; so are the caller's
        // slices, the first in the first half of the tiles, the second in the second.
        let groups = m.div_ceil(S::ROWS);
        let half = (k.div_ceil(DEPTH).max(1) * (padded / S::PANEL) * groups).div_ceil(2);
        let mut wanted =
            prefetch.map(|numbers| Parts::new(numbers.as_ptr(), numbers.len().div_ceil(half), DEPTH));
        let mut tiles = 0;
        for block in (0..k.max(1)).step_by(DEPTH) {
            let depth = DEPTH.min(k - block);
            let add = accumulate || block > 0;
            let panels = Parts::new(b.as_ptr(), (depth * S::PANEL).div_ceil(groups), depth);
            wanted = wanted.map(|parts| parts.with_depth(depth));
            for first in (0..padded).step_by(S::PANEL) {
                let panel = b[block * padded + first * depth..].as_ptr();
                let mut next_panel = panels.starting_at(panel.wrapping_add(depth * S::PANEL));
                let mut row = 0;
                for group in 0..groups {
                    // Even groups: one of a row or two would wait for its few sums, step by step.
                    let rows = m / groups + usize::from(group < m % groups);
                    let wanted = &mut wanted[usize::from(tiles >= half)];
                    tiles += 1;
                    // SAFETY: rows `row..row + rows` of A (k numbers from `block`, inside the asserted length), the
                    // panel's `depth` x PANEL numbers (inside B's asserted length) and the same rows of C with PANEL
                    // columns from `first` (inside C's asserted length) are all there.
                    unsafe {
                        let tile = Tile {
                            depth,
                            a: a.as_ptr().add(row * a_stride + block),
                            a_row: a_stride,
                            a_step: 1,
                            b: panel,
                            c: c.add(row * c_stride + first),
                            c_stride,
                            accumulate: add,
                            prefetch: [next_panel.next_part(), wanted.next_part()],
                        };
                        tile.run_rows(simd, rows);
                    }
                    row += rows;
                }
            }
        }
    }
}
