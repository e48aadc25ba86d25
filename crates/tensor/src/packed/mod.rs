//! Matrix product with a right-hand side that was packed beforehand: C := A B or C += A B, f32.
//!
//! The network's kernels never change, so B is brought once into the order in which the micro-kernel reads it:
//!
//! ```text
//! blocks of up to DEPTH rows of B, each cut into panels of PANEL columns; a panel's rows one after the other:
//! [k block][panel][k within the block][column within the panel]        (columns beyond B's last one are zeros)
//! ```
//!
//! The loops, outermost first (one thread; the caller spreads row blocks over threads):
//!
//! 1. over blocks of k, so that a panel's block (16 KiB with AVX2) stays in the first-level cache;
//! 2. over panels, so that A's rows for this block of k stay in the second level;
//! 3. over groups of ROWS rows of A;
//! 4. in the micro-kernel over k, with ROWS x PANEL sums in registers.
//!
//! Every element of C is summed over k in ascending order, whatever the group its row is in: its bits do not depend
//! on how rows are spread over calls and threads.

use crate::buffer::AlignedBuffer;
use crate::simd::{Isa, Kernel, Simd};
use crate::{Matrix, TensorError};

/// Numbers in a cache line.
const LINE: usize = 16;
/// Columns of the widest panel.
pub(crate) const MAX_PANEL: usize = 32;
/// Steps of k between prefetches.
const UNROLL: usize = 8;
/// Rows of B in one block.
pub(crate) const DEPTH: usize = 256;

/// A K x N matrix packed for [`PackedMatrix::multiply`] on one instruction set.
#[derive(Debug)]
pub struct PackedMatrix {
    isa: Isa,
    rows: usize,
    columns: usize,
    data: AlignedBuffer,
}

impl PackedMatrix {
    /// Packs B.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`] if there is no room for the packed copy.
    pub fn new(isa: Isa, b: Matrix<'_, f32>) -> Result<Self, TensorError> {
        let (rows, columns) = (b.rows(), b.columns());
        let mut data = AlignedBuffer::zeros(packed_len(isa, rows, columns))?;
        pack_matrix(isa, b, &mut data);
        Ok(Self { isa, rows, columns, data })
    }

    /// Packs another B of the same size in the place of this one.
    ///
    /// # Panics
    /// If it has another size.
    pub fn repack(&mut self, b: Matrix<'_, f32>) {
        assert!((b.rows(), b.columns()) == (self.rows, self.columns), "a matrix of the same size");
        pack_matrix(self.isa, b, &mut self.data);
    }

    /// K, the rows of B.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// N, the columns of B.
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// The row stride that `multiply` needs of C: N rounded up to whole panels. The surplus columns become zeros (or
    /// keep their value when accumulating).
    pub fn padded_columns(&self) -> usize {
        self.columns.next_multiple_of(self.isa.panel())
    }

    /// C := A B, or C += A B if `accumulate`, on the calling thread. A is m x K with the given row stride, C is
    /// m x N with a row stride of [`Self::padded_columns`]; m is C's length over that.
    ///
    /// `ahead` is what the caller will read next: it is brought near meanwhile.
    ///
    /// # Panics
    /// If A has not m rows of K numbers, or C's length is not a multiple of its row stride.
    pub fn multiply(&self, a: &[f32], a_stride: usize, c: &mut [f32], accumulate: bool, ahead: [&[f32]; 2]) {
        let c_stride = self.padded_columns();
        let m = c.len() / c_stride;
        assert!(c.len() == m * c_stride, "whole rows of C");
        let (k, n, b) = (self.rows, self.columns, &*self.data);
        self.isa.dispatch(Product { m, k, n, a, a_stride, b, c, c_stride, accumulate, ahead });
    }
}

fn pack_matrix(isa: Isa, b: Matrix<'_, f32>, data: &mut [f32]) {
    pack(isa, b.rows(), b.columns(), data, |k, first, out| {
        for (offset, out) in out.iter_mut().enumerate() {
            *out = b.get(k, first + offset);
        }
    });
}

/// Numbers that a packed K x N matrix takes.
pub(crate) fn packed_len(isa: Isa, rows: usize, columns: usize) -> usize {
    rows * columns.next_multiple_of(isa.panel())
}

