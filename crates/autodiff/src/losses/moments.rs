//! The sums over positions that losses compare: the mean of a response and its second moments.
//!
//! ```text
//! mu = 1/S sum_p t_p F_p                 N numbers
//! G' = 1/S sum_p t_p F_p^T F_p           N x N: the Gram matrix, see [`super::gram`]
//! ```
//!
//! F_p is the row of position p, t_p what a [`Guide`] says that it counts, S = sum_p t_p; without a guide t = 1 and S = M. Both are linear
//! in the positions: of pictures side by side, and of a blend of paintings, they are the weighted sums of the parts'. A covariance is not.

use impasto_tensor::{Element, Tensor, TensorError};

use super::GramMatrix;
use super::gram::{gram, guided_gram};
use crate::Guide;

/// mu and G' of a response, or of what a guide leaves of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments<T = f32> {
    /// mu, N numbers; none where no loss asks for it.
    pub mean: Vec<T>,
    /// G', the second moments.
    pub second: GramMatrix<T>,
}

impl<T: Element> Moments<T> {
    /// Those of a response, or of what a guide leaves of it.
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if the guide is not of the response's positions.
    pub fn of(f: &Tensor<T>, guide: Option<&Guide>) -> Result<Self, TensorError> {
        let second = guide.map_or_else(|| gram(f), |guide| guided_gram(f, guide))?;
        let mut sums = vec![0.0; second.channels];
        for (position, row) in f.data().chunks_exact(second.channels).enumerate() {
            let t = guide.map_or(1.0, |guide| f64::from(guide.weights()[position]));
            sums.iter_mut().zip(row).for_each(|(sum, f)| *sum += t * f.to_f64());
        }
        let total = guide.map_or(f.shape().positions() as f64, Guide::total);
        Ok(Self { mean: sums.into_iter().map(|sum| T::from_f64(sum / total)).collect(), second })
    }

    /// Adds `share` times others of the same size.
    pub fn add(&mut self, share: f64, mean: &[T], second: &GramMatrix<T>) {
        let t = T::from_f64(share);
        self.mean.iter_mut().zip(mean).for_each(|(sum, &value)| *sum += t * value);
        self.second.add(share, second);
    }

    /// The same in another precision.
    pub fn cast<U: Element>(&self) -> Moments<U> {
        let mean = self.mean.iter().map(|value| U::from_f64(value.to_f64())).collect();
        Moments { mean, second: self.second.cast() }
    }
}
