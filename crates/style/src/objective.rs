//! The total loss as a function of the picture's pixels, and its gradient.
//!
//! ```text
//! L(x) = alpha sum_l w_l s_l L_content,l(z) + beta sum_l w_l t_l E_l(z) + gamma TV(x)
//! z_c  = (scale x_c - mean_c) / std_c
//! dL/dx_c = dL/dz_c scale / std_c + gamma dTV/dx_c
//! ```
//!
//! x is the picture in 0..=255, z the network's input, and s_l, t_l are the factors of [`crate::LossScale`] (the paper's: 1).

use impasto_autodiff::tv::total_variation;
use impasto_autodiff::{AutodiffError, ContentTerm, Evaluator, GramMatrix, StyleTerm};
use impasto_tensor::{Shape, Tensor};
use impasto_vgg::Preprocessing;

use crate::{LayerWeight, LayerWeights, Picture, PreparedNetwork, TransferError, TransferOptions};

/// P and A: what the photo and the painting are at the layers that count. Measured once, for pictures of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// P of every active content layer, in the options' order.
    pub content: Vec<Tensor<f32>>,
    /// A/M of every active style layer, in the options' order.
    pub style: Vec<GramMatrix>,
}

impl Targets {
    /// Measures both pictures, which have their final sizes already.
    ///
    /// # Errors
    /// [`TransferError`] if a picture is too small, or does not fit the memory limit.
    pub fn measure(
        network: &PreparedNetwork,
        content: &Picture,
        style: &Picture,
        options: &TransferOptions,
    ) -> Result<Self, TransferError> {
        let style = Self::style(network, style, options)?;
        Ok(Self { content: Self::content(network, content, options)?, style })
    }

    /// P of every active content layer.
    ///
    /// # Errors
    /// As [`Targets::measure`].
    pub fn content(
        network: &PreparedNetwork,
        photo: &Picture,
        options: &TransferOptions,
    ) -> Result<Vec<Tensor<f32>>, TransferError> {
        Ok(network.measure(photo, &options.active_content_layers(), &[], options)?.0)
    }

    /// A/M of every active style layer.
    ///
    /// # Errors
    /// As [`Targets::measure`].
    pub fn style(
        network: &PreparedNetwork,
        painting: &Picture,
        options: &TransferOptions,
    ) -> Result<Vec<GramMatrix>, TransferError> {
        Ok(network.measure(painting, &[], &options.active_style_layers(), options)?.1)
    }
}

/// The losses of one picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Breakdown {
    /// alpha `content` + beta `style` + gamma `tv`.
    pub total: f64,
    /// The sum over layers of w_l L_content, times the factors of the loss scale.
    pub content: f64,
    /// The sum over layers of w_l E_l, times the factors of the loss scale.
    pub style: f64,
    /// TV of the picture; 0 if its weight is.
    pub tv: f64,
    /// L_content of each active content layer, plain.
    pub content_layers: Vec<LayerLoss>,
    /// E_l of each active style layer, plain.
    pub style_layers: Vec<LayerLoss>,
}

/// The loss of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerLoss {
    /// The layer.
    pub layer: String,
    /// L_content or E_l.
    pub loss: f64,
}

/// L(x) and its gradient, for pictures of one size.
#[derive(Debug)]
pub struct Objective {
    evaluator: Evaluator,
    preprocessing: Preprocessing,
    shape: Shape,
    input: Vec<f32>,
    content: Vec<LayerWeight>,
    style: Vec<LayerWeight>,
    alpha: f64,
    beta: f64,
    tv_weight: f64,
}

impl Objective {
    /// The objective of pictures of `height` x `width`, the size of the content picture that was measured.
    ///
    /// # Errors
    /// [`TransferError`] if the targets do not fit the size, or the memory limit is too low.
    pub fn new(
        network: &PreparedNetwork,
        targets: Targets,
        (height, width): (usize, usize),
        options: &TransferOptions,
    ) -> Result<Self, TransferError> {
        let mut evaluator = network.evaluator(height, width, options)?;
        let scaled = |entry: &LayerWeight, factor| LayerWeight {
            layer: entry.layer.clone(),
            weight: entry.weight * factor,
        };
        let scale = options.loss_scale;
        let content: Vec<LayerWeight> = active(&options.content_layers, options.content_weight)
            .zip(&targets.content)
            .map(|(entry, target)| {
                let shape = target.shape();
                scaled(entry, scale.content(height * width, shape.channels, shape.positions()))
            })
            .collect();
        let style: Vec<LayerWeight> = active(&options.style_layers, options.style_weight)
            .zip(&targets.style)
            .map(|(entry, target)| scaled(entry, scale.style(target.channels)))
            .collect();
        let content_terms = content.iter().zip(targets.content).map(|(entry, target)| ContentTerm {
            layer: entry.layer.clone(),
            weight: options.content_weight * entry.weight,
            target,
        });
        let style_terms = style.iter().zip(targets.style).map(|(entry, target)| StyleTerm {
            layer: entry.layer.clone(),
            weight: options.style_weight * entry.weight,
            target,
        });
        evaluator.set_terms(content_terms.collect(), style_terms.collect())?;
        let shape = Shape::new(height, width, 3);
        Ok(Self {
            evaluator,
            preprocessing: network.preprocessing,
            shape,
            input: vec![0.0; shape.len()],
            content,
            style,
            alpha: options.content_weight,
            beta: options.style_weight,
            tv_weight: options.tv_weight,
        })
    }

    /// L(x), and its gradient into `gradient`; both H x W x 3.
    ///
    /// # Errors
    /// [`AutodiffError::Pixels`] if a slice has another length.
    pub fn evaluate(&mut self, x: &[f32], gradient: &mut [f32]) -> Result<Breakdown, AutodiffError> {
        let Shape { height, width, channels } = self.shape;
        if x.len() != self.shape.len() {
            return Err(AutodiffError::Pixels { height, width, channels, got: x.len() });
        }
        self.preprocessing.apply(x, &mut self.input);
        let losses = self.evaluator.evaluate(&self.input, gradient)?;
        self.preprocessing.gradient(gradient);
        let tv =
            if self.tv_weight > 0.0 { total_variation(x, self.shape, self.tv_weight, gradient) } else { 0.0 };
        let (content, style) = (sum(&self.content, &losses.content), sum(&self.style, &losses.style));
        Ok(Breakdown {
            total: self.alpha * content + self.beta * style + self.tv_weight * tv,
            content,
            style,
            tv,
            content_layers: name(&self.content, &losses.content),
            style_layers: name(&self.style, &losses.style),
        })
    }

    /// The bytes that an evaluation holds, targets and the network included.
    pub fn bytes(&self) -> u64 {
        self.evaluator.bytes() + (self.input.len() * size_of::<f32>()) as u64
    }
}

/// The entries that count: all whose weight is not 0, or none if the sum's own weight is 0.
fn active(layers: &LayerWeights, weight: f64) -> impl Iterator<Item = &LayerWeight> {
    layers.0.iter().filter(move |entry| weight > 0.0 && entry.weight > 0.0)
}

fn sum(weights: &[LayerWeight], losses: &[f64]) -> f64 {
    weights.iter().zip(losses).fold(0.0, |sum, (entry, loss)| sum + entry.weight * loss)
}

fn name(weights: &[LayerWeight], losses: &[f64]) -> Vec<LayerLoss> {
    weights.iter().zip(losses).map(|(entry, &loss)| LayerLoss { layer: entry.layer.clone(), loss }).collect()
}
