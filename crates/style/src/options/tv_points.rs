//! Which differences the total variation is of.

use impasto_autodiff::LossKind;

/// The points whose differences the total variation is of: a pixel and its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TvPoints {
    /// The four beside it.
    Five,
    /// The diagonal ones too.
    Nine,
}

impl TvPoints {
    /// Both, with their names.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Five, "5"), (Self::Nine, "9")];

    /// The loss.
    pub const fn loss(self) -> LossKind {
        match self {
            Self::Five => LossKind::TotalVariation,
            Self::Nine => LossKind::NinePoints,
        }
    }
}
