//! Settings that go together.

use impasto_autodiff::Pooling;

use crate::{Init, LayerWeights, LossScale, Optimiser, Scales, TransferOptions};

/// conv1_1 to conv5_1: the paper's style layers.
const STYLE_LAYERS: [&str; 5] = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"];

/// A named set of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// What makes the best picture in the least time, as far as was tried: docs/defaults.md.
    #[default]
    Default,
    /// What was the default in version 0.1: one size, average pooling.
    V01,
    /// The paper's own: white noise, average pooling, w_l = 1/5, alpha/beta = 1e-3, nothing else.
    Paper,
    /// What `neural-style` and `neural-style-pt` do when no option is given: their losses, weights, layers and noise.
    NeuralStyle,
}

impl Preset {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Default, "default"),
        (Self::V01, "0.1"),
        (Self::Paper, "paper"),
        (Self::NeuralStyle, "neural-style"),
    ];

    /// The options of the preset.
    pub fn options(self) -> TransferOptions {
        let paper = TransferOptions {
            content_weight: 1e-3,
            style_weight: 1.0,
            content_layers: LayerWeights::even(&["conv4_2"]),
            style_layers: LayerWeights::even(&STYLE_LAYERS).into(),
            ..TransferOptions::default()
        };
        match self {
            Self::Paper => paper,
            Self::Default => TransferOptions {
                iterations: 100.into(),
                scales: Scales::Auto,
                content_weight: 4e-4,
                loss_scale: LossScale::Balanced,
                pooling: Pooling::Max,
                init: Init::Content,
                ..paper
            },
            Self::V01 => TransferOptions {
                iterations: 150.into(),
                content_weight: 1e-4,
                loss_scale: LossScale::Balanced,
                init: Init::Content,
                ..paper
            },
            Self::NeuralStyle => TransferOptions {
                iterations: 1000.into(),
                content_weight: 5.0,
                style_weight: 100.0,
                tv_weight: 1e-3,
                style_layers: LayerWeights::each(STYLE_LAYERS, 1.0).into(),
                loss_scale: LossScale::NeuralStyle,
                pooling: Pooling::Max,
                init: Init::MeanNoise,
                optimiser: Optimiser::Lbfgs { history: Some(100) },
                ..paper
            },
        }
    }
}
