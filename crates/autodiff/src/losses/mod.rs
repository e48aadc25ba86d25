//! The losses, one file each: the equation, what it needs, its value, its gradient, and its test by finite differences.
//!
//! | loss | needs | target |
//! |---|---|---|
//! | [`content`] | F at each position | P, the photo's response |
//! | [`gram`] | the Gram matrix, a sum over positions | A, the painting's Gram matrix |
//! | [`wasserstein`] | the mean and the Gram matrix, sums over positions | the painting's |
//! | [`total_variation`], [`nine_points`] | the pixels | none |
//!
//! Those of a layer may have a [`Guide`], which says how much each position of the response counts.
//!
//! A loss is of one of three families. [`AtPositions`] compares position by position, so its value is a sum over
//! blocks of positions and its gradient at a position needs nothing else. [`OfSums`] depends on statistics that are sums
//! over positions; once they are known, its gradient is an affine map of each position's F. Sums over positions are what
//! blocks, threads and steps of a picture have in common. [`OfPixels`] looks at the picture itself.

pub mod content;
pub mod gram;
mod kind;
pub mod moments;
pub mod nine_points;
pub mod total_variation;
pub mod wasserstein;

use impasto_tensor::reduce::RunningSum;
use impasto_tensor::{Element, Shape, Tensor, TensorError};

use crate::{AutodiffError, Guide};
pub use content::Content;
pub use gram::{GramMatrix, Style};
pub use kind::LossKind;
pub use moments::Moments;
pub use nine_points::NinePoints;
pub use total_variation::TotalVariation;
pub use wasserstein::{PlainRoots, Roots, Wasserstein};

/// A loss that compares the response with a target position by position.
pub trait AtPositions<T>: Sync {
    /// Adds the loss of a block of positions to that of the positions before. `first` is the block's first position in the whole
    /// response; `f` holds the block.
    fn add_value(&self, first: usize, f: &[T], sum: &mut RunningSum);

    /// Adds `weight` dL/dF of a block to `gradient`, which has the length of `f`.
    fn add_gradient(&self, first: usize, f: &[T], weight: f64, gradient: &mut [T]);
}

/// A loss of statistics that are sums over positions: of the mean and the Gram matrix.
pub trait OfSums<T> {
    /// How much each position counts in the sums; none where all count the same.
    fn guide(&self) -> Option<&Guide>;

    /// The loss of a response with mean mu and Gram matrix G/M; of a guided one, with the sums of what counts, divided by S. Without
    /// losses that ask for the mean there may be none.
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if the sizes do not fit.
    fn value(&self, moments: &Moments<T>) -> Result<f64, TensorError>;

    /// Adds `weight` dL/dF of the whole response to `gradient`: the plain twin of [`Self::add_map`].
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if the sizes do not fit.
    fn add_gradient(
        &self,
        f: &Tensor<T>,
        moments: &Moments<T>,
        weight: f64,
        gradient: &mut [T],
    ) -> Result<(), TensorError>
    where
        T: Element;

    /// Adds `weight` dL/dF as a map of F to `map`, for a response of `positions` positions, and returns the loss. Where there is a guide,
    /// what the map gives at a position is to be multiplied with its t_p. `roots` computes square roots, if it takes any.
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if the sizes do not fit.
    fn add_map(
        &self,
        moments: &Moments<T>,
        weight: f64,
        positions: usize,
        roots: &mut dyn Roots<T>,
        map: &mut AffineMap<T>,
    ) -> Result<f64, TensorError>;
}

/// A loss of the picture's own pixels.
pub trait OfPixels<T> {
    /// The loss of a picture, unweighted; adds `weight` times its gradient to `gradient`. Both have the shape's length.
    fn value_and_gradient(&self, picture: &[T], shape: Shape, weight: f64, gradient: &mut [T]) -> f64;
}

