//! Settings that go together.

use std::f64::consts::SQRT_2;

use impasto_autodiff::{Border, Pooling};

use crate::{
    AdamOptions, Init, Iterations, LayerWeight, LayerWeights, LossScale, Optimiser, Scales, StyleLoss,
    TransferOptions, TvPoints,
};

/// conv1_1 to conv5_1: the paper's style layers.
const STYLE_LAYERS: [&str; 5] = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"];

/// A named set of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Preset {
    /// What makes the best picture in the least time, as far as was tried: docs/defaults.md.
    #[default]
    Default,
    /// What was the default in version 0.1: one size, average pooling.
    V01,
    /// What was the default after it: coarse to fine, maximum pooling, Gram matrices, zeros beyond the edge.
    V011,
    /// The paper's own: white noise, average pooling, w_l = 1/5, alpha/beta = 1e-3, nothing else.
    Paper,
    /// What `neural-style` and `neural-style-pt` do when no option is given: their losses, weights, layers and noise.
    NeuralStyle,
    /// What style-transfer-pytorch does when no option is given, with the paper's layers: its losses, weights, sizes and method.
    Crowsonkb,
}

impl Preset {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Default, "default"),
        (Self::V01, "0.1"),
        (Self::V011, "0.1.1"),
        (Self::Paper, "paper"),
        (Self::NeuralStyle, "neural-style"),
        (Self::Crowsonkb, "crowsonkb"),
    ];

    /// The options of the preset.
    pub fn options(self) -> TransferOptions {
        let paper = TransferOptions {
            content_weight: 1e-3,
            style_weight: 1.0,
            content_layers: LayerWeights::even(&["conv4_2"]),
            style_layers: LayerWeights::even(&STYLE_LAYERS).into(),
            ..TransferOptions::neutral()
        };
        match self {
            Self::Paper => paper,
            Self::Default => TransferOptions {
                iterations: Iterations::Auto,
                scales: Scales::Auto,
                content_weight: 8e-4,
                loss_scale: LossScale::Balanced,
                style_loss: StyleLoss::Wasserstein,
                pooling: Pooling::Max,
                border: Border::Reflect,
                init: Init::Content,
                ..paper
            },
            Self::V011 => TransferOptions {
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
            Self::Crowsonkb => crowsonkb(paper),
        }
    }
}

/// The options of [`Preset::Crowsonkb`], on top of the paper's. Its layers weigh 256:64:16:4:1, and 1 together.
fn crowsonkb(paper: TransferOptions) -> TransferOptions {
    let weights = [256.0, 64.0, 16.0, 4.0, 1.0];
    let layer = |(layer, weight): (&str, f64)| LayerWeight { layer: layer.to_owned(), weight };
    TransferOptions {
        iterations: Iterations::List(vec![1000, 500]),
        scales: Scales::Auto,
        scale_factor: SQRT_2,
        smallest_scale: 128,
        content_weight: 0.015,
        style_weight: 1.0 / weights.iter().sum::<f64>(),
        tv_weight: 2.0,
        tv_points: TvPoints::Nine,
        style_layers: LayerWeights(STYLE_LAYERS.into_iter().zip(weights).map(layer).collect()).into(),
        loss_scale: LossScale::Crowsonkb,
        style_loss: StyleLoss::Wasserstein,
        pooling: Pooling::Max,
        border: Border::Replicate,
        init: Init::Content,
        optimiser: Optimiser::Adam(AdamOptions {
            // 0.02 of values from 0 to 1.
            learning_rate: 5.1,
            beta2: 0.99,
            average_decay: 0.99,
            clamped: true,
            carried: true,
        }),
        ..paper
    }
}
