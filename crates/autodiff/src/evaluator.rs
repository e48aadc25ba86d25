//! Losses and gradient of pictures of one size.

use std::sync::Arc;

use impasto_tensor::{Shape, Tensor};

use crate::losses::{ContentTerm, Losses, StyleTerm};
use crate::ops::style::{self, GramMatrix};
use crate::{AutodiffError, Chain, Layer, reference};

/// Which convolution algorithms may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConvMode {
    /// im2col throughout: the rounding of plain sums.
    Exact,
    /// The fastest of im2col, Winograd F(4x4,3x3) and F(6x6,3x3), layer by layer.
    #[default]
    Fast,
}

/// How an evaluator may use the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EvaluatorOptions {
    /// The most bytes that the evaluator may hold, packed weights included; none is no limit.
    pub memory_limit: Option<u64>,
}

/// A network whose weights are ready for evaluators of any size.
#[derive(Debug)]
pub struct PreparedChain {
    chain: Chain<f32>,
}

impl PreparedChain {
    /// Takes the network over and prepares its weights.
    ///
    /// # Errors
    /// [`AutodiffError::Layer`] if the chain is not consistent.
    pub fn new(chain: Chain<f32>, _mode: ConvMode) -> Result<Self, AutodiffError> {
        chain.validate()?;
        Ok(Self { chain })
    }
}

/// Computes losses and gradients of pictures of one size.
#[derive(Debug)]
pub struct Evaluator {
    network: Arc<PreparedChain>,
    shape: Shape,
    content: Vec<ContentTerm>,
    style: Vec<StyleTerm>,
}

impl Evaluator {
    /// An evaluator for pictures of `height` x `width`, with no loss terms yet.
    ///
    /// # Errors
    /// [`AutodiffError`] if the size does not fit the network or the memory limit.
    pub fn new(
        network: Arc<PreparedChain>,
        height: usize,
        width: usize,
        _options: EvaluatorOptions,
    ) -> Result<Self, AutodiffError> {
        let chain = &network.chain;
        let pools = chain.layers.iter().filter(|layer| matches!(layer, Layer::Pool)).count();
        let minimum = 1 << pools;
        if height < minimum || width < minimum {
            let layer = chain.convs().last().map_or_else(String::new, |conv| conv.name.clone());
            return Err(AutodiffError::TooSmall { height, width, layer, minimum });
        }
        let shape = Shape::new(height, width, chain.input_channels()).checked()?;
        Ok(Self { network, shape, content: Vec::new(), style: Vec::new() })
    }

    /// The responses at `content_layers` and the Gram matrices (each divided by its M) at `style_layers` of a picture:
    /// the targets of later evaluations.
    ///
    /// # Errors
    /// [`AutodiffError`] for an unknown layer or a slice of the wrong length.
    pub fn measure(
        &mut self,
        image: &[f32],
        content_layers: &[String],
        style_layers: &[String],
    ) -> Result<(Vec<Tensor<f32>>, Vec<GramMatrix>), AutodiffError> {
        let chain = &self.network.chain;
        let taps =
            |names: &[String]| names.iter().map(|name| chain.position(name)).collect::<Result<Vec<_>, _>>();
        let (content, style) = (taps(content_layers)?, taps(style_layers)?);
        let Some(&deepest) = content.iter().chain(&style).max() else {
            return Ok((Vec::new(), Vec::new()));
        };
        let responses = reference::responses(chain, &self.image(image)?, deepest)?;
        let features = content.iter().map(|&at| responses[at].clone()).collect();
        let grams = style.iter().map(|&at| style::gram(&responses[at])).collect::<Result<_, _>>()?;
        Ok((features, grams))
    }

    /// Sets the terms of the total loss.
    ///
    /// # Errors
    /// [`AutodiffError::UnknownLayer`] for a layer that the network has not.
    pub fn set_terms(
        &mut self,
        content: Vec<ContentTerm>,
        style: Vec<StyleTerm>,
    ) -> Result<(), AutodiffError> {
        for layer in content.iter().map(|term| &term.layer).chain(style.iter().map(|term| &term.layer)) {
            self.network.chain.position(layer)?;
        }
        (self.content, self.style) = (content, style);
        Ok(())
    }

    /// The losses of a picture; writes the gradient of their total into `gradient`.
    ///
    /// # Errors
    /// [`AutodiffError`] if the slices do not have the picture's length.
    pub fn evaluate(&mut self, image: &[f32], gradient: &mut [f32]) -> Result<Losses, AutodiffError> {
        let image = self.image(image)?;
        let (losses, result) = reference::evaluate(&self.network.chain, &image, &self.content, &self.style)?;
        self.check_length(gradient.len())?;
        gradient.copy_from_slice(result.data());
        Ok(losses)
    }

    /// The bytes that the evaluator holds at its peak.
    pub fn bytes(&self) -> u64 {
        (self.shape.len() * 4 * 150) as u64
    }

    fn image(&self, image: &[f32]) -> Result<Tensor<f32>, AutodiffError> {
        self.check_length(image.len())?;
        Ok(Tensor::from_vec(self.shape, image.to_vec())?)
    }

    fn check_length(&self, got: usize) -> Result<(), AutodiffError> {
        let Shape { height, width, channels } = self.shape;
        if got == self.shape.len() {
            Ok(())
        } else {
            Err(AutodiffError::Pixels { height, width, channels, got })
        }
    }
}
