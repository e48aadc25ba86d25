//! What a transfer can be asked for: [`TransferOptions`], and [`OPTIONS`], where each option is described once.

mod background;
mod blend;
mod bytes;
mod choices;
mod colours;
mod each;
mod effort;
mod error;
mod init;
mod iterations;
mod layers;
mod loss_scale;
mod nearest;
mod optimiser;
mod paper;
mod row;
mod schedule;
mod serialised;
mod size;
mod smallest;
mod style_loss;
mod synonyms;
mod table;
mod tv_points;
mod with;

use impasto_autodiff::{Border, ConvMode, Pooling, Reach};

use crate::{Picture, Preset};

pub use choices::Choices;
pub use colours::{Colours, Transport};
pub use each::{Each, NUMBERS_OF_PAINTINGS};
pub use effort::Effort;
pub use error::OptionsError;
pub use init::Init;
pub(crate) use init::how_to_start;
pub use iterations::Iterations;
pub use layers::{LayerWeight, LayerWeights};
pub use loss_scale::LossScale;
pub use nearest::{did_you_mean, nearest};
pub use optimiser::{AdamOptions, Optimiser, default_history};
pub use paper::{NoSheet, Paper, Sheet};
pub use row::{Accepts, OptionRow, Recorded};
pub use schedule::{Scale, Scales};
pub use size::Size;
pub use style_loss::StyleLoss;
pub use synonyms::{SYNONYMS, VALUE_SYNONYMS, option_name};
pub use table::OPTIONS;
pub use tv_points::TvPoints;

/// Everything that a transfer can be asked for: what a [`Preset`] says, by default that of [`Preset::Default`], with other values in
/// fields or by a method for each (`with_size`). Serde writes and reads them by the names of [`OPTIONS`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TransferOptions {
    /// The size of the result.
    pub size: Size,
    /// The colour that photo and paintings are laid on where they are transparent. None keeps their alpha.
    pub background: Option<[u8; 3]>,
    /// What [`Iterations::Auto`] stands for.
    pub effort: Effort,
    /// Iterations at each scale.
    pub iterations: Iterations,
    /// Coarse-to-fine: how many sizes, the last being that of the result.
    pub scales: Scales,
    /// What each size is times the one before.
    pub scale_factor: f64,
    /// The longest side that a coarse size has at least.
    pub smallest_scale: usize,
    /// alpha.
    pub content_weight: f64,
    /// beta.
    pub style_weight: f64,
    /// Weight of the total variation.
    pub tv_weight: f64,
    /// The points that it is of.
    pub tv_points: TvPoints,
    /// Where the content is compared.
    pub content_layers: LayerWeights,
    /// What of the style is compared.
    pub style_loss: StyleLoss,
    /// Where the style is compared: of all paintings, or of each.
    pub style_layers: Each<LayerWeights>,
    /// The weights of the paintings in the blend of their styles; none where all weigh the same.
    pub blend: Vec<f64>,
    /// What the losses are multiplied with.
    pub loss_scale: LossScale,
    /// Average or maximum.
    pub pooling: Pooling,
    /// What the first convolution reads beyond the picture's edge.
    pub border: Border,
    /// The start.
    pub init: Init,
    /// The seed of the noise.
    pub seed: u64,
    /// The method.
    pub optimiser: Optimiser,
    /// Whose colours the result has.
    pub colours: Colours,
    /// A painting's longest side is this times that of the result, but never more than its own.
    pub style_scale: Each<f64>,
    /// How masks reach the layers.
    pub mask_reach: Reach,
    /// The convolution algorithms.
    pub conv: ConvMode,
    /// The most bytes that the whole transfer may take: network, evaluation, optimiser and pictures. Where a picture
    /// would take more it is worked on in bands. None is no limit.
    pub memory_limit: Option<u64>,
}

/// Those of [`Preset::Default`].
impl Default for TransferOptions {
    fn default() -> Self {
        Preset::Default.options()
    }
}

impl TransferOptions {
    /// What presets begin with: no loss counts, and the rest is the paper's. A preset says how it differs.
    pub(crate) fn neutral() -> Self {
        Self {
            size: Size::Longest(512),
            background: None,
            effort: Effort::Normal,
            iterations: 500.into(),
            scales: Scales::Count(1),
            scale_factor: 2.0,
            smallest_scale: 96,
            content_weight: 0.0,
            style_weight: 0.0,
            tv_weight: 0.0,
            tv_points: TvPoints::Five,
            content_layers: LayerWeights::default(),
            style_loss: StyleLoss::Gram,
            style_layers: Each::default(),
            blend: Vec::new(),
            loss_scale: LossScale::Paper,
            pooling: Pooling::Average,
            border: Border::Zero,
            init: Init::Noise,
            seed: 0,
            optimiser: Optimiser::Lbfgs { history: None },
            colours: Colours::Painting,
            style_scale: 1.0.into(),
            mask_reach: Reach::Average,
            conv: ConvMode::Fast,
            memory_limit: None,
        }
    }
}

impl TransferOptions {
    /// Checks every value.
    ///
    /// # Errors
    /// [`OptionsError`], naming the option.
    pub fn validate(&self) -> Result<(), OptionsError> {
        OPTIONS.iter().try_for_each(|row| row.check(self))?;
        if self.layers().is_empty() {
            return Err(OptionsError::NothingToDo);
        }
        Ok(())
    }

    /// The longest side of the result for a photo of H x W pixels.
    ///
    /// # Errors
    /// [`OptionsError::Value`] if that is more than 10000 pixels: the photo's own size.
    pub fn check_size(&self, photo: (usize, usize)) -> Result<usize, OptionsError> {
        let longest = self.size.longest_side_for(photo);
        if longest <= Size::LARGEST_SIDE {
            return Ok(longest);
        }
        Err(OptionsError::Value {
            option: "size",
            requirement: format!("{} pixels at most", Size::LARGEST_SIDE),
            value: format!("{}, which is {longest}", self.size),
        })
    }

    /// (H, W) that a painting, by its number from 0 on, is resized to for a result with that longest side.
    pub fn style_size(&self, number: usize, painting: &Picture, longest: usize) -> (usize, usize) {
        let own = painting.height().max(painting.width());
        painting.size_with_longest_side(self.longest_of_painting(number, longest).min(own))
    }

    /// The longest side of a painting that has as much, for a result with that longest side.
    pub(crate) fn longest_of_painting(&self, number: usize, longest: usize) -> usize {
        ((longest as f64 * self.style_scale.of(number)).round() as usize).max(1)
    }
}