/// Packs a K x N matrix into `data`: `fill(k, first, out)` writes the elements of row k from column `first` on.
#[inline(always)]
pub(crate) fn pack(
    isa: Isa,
    rows: usize,
    columns: usize,
    data: &mut [f32],
    fill: impl Fn(usize, usize, &mut [f32]),
) {
    let panel = isa.panel();
    let mut panels = data.chunks_exact_mut(panel);
    for block in (0..rows).step_by(DEPTH) {
        for first in (0..columns).step_by(panel) {
            let width = panel.min(columns - first);
            for (k, out) in (block..rows.min(block + DEPTH)).zip(&mut panels) {
                let (out, rest) = out.split_at_mut(width);
                fill(k, first, out);
                rest.fill(0.0);
            }
        }
    }
}

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
    /// Numbers to bring near meanwhile.
    pub(crate) ahead: [&'a [f32]; 2],
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Product { m, k, n, a, a_stride, b, c, c_stride, accumulate, ahead } = self;
        if m == 0 || n == 0 {
            return;
        }
        let padded = n.next_multiple_of(S::PANEL);
        assert!(a_stride >= k && a.len() >= (m - 1) * a_stride + k, "A has m rows of k numbers");
        assert!(b.len() >= k * padded, "B is packed for k x n");
        assert!(c_stride >= padded && c.len() >= (m - 1) * c_stride + padded, "C has m rows of whole panels");
        let c = c.as_mut_ptr();
        // While a panel is multiplied, the next one comes from memory, a part with every group of rows; so does what the
        // caller reads next, its first slice in the first half of the tiles.
        let groups = m.div_ceil(S::ROWS);
        let half = (k.div_ceil(DEPTH).max(1) * (padded / S::PANEL) * groups).div_ceil(2);
        let soon_parts = ahead.map(|numbers| numbers.len().div_ceil(half));
        let mut tiles = 0;
        for block in (0..k.max(1)).step_by(DEPTH) {
            let depth = DEPTH.min(k - block);
            let add = accumulate || block > 0;
            let part = (depth * S::PANEL).div_ceil(groups);
            let part_lines = lines_at_once(part, depth);
            let soon_lines = soon_parts.map(|part| lines_at_once(part, depth));
            for first in (0..padded).step_by(S::PANEL) {
                let panel = b[block * padded + first * depth..].as_ptr();
                let mut next = panel.wrapping_add(depth * S::PANEL);
                let mut row = 0;
                for group in 0..groups {
                    // Even groups: one of a row or two would wait for its few sums, step by step.
                    let rows = m / groups + usize::from(group < m % groups);
                    let (slice, index) = if tiles < half { (0, tiles) } else { (1, tiles - half) };
                    let soon = ahead[slice].as_ptr().wrapping_add(index * soon_parts[slice]);
                    let near = [
                        Near { from: next, lines: part_lines },
                        Near { from: soon, lines: soon_lines[slice] },
                    ];
                    next = next.wrapping_add(part);
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
                            near,
                        };
                        tile.run_rows(simd, rows);
                    }
                    row += rows;
                }
            }
        }
    }
}

/// One block of C of up to ROWS x PANEL numbers, and where its factors are.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    /// Steps of k.
    pub(crate) depth: usize,
    /// A's first row at the first k.
    pub(crate) a: *const f32,
    /// From one row of A to the next.
    pub(crate) a_row: usize,
    /// From one k of A to the next.
    pub(crate) a_step: usize,
    /// The packed panel: `depth` rows of PANEL numbers.
    pub(crate) b: *const f32,
    /// C's first element.
    pub(crate) c: *mut f32,
    /// From one row of C to the next.
    pub(crate) c_stride: usize,
    /// Whether C is added to.
    pub(crate) accumulate: bool,
    /// What to bring near meanwhile.
    pub(crate) near: [Near; 2],
}

/// Cache lines to bring near from an address on, which need not be valid: so many with every UNROLL steps of k.
#[derive(Clone, Copy)]
pub(crate) struct Near {
    pub(crate) from: *const f32,
    pub(crate) lines: usize,
}

impl Near {
    /// Nothing.
    pub(crate) const NONE: Self = Self { from: std::ptr::null(), lines: 0 };