/// dL/dF of losses of sums, as a map of F: each position's row F_k (N numbers) gives F_k `matrix` + `vector`.
#[derive(Debug, Clone, PartialEq)]
pub struct AffineMap<T = f32> {
    /// N, the filters of the layer.
    pub channels: usize,
    /// N x N numbers.
    pub matrix: Vec<T>,
    /// N numbers; none where every loss leaves them 0.
    pub vector: Option<Vec<T>>,
}

impl<T: Element> AffineMap<T> {
    /// The map to 0.
    pub fn zero(channels: usize) -> Self {
        Self { channels, matrix: vec![T::ZERO; channels * channels], vector: None }
    }
}

/// A loss together with what it compares with: a closed set. The one other place that goes through it decides what the losses of
/// a transfer weigh.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Loss<T = f32> {
    /// L_content, the squared distance to the photo's response.
    Content(Content<T>),
    /// E_l, the squared distance to the painting's Gram matrix.
    Gram(Style<T>),
    /// W_l, the Wasserstein-2 distance of Gaussians with the picture's and the painting's moments.
    Wasserstein(Wasserstein<T>),
    /// TV of the picture itself.
    TotalVariation,
    /// TV on nine points of the picture itself.
    NinePoints,
}

/// What a loss looks at.
#[derive(Clone, Copy)]
pub enum Needs<'a, T> {
    /// A layer's response, position by position.
    Positions(&'a dyn AtPositions<T>),
    /// A layer's moments: its mean and its Gram matrix.
    Sums(&'a dyn OfSums<T>),
    /// The picture's pixels.
    Pixels(&'a dyn OfPixels<T>),
}

impl<T: Element> Loss<T> {
    /// Which loss it is.
    pub const fn kind(&self) -> LossKind {
        match self {
            Self::Content(_) => LossKind::Content,
            Self::Gram(_) => LossKind::Gram,
            Self::Wasserstein(_) => LossKind::Wasserstein,
            Self::TotalVariation => LossKind::TotalVariation,
            Self::NinePoints => LossKind::NinePoints,
        }
    }

    /// What it looks at.
    pub fn needs(&self) -> Needs<'_, T> {
        match self {
            Self::Content(content) => Needs::Positions(content),
            Self::Gram(style) => Needs::Sums(style),
            Self::Wasserstein(wasserstein) => Needs::Sums(wasserstein),
            Self::TotalVariation => Needs::Pixels(&TotalVariation),
            Self::NinePoints => Needs::Pixels(&NinePoints),
        }
    }

    /// The loss of a whole response F, H x W x N; of a picture, for a loss of the picture itself.
    ///
    /// # Errors
    /// [`AutodiffError::Target`] if the response is not of the target's size, [`AutodiffError::Guide`] if it has not the guide's
    /// positions.
    pub fn value(&self, f: &Tensor<T>) -> Result<f64, AutodiffError> {
        self.check("the response", f.shape())?;
        Ok(match self.needs() {
            Needs::Positions(loss) => {
                let mut sum = RunningSum::default();
                loss.add_value(0, f.data(), &mut sum);
                sum.total()
            }
            Needs::Sums(loss) => loss.value(&Moments::of(f, loss.guide())?)?,
            Needs::Pixels(loss) => {
                loss.value_and_gradient(f.data(), f.shape(), 0.0, &mut vec![T::ZERO; f.shape().len()])
            }
        })
    }

    /// Adds `weight` times its gradient with respect to F (or to the picture) to `gradient`.
    ///
    /// # Errors
    /// Those of [`Self::value`], and [`TensorError::Mismatch`] if the gradient is not of the response's size.
    pub fn add_gradient(&self, f: &Tensor<T>, weight: f64, gradient: &mut [T]) -> Result<(), AutodiffError> {
        self.check("the response", f.shape())?;
        if gradient.len() != f.shape().len() {
            let (expected, got) = (f.shape().len().to_string(), gradient.len().to_string());
            return Err(TensorError::Mismatch { operation: "gradient of a loss", expected, got }.into());
        }
        match self.needs() {
            Needs::Positions(loss) => loss.add_gradient(0, f.data(), weight, gradient),
            Needs::Sums(loss) => {
                loss.add_gradient(f, &Moments::of(f, loss.guide())?, weight, gradient)?;
            }
            Needs::Pixels(loss) => {
                loss.value_and_gradient(f.data(), f.shape(), weight, gradient);
            }
        }
        Ok(())
    }

    /// The same loss where a guide says; losses of the picture itself stay what they are.
    #[must_use]
    pub fn guided(mut self, by: Option<Guide>) -> Self {
        match &mut self {
            Self::Content(Content { guide, .. })
            | Self::Gram(Style { guide, .. })
            | Self::Wasserstein(Wasserstein { guide, .. }) => *guide = by,
            Self::TotalVariation | Self::NinePoints => {}
        }
        self
    }

    /// Where it acts; none for everywhere.
    pub const fn guide(&self) -> Option<&Guide> {
        match self {
            Self::Content(Content { guide, .. })
            | Self::Gram(Style { guide, .. })
            | Self::Wasserstein(Wasserstein { guide, .. }) => guide.as_ref(),
            Self::TotalVariation | Self::NinePoints => None,
        }
    }

    /// The same loss in another precision.
    pub fn cast<U: Element>(&self) -> Loss<U> {
        match self {
            Self::Content(content) => {
                Loss::Content(Content { target: content.target.cast(), guide: content.guide.clone() })
            }
            Self::Gram(style) => {
                Loss::Gram(Style { target: style.target.cast(), guide: style.guide.clone() })
            }
            Self::Wasserstein(wasserstein) => Loss::Wasserstein(wasserstein.cast()),
            Self::TotalVariation => Loss::TotalVariation,
            Self::NinePoints => Loss::NinePoints,
        }
    }

    /// The loss whose target is the sum of `share` times the target of each part, for losses of sums of one layer: A = sum b A_s, and
    /// means likewise. Only sums can be added up: none for losses of other kinds or of several, for parts of different sizes, and
    /// without parts.
    pub fn blend<'a>(parts: impl IntoIterator<Item = (f64, &'a Self)>) -> Option<Self> {
        let mut target: Option<(LossKind, Moments<T>)> = None;
        for (share, part) in parts {
            let (mean, second): (&[T], _) = match part {
                Self::Gram(Style { target, .. }) => (&[], target),
                Self::Wasserstein(Wasserstein { target: Moments { mean, second }, .. }) => (mean, second),
                Self::Content(_) | Self::TotalVariation | Self::NinePoints => return None,
            };
            let zeros = |len: usize| vec![T::ZERO; len];
            let (kind, sum) = target.get_or_insert_with(|| {
                let zero = GramMatrix { channels: second.channels, data: zeros(second.data.len()) };
                (part.kind(), Moments { mean: zeros(mean.len()), second: zero })
            });
            let sizes = |mean: &[T], second: &GramMatrix<T>| (mean.len(), second.channels, second.data.len());
            if *kind != part.kind() || sizes(&sum.mean, &sum.second) != sizes(mean, second) {
                return None;
            }
            sum.add(share, mean, second);
        }
        let (kind, target) = target?;
        kind.target(|| Err(()), || Ok(target)).ok()
    }

    /// Computes what evaluations of the loss have in common, such as the root of its target's covariance, so that they need not.
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if the target is inconsistent.
    pub fn prepare(&mut self, roots: &mut dyn Roots<T>) -> Result<(), TensorError> {
        if let Self::Wasserstein(wasserstein) = self { wasserstein.prepare(roots) } else { Ok(()) }
    }

    /// Checks that the target is of the size of the layer's response, and the guide of its positions.
    ///
    /// # Errors
    /// [`AutodiffError::Target`] and [`AutodiffError::Guide`], naming the layer.
    pub fn check(&self, layer: &str, response: Shape) -> Result<(), AutodiffError> {
        if let Some(guide) = self.guide() {
            guide.check(layer, response)?;
        }
        let (expected, got) = match self {
            Self::Content(Content { target, .. }) => (response.to_string(), target.shape().to_string()),
            Self::Gram(Style { target, .. }) => {
                let square = |n: usize, len: usize| format!("a Gram matrix of {n} filters, {len} numbers");
                let n = response.channels;
                (square(n, n * n), square(target.channels, target.data.len()))
            }
            Self::Wasserstein(Wasserstein { target: Moments { mean, second }, .. }) => {
                let moments = |n: usize, means: usize, seconds: usize| {
                    format!("moments of {n} filters, {means} and {seconds} numbers")
                };
                let n = response.channels;
                (moments(n, n, n * n), moments(second.channels, mean.len(), second.data.len()))
            }
            Self::TotalVariation | Self::NinePoints => return Ok(()),
        };
        if expected == got {
            return Ok(());
        }
        Err(AutodiffError::Target { layer: layer.to_owned(), expected, got })
    }
}

