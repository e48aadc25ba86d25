//! Style loss of a layer as the Wasserstein-2 distance of Gaussians: what it takes to carry the one over into the other, squared.
//!
//! F is taken for N numbers at each position, with mean mu and covariance Sigma; the painting's are mu_s and Sigma_s, and N(mu, Sigma) is
//! the Gaussian that has them. By Olkin and Pukelsheim (1982),
//!
//! ```text
//! Sigma = G' - mu mu^T + eps I                              mu, G': the moments of F, see [`super::moments`]
//! W_l   = 1/N [ |mu - mu_s|^2 + tr(Sigma + Sigma_s - 2 R(S Sigma S)) ],     S = R(Sigma_s)
//! ```
//!
//! R is the square root as [`impasto_tensor::square_root`] computes it: a fixed number of Newton-Schulz steps from the same start, so that
//! W_l depends on F alone. With Q the gradient of tr R(S Sigma S) by S Sigma S, which for an exact root is (S Sigma S)^-1/2 / 2,
//!
//! ```text
//! T            = 2 S Q S                                    the optimal transport map from N(mu, Sigma) to N(mu_s, Sigma_s)
//! dW_l/dSigma  = 1/N (I - T)
//! dW_l/dmu     = 2/N (mu - mu_s)                            with Sigma held
//! dW_l/dF_p    = 2 t_p/(N S_t) [ (F_p - mu) (I - T) + mu - mu_s ]          F_p: a row, t_p: what it counts, S_t = sum_p t_p
//!              = 2 t_p/(N S_t) [ F_p (I - T) + mu T - mu_s ]
//! ```
//!
//! The last line is the affine map. `eps` keeps Sigma above 0 where a filter is dead or there are fewer positions than filters, and
//! W_l finite whatever F is.

use impasto_tensor::{
    Element, Matrix, RootTrace, SquareRoots, Tensor, TensorError, gemm, root_trace, square_root,
};

use super::{AffineMap, Moments, OfSums};
use crate::Guide;

/// eps: 1e-4 for responses of the scale of torchvision's networks, which is that of these divided by 58 (the published networks
/// read colours of 0..255, torchvision's read them divided by about 58).
pub const EPSILON: f64 = 1e-4 * 58.0 * 58.0;

/// The style loss of a layer as a distance of Gaussians.
#[derive(Debug, Clone, PartialEq)]
pub struct Wasserstein<T = f32> {
    /// mu_s and the second moments of the painting at the layer.
    pub target: Moments<T>,
    /// Where in the picture it acts; none for everywhere.
    pub guide: Option<Guide>,
    /// S, once [`Self::prepare`] has made it.
    root: Option<Vec<T>>,
}

/// How square roots are computed: plainly, or fast.
pub trait Roots<T> {
    /// R(A), see [`impasto_tensor::square_root`].
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if there are not N x N numbers.
    fn square_root(&mut self, a: &[T], n: usize) -> Result<Vec<T>, TensorError>;

    /// tr R(S A S) and its gradient, see [`impasto_tensor::root_trace`].
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if they have not N x N numbers.
    fn root_trace(&mut self, s: &[T], a: &[T], n: usize) -> Result<RootTrace<T>, TensorError>;
}

/// Square roots by plain products, in either precision.
#[derive(Debug, Clone, Copy)]
pub struct PlainRoots;

impl<T: Element> Roots<T> for PlainRoots {
    fn square_root(&mut self, a: &[T], n: usize) -> Result<Vec<T>, TensorError> {
        square_root(a, n)
    }

    fn root_trace(&mut self, s: &[T], a: &[T], n: usize) -> Result<RootTrace<T>, TensorError> {
        root_trace(s, a, n)
    }
}

impl Roots<f32> for SquareRoots {
    fn square_root(&mut self, a: &[f32], n: usize) -> Result<Vec<f32>, TensorError> {
        self.square_root(a, n)
    }

    fn root_trace(&mut self, s: &[f32], a: &[f32], n: usize) -> Result<RootTrace, TensorError> {
        self.root_trace(s, a, n)
    }
}

impl<T> Wasserstein<T> {
    /// The distance to a painting's Gaussian, everywhere.
    pub const fn new(target: Moments<T>) -> Self {
        Self { target, guide: None, root: None }
    }
}

impl<T: Element> Wasserstein<T> {
    /// Makes S, which is else made at every evaluation.
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if the target is inconsistent.
    pub fn prepare(&mut self, roots: &mut dyn Roots<T>) -> Result<(), TensorError> {
        self.root = Some(roots.square_root(&covariance(&self.target), self.target.second.channels)?);
        Ok(())
    }

    /// The same loss in another precision.
    pub fn cast<U: Element>(&self) -> Wasserstein<U> {
        Wasserstein { target: self.target.cast(), guide: self.guide.clone(), root: None }
    }

    /// W_l and I - T.
    fn value_and_map(
        &self,
        moments: &Moments<T>,
        roots: &mut dyn Roots<T>,
    ) -> Result<(f64, Vec<T>), TensorError> {
        let n = moments.second.channels;
        let sigma = covariance(moments);
        let RootTrace { trace, gradient } = match &self.root {
            Some(root) => roots.root_trace(root, &sigma, n)?,
            None => {
                let root = roots.square_root(&covariance(&self.target), n)?;
                roots.root_trace(&root, &sigma, n)?
            }
        };
        let of_means: f64 = moments.mean.iter().zip(&self.target.mean).map(square).sum();
        let traces: f64 = (0..n).map(|i| variance(moments, i) + variance(&self.target, i)).sum();
        let value = (of_means + traces - 2.0 * trace) / n as f64;
        let mut map = gradient;
        map.iter_mut().for_each(|t| *t = T::from_f64(-2.0) * *t);
        map.iter_mut().step_by(n + 1).for_each(|t| *t += T::ONE);
        Ok((value, map))
    }

