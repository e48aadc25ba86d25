//! A picture with a border of one pixel all around, and the gradient of that.
//!
//! ```text
//! O = P I       O[y + 1, x + 1] = I[r(y), r(x)]       y from -1 to H, x from -1 to W, r as the border says; or 0
//! dI = P' dO    dI[q] = sum over all p with r(p) = q of dO[p + (1, 1)]
//! ```
//!
//! With a border of zeros P puts a picture into a frame of zeros, and P' cuts the frame off.

use crate::{Border, Element, Shape, Tensor, TensorError};

/// P I: (H + 2) x (W + 2) x C of H x W x C.
///
/// # Errors
/// [`TensorError::OutOfMemory`] if there is no room.
pub fn pad<T: Element>(border: Border, input: &Tensor<T>) -> Result<Tensor<T>, TensorError> {
    let shape = input.shape();
    let mut output = Tensor::zeros(padded(shape))?;
    for (to, from) in pairs(border, shape) {
        output.data_mut()[to..to + shape.channels]
            .copy_from_slice(&input.data()[from..from + shape.channels]);
    }
    Ok(output)
}

/// P' dO, the adjoint of [`pad`]: H x W x C of a gradient of (H + 2) x (W + 2) x C.
///
/// # Errors
/// [`TensorError::Mismatch`] if a side of `gradient` is below 3.
pub fn pad_gradient<T: Element>(border: Border, gradient: &Tensor<T>) -> Result<Tensor<T>, TensorError> {
    let Shape { height, width, channels } = gradient.shape();
    if height < 3 || width < 3 {
        return Err(TensorError::Mismatch {
            operation: "pad gradient",
            expected: "a gradient of (H + 2) x (W + 2) x C".to_owned(),
            got: gradient.shape().to_string(),
        });
    }
    let shape = Shape::new(height - 2, width - 2, channels);
    let mut output = Tensor::zeros(shape)?;
    for (from, to) in pairs(border, shape) {
        let gradient = &gradient.data()[from..from + channels];
        output.data_mut()[to..to + channels].iter_mut().zip(gradient).for_each(|(sum, &g)| *sum += g);
    }
    Ok(output)
}

/// The shape with its border.
const fn padded(shape: Shape) -> Shape {
    Shape::new(shape.height + 2, shape.width + 2, shape.channels)
}

/// Where the channels of each position with its border are, and those of the position of H x W x C that is read there, if one is.
fn pairs(border: Border, shape: Shape) -> impl Iterator<Item = (usize, usize)> {
    let Shape { height, width, channels } = shape;
    (0..height + 2).flat_map(move |y| {
        (0..width + 2).filter_map(move |x| {
            let (row, column) = (border.read(y, height)?, border.read(x, width)?);
            Some(((y * (width + 2) + x) * channels, (row * width + column) * channels))
        })
    })
}
