//! 2x2 pooling with stride 2: average (the paper's choice) and maximum (VGG's own), each with its gradient.
//!
//! Sizes: H x W becomes floor(H/2) x floor(W/2). This is PyTorch's rule, which today's users and our golden numbers
//! have; Caffe's is the ceiling, with windows cut at the edge. Under the floor rule the last row of an odd height (the
//! last column of an odd width) reaches no deeper layer, and its gradient from there is zero.

use rayon::prelude::*;

use crate::{Element, Shape, Tensor, TensorError};

/// The shape after pooling: floor(H/2) x floor(W/2) x C.
pub const fn pooled_shape(shape: Shape) -> Shape {
    Shape::new(shape.height / 2, shape.width / 2, shape.channels)
}

/// O[y, x] = (I[2y, 2x] + I[2y, 2x+1] + I[2y+1, 2x] + I[2y+1, 2x+1]) / 4, channel by channel.
///
/// # Errors
/// [`TensorError::Unusable`] if a side is below 2.
pub fn average_pool<T: Element>(input: &Tensor<T>) -> Result<Tensor<T>, TensorError> {
    let quarter = T::from_f64(0.25);
    pool(input, |[a, b, c, d]| (a + b + c + d) * quarter)
}

/// The adjoint of [`average_pool`]: every output's gradient, divided by 4, to each of its four inputs.
///
/// # Errors
/// [`TensorError::Mismatch`] if `gradient` is not of the pooled shape of `input_shape`.
pub fn average_pool_gradient<T: Element>(
    input_shape: Shape,
    gradient: &Tensor<T>,
) -> Result<Tensor<T>, TensorError> {
    let quarter = T::from_f64(0.25);
    unpool(input_shape, gradient, |_, _, g| g * quarter)
}

/// O[y, x] = the largest of the four inputs, channel by channel.
///
/// # Errors
/// [`TensorError::Unusable`] if a side is below 2.
pub fn max_pool<T: Element>(input: &Tensor<T>) -> Result<Tensor<T>, TensorError> {
    pool(input, |window| window[first_maximum(window)])
}

/// The gradient of [`max_pool`]: an output's gradient to the input that was its maximum; among equals the first in
/// reading order, as PyTorch does.
///
/// # Errors
/// [`TensorError::Mismatch`] if `gradient` is not of the pooled shape of `input`.
pub fn max_pool_gradient<T: Element>(
    input: &Tensor<T>,
    gradient: &Tensor<T>,
) -> Result<Tensor<T>, TensorError> {
    unpool(input.shape(), gradient, |window, corner, g| {
        let values = window.map(|index| input.data()[index]);
        if first_maximum(values) == corner { g } else { T::ZERO }
    })
}

/// The index of the largest of four values, the first among equals.
#[inline]
fn first_maximum<T: Element>(window: [T; 4]) -> usize {
    (1..4).fold(0, |best, index| if window[index] > window[best] { index } else { best })
}

fn pool<T: Element>(
    input: &Tensor<T>,
    reduce: impl Fn([T; 4]) -> T + Sync,
) -> Result<Tensor<T>, TensorError> {
    let Shape { width, channels, .. } = input.shape();
    let mut output = Tensor::zeros(pooled_shape(input.shape()))?;
    let row_length = output.shape().width * channels;
    output.data_mut().par_chunks_mut(row_length).enumerate().for_each(|(y, row)| {
        for (offset, out) in row.iter_mut().enumerate() {
            let corner = 2 * y * width * channels + (offset / channels) * 2 * channels + offset % channels;
            *out = reduce(window(corner, width, channels).map(|index| input.data()[index]));
        }
    });
    Ok(output)
}

/// The indices of the four inputs of the window whose first one is at `corner`, in reading order.
const fn window(corner: usize, width: usize, channels: usize) -> [usize; 4] {
    [corner, corner + channels, corner + width * channels, corner + (width + 1) * channels]
}

/// Spreads `gradient` over the windows: `share(window, corner, g)` is what the input at `window[corner]` gets.
fn unpool<T: Element>(
    input_shape: Shape,
    gradient: &Tensor<T>,
    share: impl Fn([usize; 4], usize, T) -> T + Sync,
) -> Result<Tensor<T>, TensorError> {
    let pooled = gradient.shape();
    if pooled_shape(input_shape) != pooled {
        return Err(TensorError::Mismatch {
            operation: "pool gradient",
            expected: format!("{}", pooled_shape(input_shape)),
            got: format!("{pooled}"),
        });
    }
    let Shape { width, channels, .. } = input_shape;
    let mut output = Tensor::zeros(input_shape)?;
    output.data_mut().par_chunks_mut(width * channels).enumerate().for_each(|(y, row)| {
        if y / 2 >= pooled.height {
            return;
        }
        for (offset, out) in row[..2 * pooled.width * channels].iter_mut().enumerate() {
            let (x, channel) = (offset / channels, offset % channels);
            let g = gradient.data()[((y / 2) * pooled.width + x / 2) * channels + channel];
            let corner = ((y & !1) * width + (x & !1)) * channels + channel;
            *out = share(window(corner, width, channels), (y & 1) * 2 + (x & 1), g);
        }
    });
    Ok(output)
}
