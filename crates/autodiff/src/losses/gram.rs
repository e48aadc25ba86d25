//! Gram matrix and style loss of a layer (the paper, section 2).
//!
//! With F as an M x N matrix (positions x filters; the paper writes its transpose):
//!
//! ```text
//! G          = F^T F                       N x N
//! E_l        = 1/(4 N^2 M^2) sum_ij (G_ij - A_ij)^2
//! dE_l/dF    = 1/(N^2 M^2) F (G - A)       M x N   (masked where F <= 0 by the ReLU, see `ops::relu`)
//! ```
//!
//! The painting may have another size than the picture, so another M. Each Gram matrix is therefore divided by **its
//! own** M where it is made ([`GramMatrix`] holds G/M), and with G' = G/M, A' = A/M_a the same two lines read
//!
//! ```text
//! E_l        = 1/(4 N^2) sum_ij (G'_ij - A'_ij)^2
//! dE_l/dF    = 1/(N^2 M) F (G' - A')
//! ```
//!
//! which for equal sizes are the paper's. It needs G, a sum over positions; dE_l/dF is then F times the matrix
//! (G' - A') / (N^2 M).
//!
//! Where a [`Guide`] says how much each position counts, t_p = T_p^2 in 0..=1, the response is T F ("Controlling Perceptual Factors in
//! Neural Style Transfer", Gatys et al., 2017, section 4.1), and M becomes what there is of it, S = sum_p t_p:
//!
//! ```text
//! G'         = 1/S sum_p t_p F_p^T F_p             F_p: the row of position p
//! dE_l/dF_p  = t_p/(N^2 S) F_p (G' - A')
//! ```
//!
//! With t = 1 everywhere these are the lines above. A painting of which a part is taken has its A' in the same way.

use impasto_tensor::{Element, Matrix, Tensor, TensorError, gemm, reduce};

use super::{AffineMap, Moments, OfSums, Roots};
use crate::Guide;

/// The style loss of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Style<T = f32> {
    /// A/M: the painting's Gram matrix at the layer, divided by its own number of positions.
    pub target: GramMatrix<T>,
    /// Where in the picture it acts; none for everywhere.
    pub guide: Option<Guide>,
}

impl<T: Element> OfSums<T> for Style<T> {
    fn guide(&self) -> Option<&Guide> {
        self.guide.as_ref()
    }

    fn value(&self, moments: &Moments<T>) -> Result<f64, TensorError> {
        Ok(loss(&moments.second, &self.target))
    }

    fn add_gradient(
        &self,
        f: &Tensor<T>,
        moments: &Moments<T>,
        weight: f64,
        gradient: &mut [T],
    ) -> Result<(), TensorError> {
        let gram = &moments.second;
        match &self.guide {
            None => add_gradient(f, gram, &self.target, weight, gradient),
            Some(guide) => add_guided_gradient(f, guide, [gram, &self.target], weight, gradient),
        }
    }

    fn add_map(
        &self,
        moments: &Moments<T>,
        weight: f64,
        positions: usize,
        _roots: &mut dyn Roots<T>,
        map: &mut AffineMap<T>,
    ) -> Result<f64, TensorError> {
        let count = self.guide.as_ref().map_or(positions as f64, Guide::total);
        add_map(&moments.second, &self.target, weight, count, map);
        self.value(moments)
    }
}

/// G/M: the Gram matrix of a layer's response, divided by its number of positions; of a guided one by S, what counts of them.
/// Symmetric.
#[derive(Debug, Clone, PartialEq)]
pub struct GramMatrix<T = f32> {
    /// N, the filters of the layer.
    pub channels: usize,
    /// N x N numbers.
    pub data: Vec<T>,
}

impl<T: Element> GramMatrix<T> {
    /// Adds `share` times another matrix of the same size.
    pub fn add(&mut self, share: f64, other: &Self) {
        let share = T::from_f64(share);
        self.data.iter_mut().zip(&other.data).for_each(|(sum, &value)| *sum += share * value);
    }

