//! What Adam learns of the gradient.

use crate::Real;

/// The mean m of a gradient and that of its square, v, variable by variable: what an [`Adam`](crate::Adam) run has learnt, and
/// what one of other variables may begin with, once they are brought to these.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments<T> {
    /// m, n numbers.
    pub mean: Vec<T>,
    /// v, n numbers of 0 or more.
    pub square: Vec<T>,
    /// k, the gradients that are in them.
    pub gradients: usize,
}

impl<T: Real> Moments<T> {
    /// Of no gradient.
    pub(crate) fn none(n: usize) -> Self {
        Self { mean: vec![T::ZERO; n], square: vec![T::ZERO; n], gradients: 0 }
    }
}