    /// Asks for the next lines.
    #[inline(always)]
    fn ask<S: Simd>(&mut self, simd: S) {
        for _ in 0..self.lines {
            simd.prefetch(self.from);
            self.from = self.from.wrapping_add(LINE);
        }
    }
}

/// The lines with every UNROLL steps that make `len` numbers in `depth` steps.
pub(crate) fn lines_at_once(len: usize, depth: usize) -> usize {
    len.div_ceil(LINE).div_ceil((depth / UNROLL).max(1))
}

impl Tile {
    /// Computes `rows` rows, at most ROWS.
    ///
    /// # Safety
    /// `a` must be valid for reads at `row * a_row + k * a_step` for all its rows and `k < depth`, `b` for
    /// `depth * PANEL` reads, `c` for reads and writes of `rows` rows of PANEL numbers.
    #[inline(always)]
    pub(crate) unsafe fn run_rows<S: Simd>(self, simd: S, rows: usize) {
        // SAFETY: every arm computes exactly `rows` rows, which the caller vouches for.
        unsafe {
            match rows {
                1 => self.run::<S, 1>(simd),
                2 => self.run::<S, 2>(simd),
                3 => self.run::<S, 3>(simd),
                4 => self.run::<S, 4>(simd),
                5 if S::ROWS > 4 => self.run::<S, 5>(simd),
                6 if S::ROWS > 4 => self.run::<S, 6>(simd),
                7 if S::ROWS > 6 => self.run::<S, 7>(simd),
                8 if S::ROWS > 6 => self.run::<S, 8>(simd),
                9 if S::ROWS > 6 => self.run::<S, 9>(simd),
                10 if S::ROWS > 6 => self.run::<S, 10>(simd),
                11 if S::ROWS > 6 => self.run::<S, 11>(simd),
                12 if S::ROWS > 6 => self.run::<S, 12>(simd),
                _ => unreachable!("at most {} rows", S::ROWS),
            }
        }
    }

    /// The micro-kernel: R x PANEL sums in registers, one rank-1 update a step of k.
    #[inline(always)]
    unsafe fn run<S: Simd, const R: usize>(self, simd: S) {
        // Not every instruction set has two vectors a row; the second column of sums is then dead code.
        let mut sums = [[simd.splat(0.0); 2]; R];
        // SAFETY: the pointers stay within what the caller vouches for in `run_rows`.
        unsafe {
            let (mut a, mut b) = (self.a, self.b);
            let [mut near, mut soon] = self.near;
            for _ in 0..self.depth / UNROLL {
                near.ask(simd);
                soon.ask(simd);
                for _ in 0..UNROLL {
                    self.step(simd, a, b, &mut sums);
                    a = a.add(self.a_step);
                    b = b.add(S::PANEL);
                }
            }
            for _ in 0..self.depth % UNROLL {
                self.step(simd, a, b, &mut sums);
                a = a.add(self.a_step);
                b = b.add(S::PANEL);
            }
            for (row, sum) in sums.iter().enumerate() {
                for (vector, &sum) in sum.iter().enumerate().take(S::VECTORS) {
                    let c = self.c.add(row * self.c_stride + vector * S::LANES);
                    let value = if self.accumulate { simd.add(simd.load(c), sum) } else { sum };
                    simd.store(c, value);
                }
            }
        }
    }

    /// One step of k: the sums of R x PANEL products.
    #[inline(always)]
    unsafe fn step<S: Simd, const R: usize>(
        self,
        simd: S,
        a: *const f32,
        b: *const f32,
        sums: &mut [[S::V; 2]; R],
    ) {
        // SAFETY: `a` and `b` are at a step of k below the depth, which the caller of `run_rows` vouches for.
        unsafe {
            let b0 = simd.load(b);
            let b1 = if S::VECTORS > 1 { simd.load(b.add(S::LANES)) } else { b0 };
            for (row, sum) in sums.iter_mut().enumerate() {
                let value = simd.splat(*a.add(row * self.a_row));
                sum[0] = simd.mul_add(value, b0, sum[0]);
                if S::VECTORS > 1 {
                    sum[1] = simd.mul_add(value, b1, sum[1]);
                }
            }
        }
    }
}
