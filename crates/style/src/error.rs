//! Why a transfer did not make a picture.

use impasto_autodiff::AutodiffError;
use impasto_vgg::WeightsError;

use crate::{OptionsError, PictureError};

/// Why there is no picture, as one sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// An option makes no sense.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The weights cannot be had, or the network has no such layer.
    #[error(transparent)]
    Weights(WeightsError),
    /// A picture cannot be read, resized or written.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A picture has no position at the deepest layer.
    #[error(
        "{what} of {width} x {height} pixels is too small: {layer} needs at least {minimum} pixels on each side; use a larger \
         one, a larger --size, or only earlier layers"
    )]
    TooSmall {
        /// Which picture.
        what: String,
        /// Its rows.
        height: usize,
        /// Its columns.
        width: usize,
        /// The deepest layer.
        layer: String,
        /// The least side.
        minimum: usize,
    },
    /// Losses or gradients that are not finite, from the first evaluation on.
    #[error("the loss is not a finite number: use smaller weights")]
    NotFinite,
    /// It was cancelled before the first iteration was done.
    #[error("stopped before the first iteration was done; there is no picture")]
    Cancelled,
    /// The network refuses a size, or the memory limit is too low.
    #[error(transparent)]
    Autodiff(#[from] AutodiffError),
}