    /// The same matrix in another precision.
    pub fn cast<U: Element>(&self) -> GramMatrix<U> {
        let data = self.data.iter().map(|value| U::from_f64(value.to_f64())).collect();
        GramMatrix { channels: self.channels, data }
    }
}

/// G' = F^T F / M.
///
/// # Errors
/// [`TensorError`] only if F is inconsistent, which a [`Tensor`] never is.
pub fn gram<T: Element>(f: &Tensor<T>) -> Result<GramMatrix<T>, TensorError> {
    let (positions, channels) = (f.shape().positions(), f.shape().channels);
    let f = Matrix::new(f.data(), positions, channels)?;
    let mut data = vec![T::ZERO; channels * channels];
    gemm(T::from_f64(1.0 / positions as f64), f.transposed(), f, T::ZERO, &mut data)?;
    Ok(GramMatrix { channels, data })
}

/// G' = 1/S sum_p t_p F_p^T F_p of a guided response.
///
/// # Errors
/// [`TensorError::Mismatch`] if the guide is not of the response's positions.
pub fn guided_gram<T: Element>(f: &Tensor<T>, guide: &Guide) -> Result<GramMatrix<T>, TensorError> {
    let (positions, channels) = (f.shape().positions(), f.shape().channels);
    let guided = scaled_rows(f, guide, f64::sqrt)?;
    let f = Matrix::new(&guided, positions, channels)?;
    let mut data = vec![T::ZERO; channels * channels];
    gemm(T::from_f64(1.0 / guide.total()), f.transposed(), f, T::ZERO, &mut data)?;
    Ok(GramMatrix { channels, data })
}

/// The rows of F, each times a factor that follows from its t.
fn scaled_rows<T: Element>(
    f: &Tensor<T>,
    guide: &Guide,
    factor: impl Fn(f64) -> f64,
) -> Result<Vec<T>, TensorError> {
    let (t, channels) = (guide.weights(), f.shape().channels);
    if t.len() != f.shape().positions() {
        let (expected, got) = (format!("{} positions", f.shape().positions()), t.len().to_string());
        return Err(TensorError::Mismatch { operation: "guide", expected, got });
    }
    let rows = f.data().chunks_exact(channels).zip(t);
    Ok(rows
        .flat_map(|(row, &t)| {
            let factor = T::from_f64(factor(f64::from(t)));
            row.iter().map(move |&f| factor * f)
        })
        .collect())
}

/// E_l of the picture's G' and the painting's A'.
///
/// # Panics
/// If the matrices differ in size.
pub fn loss<T: Element>(g: &GramMatrix<T>, a: &GramMatrix<T>) -> f64 {
    reduce::squared_distance(&g.data, &a.data) / (4.0 * (g.channels * g.channels) as f64)
}

/// Adds `weight` dE_l/dF = `weight`/(N^2 M) F (G' - A') to `gradient`.
///
/// # Errors
/// [`TensorError::Mismatch`] if the sizes do not fit.
pub fn add_gradient<T: Element>(
    f: &Tensor<T>,
    g: &GramMatrix<T>,
    a: &GramMatrix<T>,
    weight: f64,
    gradient: &mut [T],
) -> Result<(), TensorError> {
    let (positions, channels) = (f.shape().positions(), f.shape().channels);
    let difference: Vec<T> = g.data.iter().zip(&a.data).map(|(&g, &a)| g - a).collect();
    gemm(
        T::from_f64(weight / ((channels * channels) as f64 * positions as f64)),
        Matrix::new(f.data(), positions, channels)?,
        Matrix::new(&difference, channels, channels)?,
        T::ONE,
        gradient,
    )
}

