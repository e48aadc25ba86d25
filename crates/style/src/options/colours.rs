//! Whose colours the result has.

use super::TransferOptions;

/// Whose colours the result has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Colours {
    /// The painting's, as it is.
    #[default]
    Painting,
    /// The photo's: only light is painted. Photo, paintings and result are compared by their luma
    /// Y = 0.299 R + 0.587 G + 0.114 B, the paintings' brought to the mean and the spread of the photo's, and the result has
    /// the photo's chroma.
    Photo,
    /// The painting's, after each of its channels was given the photo's histogram.
    Histogram,
    /// The painting's, after its colours were given the photo's mean and covariance.
    Transfer(Transport),
}

/// Which of the linear maps A with A S A' = T, from colours of the covariance S to those of T.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// A = S^-1/2 (S^1/2 T S^1/2)^1/2 S^-1/2: the one that moves colours the least.
    MongeKantorovich,
    /// A = L_t L_s^-1 of the Cholesky factors of T and S.
    Cholesky,
}

impl Colours {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Painting, "painting"),
        (Self::Photo, "photo"),
        (Self::Histogram, "histogram"),
        (Self::Transfer(Transport::MongeKantorovich), "transfer"),
        (Self::Transfer(Transport::Cholesky), "transfer:cholesky"),
    ];

    /// The variables of a pixel: 3, or its light alone.
    pub(crate) const fn variables(self) -> usize {
        if matches!(self, Self::Photo) { 1 } else { 3 }
    }
}

impl TransferOptions {
    /// The variables that the optimiser moves for a picture of (H, W): 3 H W, or H W where only light is painted.
    pub const fn variables(&self, (height, width): (usize, usize)) -> usize {
        self.colours.variables() * height * width
    }
}
