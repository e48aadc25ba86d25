//! 2x2 pooling with stride 2; see `impasto_tensor`'s `average_pool` and `max_pool` for the edge rule.
//!
//! ```text
//! average: O = (a + b + c + d) / 4        dL/da = dL/db = dL/dc = dL/dd = dL/dO / 4
//! scaled average: O and dL/da twice that of the average
//! max:     O = max(a, b, c, d)            dL/dO to the first of the largest, 0 to the others
//! ```

use impasto_tensor::{
    Element, Tensor, TensorError, average_pool, average_pool_gradient, max_pool, max_pool_gradient,
};

use crate::Pooling;

/// O of an input of H x W x C: floor(H/2) x floor(W/2) x C.
///
/// # Errors
/// [`TensorError::Unusable`] if a side is below 2.
pub fn forward<T: Element>(pooling: Pooling, input: &Tensor<T>) -> Result<Tensor<T>, TensorError> {
    match pooling {
        Pooling::Average => average_pool(input),
        Pooling::Max => max_pool(input),
        Pooling::ScaledAverage => Ok(scaled(average_pool(input)?)),
    }
}

/// dL/dI from dL/dO, given the input.
///
/// # Errors
/// [`TensorError::Mismatch`] if the gradient is not of the pooled shape.
pub fn backward<T: Element>(
    pooling: Pooling,
    input: &Tensor<T>,
    gradient: &Tensor<T>,
) -> Result<Tensor<T>, TensorError> {
    match pooling {
        Pooling::Average => average_pool_gradient(input.shape(), gradient),
        Pooling::Max => max_pool_gradient(input, gradient),
        Pooling::ScaledAverage => Ok(scaled(average_pool_gradient(input.shape(), gradient)?)),
    }
}

/// Twice the numbers: what [`Pooling::ScaledAverage`] makes of averages, and of their gradients.
fn scaled<T: Element>(mut tensor: Tensor<T>) -> Tensor<T> {
    let two = T::from_f64(2.0);
    tensor.data_mut().iter_mut().for_each(|number| *number *= two);
    tensor
}
