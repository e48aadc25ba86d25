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
        let RootTrace { trace, gradient } = if let Some(root) = &self.root {
            roots.root_trace(root, &sigma, n)?
        } else {
            let root = roots.square_root(&covariance(&self.target), n)?;
            roots.root_trace(&root, &sigma, n)?
        };
        let of_means: f64 = moments.mean.iter().zip(&self.target.mean).map(square).sum();
        let traces: f64 = (0..n).map(|i| variance(moments, i) + variance(&self.target, i)).sum();
        let value = (of_means + traces - 2.0 * trace) / n as f64;
        let mut map = gradient;
        for t in &mut map {
            *t *= T::from_f64(-2.0);
        }
        for t in map.iter_mut().step_by(n + 1) {
            *t += T::ONE;
        }
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

    use crate::check::Ladder;

    use super::super::finite_differences::{assert_gradient_within, guides, responses, shapes};
    use super::super::{Loss, LossKind};
    use super::*;

    /// Of differences of a value that is a sum of roots.
    const TOLERANCE: f64 = 1e-6;

    /// Where the rounding of such a value is still below that: not so small beside the numbers of F as for other losses, or two steps that
    /// agree by chance are taken for the best ones.
    fn assert_roots_gradient(loss: &Loss<f64>, f: &Tensor<f64>, weight: f64) {
        let largest = f.data().iter().fold(1.0_f64, |largest, f| largest.max(f.abs()));
        assert_gradient_within(TOLERANCE, &Ladder::new(largest / 10.0, 4.0, 9), loss, f, weight);
    }

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

    /// Plain roots that count the targets.
    #[derive(Debug, PartialEq)]
    struct Counted(usize);

    impl Roots<f64> for Counted {
        fn square_root(&mut self, a: &[f64], n: usize) -> Result<Vec<f64>, TensorError> {
            self.0 += 1;
            PlainRoots.square_root(a, n)
        }

        fn root_trace(&mut self, s: &[f64], a: &[f64], n: usize) -> Result<RootTrace<f64>, TensorError> {
            PlainRoots.root_trace(s, a, n)
        }
    }

    fn loss_of(painting: &Tensor<f64>, guide: Option<Guide>) -> Loss<f64> {
        LossKind::Wasserstein.target_of(painting).expect("a consistent response").guided(guide)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn wasserstein_gradient_matches_finite_differences((f, painting) in two_sizes(), weight in 0.1..10.0) {
            assert_roots_gradient(&loss_of(&painting, None), &f, weight);
        }

        #[test]
        fn guided_wasserstein_gradient_matches_finite_differences(
            (f, painting, guide) in guided(),
            weight in 0.1..10.0,
        ) {
            assert_roots_gradient(&loss_of(&painting, Some(guide)), &f, weight);
        }

        /// Also where the steps do not reach all eigenvalues: responses that are large beside eps.
        #[test]
        fn the_gradient_is_that_of_the_steps_taken((mut f, mut painting) in two_sizes(), scale in 1.0..300.0) {
            let scaled = |f: &mut Tensor<f64>| f.data_mut().iter_mut().for_each(|f| *f *= scale);
            scaled(&mut f);
            scaled(&mut painting);
            assert_roots_gradient(&loss_of(&painting, None), &f, 1.0);
        }

        /// The fast path's map is the plain gradient, and is added to what is there.
        #[test]
        fn the_map_of_f_is_the_gradient(
            (f, painting, guide) in guided(),
            is_guided in any::<bool>(),
            weight in 0.1..10.0,
        ) {
            let guide = is_guided.then_some(guide);
            let t = |p: usize| guide.as_ref().map_or(1.0, |guide| f64::from(guide.weights()[p]));
            let (shape, moments) = (f.shape(), Moments::of(&f, guide.as_ref())?);
            let Loss::Wasserstein(mut loss) = loss_of(&painting, guide.clone()) else { panic!("another loss") };
            let mut expected = vec![0.0; shape.len()];
            loss.add_gradient(&f, &moments, weight, &mut expected)?;
            let mut map = AffineMap::zero(shape.channels);
            for part in [0.25 * weight, 0.75 * weight] {
                let value = loss.add_map(&moments, part, shape.positions(), &mut PlainRoots, &mut map)?;
                prop_assert_eq!(value, loss.value(&moments)?);
                loss.prepare(&mut PlainRoots)?;
            }
            let vector = map.vector.expect("means have a part in it");
            for (p, row) in f.data().chunks_exact(shape.channels).enumerate() {
                for (i, d) in vector.iter().enumerate() {
                    let column = map.matrix[i..].iter().step_by(shape.channels);
                    let product: f64 = row.iter().zip(column).map(|(f, d)| f * d).sum();
                    let expected = expected[p * shape.channels + i];
                    prop_assert!((t(p) * (product + d) - expected).abs() <= 1e-12 * weight, "{expected}");
                }
            }
        }

        /// The root of the target is made once, and the loss stays what it is.
        #[test]
        fn what_is_prepared_is_not_made_again((f, painting) in two_sizes()) {
            let mut loss = loss_of(&painting, None);
            let moments = Moments::of(&f, None)?;
            let value = |loss: &Loss<f64>, roots: &mut Counted| {
                let Loss::Wasserstein(loss) = loss else { panic!("another loss") };
                loss.add_map(&moments, 1.0, 1, roots, &mut AffineMap::zero(f.shape().channels)).unwrap()
            };
            let (mut before, mut after) = (Counted(0), Counted(0));
            let expected = value(&loss, &mut before);
            loss.prepare(&mut PlainRoots)?;
            prop_assert_eq!(value(&loss, &mut after), expected);
            prop_assert_eq!((before, after), (Counted(1), Counted(0)));
        }

        /// The engine's roots lead to the plain loss.
        #[test]
        fn fast_roots_give_the_plain_loss((f, painting) in two_sizes()) {
            let (f, painting) = (f.cast::<f32>(), painting.cast::<f32>());
            let n = f.shape().channels;
            let Loss::Wasserstein(loss) = LossKind::Wasserstein.target_of(&painting)? else { panic!("another") };
            let (moments, mut map) = (Moments::of(&f, None)?, AffineMap::zero(n));
            let mut roots = SquareRoots::new(Isa::current(), n)?;
            let ours = loss.add_map(&moments, 1.0, f.shape().positions(), &mut roots, &mut map)?;
            prop_assert!((ours - loss.value(&moments)?).abs() < 1e-5);
        }

        /// Of one filter it is known: the squared distance of means and that of standard deviations.
        #[test]
        fn one_filter_has_the_distance_of_numbers(
            (f, painting) in (1..9_usize, 1..9_usize).prop_flat_map(|(m, m_s)| {
                let of = |m: usize| responses(Just(Shape::new(m, 1, 1)));
                (of(m), of(m_s))
            }),
        ) {
            let mean = |f: &Tensor<f64>| f.data().iter().sum::<f64>() / f.data().len() as f64;
            let deviation = |f: &Tensor<f64>| {
                let squares = f.data().iter().map(|x| (x - mean(f)).powi(2)).sum::<f64>();
                (squares / f.data().len() as f64 + EPSILON).sqrt()
            };
            let expected = (mean(&f) - mean(&painting)).powi(2) + (deviation(&f) - deviation(&painting)).powi(2);
            prop_assert!((loss_of(&painting, None).value(&f)? - expected).abs() < 1e-12);
        }

        /// mu and G' mix linearly; the same positions twice are the same painting.
        #[test]
        fn a_blend_mixes_moments((f, painting) in two_sizes(), share in 0.0..1.0) {
            let losses = [&f, &painting].map(|f| loss_of(f, None));
            let blended = Loss::blend([(share, &losses[0]), (1.0 - share, &losses[1])]);
            let Some(Loss::Wasserstein(blended)) = blended else { panic!("{blended:?}") };
            let [a, b] = [Moments::of(&f, None)?, Moments::of(&painting, None)?];
            let mix = |a: &[f64], b: &[f64]| -> Vec<f64> {
                a.iter().zip(b).map(|(a, b)| share * a + (1.0 - share) * b).collect()
            };
            for (ours, expected) in [
                (&blended.target.mean, mix(&a.mean, &b.mean)),
                (&blended.target.second.data, mix(&a.second.data, &b.second.data)),
            ] {
                prop_assert!(ours.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-14));
            }
            prop_assert_eq!(Loss::blend([(0.5, &losses[0]), (0.5, &losses[0])]), Some(losses[0].clone()));
            let of_another_kind = LossKind::Gram.target_of(&f)?;
            prop_assert_eq!(Loss::blend([(0.5, &losses[0]), (0.5, &of_another_kind)]), None);
        }
    }

    /// A target of other sizes is refused before any of it is read.
    #[test]
    fn a_target_that_does_not_fit_is_an_error() {
        let f = Tensor::<f64>::zeros(Shape::new(2, 3, 2)).unwrap();
        let Loss::Wasserstein(mut loss) = loss_of(&f, None) else { panic!("another loss") };
        loss.target.mean.pop();
        let error = Loss::Wasserstein(loss).value(&f).unwrap_err().to_string();
        assert!(error.contains("moments of 2 filters, 1 and 4 numbers"), "{error}");
    }
}