/// What the tests of all losses share: a loss of random responses, its gradient against central differences.
#[cfg(test)]
mod finite_differences {
    use proptest::prelude::*;

    use super::*;
    use crate::Coverage;
    use crate::check::{Direction, Ladder, Verdict, check_gradient};

    /// Responses with numbers in [-1, 1].
    pub(super) fn responses(shapes: impl Strategy<Value = Shape>) -> impl Strategy<Value = Tensor<f64>> {
        shapes.prop_flat_map(|shape| {
            let numbers = prop::collection::vec(-1.0..1.0, shape.len());
            numbers.prop_map(move |numbers| Tensor::from_vec(shape, numbers).expect("a usable shape"))
        })
    }

    /// Shapes with sides and channels from 1 up.
    pub(super) fn shapes() -> impl Strategy<Value = Shape> {
        (1..=7usize, 1..=7usize, 1..=4usize).prop_map(|(h, w, c)| Shape::new(h, w, c))
    }

    /// Guides of that many positions, soft and hard. Of one position, half of it.
    pub(super) fn guides(positions: usize) -> impl Strategy<Value = Guide> {
        let t = prop_oneof![Just(0.0_f32), Just(1.0), 0.0..1.0_f32];
        prop::collection::vec(t, positions).prop_map(|mut t| {
            t[0] = 0.5;
            let Coverage::Partly(guide) = Coverage::of(t) else { panic!("neither none nor all") };
            guide
        })
    }

