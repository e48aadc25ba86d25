//! What a transfer can be asked for, and which values make sense.

use std::fmt;
use std::str::FromStr;

use impasto_autodiff::{ConvMode, Pooling};
use impasto_vgg::canonical_name;

use crate::Picture;
use crate::picture::PIXEL_LIMIT;

/// A layer and its weight w_l in the sum over layers.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerWeight {
    /// The layer, such as `conv4_2`.
    pub layer: String,
    /// w_l.
    pub weight: f64,
}

/// Layers with their weights.
///
/// As text: `conv1_1,conv2_1` (each weighs 1/N_a, for N_a layers) or `conv1_1:2,conv2_1:0.5`. `relu1_1` is another name for
/// `conv1_1`, because every response is taken after the ReLU.
///
/// ```
/// use impasto_style::LayerWeights;
/// let layers: LayerWeights = "conv1_1,relu2_1".parse()?;
/// assert_eq!(layers.to_string(), "conv1_1:0.5,conv2_1:0.5");
/// # Ok::<(), impasto_style::OptionsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LayerWeights(pub Vec<LayerWeight>);

impl LayerWeights {
    /// The layers, each with the same weight.
    pub fn each<'a>(layers: impl IntoIterator<Item = &'a str>, weight: f64) -> Self {
        let with_weight = |layer| LayerWeight { layer: canonical_name(layer), weight };
        Self(layers.into_iter().map(with_weight).collect())
    }

    /// The layers, each with the paper's w_l = 1/N_a.
    pub fn even(layers: &[&str]) -> Self {
        Self::each(layers.iter().copied(), 1.0 / layers.len() as f64)
    }

    /// The names, of layers whose weight is not 0.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().filter(|entry| entry.weight > 0.0).map(|entry| entry.layer.clone()).collect()
    }
}

impl FromStr for LayerWeights {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let invalid = |problem: String| OptionsError::Layers { text: text.to_owned(), problem };
        let entries: Vec<&str> = text.split(',').map(str::trim).collect();
        let mut layers = Vec::new();
        for &entry in &entries {
            let (layer, weight) = match entry.split_once(':') {
                None => (entry, 1.0 / entries.len() as f64),
                Some((layer, weight)) => {
                    let weight: f64 =
                        weight.trim().parse().map_err(|_| invalid(format!("{weight} is not a number")))?;
                    if !(weight.is_finite() && weight >= 0.0) {
                        return Err(invalid(format!(
                            "the weight of {layer} must be 0 or more, not {weight}"
                        )));
                    }
                    (layer.trim(), weight)
                }
            };
            let layer = canonical_name(layer);
            if layer.is_empty() {
                return Err(invalid("a layer's name is missing".to_owned()));
            }
            if layers.iter().any(|other: &LayerWeight| other.layer == layer) {
                return Err(invalid(format!("{layer} is named twice")));
            }
            layers.push(LayerWeight { layer, weight });
        }
        let with_weight = entries.iter().filter(|entry| entry.contains(':')).count();
        if with_weight != 0 && with_weight != entries.len() {
            return Err(invalid("give every layer a weight, or none".to_owned()));
        }
        Ok(Self(layers))
    }
}

impl fmt::Display for LayerWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}:{}", entry.layer, entry.weight)?;
        }
        Ok(())
    }
}

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
}

/// The picture that the optimisation starts from.
#[derive(Debug, Clone, PartialEq)]
pub enum Init {
    /// The content picture.
    Content,
    /// White noise, from the seed: see [`crate::white_noise`].
    Noise,
    /// A picture, resized to the size of the result.
    Picture(Picture),
}

/// The method of minimisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimiser {
    /// L-BFGS with a strong Wolfe line search.
    Lbfgs {
        /// Pairs (s, y) that are kept; None is [`default_history`] of the picture's numbers.
        history: Option<usize>,
    },
    /// Adam.
    Adam {
        /// lr, in grey levels of 0 to 255.
        learning_rate: f64,
    },
}

/// The pairs that L-BFGS keeps unless it is told otherwise, for a picture of H W 3 `numbers`: 100 up to 322 x 322, then fewer
/// with the cube of the side, but at least 16.
///
/// More pairs save iterations, and each takes the memory of one picture (two vectors of half precision). With this many, a
/// transfer of any size up to 512 x 512 stays below 600 MiB, because the network's own responses shrink with the picture too.
///
/// ```
/// use impasto_style::default_history;
/// assert_eq!(default_history(256 * 256 * 3), 100);
/// assert_eq!(default_history(512 * 512 * 3), 25);
/// assert_eq!(default_history(1024 * 1024 * 3), 16);
/// ```
pub fn default_history(numbers: usize) -> usize {
    const MOST: f64 = 100.0;
    const LEAST: f64 = 16.0;
    const AT_512: f64 = 25.0;
    let ratio = (512 * 512 * 3) as f64 / numbers.max(1) as f64;
    (AT_512 * ratio * ratio.sqrt()).clamp(LEAST, MOST) as usize
}

/// Everything that a transfer can be asked for. [`crate::Preset`] has good values.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferOptions {
    /// Pixels of the result's longest side.
    pub size: usize,
    /// Iterations at each scale.
    pub iterations: usize,
    /// Coarse-to-fine: how many sizes, each twice the one before, the last being `size`.
    pub scales: Scales,
    /// alpha.
    pub content_weight: f64,
    /// beta.
    pub style_weight: f64,
    /// Weight of the total variation.
    pub tv_weight: f64,
    /// Where the content is compared.
    pub content_layers: LayerWeights,
    /// Where the style is compared.
    pub style_layers: LayerWeights,
    /// What the losses are multiplied with.
    pub loss_scale: LossScale,
    /// Average or maximum.
    pub pooling: Pooling,
    /// The start.
    pub init: Init,
    /// The seed of the noise.
    pub seed: u64,
    /// The method.
    pub optimiser: Optimiser,
    /// The painting's longest side is this times that of the result, but never more than its own.
    pub style_scale: f64,
    /// The convolution algorithms.
    pub conv: ConvMode,
    /// The most bytes that the whole transfer may take: network, evaluation, optimiser and pictures. Where a picture
    /// would take more it is worked on in bands. None is no limit.
    pub memory_limit: Option<u64>,
}

