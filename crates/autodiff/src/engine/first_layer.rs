//! The first layer's backward step: from many channels to the three of the picture.
//!
//! The convolution with the rotated kernel would have 3 output channels, too few for a vector. Its transposed form has
//! the sums in another order:
//!
//! ```text
//! R[p, (dy, dx, i)] = sum_j dL/dZ[p, j] K[dy, dx, i, j]     one matrix product, 64 -> 27 columns
//! dL/dI[q, i]       = sum_d R[q - d, (d, i)]                the nine taps gathered
//! ```
//!
//! A tap that left the picture is added to the pixel that was read in its place ([`Border`]): to none where zeros were.
//!
//! The three taps of a row of the kernel are 9 numbers of R that lie side by side, and go to 9 numbers that lie side by
//! side in the picture. Where the layer carries a loss its response is computed again, block of positions by block, and
//! the loss's gradient, the mask and R follow while the block is in the first-level cache.

use std::ops::Range;

use impasto_tensor::conv::{Extent, PackedConv, Positions};
use impasto_tensor::{Border, Matrix, PackedMatrix, Scratch};
use rayon::prelude::*;

use super::network::{PreparedChain, Stage};
use super::packed_map::POSITIONS;
use super::taps::TapGradient;
use crate::AutodiffError;

/// The first layer's kernel, packed for R.
pub(crate) fn pack(network: &PreparedChain) -> Result<PackedMatrix, AutodiffError> {
    let stage = &network.stages[0];
    let kernel = stage.kernel.numbers();
    let kernel = Matrix::new(&kernel, 9 * stage.in_channels, stage.out_channels)?;
    Ok(PackedMatrix::new(network.isa, kernel.transposed())?)
}

/// What the step to the picture needs.
#[derive(Clone, Copy)]
pub(crate) struct FirstLayer<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) forward: &'a PackedConv,
    /// From [`pack`].
    pub(crate) kernel: &'a PackedMatrix,
    /// H x W of the picture.
    pub(crate) extent: Extent,
    /// The picture, H x W x 3.
    pub(crate) input: &'a [f32],
    /// What was read beyond its edge.
    pub(crate) border: Border,
    /// The first row of dL/dF that is handed over.
    pub(crate) first: usize,
    /// The losses at this layer; none if it carries none, and `incoming` is masked then.
    pub(crate) tap: Option<TapGradient<'a>>,
}

/// Numbers of scratch of a task: a block's responses, gradients, and what it takes to compute either.
pub(crate) const fn scratch_len(channels: usize, either: usize) -> usize {
    2 * POSITIONS * channels + either
}

impl FirstLayer<'_> {
    /// Adds the picture gradient of the rows `rows` of dL/dF, which are in `incoming`, to `picture`, the gradient of the whole
    /// picture. `products` is scratch for R.
    pub(crate) fn backward(
        &self,
        rows: Range<usize>,
        incoming: &[f32],
        products: &mut [f32],
        picture: &mut [f32],
        scratch: &Scratch,
    ) {
        let width = self.extent.width;
        let row_len = width * self.kernel.padded_columns();
        let products = &mut products[..rows.len() * row_len];
        products.par_chunks_mut(row_len).zip(rows.clone().into_par_iter()).for_each(|(products, y)| {
            for (block, products) in products.chunks_mut(POSITIONS * self.kernel.padded_columns()).enumerate()
            {
                self.products((y, block * POSITIONS), incoming, products, scratch);
            }
        });
        let picture_row = self.stage.in_channels * width;
        let first = rows.start.saturating_sub(1);
        let end = (rows.end + 1).min(self.extent.height);
        picture[first * picture_row..end * picture_row].par_chunks_mut(picture_row).enumerate().for_each(
            |(index, out)| {
                let y = first + index;
                for row in (y.saturating_sub(1)..y + 2).rev().filter(|row| rows.contains(row)) {
                    let products = &products[(row - rows.start) * row_len..][..row_len];
                    // dy = ky - 1, and row + dy was read.
                    for ky in (0..3).filter(|ky| self.border.read(row + ky, self.extent.height) == Some(y)) {
                        self.gather(ky, products, out);
                    }
                }
            },
        );
    }

    /// R of the positions from (y, x) on, as many as `products` holds.
    fn products(&self, (y, x): (usize, usize), incoming: &[f32], products: &mut [f32], scratch: &Scratch) {
        let channels = self.stage.out_channels;
        let len = products.len() / self.kernel.padded_columns() * channels;
        let at = ((y - self.first) * self.extent.width + x) * channels;
        let later = &incoming[at + len..];
        let prefetch = [&later[..len.min(later.len())], &[]];
        let incoming = &incoming[at..at + len];
        let Some(tap) = self.tap else {
            self.kernel.multiply(incoming, channels, products, false, prefetch);
            return;
        };
        let room = scratch_len(channels, tap.scratch_len().max(self.forward.scratch_len(self.extent)));
        scratch.with(room, |scratch| {
            let (response, scratch) = scratch.split_at_mut(POSITIONS * channels);
            let (gradient, scratch) = scratch.split_at_mut(POSITIONS * channels);
            let (response, gradient) = (&mut response[..len], &mut gradient[..len]);
            let (extent, input, bias) = (self.extent, self.input, &*self.stage.bias);
            let positions = Positions { extent, input, border: self.border, bias, at: (y, x) };
            self.forward.respond(positions, response, scratch);
            gradient.copy_from_slice(incoming);
            tap.add_and_mask_block(y * self.extent.width + x, response, gradient, scratch, prefetch);
            self.kernel.multiply(gradient, channels, products, false, [&[]; 2]);
        });
    }

    /// Adds the taps of row `ky` of the kernel, from a row of R to a row of the picture.
    fn gather(&self, ky: usize, products: &[f32], out: &mut [f32]) {
        let (width, inputs, stride) =
            (self.extent.width, self.stage.in_channels, self.kernel.padded_columns());
        let taps = |position: usize| &products[position * stride + 3 * inputs * ky..][..3 * inputs];
        // Every third position, so that consecutive sums touch different numbers.
        for phase in 0..3 {
            for position in (phase..width).step_by(3) {
                let taps = taps(position);
                if position == 0 || position + 1 == width {
                    for (kx, taps) in taps.chunks_exact(inputs).enumerate() {
                        // dx = kx - 1, and the number at x is of x + dx.
                        if let Some(x) = self.border.read(position + kx, width) {
                            let out = &mut out[x * inputs..][..inputs];
                            out.iter_mut().zip(taps).for_each(|(out, tap)| *out += tap);
                        }
                    }
                } else {
                    let out = &mut out[(position - 1) * inputs..][..3 * inputs];
                    match (out.first_chunk_mut::<9>(), taps.first_chunk::<9>()) {
                        // A picture has three channels: a loop of known length.
                        (Some(out), Some(taps)) if inputs == 3 => {
                            out.iter_mut().zip(taps).for_each(|(out, tap)| *out += tap);
                        }
                        _ => out.iter_mut().zip(taps).for_each(|(out, tap)| *out += tap),
                    }
                }
            }
        }
    }
}