    /// Asserts that the weighted gradient is that of the weighted loss at `f`, within 1e-7, and is added to what is there.
    pub(super) fn assert_gradient(loss: &Loss<f64>, f: &Tensor<f64>, weight: f64) {
        assert_gradient_within(1e-7, &Ladder::for_scale(1.0), loss, f, weight);
    }

    /// The same within another relative error, by differences over other steps.
    pub(super) fn assert_gradient_within(
        tolerance: f64,
        steps: &Ladder,
        loss: &Loss<f64>,
        f: &Tensor<f64>,
        weight: f64,
    ) {
        let mut gradient = vec![0.0; f.data().len()];
        loss.add_gradient(f, weight, &mut gradient).unwrap();
        let at = |x: &[f64]| {
            let f = Tensor::from_vec(f.shape(), x.to_vec()).unwrap();
            weight * loss.value(&f).unwrap()
        };
        let coordinates = [0, gradient.len() / 2, gradient.len() - 1].map(Direction::Coordinate);
        let directions = [[1, 2, 3].map(Direction::Random), coordinates].concat();
        for probe in check_gradient(&at, f.data(), &gradient, &directions, steps) {
            let error = probe.relative_error();
            assert_eq!(probe.verdict(tolerance), Verdict::Pass, "{:?}: {error:e}", probe.direction);
        }
        let mut added = vec![2.5; gradient.len()];
        loss.add_gradient(f, weight, &mut added).unwrap();
        assert!(
            gradient
                .iter()
                .zip(&added)
                .all(|(alone, added)| (alone + 2.5 - added).abs() < 1e-13 * weight.max(1.0))
        );
    }
}
