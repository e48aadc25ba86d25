//! Content loss (the paper, section 2): how far the response F is from the photo's response P.
//!
//! ```text
//! L_content      = 1/2 sum_ij (F_ij - P_ij)^2
//! dL_content/dF  = F - P           (the paper's "0 where F_ij < 0" is the ReLU's mask, see `ops::relu`)
//! ```
//!
//! It needs F at each position.

use impasto_tensor::{Element, Tensor, reduce};

use super::AtPositions;

/// The content loss of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Content<T = f32> {
    /// P: the photo's response at the layer, H x W x C.
    pub target: Tensor<T>,
}

impl<T: Element> AtPositions<T> for Content<T> {
    fn value(&self, first: usize, f: &[T]) -> f64 {
        loss(f, self.block(first, f.len()))
    }

    fn add_gradient(&self, first: usize, f: &[T], weight: f64, gradient: &mut [T]) {
        add_gradient(f, self.block(first, f.len()), weight, gradient);
    }
}

impl<T: Element> Content<T> {
    /// P of `len` numbers from position `first` on.
    fn block(&self, first: usize, len: usize) -> &[T] {
        &self.target.data()[first * self.target.shape().channels..][..len]
    }
}

/// L_content.
///
/// # Panics
/// If the lengths differ.
pub fn loss<T: Element>(f: &[T], p: &[T]) -> f64 {
    0.5 * reduce::squared_distance(f, p)
}

/// Adds `weight` (F - P) to `gradient`.
///
/// # Panics
/// If the lengths differ.
pub fn add_gradient<T: Element>(f: &[T], p: &[T], weight: f64, gradient: &mut [T]) {
    assert!(f.len() == p.len() && f.len() == gradient.len(), "slices of equal length");
    let weight = T::from_f64(weight);
    for ((g, &f), &p) in gradient.iter_mut().zip(f).zip(p) {
        *g += weight * (f - p);
    }
}
