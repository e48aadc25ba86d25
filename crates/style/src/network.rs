//! A network that is ready to look at pictures.

use std::sync::Arc;

use impasto_autodiff::{AutodiffError, Evaluator, EvaluatorOptions, Loss, Plan, PreparedChain, Tap, Term};
use impasto_tensor::Shape;
use impasto_vgg::{Arch, Network, WeightsError};

use crate::{Picture, TransferError, TransferOptions};

/// A network cut after the deepest layer that the options use, with its preprocessing. Cheap to share.
#[derive(Clone)]
pub struct PreparedNetwork {
    chain: Arc<PreparedChain>,
    arch: Arch,
    deepest: String,
    minimum_side: usize,
}

impl PreparedNetwork {
    /// Prepares a network for transfers with the options' layers, pooling and convolution algorithms.
    ///
    /// # Errors
    /// [`TransferError::Options`] for options that make no sense, [`TransferError::Weights`] for a layer that the network does
    /// not have, whether its loss counts or not.
    pub fn new(network: Network, options: &TransferOptions) -> Result<Self, TransferError> {
        options.validate()?;
        for entry in options.losses_of_layers().iter().flat_map(|(_, _, layers)| &layers.0) {
            network.position(&entry.layer)?;
        }
        let mut deepest = 0;
        for tap in options.taps() {
            deepest = deepest.max(network.position(&tap.layer)?);
        }
        let layer = network.arch.convs()[deepest];
        let (arch, deepest) = (network.arch, layer.to_string());
        let chain = PreparedChain::new(network.chain_to(&deepest, options.pooling)?, options.conv)?;
        // A pooling lies between two blocks, and a position of the last block covers 2^poolings pixels.
        let minimum_side = 1 << (layer.block - 1);
        Ok(Self { chain: Arc::new(chain), arch, deepest, minimum_side })
    }

    /// VGG-16 or VGG-19.
    pub const fn arch(&self) -> Arch {
        self.arch
    }

    /// H x W x N of a layer's response to a picture of (H, W).
    ///
    /// # Errors
    /// [`AutodiffError::UnknownLayer`] for a layer behind the cut.
    pub fn response_shape(&self, layer: &str, size: (usize, usize)) -> Result<Shape, AutodiffError> {
        self.chain.response_shape(layer, size)
    }

    /// Whether a picture of (H, W) has a position at the deepest layer.
    pub(crate) fn sees(&self, (height, width): (usize, usize)) -> bool {
        height.min(width) >= self.minimum_side
    }

    /// Checks that a picture has a position at the deepest layer.
    pub(crate) fn check_size(
        &self,
        what: &str,
        (height, width): (usize, usize),
    ) -> Result<(), TransferError> {
        if self.sees((height, width)) {
            return Ok(());
        }
        let (what, layer, minimum) = (what.to_owned(), self.deepest.clone(), self.minimum_side);
        Err(TransferError::TooSmall { what, height, width, layer, minimum })
    }

    /// The plan of evaluations of pictures of (H, W) with losses at `taps`.
    ///
    /// # Errors
    /// [`AutodiffError`] if the picture is too small for the layers, or does not fit the memory limit.
    pub fn plan(
        &self,
        (height, width): (usize, usize),
        taps: &[Tap],
        options: EvaluatorOptions,
    ) -> Result<Plan, AutodiffError> {
        self.chain.plan(height, width, taps, options)
    }

    /// An evaluator of the sum of `terms` for pictures of (H, W).
    pub(crate) fn evaluator(
        &self,
        size: (usize, usize),
        terms: Vec<Term>,
        options: EvaluatorOptions,
    ) -> Result<Evaluator, TransferError> {
        Ok(Evaluator::new(Arc::clone(&self.chain), size, terms, options)?)
    }

    /// The losses at `taps` whose targets are what a picture has there: its response, or its Gram matrix divided by M.
    ///
    /// # Errors
    /// [`TransferError`] if the picture is too small, or does not fit the memory limit.
    pub fn measure(
        &self,
        picture: &Picture,
        taps: &[Tap],
        options: EvaluatorOptions,
    ) -> Result<Vec<Loss>, TransferError> {
        if taps.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.chain.measure(picture.data(), (picture.height(), picture.width()), taps, options)?)
    }
}

impl From<WeightsError> for TransferError {
    fn from(error: WeightsError) -> Self {
        Self::Weights(error)
    }
}
