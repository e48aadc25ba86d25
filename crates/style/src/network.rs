//! A network that is ready to look at pictures.

use std::sync::Arc;

use impasto_autodiff::{
    AutodiffError, Cancel, Chain, Coverage, Evaluator, EvaluatorOptions, Loss, Plan, PreparedChain, Reach,
    Tap, Term,
};
use impasto_tensor::Shape;

use impasto_vgg::{Arch, Network, Preprocessing, WeightsError};

use crate::{Mask, TransferError, TransferOptions, View};

/// A network cut after the deepest layer that the options use, with its preprocessing. Cheap to share.
#[derive(Clone)]
pub struct PreparedNetwork {
    chain: Arc<PreparedChain>,
    arch: Arch,
    preprocessing: Preprocessing,
    cancel: Cancel,
}

impl PreparedNetwork {
    /// Prepares a network for transfers with the options' layers, pooling, border and convolution algorithms.
    ///
    /// # Errors
    /// [`TransferError::Options`] for options that make no sense, [`TransferError::Weights`] for a layer that the network does
    /// not have, whether its loss counts or not.
    pub fn new(network: Network, options: &TransferOptions) -> Result<Self, TransferError> {
        options.validate()?;
        options.check_layers(&network)?;
        let mut deepest = 0;
        for layer in options.layers() {
            deepest = deepest.max(network.position(layer)?);
        }
        let (arch, preprocessing) = (network.arch, network.preprocessing);
        let deepest = arch.convs()[deepest].to_string();
        let chain = Chain { border: options.border, ..network.chain_to(&deepest, options.pooling)? };
        let chain = PreparedChain::new(chain, options.conv)?;
        Ok(Self { chain: Arc::new(chain), arch, preprocessing, cancel: Cancel::default() })
    }

    /// The same network for a run that `cancel` can end: in the middle of whatever it evaluates or measures.
    #[must_use]
    pub fn with_cancel(&self, cancel: Cancel) -> Self {
        Self { cancel, ..self.clone() }
    }

    /// VGG-16 or VGG-19.
    pub const fn arch(&self) -> Arch {
        self.arch
    }

    /// R, G, B in 0..=255 of the colour that the network's input is 0 for.
    pub fn mean_colour(&self) -> [f32; 3] {
        self.preprocessing.mean.map(|mean| mean / self.preprocessing.scale)
    }

    /// H x W x N of a layer's response to a picture of (H, W).
    ///
    /// # Errors
    /// [`AutodiffError::UnknownLayer`] for a layer behind the cut.
    pub fn response_shape(&self, layer: &str, size: (usize, usize)) -> Result<Shape, AutodiffError> {
        self.chain.response_shape(layer, size)
    }

    /// The least side of a picture that has a position at each of the taps, and the deepest of their layers; none without taps.
    fn minimum_side(&self, taps: &[Tap]) -> Option<(usize, String)> {
        let level = |tap: &Tap| Some((self.chain.level(&tap.layer).ok()?, tap.layer.clone()));
        taps.iter().filter_map(level).max().map(|(level, layer)| (1 << level, layer))
    }

    /// Whether a picture of (H, W) has a position at each of the taps.
    pub(crate) fn sees(&self, (height, width): (usize, usize), taps: &[Tap]) -> bool {
        self.minimum_side(taps).is_none_or(|(minimum, _)| height.min(width) >= minimum)
    }

    /// Checks that a picture has a position at each of the taps.
    pub(crate) fn check_size(
        &self,
        what: &str,
        (height, width): (usize, usize),
        taps: &[Tap],
    ) -> Result<(), TransferError> {
        match self.minimum_side(taps) {
            Some((minimum, layer)) if height.min(width) < minimum => {
                Err(TransferError::TooSmall { what: what.to_owned(), height, width, layer, minimum })
            }
            _ => Ok(()),
        }
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
        Ok(Evaluator::new(Arc::clone(&self.chain), size, terms, options)?.with_cancel(self.cancel.clone()))
    }

    /// The losses at the taps of a view whose targets are what its picture has there: its response, or its Gram matrix divided by
    /// M, or where a guide says, by S.
    ///
    /// # Errors
    /// [`TransferError`] if the picture is too small, or does not fit the memory limit.
    pub fn measure(&self, view: View<'_>, options: EvaluatorOptions) -> Result<Vec<Loss>, TransferError> {
        let View { picture, taps, guides, .. } = view;
        if taps.is_empty() {
            return Ok(Vec::new());
        }
        let size = (picture.height(), picture.width());
        Ok(self.chain.measure(picture.data(), size, (taps, guides), options, &self.cancel)?)
    }

    /// [`Self::measure`] within what the options leave of the memory limit.
    pub(crate) fn measure_for(
        &self,
        view: View<'_>,
        options: &TransferOptions,
    ) -> Result<Vec<Loss>, TransferError> {
        let View { picture, .. } = view;
        self.measure(view, options.evaluator_options(picture.height(), picture.width()))
    }

    /// What a mask of a picture, at its size, leaves of the responses of some layers.
    ///
    /// # Errors
    /// [`AutodiffError`] for a layer behind the cut, or a picture too small for it.
    pub fn coverages(
        &self,
        mask: &Mask,
        layers: &[&str],
        reach: Reach,
    ) -> Result<Vec<Coverage>, AutodiffError> {
        self.chain.coverages(mask.values(), (mask.height(), mask.width()), layers, reach)
    }
}

impl From<WeightsError> for TransferError {
    fn from(error: WeightsError) -> Self {
        Self::Weights(error)
    }
}