/// One stage of a coarse-to-fine transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Pixels of the longest side.
    pub size: usize,
    /// Iterations.
    pub iterations: usize,
}

/// How many sizes a transfer paints at, coarse to fine.
///
/// As text: `auto`, or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scales {
    /// As many as fit down to about 128 pixels: 1 below 192, 2 from 192 on, 3 from 384, 4 from 768.
    Auto,
    /// That many, or as many as fit.
    Count(usize),
}

impl FromStr for Scales {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let value = || OptionsError::Value {
            option: "--scales",
            requirement: format!("auto, or from 1 to {MOST_SCALES}"),
            value: text.to_owned(),
        };
        text.parse().map(Self::Count).map_err(|_| value())
    }
}

impl fmt::Display for Scales {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Count(count) => count.fmt(f),
        }
    }
}

/// The longest side that a coarse scale has at least: half an octave below 128.
const SMALLEST_SCALE: usize = 96;
/// The most scales: from 128 pixels they reach 16,384.
const MOST_SCALES: usize = 8;

impl TransferOptions {
    /// Checks every number.
    ///
    /// # Errors
    /// [`OptionsError`], naming the option.
    pub fn validate(&self) -> Result<(), OptionsError> {
        let weight = |option, value: f64| {
            require(value.is_finite() && value >= 0.0, option, "a number of 0 or more", value)
        };
        weight("--content-weight", self.content_weight)?;
        weight("--style-weight", self.style_weight)?;
        weight("--tv-weight", self.tv_weight)?;
        let largest = (PIXEL_LIMIT as f64).sqrt() as usize;
        require((1..=largest).contains(&self.size), "--size", format!("from 1 to {largest}"), self.size)?;
        require(self.iterations > 0, "--iterations", "1 or more", self.iterations)?;
        if let Scales::Count(count) = self.scales {
            require(
                (1..=MOST_SCALES).contains(&count),
                "--scales",
                format!("from 1 to {MOST_SCALES}"),
                count,
            )?;
        }
        require(
            self.style_scale.is_finite() && self.style_scale > 0.0,
            "--style-scale",
            "a number above 0",
            self.style_scale,
        )?;
        match self.optimiser {
            Optimiser::Lbfgs { history: Some(history) } => {
                require(history > 0, "--history", "1 or more", history)?;
            }
            Optimiser::Lbfgs { history: None } => {}
            Optimiser::Adam { learning_rate: rate } => {
                require(rate.is_finite() && rate > 0.0, "--learning-rate", "a number above 0", rate)?;
            }
        }
        if self.active_content_layers().is_empty() && self.active_style_layers().is_empty() {
            return Err(OptionsError::NothingToDo);
        }
        Ok(())
    }

    /// The content layers that count: none if alpha is 0.
    pub fn active_content_layers(&self) -> Vec<String> {
        if self.content_weight > 0.0 { self.content_layers.names() } else { Vec::new() }
    }

    /// The style layers that count: none if beta is 0.
    pub fn active_style_layers(&self) -> Vec<String> {
        if self.style_weight > 0.0 { self.style_layers.names() } else { Vec::new() }
    }

    /// (H, W) that the painting is resized to for a result with that longest side.
    pub fn style_size(&self, style: &Picture, longest: usize) -> (usize, usize) {
        let own = style.height().max(style.width());
        let wanted = (longest as f64 * self.style_scale).round() as usize;
        style.size_with_longest_side(wanted.clamp(1, own))
    }

    /// The sizes from coarse to fine. A coarse one that would be smaller than 96 pixels is left out.
    pub fn schedule(&self) -> Vec<Scale> {
        let most = match self.scales {
            Scales::Auto => MOST_SCALES,
            Scales::Count(count) => count,
        };
        let size = |halvings: usize| self.size >> halvings;
        let halvings = (0..most).rev().filter(|&halvings| halvings == 0 || size(halvings) >= SMALLEST_SCALE);
        halvings.map(|halvings| Scale { size: size(halvings), iterations: self.iterations }).collect()
    }
}

fn require(
    valid: bool,
    option: &'static str,
    requirement: impl Into<String>,
    value: impl fmt::Display,
) -> Result<(), OptionsError> {
    if valid {
        return Ok(());
    }
    Err(OptionsError::Value { option, requirement: requirement.into(), value: value.to_string() })
}

/// An option that makes no sense, under its name on the command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// A number is out of its range.
    #[error("{option} must be {requirement}, not {value}")]
    Value {
        /// The option.
        option: &'static str,
        /// What it must be.
        requirement: String,
        /// What it is.
        value: String,
    },
    /// A list of layers cannot be read.
    #[error(
        "cannot read the layers {text:?}: {problem}; write them like conv1_1,conv2_1 or conv1_1:2,conv2_1:0.5"
    )]
    Layers {
        /// The list.
        text: String,
        /// What is wrong.
        problem: String,
    },
    /// No loss counts.
    #[error(
        "nothing to optimise: give --content-weight or --style-weight, and a layer of it, a value above 0"
    )]
    NothingToDo,
}
