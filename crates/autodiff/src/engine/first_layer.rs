//! The first layer's backward step: from many channels to the three of the picture.
//!
//! The convolution with the rotated kernel would have 3 output channels, too few for a vector. Its transposed form has
//! the sums in another order:
//!
//! ```text
//! R[p, (d, i)] = sum_j dL/dZ[p, j] K[d, i, j]          one matrix product, 64 -> 27 columns
//! dL/dI[q, i]  = sum_d R[q - d, (d, i)]                the nine taps gathered
//! ```

use std::ops::Range;

use impasto_tensor::{Matrix, PackedMatrix};
use rayon::prelude::*;

use super::network::PreparedChain;
use crate::AutodiffError;

/// The first layer's kernel, packed for R.
pub(crate) fn pack(network: &PreparedChain) -> Result<PackedMatrix, AutodiffError> {
    let stage = &network.stages[0];
    let kernel = Matrix::new(&stage.kernel, 9 * stage.in_channels, stage.out_channels)?;
    Ok(PackedMatrix::new(network.isa, kernel.transposed())?)
}

/// Adds the picture gradient of the rows `rows` of dL/dZ (whose numbers `gradient` holds, width x C a row) to
/// `picture`, the gradient of the whole band. `products` is work memory.
pub(crate) fn backward(
    kernel: &PackedMatrix,
    rows: Range<usize>,
    width: usize,
    gradient: &[f32],
    products: &mut [f32],
    picture: &mut [f32],
) {
    let channels = kernel.rows();
    let stride = kernel.padded_columns();
    let row_len = width * stride;
    let products = &mut products[..rows.len() * row_len];
    products
        .par_chunks_mut(row_len)
        .zip(gradient.par_chunks(width * channels))
        .for_each(|(products, gradient)| kernel.multiply(gradient, channels, products, false));

    let products = &*products;
    let inputs = kernel.columns() / 9;
    let picture_row = inputs * width;
    let first = rows.start.saturating_sub(1);
    let height = picture.len() / picture_row;
    let end = (rows.end + 1).min(height);
    picture[first * picture_row..end * picture_row].par_chunks_mut(picture_row).enumerate().for_each(
        |(index, out)| {
            let y = first + index;
            for ky in 0..3 {
                // dy = ky - 1, and the product's row is y - dy.
                let Some(row) = (y + 1).checked_sub(ky).filter(|row| rows.contains(row)) else { continue };
                let products = &products[(row - rows.start) * row_len..][..row_len];
                for kx in 0..3 {
                    let tap = inputs * (3 * ky + kx);
                    // Positions x whose x - dx lies in the row.
                    let (from, to) = (kx.saturating_sub(1), (width + kx).saturating_sub(1).min(width));
                    let sources = products.chunks_exact(stride).skip((from + 1) - kx);
                    for (out, source) in out[inputs * from..inputs * to].chunks_exact_mut(inputs).zip(sources)
                    {
                        for (out, &value) in out.iter_mut().zip(&source[tap..tap + inputs]) {
                            *out += value;
                        }
                    }
                }
            }
        },
    );
}