/// Adds `weight` dE_l/dF of a guided response, `weight` t_p/(N^2 S) F_p (G' - A'), to `gradient`.
///
/// # Errors
/// [`TensorError::Mismatch`] if the sizes do not fit.
pub fn add_guided_gradient<T: Element>(
    f: &Tensor<T>,
    guide: &Guide,
    [g, a]: [&GramMatrix<T>; 2],
    weight: f64,
    gradient: &mut [T],
) -> Result<(), TensorError> {
    let guided = Tensor::from_vec(f.shape(), scaled_rows(f, guide, |t| t)?)?;
    // M of what is called is every position's.
    add_gradient(&guided, g, a, weight / guide.share(), gradient)
}

/// Adds `weight`/(N^2 M) (G' - A') to the matrix of `map`: the gradient of [`add_gradient`] as what F is multiplied with. `count` is M,
/// and S of a guided response, whose rows are then multiplied with t_p as well.
pub fn add_map<T: Element>(
    g: &GramMatrix<T>,
    a: &GramMatrix<T>,
    weight: f64,
    count: f64,
    map: &mut AffineMap<T>,
) {
    let scale = weight / ((g.channels * g.channels) as f64 * count);
    for ((d, &g), &a) in map.matrix.iter_mut().zip(&g.data).zip(&a.data) {
        *d += T::from_f64(scale * (g - a).to_f64());
    }
}

#[cfg(test)]
mod tests {
    use impasto_tensor::Shape;
    use proptest::prelude::*;

    use super::super::finite_differences::{assert_gradient, guides, responses, shapes};
    use super::super::{Loss, LossKind};
    use super::*;
    use crate::Coverage;

