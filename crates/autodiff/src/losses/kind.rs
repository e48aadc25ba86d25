//! Which loss, and how its target is made.

use impasto_tensor::{Element, Shape, Tensor, TensorError};

use super::{Content, GramMatrix, Loss, Style, gram};
use crate::Guide;

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
pub(super) fn gram_of<T: Element>(
    f: &Tensor<T>,
    guide: Option<&Guide>,
) -> Result<GramMatrix<T>, TensorError> {
    guide.map_or_else(|| gram::gram(f), |guide| gram::guided_gram(f, guide))
}
