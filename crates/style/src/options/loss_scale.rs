//! What the losses are measured in.

/// What W_l is multiplied with, so that an alpha that suits E_l suits it too: how many times as long dE/dx was as dW/dx at pictures painted
/// with E_l (chelsea with the terrace, the rocket with the bridge, 192 pixels, both poolings: 1,500 to 6,500, their geometric mean 3,400).
const WASSERSTEIN: f64 = 3000.0;

/// What the losses of a layer with N filters at M positions are multiplied with, besides the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossScale {
    /// 1: the paper's losses. L_content is a sum over positions while E_l is a mean, so alpha weighs more in a larger picture.
    Paper,
    /// The content loss times 512^2 / (H W) of the picture: the paper's balance at 512 x 512, at every size.
    Balanced,
    /// neural-style's losses: the content loss times 2/(N M), a mean of squares; E_l times 4/N^2, the mean of the squares of
    /// (G - A)/(N M).
    NeuralStyle,
    /// style-transfer-pytorch's losses: means, of responses in the scale of torchvision's networks, which read values of about -2
    /// to 2 in place of grey levels. Ours, in Caffe's scale, are 58 times as large.
    Crowsonkb,
}

/// Responses to grey levels over those to what torchvision's networks read: 255 times its deviations of about 0.226, rounded.
const CROWSONKB_RESPONSES: f64 = 58.0;

impl LossScale {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Paper, "paper"),
        (Self::Balanced, "balanced"),
        (Self::NeuralStyle, "neural-style"),
        (Self::Crowsonkb, "crowsonkb"),
    ];

    /// The factor of L_content at a layer, for a picture of `pixels` = H W.
    pub fn content(self, pixels: usize, filters: usize, positions: usize) -> f64 {
        match self {
            Self::Paper => 1.0,
            Self::Balanced => 512.0 * 512.0 / pixels as f64,
            Self::NeuralStyle => 2.0 / (filters as f64 * positions as f64),
            Self::Crowsonkb => 2.0 / (filters as f64 * positions as f64) / CROWSONKB_RESPONSES.powi(2),
        }
    }

    /// The factor of E_l at a layer. That of `Crowsonkb` makes it the mean of the squares of (G - A)/M.
    pub fn style(self, filters: usize) -> f64 {
        match self {
            Self::Paper | Self::Balanced => 1.0,
            Self::NeuralStyle => 4.0 / (filters as f64).powi(2),
            Self::Crowsonkb => 4.0 / CROWSONKB_RESPONSES.powi(4),
        }
    }

    /// The factor of the total variation of a picture of `pixels` = H W with three colours.
    pub fn total_variation(self, pixels: usize) -> f64 {
        match self {
            Self::Paper | Self::Balanced | Self::NeuralStyle => 1.0,
            // Of values from 0 to 1, the mean over all numbers of the squares of their gradients.
            Self::Crowsonkb => 2.0 / (3.0 * pixels as f64) / (255.0 * 255.0),
        }
    }

    /// The factor of W_l at a layer.
    pub fn wasserstein(self, filters: usize) -> f64 {
        match self {
            Self::Paper | Self::Balanced | Self::NeuralStyle => WASSERSTEIN * self.style(filters),
            Self::Crowsonkb => 1.0 / CROWSONKB_RESPONSES.powi(2),
        }
    }
}
