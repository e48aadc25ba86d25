//! Square matrices in panels of columns, the order in which the micro-kernel reads either factor of a product.
//!
//! ```text
//! [panel][row][column within the panel]         N rounded up to whole panels, both ways; what is beyond N is 0
//! ```
//!
//! With A symmetric the panel of columns i is also that of the rows i: A is its own left factor.

use rayon::prelude::*;

use crate::simd::Isa;

/// The size of such matrices.
#[derive(Clone, Copy)]
pub(super) struct Panels {
    pub(super) isa: Isa,
    /// N.
    pub(super) n: usize,
    /// N in whole panels.
    pub(super) padded: usize,
}

impl Panels {
    /// Numbers of a matrix.
    pub(super) const fn len(self) -> usize {
        self.padded * self.padded
    }

    /// Numbers of a panel.
    pub(super) fn panel_len(self) -> usize {
        self.padded * self.isa.panel()
    }

    /// Where the numbers of the diagonal are.
    pub(super) fn diagonal(self) -> impl Iterator<Item = usize> {
        let width = self.isa.panel();
        (0..self.n).map(move |i| i / width * self.padded * width + i * width + i % width)
    }

    /// Brings N x N numbers, row by row, into panels.
    pub(super) fn load(self, numbers: &[f32], matrix: &mut [f32]) {
        let (n, width) = (self.n, self.isa.panel());
        matrix[..self.len()].par_chunks_mut(self.panel_len()).enumerate().for_each(|(panel, out)| {
            let columns = panel * width..n.min((panel + 1) * width);
            let (out, below) = out.split_at_mut(n * width);
            for (row, out) in numbers.chunks_exact(n).zip(out.chunks_exact_mut(width)) {
                let (out, beyond) = out.split_at_mut(columns.len());
                out.copy_from_slice(&row[columns.clone()]);
                beyond.fill(0.0);
            }
            below.fill(0.0);
        });
    }

    /// The N x N numbers times a factor, row by row.
    pub(super) fn row_major(self, matrix: &[f32], factor: f32) -> Vec<f32> {
        let (n, width) = (self.n, self.isa.panel());
        let mut numbers = vec![0.0; n * n];
        numbers.par_chunks_mut(n).enumerate().for_each(|(row, out)| {
            for (out, panel) in out.chunks_mut(width).zip(matrix.chunks_exact(self.panel_len())) {
                let row = &panel[row * width..];
                out.iter_mut().zip(row).for_each(|(out, &number)| *out = factor * number);
            }
        });
        numbers
    }

    /// `out` := `diagonal` I - `share` A.
    pub(super) fn identity_less(self, a: &[f32], diagonal: f32, share: f32, out: &mut [f32]) {
        out[..self.len()].iter_mut().zip(a).for_each(|(out, &a)| *out = -share * a);
        self.diagonal().for_each(|at| out[at] += diagonal);
    }

    /// `out` := `keep` `out` + `share` `product`, of which the part above the diagonal is taken for both. Where `keep` is 0 the old one is not
    /// read.
    pub(super) fn mirror(self, product: &[f32], keep: f32, share: f32, out: &mut [f32]) {
        let (width, panel_len) = (self.isa.panel(), self.panel_len());
        let put = |out: &mut f32, number: f32| {
            *out = if keep == 0.0 { share * number } else { keep * *out + share * number };
        };
        out[..self.len()].par_chunks_mut(panel_len).enumerate().for_each(|(panel, out)| {
            let own = &product[panel * panel_len..][..panel_len];
            // Above the panel's square on the diagonal, and as far as its rows are above it.
            let above = (panel + 1) * width * width;
            for (row, (out, own)) in
                out[..above].chunks_exact_mut(width).zip(own.chunks_exact(width)).enumerate()
            {
                let first = row.saturating_sub(panel * width);
                out[first..].iter_mut().zip(&own[first..]).for_each(|(out, &number)| put(out, number));
            }
            let square = &mut out[panel * width * width..];
            let own = &own[panel * width * width..];
            for (row, out) in square[..width * width].chunks_exact_mut(width).enumerate() {
                for (column, out) in out[..row].iter_mut().enumerate() {
                    put(out, own[column * width + row]);
                }
            }
            // Below it: the squares of the panels to the right, transposed.
            for (below, square) in (panel + 1..).zip(square[width * width..].chunks_exact_mut(width * width))
            {
                let from = &product[below * panel_len + panel * width * width..][..width * width];
                for (row, out) in square.chunks_exact_mut(width).enumerate() {
                    for (out, from) in out.iter_mut().zip(from[row..].iter().step_by(width)) {
                        put(out, *from);
                    }
                }
            }
        });
    }
}
