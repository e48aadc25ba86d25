//! The losses, one file each: the equation, what it needs, its value, its gradient, and its test by finite differences.
//!
//! | loss | needs | target |
//! |---|---|---|
//! | [`content`] | F at each position | P, the photo's response |
//! | [`gram`] | the Gram matrix, a sum over positions | A, the painting's Gram matrix |
//! | [`total_variation`] | the pixels | none |
//!
//! Those of a layer may have a [`Guide`], which says how much each position of the response counts.
//!
//! A loss is of one of three families. [`AtPositions`] compares position by position, so its value is a sum over
//! blocks of positions and its gradient at a position needs nothing else. [`OfSums`] depends on statistics that are sums
//! over positions; once they are known, its gradient is an affine map of each position's F. Sums over positions are what
//! blocks, threads and steps of a picture have in common. [`OfPixels`] looks at the picture itself.

pub mod content;
mod family;
pub mod gram;
pub mod total_variation;

use impasto_tensor::reduce::RunningSum;
use impasto_tensor::{Element, Shape, Tensor, TensorError};

use crate::{AutodiffError, Guide};
pub use content::Content;
pub use family::{AffineMap, AtPositions, Needs, OfPixels, OfSums};
pub use gram::{GramMatrix, Style};
pub use total_variation::TotalVariation;

/// A loss together with what it compares with: a closed set. The one other place that goes through it decides what the losses of
/// a transfer weigh.
#[derive(Debug, Clone, PartialEq)]
pub enum Loss<T = f32> {
    /// L_content, the squared distance to the photo's response.
    Content(Content<T>),
    /// E_l, the squared distance to the painting's Gram matrix.
    Gram(Style<T>),
    /// TV of the picture itself.
    TotalVariation,
}

/// Which loss, without what it compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LossKind {
    /// [`Loss::Content`].
    Content,
    /// [`Loss::Gram`].
    Gram,
    /// [`Loss::TotalVariation`].
    TotalVariation,
}

impl LossKind {
    /// All, in the order in which their terms are listed and added up.
    pub const ALL: [Self; 3] = [Self::Content, Self::Gram, Self::TotalVariation];

    /// The name in logs, plots and options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Gram => "style",
            Self::TotalVariation => "tv",
        }
    }

    /// The name in words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Content => "content loss",
            Self::Gram => "style loss E_l (Gram)",
            Self::TotalVariation => "total variation",
        }
    }

    /// The name of one layer's loss in the equations.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Content => "L_content",
            Self::Gram => "E_l",
            Self::TotalVariation => "TV",
        }
    }

    /// Whether it is a loss of the Gram matrix.
    pub const fn is_of_sums(self) -> bool {
        matches!(self, Self::Gram)
    }

    /// Whether it is a loss of a layer's response; the others are of the picture itself.
    pub const fn is_of_a_layer(self) -> bool {
        !matches!(self, Self::TotalVariation)
    }

    /// Numbers of the target at a layer of that shape.
    pub const fn target_len(self, response: Shape) -> usize {
        match self {
            Self::Content => response.len(),
            Self::Gram => response.channels * response.channels,
            Self::TotalVariation => 0,
        }
    }

    /// The loss whose target is what a picture has at a layer: its response F, or its Gram matrix G/M. Only what the loss
    /// compares with is asked for.
    ///
    /// # Errors
    /// Those of `response` and `gram`.
    pub fn target<T, E>(
        self,
        response: impl FnOnce() -> Result<Tensor<T>, E>,
        gram: impl FnOnce() -> Result<GramMatrix<T>, E>,
    ) -> Result<Loss<T>, E> {
        Ok(match self {
            Self::Content => Loss::Content(Content { target: response()?, guide: None }),
            Self::Gram => Loss::Gram(Style { target: gram()?, guide: None }),
            Self::TotalVariation => Loss::TotalVariation,
        })
    }

    /// The loss, if it compares with nothing.
    pub fn without_target<T>(self) -> Option<Loss<T>> {
        self.target(|| Err(()), || Err(())).ok()
    }

    /// [`Self::target`] of a response as it is.
    ///
    /// # Errors
    /// [`TensorError`] only if F is inconsistent, which a [`Tensor`] never is.
    pub fn target_of<T: Element>(self, f: &Tensor<T>) -> Result<Loss<T>, TensorError> {
        self.target_of_part(f, None)
    }

    /// [`Self::target`] of what a guide leaves of a response: a part of a painting. A loss at positions has the whole response. The
    /// guide is the target's own, and not that of the loss: [`Loss::guided`].
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if the guide is not of the response's positions.
    pub fn target_of_part<T: Element>(
        self,
        f: &Tensor<T>,
        guide: Option<&Guide>,
    ) -> Result<Loss<T>, TensorError> {
        self.target(|| Ok(f.clone()), || gram_of(f, guide))
    }
}

