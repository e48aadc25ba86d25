//! What of the paintings' style is compared.

use impasto_autodiff::LossKind;

/// The loss that compares a picture's responses at a layer with a painting's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StyleLoss {
    /// E_l, the squared distance of Gram matrices: the paper's.
    Gram,
    /// W_l, the Wasserstein-2 distance of Gaussians with the responses' means and covariances.
    Wasserstein,
}

impl StyleLoss {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Gram, "gram"), (Self::Wasserstein, "wasserstein")];

    /// The kind of its terms.
    pub const fn kind(self) -> LossKind {
        match self {
            Self::Gram => LossKind::Gram,
            Self::Wasserstein => LossKind::Wasserstein,
        }
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gram => Self::ALL[0].1,
            Self::Wasserstein => Self::ALL[1].1,
        }
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|&(_, known)| known == name).map(|(loss, _)| loss)
    }
}
