//! 3x3 convolution Z = K * I + b, with respect to its input only: the weights are frozen.
//!
//! ```text
//! Z[p, j]     = b[j] + sum over taps d, channels i of I[p + d, i] K[d, i, j]
//! dL/dI[q, i] =        sum over taps d, channels j of dL/dZ[q - d, j] K[d, i, j]
//! ```
//!
//! The second line is the convolution of dL/dZ with the kernel rotated by 180 degrees and its channels swapped; it is
//! the adjoint of the first: <K * I, Y> = <I, K' * Y>.
//!
//! Where something else than zeros lies beyond the edge, P puts that border of one pixel around I, and E puts a border of zeros
//! around dL/dZ; their adjoints P' and E' ([`pad_gradient`]) add what the border was read for to the pixels that were read, and cut
//! the border off:
//!
//! ```text
//! Z     = E' (K * (P I)) + b        dL/dI = P' (K' * (E dL/dZ))
//! ```

use impasto_tensor::{Border, Element, Tensor, TensorError, conv3x3, pad, pad_gradient, rotate_kernel};

use crate::ConvLayer;

/// Z of an input of H x W x `in_channels`: H x W x `out_channels`.
///
/// # Errors
/// [`TensorError::Mismatch`] if the layer's numbers do not fit the input.
pub fn forward<T: Element>(
    layer: &ConvLayer<T>,
    border: Border,
    input: &Tensor<T>,
) -> Result<Tensor<T>, TensorError> {
    match border {
        Border::Zero => conv3x3(input, &layer.kernel, Some(&layer.bias)),
        border => {
            let with_border = conv3x3(&pad(border, input)?, &layer.kernel, Some(&layer.bias))?;
            pad_gradient(Border::Zero, &with_border)
        }
    }
}

/// dL/dI from dL/dZ.
///
/// # Errors
/// [`TensorError::Mismatch`] if the layer's numbers do not fit the gradient.
pub fn backward<T: Element>(
    layer: &ConvLayer<T>,
    border: Border,
    gradient: &Tensor<T>,
) -> Result<Tensor<T>, TensorError> {
    let rotated = rotate_kernel(&layer.kernel, layer.in_channels, layer.out_channels);
    match border {
        Border::Zero => conv3x3(gradient, &rotated, None),
        border => pad_gradient(border, &conv3x3(&pad(Border::Zero, gradient)?, &rotated, None)?),
    }
}
