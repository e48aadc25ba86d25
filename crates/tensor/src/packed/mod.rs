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

mod product;
mod tile;

pub(crate) use product::Product;
pub(crate) use tile::Tile;

use crate::buffer::AlignedBuffer;
use crate::simd::Isa;
use crate::{Matrix, TensorError};

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
    /// `prefetch` is what the caller will read next: it is prefetched meanwhile.
    ///
    /// # Panics
    /// If A has not m rows of K numbers, or C's length is not a multiple of its row stride.
    pub fn multiply(
        &self,
        a: &[f32],
        a_stride: usize,
        c: &mut [f32],
        accumulate: bool,
        prefetch: [&[f32]; 2],
    ) {
        let c_stride = self.padded_columns();
        let m = c.len() / c_stride;
        assert!(c.len() == m * c_stride, "whole rows of C");
        let (k, n, b) = (self.rows, self.columns, &*self.data);
        self.isa.dispatch(Product { m, k, n, a, a_stride, b, c, c_stride, accumulate, prefetch });
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
    for (k, first, at) in pieces(panel, rows, columns) {
        let (out, rest) = data[at..at + panel].split_at_mut(panel.min(columns - first));
        fill(k, first, out);
        rest.fill(0.0);
    }
}

/// The pieces of a packed K x N matrix, `panel` numbers each: row, first column, and where it is. Row by row, as matrices are read
/// fastest.
#[inline(always)]
pub(crate) fn pieces(
    panel: usize,
    rows: usize,
    columns: usize,
) -> impl Iterator<Item = (usize, usize, usize)> {
    let padded = columns.next_multiple_of(panel);
    (0..rows).flat_map(move |k| {
        let block = k / DEPTH * DEPTH;
        let depth = DEPTH.min(rows - block);
        (0..columns)
            .step_by(panel)
            .map(move |first| (k, first, block * padded + first * depth + (k - block) * panel))
    })
}
