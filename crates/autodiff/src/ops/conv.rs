//! 3x3 convolution Z = K * I + b, with respect to its input only: the weights are frozen.
//!
//! ```text
//! Z[p, j]     = b[j] + sum over taps d, channels i of I[p + d, i] K[d, i, j]
//! dL/dI[q, i] =        sum over taps d, channels j of dL/dZ[q - d, j] K[d, i, j]
//! ```
//!
//! The second line is the convolution of dL/dZ with the kernel rotated by 180 degrees and its channels swapped; it is
//! the adjoint of the first: <K * I, Y> = <I, K' * Y>.

use impasto_tensor::{Element, Tensor, TensorError, conv3x3, rotate_kernel};

use crate::ConvLayer;

/// Z of an input of H x W x `in_channels`: H x W x `out_channels`.
///
/// # Errors
/// [`TensorError::Mismatch`] if the layer's numbers do not fit the input.
pub fn forward<T: Element>(layer: &ConvLayer<T>, input: &Tensor<T>) -> Result<Tensor<T>, TensorError> {
    conv3x3(input, &layer.kernel, Some(&layer.bias))
}

/// dL/dI from dL/dZ.
///
/// # Errors
/// [`TensorError::Mismatch`] if the layer's numbers do not fit the gradient.
pub fn backward<T: Element>(layer: &ConvLayer<T>, gradient: &Tensor<T>) -> Result<Tensor<T>, TensorError> {
    let rotated = rotate_kernel(&layer.kernel, layer.in_channels, layer.out_channels);
    conv3x3(gradient, &rotated, None)
}
