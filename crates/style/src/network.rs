//! A network that is ready to look at pictures.

use std::sync::Arc;

use impasto_autodiff::{Evaluator, GramMatrix, PreparedChain};
use impasto_tensor::Tensor;
use impasto_vgg::{Arch, Network, Preprocessing, WeightsError};

use crate::{Picture, TransferError, TransferOptions};

/// A network cut after the deepest layer that the options use, with its preprocessing. Cheap to share.
#[derive(Clone)]
pub struct PreparedNetwork {
    pub(crate) chain: Arc<PreparedChain>,
    pub(crate) preprocessing: Preprocessing,
    arch: Arch,
    deepest: String,
    minimum_side: usize,
}

impl PreparedNetwork {
    /// Prepares a network for transfers with the options' layers, pooling and convolution algorithms.
    ///
    /// # Errors
    /// [`TransferError::Options`] for options that make no sense, [`TransferError::Weights`] for a layer that the network does
    /// not have.
    pub fn new(network: Network, options: &TransferOptions) -> Result<Self, TransferError> {
        options.validate()?;
        let mut deepest = 0;
        for entry in options.content_layers.0.iter().chain(&options.style_layers.0) {
            let position = network.position(&entry.layer)?;
            if entry.weight > 0.0 {
                deepest = deepest.max(position);
            }
        }
        let layer = network.arch.convs()[deepest];
        let (arch, preprocessing, deepest) = (network.arch, network.preprocessing, layer.to_string());
        let chain = PreparedChain::new(network.chain_to(&deepest, options.pooling)?, options.conv)?;
        // A pooling lies between two blocks, and a position of the last block covers 2^poolings pixels.
        let minimum_side = 1 << (layer.block - 1);
        Ok(Self { chain: Arc::new(chain), preprocessing, arch, deepest, minimum_side })
    }

    /// VGG-16 or VGG-19.
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// Whether a picture of H x W has a position at the deepest layer.
    pub(crate) fn sees(&self, (height, width): (usize, usize)) -> bool {
        height.min(width) >= self.minimum_side
    }

    /// Checks that a picture has a position at the deepest layer.
    pub(crate) fn check_size(&self, what: &str, height: usize, width: usize) -> Result<(), TransferError> {
        if self.sees((height, width)) {
            return Ok(());
        }
        let (what, layer, minimum) = (what.to_owned(), self.deepest.clone(), self.minimum_side);
        Err(TransferError::TooSmall { what, height, width, layer, minimum })
    }

    /// An evaluator for pictures of one size.
    pub(crate) fn evaluator(
        &self,
        height: usize,
        width: usize,
        options: &TransferOptions,
    ) -> Result<Evaluator, TransferError> {
        let evaluator_options = options.evaluator_options(height, width);
        Ok(Evaluator::new(Arc::clone(&self.chain), height, width, evaluator_options)?)
    }

    /// F of a picture at the content layers, and G/M at the style layers.
    ///
    /// # Errors
    /// [`TransferError`] if the picture is too small, or does not fit the memory limit.
    pub fn measure(
        &self,
        picture: &Picture,
        content: &[String],
        style: &[String],
        options: &TransferOptions,
    ) -> Result<(Vec<Tensor<f32>>, Vec<GramMatrix>), TransferError> {
        if content.is_empty() && style.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut evaluator = self.evaluator(picture.height(), picture.width(), options)?;
        Ok(evaluator.measure(&self.input(picture), content, style)?)
    }

    /// The network's input for a picture.
    pub(crate) fn input(&self, picture: &Picture) -> Vec<f32> {
        let mut input = vec![0.0; picture.data().len()];
        self.preprocessing.apply(picture.data(), &mut input);
        input
    }
}

impl From<WeightsError> for TransferError {
    fn from(error: WeightsError) -> Self {
        Self::Weights(error)
    }
}