/// The Gram matrix of a response, or of what a guide leaves of it.
fn gram_of<T: Element>(f: &Tensor<T>, guide: Option<&Guide>) -> Result<GramMatrix<T>, TensorError> {
    guide.map_or_else(|| gram::gram(f), |guide| gram::guided_gram(f, guide))
}

impl<T: Element> Loss<T> {
    /// Which loss it is.
    pub const fn kind(&self) -> LossKind {
        match self {
            Self::Content(_) => LossKind::Content,
            Self::Gram(_) => LossKind::Gram,
            Self::TotalVariation => LossKind::TotalVariation,
        }
    }

    /// What it looks at.
    pub fn needs(&self) -> Needs<'_, T> {
        match self {
            Self::Content(content) => Needs::Positions(content),
            Self::Gram(style) => Needs::Sums(style),
            Self::TotalVariation => Needs::Pixels(&TotalVariation),
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
            Needs::Sums(loss) => loss.value(&gram_of(f, loss.guide())?),
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
            Needs::Sums(loss) => loss.add_gradient(f, &gram_of(f, loss.guide())?, weight, gradient)?,
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
            Self::Content(Content { guide, .. }) | Self::Gram(Style { guide, .. }) => *guide = by,
            Self::TotalVariation => {}
        }
        self
    }

    /// Where it acts; none for everywhere.
    pub const fn guide(&self) -> Option<&Guide> {
        match self {
            Self::Content(Content { guide, .. }) | Self::Gram(Style { guide, .. }) => guide.as_ref(),
            Self::TotalVariation => None,
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
            Self::TotalVariation => Loss::TotalVariation,
        }
    }

    /// The loss whose target is the sum of `share` times the target of each part, for losses of sums of one layer: A = sum b A_s.
    /// Only sums can be added up: none for losses of other kinds, for parts of different sizes, and without parts.
    pub fn blend<'a>(parts: impl IntoIterator<Item = (f64, &'a Self)>) -> Option<Self> {
        let mut target: Option<GramMatrix<T>> = None;
        for (share, part) in parts {
            let Self::Gram(Style { target: part, .. }) = part else { return None };
            let (channels, len) = (part.channels, part.data.len());
            let sum = target.get_or_insert_with(|| GramMatrix { channels, data: vec![T::ZERO; len] });
            if (sum.channels, sum.data.len()) != (channels, len) {
                return None;
            }
            sum.add(share, part);
        }
        let target = target?;
        Some(Self::Gram(Style { target, guide: None }))
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
            Self::TotalVariation => return Ok(()),
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
        let mut gradient = vec![0.0; f.data().len()];
        loss.add_gradient(f, weight, &mut gradient).unwrap();
        let at = |x: &[f64]| {
            let f = Tensor::from_vec(f.shape(), x.to_vec()).unwrap();
            weight * loss.value(&f).unwrap()
        };
        let coordinates = [0, gradient.len() / 2, gradient.len() - 1].map(Direction::Coordinate);
        let directions = [[1, 2, 3].map(Direction::Random), coordinates].concat();
        for probe in check_gradient(&at, f.data(), &gradient, &directions, &Ladder::for_scale(1.0)) {
            let error = probe.relative_error();
            assert_eq!(probe.verdict(1e-7), Verdict::Pass, "{:?}: {error:e}", probe.direction);
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