    /// What positions count together.
    fn total(&self, positions: usize) -> f64 {
        self.guide.as_ref().map_or(positions as f64, Guide::total)
    }
}

fn square<T: Element>((a, b): (&T, &T)) -> f64 {
    (a.to_f64() - b.to_f64()).powi(2)
}

/// Sigma_ii.
fn variance<T: Element>(Moments { mean, second }: &Moments<T>, i: usize) -> f64 {
    second.data[i * (second.channels + 1)].to_f64() - mean[i].to_f64().powi(2) + EPSILON
}

/// Sigma = G' - mu mu^T + eps I.
fn covariance<T: Element>(moments: &Moments<T>) -> Vec<T> {
    let Moments { mean, second } = moments;
    let mut sigma = Vec::with_capacity(second.data.len());
    for (i, row) in second.data.chunks_exact(second.channels).enumerate() {
        let own = mean[i].to_f64();
        sigma.extend(row.iter().zip(mean).map(|(g, mu)| T::from_f64(g.to_f64() - own * mu.to_f64())));
        sigma[i * (second.channels + 1)] = T::from_f64(variance(moments, i));
    }
    sigma
}

impl<T: Element> OfSums<T> for Wasserstein<T> {
    fn guide(&self) -> Option<&Guide> {
        self.guide.as_ref()
    }

    fn value(&self, moments: &Moments<T>) -> Result<f64, TensorError> {
        Ok(self.value_and_map(moments, &mut PlainRoots)?.0)
    }

    /// As the equation is first written: centred rows.
    fn add_gradient(
        &self,
        f: &Tensor<T>,
        moments: &Moments<T>,
        weight: f64,
        gradient: &mut [T],
    ) -> Result<(), TensorError> {
        let (n, positions) = (moments.second.channels, f.shape().positions());
        let (_, map) = self.value_and_map(moments, &mut PlainRoots)?;
        let scale = 2.0 * weight / (n as f64 * self.total(positions));
        let t = |position: usize| self.guide.as_ref().map_or(1.0, |guide| guide.weights()[position]);
        let mut centred = Vec::with_capacity(f.data().len());
        let rows = f.data().chunks_exact(n).zip(gradient.chunks_exact_mut(n));
        for (position, (row, out)) in rows.enumerate() {
            let t = T::from_f64(scale * f64::from(t(position)));
            centred.extend(row.iter().zip(&moments.mean).map(|(&f, &mean)| t * (f - mean)));
            let means = moments.mean.iter().zip(&self.target.mean);
            out.iter_mut().zip(means).for_each(|(out, (&mean, &target))| *out += t * (mean - target));
        }
        gemm(T::ONE, Matrix::new(&centred, positions, n)?, Matrix::new(&map, n, n)?, T::ONE, gradient)
    }

    fn add_map(
        &self,
        moments: &Moments<T>,
        weight: f64,
        positions: usize,
        roots: &mut dyn Roots<T>,
        map: &mut AffineMap<T>,
    ) -> Result<f64, TensorError> {
        let n = moments.second.channels;
        let (value, identity_less_t) = self.value_and_map(moments, roots)?;
        let scale = 2.0 * weight / (n as f64 * self.total(positions));
        let vector = map.vector.get_or_insert_with(|| vec![T::ZERO; n]);
        for (at, (vector, target)) in vector.iter_mut().zip(&self.target.mean).enumerate() {
            // It is symmetric: a row is the column.
            let row = identity_less_t[at * n..].iter().zip(&moments.mean);
            let through: f64 = row.map(|(d, mean)| d.to_f64() * mean.to_f64()).sum();
            let mean = moments.mean[at].to_f64();
            *vector += T::from_f64(scale * (mean - through - target.to_f64()));
        }
        for (d, &own) in map.matrix.iter_mut().zip(&identity_less_t) {
            *d += T::from_f64(scale * own.to_f64());
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use impasto_tensor::{Isa, Shape};
    use proptest::prelude::*;

    use super::super::finite_differences::{assert_gradient_within, guides, responses, shapes};
    use super::super::{Loss, LossKind};
    use super::*;

    /// Of differences of a value that is a sum of roots.
    const TOLERANCE: f64 = 1e-6;

    /// A response, and one with the same channels at other positions.
    fn two_sizes() -> impl Strategy<Value = (Tensor<f64>, Tensor<f64>)> {
        (shapes(), 1..8usize, 1..8usize).prop_flat_map(|(shape, h, w)| {
            (responses(Just(shape)), responses(Just(Shape::new(h, w, shape.channels))))
        })
    }

    /// Those, and a guide of the first.
    fn guided() -> impl Strategy<Value = (Tensor<f64>, Tensor<f64>, Guide)> {
        two_sizes().prop_flat_map(|(f, painting)| {
            let guide = guides(f.shape().positions());
            (Just(f), Just(painting), guide)
        })
    }

    fn loss_of(painting: &Tensor<f64>, guide: Option<Guide>) -> Loss<f64> {
        LossKind::Wasserstein.target_of(painting).expect("a consistent response").guided(guide)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn wasserstein_gradient_matches_finite_differences((f, painting) in two_sizes(), weight in 0.1..10.0) {
            assert_gradient_within(TOLERANCE, &loss_of(&painting, None), &f, weight);
        }

        #[test]
        fn guided_wasserstein_gradient_matches_finite_differences(
            (f, painting, guide) in guided(),
            weight in 0.1..10.0,
        ) {
            assert_gradient_within(TOLERANCE, &loss_of(&painting, Some(guide)), &f, weight);
        }
    }
}