    /// A response, and one with the same channels at other positions.
    fn two_sizes() -> impl Strategy<Value = (Tensor<f64>, Tensor<f64>)> {
        (shapes(), 1..8usize, 1..8usize).prop_flat_map(|(shape, h, w)| {
            (responses(Just(shape)), responses(Just(Shape::new(h, w, shape.channels))))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn gram_gradient_matches_finite_differences((f, painting) in two_sizes(), weight in 0.1..10.0) {
            assert_gradient(&Loss::Gram(Style { target: gram(&painting)?, guide: None }), &f, weight);
        }

        #[test]
        fn guided_gram_gradient_matches_finite_differences(
            (f, painting, guide) in two_sizes().prop_flat_map(|(f, painting)| {
                let guide = guides(f.shape().positions());
                (Just(f), Just(painting), guide)
            }),
            weight in 0.1..10.0,
        ) {
            assert_gradient(&Loss::Gram(Style { target: gram(&painting)?, guide: Some(guide) }), &f, weight);
        }

        /// G' = 1/S sum_p t_p F_p^T F_p, number by number.
        #[test]
        fn a_guided_gram_matrix_is_the_definition(
            (f, guide) in responses(shapes()).prop_flat_map(|f| {
                let guide = guides(f.shape().positions());
                (Just(f), guide)
            }),
        ) {
            let (ours, n) = (guided_gram(&f, &guide)?, f.shape().channels);
            for (at, ours) in ours.data.into_iter().enumerate() {
                let product = |(row, t): (&[f64], &f32)| f64::from(*t) * row[at / n] * row[at % n];
                let sum: f64 = f.data().chunks_exact(n).zip(guide.weights()).map(product).sum();
                prop_assert!((ours - sum / guide.total()).abs() < 1e-14);
            }
        }

        /// Masks that share every position among them have the whole Gram matrix, each by its share S/M; and the same positions, on
        /// their own, have the Gram matrix that their guide has.
        #[test]
        fn shares_of_complementary_guides_add_up_to_the_gram_matrix(
            (f, here) in responses(shapes()).prop_flat_map(|f| {
                let hard = prop::collection::vec(any::<bool>(), f.shape().positions());
                (Just(f), hard)
            }),
        ) {
            prop_assume!(here.contains(&true) && here.contains(&false));
            let (whole, n) = (gram(&f)?, f.shape().channels);
            let mut sum = GramMatrix { channels: n, data: vec![0.0; n * n] };
            for side in [true, false] {
                let t = here.iter().map(|&here| f32::from(u8::from(here == side))).collect();
                let Coverage::Partly(guide) = Coverage::of(t) else { panic!("some positions, and not all") };
                let guided = guided_gram(&f, &guide)?;
                sum.add(guide.share(), &guided);
                let own = f.data().chunks_exact(n).zip(&here).filter(|(_, here)| **here == side);
                let own: Vec<f64> = own.flat_map(|(row, _)| row.to_vec()).collect();
                let own = gram(&Tensor::from_vec(Shape::new(1, own.len() / n, n), own)?)?;
                for (guided, own) in guided.data.iter().zip(&own.data) {
                    prop_assert!((guided - own).abs() < 1e-14);
                }
            }
            for (sum, whole) in sum.data.iter().zip(&whole.data) {
                prop_assert!((sum - whole).abs() < 1e-14);
            }
        }

        /// The fast path's map is the plain gradient, and is added to what is there.
        #[test]
        fn the_map_of_f_is_the_gradient((f, painting) in two_sizes(), weight in 0.1..10.0) {
            let (g, a, shape) = (gram(&f)?, gram(&painting)?, f.shape());
            let mut map = AffineMap::zero(shape.channels);
            for part in [0.25 * weight, 0.75 * weight] {
                add_map(&g, &a, part, shape.positions() as f64, &mut map);
            }
            let mut expected = vec![0.0; shape.len()];
            add_gradient(&f, &g, &a, weight, &mut expected)?;
            let matrix = Matrix::new(&map.matrix, shape.channels, shape.channels)?;
            let mut mapped = vec![0.0; shape.len()];
            gemm(1.0, Matrix::new(f.data(), shape.positions(), shape.channels)?, matrix, 0.0, &mut mapped)?;
            for (mapped, expected) in mapped.iter().zip(&expected) {
                prop_assert!((mapped - expected).abs() <= 1e-13 * weight);
            }
        }

        /// A = sum b A_s, and two halves of a painting are the painting.
        #[test]
        fn a_blend_is_the_weighted_sum((f, painting) in two_sizes(), share in 0.0..1.0) {
            let (a, b) = (gram(&f)?, gram(&painting)?);
            let losses = [a.clone(), b.clone()].map(|target| Loss::Gram(Style { target, guide: None }));
            let blended = Loss::blend([(share, &losses[0]), (1.0 - share, &losses[1])]);
            let Some(Loss::Gram(blended)) = blended else { panic!("{blended:?}") };
            for ((blended, a), b) in blended.target.data.iter().zip(&a.data).zip(&b.data) {
                prop_assert!((blended - (share * a + (1.0 - share) * b)).abs() < 1e-14);
            }
            prop_assert_eq!(Loss::blend([(0.5, &losses[0]), (0.5, &losses[0])]), Some(losses[0].clone()));
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_no_panic() {
        let shape = Shape::new(2, 3, 4);
        let (f, other) = (Tensor::<f64>::zeros(shape).unwrap(), Tensor::zeros(Shape::new(2, 3, 5)).unwrap());
        for kind in LossKind::ALL.into_iter().filter(|kind| kind.is_of_a_layer()) {
            let loss = kind.target_of(&f).unwrap();
            assert!(loss.value(&other).is_err() && loss.value(&f).is_ok(), "{kind:?}");
            assert!(loss.add_gradient(&other, 1.0, &mut vec![0.0; 30]).is_err(), "{kind:?}");
            assert!(loss.add_gradient(&f, 1.0, &mut [0.0; 23]).is_err(), "{kind:?}");
        }
        let [small, large] = [&f, &other].map(|f| LossKind::Gram.target_of(f).unwrap());
        assert_eq!(Loss::blend([(0.5, &small), (0.5, &large)]), None);
        assert_eq!(Loss::blend([(0.5, &small), (0.5, &LossKind::Content.target_of(&f).unwrap())]), None);
    }
}
