//! 3x3 convolution (stride 1, zero padding 1) as matrix products over packed patches (im2col).
//!
//! Forward, for an output position p = (y, x) and output channel j:
//!
//! ```text
//! O[p, j] = b[j] + sum over dy, dx in {-1, 0, 1}, i of I[(y + dy, x + dx), i] K[dy + 1, dx + 1, i, j]
//! ```
//!
//! The patch of a position is a row of 9 C_in numbers, zero where it leaves the picture, so a block of positions is
//! one matrix product with the kernel as a 9 C_in x C_out matrix. Patches are packed a block at a time: the whole
//! patch matrix, nine times the input, never exists.
//!
//! The gradient with respect to the input is the adjoint map. Collecting, for an input position q, the outputs that
//! read it gives
//!
//! ```text
//! dI[q, i] = sum over dy, dx, j of dO[q - (dy, dx), j] K[dy + 1, dx + 1, i, j]
//! ```
//!
//! which is again a 3x3 convolution, of dO with the kernel rotated by 180 degrees and its channels swapped:
//! K'[dy + 1, dx + 1, j, i] = K[1 - dy, 1 - dx, i, j] ([`rotate_kernel`]). So one function serves both directions.

use rayon::prelude::*;

use super::gemm::multiply;
use crate::{Element, Matrix, Shape, Tensor, TensorError};

/// Positions in one block: the packed patches of a block stay in the cache for up to 512 channels.
const POSITIONS: usize = 96;

/// The convolution of `input` (H x W x C_in) with `kernel` (3 x 3 x C_in x C_out, C_out fastest), plus `bias`
/// (C_out values, or none): H x W x C_out.
///
/// # Errors
/// [`TensorError::Mismatch`] if the kernel's length is not 9 C_in C_out for a whole C_out, or the bias is not C_out long.
pub fn conv3x3<T: Element>(
    input: &Tensor<T>,
    kernel: &[T],
    bias: Option<&[T]>,
) -> Result<Tensor<T>, TensorError> {
    let Shape { height, width, channels } = input.shape();
    let patch = 9 * channels;
    let out_channels = kernel.len() / patch;
    if out_channels == 0
        || !kernel.len().is_multiple_of(patch)
        || bias.is_some_and(|bias| bias.len() != out_channels)
    {
        return Err(TensorError::Mismatch {
            operation: "conv3x3",
            expected: format!("a kernel of 3 x 3 x {channels} x C_out numbers and a bias of C_out"),
            got: format!("{} numbers and a bias of {:?}", kernel.len(), bias.map(<[T]>::len)),
        });
    }
    let mut output = Tensor::zeros(Shape::new(height, width, out_channels))?;
    output.data_mut().par_chunks_mut(POSITIONS * out_channels).enumerate().for_each_init(
        || vec![T::ZERO; POSITIONS * patch],
        |patches, (block, out)| {
            let positions = out.len() / out_channels;
            for (index, row) in patches.chunks_exact_mut(patch).take(positions).enumerate() {
                let position = block * POSITIONS + index;
                pack_patch(input, position / width, position % width, row);
            }
            if let Some(bias) = bias {
                out.chunks_exact_mut(out_channels).for_each(|row| row.copy_from_slice(bias));
            }
            let patches = Matrix::of_rows(&patches[..positions * patch], patch);
            multiply(T::ONE, patches, Matrix::of_rows(kernel, out_channels), T::ONE, out);
        },
    );
    Ok(output)
}

/// Writes the 3x3 patch around (y, x), 9 C numbers, zero outside the picture.
fn pack_patch<T: Element>(input: &Tensor<T>, y: usize, x: usize, patch: &mut [T]) {
    let Shape { height, width, channels } = input.shape();
    for (tap, out) in patch.chunks_exact_mut(channels).enumerate() {
        let (row, column) = (y + tap / 3, x + tap % 3);
        if (1..=height).contains(&row) && (1..=width).contains(&column) {
            let start = ((row - 1) * width + column - 1) * channels;
            out.copy_from_slice(&input.data()[start..start + channels]);
        } else {
            out.fill(T::ZERO);
        }
    }
}

/// K'[ky, kx, j, i] = K[2 - ky, 2 - kx, i, j]: the kernel whose convolution is the adjoint of K's.
///
/// # Panics
/// If the kernel's length is not 9 `in_channels` `out_channels`.
pub fn rotate_kernel<T: Element>(kernel: &[T], in_channels: usize, out_channels: usize) -> Vec<T> {
    let plane = in_channels * out_channels;
    assert_eq!(kernel.len(), 9 * plane, "a kernel of 3 x 3 x {in_channels} x {out_channels}");
    let mut rotated = Vec::with_capacity(kernel.len());
    for tap in (0..9).rev() {
        let plane = &kernel[tap * plane..][..plane];
        for out in 0..out_channels {
            rotated.extend((0..in_channels).map(|input| plane[input * out_channels + out]));
        }
    }
    rotated
}
