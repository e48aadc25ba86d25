//! What a network has to say of one picture: its responses and their Gram matrices, without a transfer.
//!
//! ```text
//! F    = the response of a layer after its ReLU        H_l x W_l x N, M = H_l W_l positions
//! G/M  = F^T F / M                                     N x N, F as the matrix M x N
//! ```
//!
//! H_l x W_l is H x W, halved and rounded down by each pooling before the layer. The Gram matrix is divided by its number of
//! positions, as the style loss E_l compares it (docs/math.md, section 3), so that pictures of different sizes compare.
//!
//! ```
//! # #[cfg(feature = "embedded-weights")] {
//! use impasto_style::{Network, measure, white_noise};
//!
//! let network = Network::embedded()?;
//! let measured = measure(&network, &white_noise(32, 48, 1)?, &["conv1_1", "relu2_1"])?;
//! let layer = measured.layer("relu2_1").ok_or("it was asked for")?;
//! assert_eq!((layer.response.shape().height, layer.response.shape().width), (16, 24));
//! assert_eq!(layer.gram.data.len(), 128 * 128);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use impasto_autodiff::{
    Border, Cancel, Chain, ConvMode, EvaluatorOptions, GramMatrix, Loss, LossKind, Pooling, PreparedChain,
    Tap,
};
use impasto_tensor::Tensor;
use impasto_vgg::Network;

use crate::{Picture, Preset, TransferError};

/// What a picture has at some layers.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The layers in the order in which they were asked for.
    pub layers: Vec<MeasuredLayer>,
}

impl Measured {
    /// What was measured under that name; none if it was not asked for.
    pub fn layer(&self, name: &str) -> Option<&MeasuredLayer> {
        self.layers.iter().find(|layer| layer.name == name)
    }
}

/// What a picture has at one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredLayer {
    /// The name that was asked for, such as `conv4_2` or `relu4_2`.
    pub name: String,
    /// F, H x W x N, after the ReLU: 0 or more.
    pub response: Tensor<f32>,
    /// G/M, N x N.
    pub gram: GramMatrix,
}

/// How a picture is measured. By default with the pooling of [`Preset::Default`], which is the maximum, with zeros beyond the edge, by
/// the fastest convolutions, and without a limit of memory.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Measurement {
    /// Average or maximum.
    pub pooling: Pooling,
    /// What the first convolution reads beyond the picture's edge.
    pub border: Border,
    /// The convolution algorithms.
    pub conv: ConvMode,
    /// The most bytes that it may take, network and results included; none is no limit. The numbers are the same.
    pub memory_limit: Option<u64>,
    /// Ends it early.
    pub cancel: Cancel,
}

impl Default for Measurement {
    fn default() -> Self {
        Self {
            pooling: Preset::Default.options().pooling,
            border: Border::Zero,
            conv: ConvMode::Fast,
            memory_limit: None,
            cancel: Cancel::default(),
        }
    }
}

/// The responses and Gram matrices of a picture at layers of a network, under either name (`conv4_2`, `relu4_2`), as
/// [`Measurement::default`] has it.
///
/// The picture is taken at the size that it has, and its colours as they are, whatever its alpha. Layers behind the deepest one are not
/// computed. Of much larger pictures the responses take memory: who wants Gram matrices alone asks [`Measurement::grams`].
///
/// # Errors
/// [`TransferError::Weights`] for a layer that the network does not have, [`TransferError::Autodiff`] for a picture too small to have a
/// position at each of them.
pub fn measure(network: &Network, picture: &Picture, layers: &[&str]) -> Result<Measured, TransferError> {
    Measurement::default().measure(network, picture, layers)
}

impl Measurement {
    /// The same measurement with this pooling.
    #[must_use]
    pub fn with_pooling(self, pooling: Pooling) -> Self {
        Self { pooling, ..self }
    }

    /// The same measurement with this border.
    #[must_use]
    pub fn with_border(self, border: Border) -> Self {
        Self { border, ..self }
    }

    /// The same measurement with these convolution algorithms.
    #[must_use]
    pub fn with_conv(self, conv: ConvMode) -> Self {
        Self { conv, ..self }
    }

    /// The same measurement within a limit of memory.
    #[must_use]
    pub fn with_memory_limit(self, memory_limit: Option<u64>) -> Self {
        Self { memory_limit, ..self }
    }

    /// The same measurement, which `cancel` can end.
    #[must_use]
    pub fn with_cancel(self, cancel: Cancel) -> Self {
        Self { cancel, ..self }
    }

    /// Responses and Gram matrices, as [`measure`].
    ///
    /// # Errors
    /// Those of [`measure`], and of a limit or a flag that was given.
    pub fn measure(
        &self,
        network: &Network,
        picture: &Picture,
        layers: &[&str],
    ) -> Result<Measured, TransferError> {
        let mut losses =
            self.targets(network, picture, layers, &[LossKind::Content, LossKind::Gram])?.into_iter();
        let mut measured = Vec::new();
        for &name in layers {
            if let (Some(Loss::Content(content)), Some(Loss::Gram(style))) = (losses.next(), losses.next()) {
                let (response, gram) = (content.target, style.target);
                measured.push(MeasuredLayer { name: name.to_owned(), response, gram });
            }
        }
        Ok(Measured { layers: measured })
    }

    /// The responses alone, H x W x N, in the order of the layers.
    ///
    /// # Errors
    /// Those of [`Self::measure`].
    pub fn responses(
        &self,
        network: &Network,
        picture: &Picture,
        layers: &[&str],
    ) -> Result<Vec<Tensor<f32>>, TransferError> {
        let losses = self.targets(network, picture, layers, &[LossKind::Content])?;
        let response = |loss| if let Loss::Content(content) = loss { Some(content.target) } else { None };
        Ok(losses.into_iter().filter_map(response).collect())
    }

    /// The Gram matrices alone, N x N over M, in the order of the layers. No response is kept: it takes the memory of the layers' own
    /// work.
    ///
    /// # Errors
    /// Those of [`Self::measure`].
    pub fn grams(
        &self,
        network: &Network,
        picture: &Picture,
        layers: &[&str],
    ) -> Result<Vec<GramMatrix>, TransferError> {
        let losses = self.targets(network, picture, layers, &[LossKind::Gram])?;
        let gram = |loss| if let Loss::Gram(style) = loss { Some(style.target) } else { None };
        Ok(losses.into_iter().filter_map(gram).collect())
    }

    /// The targets of losses of these kinds at each of the layers, layer by layer.
    fn targets(
        &self,
        network: &Network,
        picture: &Picture,
        layers: &[&str],
        kinds: &[LossKind],
    ) -> Result<Vec<Loss>, TransferError> {
        let table = network.arch.convs();
        let (mut deepest, mut taps) = (0, Vec::new());
        for layer in layers {
            let position = network.position(layer)?;
            deepest = deepest.max(position);
            let name = table[position].to_string();
            taps.extend(kinds.iter().map(|&kind| Tap::new(name.clone(), kind)));
        }
        if taps.is_empty() {
            return Ok(Vec::new());
        }
        let deepest = table[deepest].to_string();
        let chain = network.up_to(&deepest)?.chain_to(&deepest, self.pooling)?;
        let chain = Arc::new(PreparedChain::new(Chain { border: self.border, ..chain }, self.conv)?);
        let (size, limit) =
            ((picture.height(), picture.width()), EvaluatorOptions { memory_limit: self.memory_limit });
        Ok(chain.measure(picture.data(), size, (&taps, &[]), limit, &self.cancel)?)
    }
}
