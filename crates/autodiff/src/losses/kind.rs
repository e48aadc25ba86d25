//! Which loss, and how its target is made.

use impasto_tensor::{Element, Shape, Tensor, TensorError};

use super::{Content, Loss, Moments, Style, Wasserstein};
use crate::Guide;

/// Which loss, without what it compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossKind {
    /// [`Loss::Content`].
    Content,
    /// [`Loss::Gram`].
    Gram,
    /// [`Loss::Wasserstein`].
    Wasserstein,
    /// [`Loss::TotalVariation`].
    TotalVariation,
    /// [`Loss::NinePoints`].
    NinePoints,
}

impl LossKind {
    /// All, in the order in which their terms are listed and added up.
    pub const ALL: [Self; 5] =
        [Self::Content, Self::Gram, Self::Wasserstein, Self::TotalVariation, Self::NinePoints];

    /// The name in logs, plots and options: losses of style have one name, as total variations have, of which a run has one kind.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Gram | Self::Wasserstein => "style",
            Self::TotalVariation | Self::NinePoints => "tv",
        }
    }

    /// The name in words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Content => "content loss",
            Self::Gram => "style loss E_l (Gram)",
            Self::Wasserstein => "style loss W_l (Wasserstein)",
            Self::TotalVariation => "total variation",
            Self::NinePoints => "total variation on nine points",
        }
    }

    /// The name of one layer's loss in the equations.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Content => "L_content",
            Self::Gram => "E_l",
            Self::Wasserstein => "W_l",
            Self::TotalVariation => "TV",
            Self::NinePoints => "TV9",
        }
    }

    /// Whether it is a loss of sums over positions: of the Gram matrix, and perhaps of the mean.
    pub const fn is_of_sums(self) -> bool {
        matches!(self, Self::Gram | Self::Wasserstein)
    }

    /// Whether it is a loss of the mean as well as of the Gram matrix.
    pub const fn is_of_means(self) -> bool {
        matches!(self, Self::Wasserstein)
    }

    /// Whether it is a loss of a layer's response; the others are of the picture itself.
    pub const fn is_of_a_layer(self) -> bool {
        !matches!(self, Self::TotalVariation | Self::NinePoints)
    }

    /// Numbers of the target at a layer of that shape.
    pub const fn target_len(self, response: Shape) -> usize {
        match self {
            Self::Content => response.len(),
            Self::Gram => response.channels * response.channels,
            Self::Wasserstein => response.channels * (response.channels + 1),
            Self::TotalVariation | Self::NinePoints => 0,
        }
    }

    /// The loss whose target is what a picture has at a layer: its response F, or its moments: its Gram matrix G/M, and its
    /// mean if [`Self::is_of_means`]. Only what the loss compares with is asked for.
    ///
    /// # Errors
    /// Those of `response` and `moments`.
    pub fn target<T, E>(
        self,
        response: impl FnOnce() -> Result<Tensor<T>, E>,
        moments: impl FnOnce() -> Result<Moments<T>, E>,
    ) -> Result<Loss<T>, E> {
        Ok(match self {
            Self::Content => Loss::Content(Content { target: response()?, guide: None }),
            Self::Gram => Loss::Gram(Style { target: moments()?.second, guide: None }),
            Self::Wasserstein => Loss::Wasserstein(Wasserstein::new(moments()?)),
            Self::TotalVariation => Loss::TotalVariation,
            Self::NinePoints => Loss::NinePoints,
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
        self.target(|| Ok(f.clone()), || Moments::of(f, guide))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::finite_differences::{responses, shapes};
    use super::*;

    proptest! {
        #[test]
        fn a_target_has_the_numbers_that_were_said(f in responses(shapes())) {
            for kind in LossKind::ALL {
                let numbers = match kind.target_of(&f)? {
                    Loss::Content(loss) => loss.target.data().len(),
                    Loss::Gram(loss) => loss.target.data.len(),
                    Loss::Wasserstein(loss) => loss.target.mean.len() + loss.target.second.data.len(),
                    Loss::TotalVariation | Loss::NinePoints => 0,
                };
                prop_assert_eq!(kind.target_len(f.shape()), numbers, "{:?}", kind);
                let alone = kind.without_target::<f64>().map(|loss| loss.kind());
                prop_assert_eq!(alone, (!kind.is_of_a_layer()).then_some(kind));
            }
        }
    }
}
