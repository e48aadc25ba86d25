//! What the losses are measured in.

/// What W_l is multiplied with to stand where E_l stands.
const WASSERSTEIN: f64 = 1.0;

/// What the losses of a layer with N filters at M positions are multiplied with, besides the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossScale {
    /// 1: the paper's losses. L_content is a sum over positions while E_l is a mean, so alpha weighs more in a larger picture.
    Paper,
    /// The content loss times 512^2 / (H W) of the picture: the paper's balance at 512 x 512, at every size.
    Balanced,
    /// neural-style's losses: the content loss times 2/(N M), a mean of squares; E_l times 4/N^2, the mean of the squares of
    /// (G - A)/(N M).
    NeuralStyle,
}

impl LossScale {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Paper, "paper"), (Self::Balanced, "balanced"), (Self::NeuralStyle, "neural-style")];

    /// The factor of L_content at a layer, for a picture of `pixels` = H W.
    pub fn content(self, pixels: usize, filters: usize, positions: usize) -> f64 {
        match self {
            Self::Paper => 1.0,
            Self::Balanced => 512.0 * 512.0 / pixels as f64,
            Self::NeuralStyle => 2.0 / (filters as f64 * positions as f64),
        }
    }

    /// The factor of E_l at a layer.
    pub fn style(self, filters: usize) -> f64 {
        match self {
            Self::Paper | Self::Balanced => 1.0,
            Self::NeuralStyle => 4.0 / (filters as f64).powi(2),
        }
    }

    /// The factor of W_l at a layer.
    pub fn wasserstein(self, filters: usize) -> f64 {
        WASSERSTEIN * self.style(filters)
    }
}
