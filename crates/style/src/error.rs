//! Why a transfer did not make a picture. Names of options stand between backquotes.

use impasto_autodiff::{AutodiffError, LossKind, Reach};
use impasto_vgg::WeightsError;

use crate::{CheckpointError, Masked, OptionsError, PictureError, SubjectError};

/// Why there is no picture, as one sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// An option makes no sense.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// Pictures, masks and regions do not go together.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// The weights cannot be had, or the network has no such layer.
    #[error(transparent)]
    Weights(WeightsError),
    /// A picture cannot be read, resized or written.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The checkpoint that a run shall go on from is not what it should be.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A picture has no position at the deepest layer.
    #[error(
        "{what} of {width} x {height} pixels is too small: {layer} needs at least {minimum} pixels on each side; use a larger \
         one, a larger `size`, or only earlier layers"
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
    /// A mask leaves nothing at any of its layers.
    #[error(
        "{what} has no position at any layer at {} x {} pixels, so nothing would come of it: {}",
        size.1, size.0, advice_on_mask(what, *reach)
    )]
    Vanished {
        /// What the mask limits.
        what: Masked,
        /// Rows and columns of the result.
        size: (usize, usize),
        /// How masks reach a layer.
        reach: Reach,
    },
    /// Losses or gradients that are not finite, from the first evaluation on.
    #[error("the loss is not a finite number: use smaller weights")]
    NotFinite,
    /// A loss that is none of the transfer's was to weigh something else.
    #[error("this transfer has no {}{}", kind.title(), at(layer.as_deref()))]
    NoTerm {
        /// The loss.
        kind: LossKind,
        /// Its layer.
        layer: Option<String>,
    },
    /// What a loss was to be multiplied with is no weight.
    #[error("a loss can be multiplied with a finite number that is not negative, not with {factor}")]
    Factor {
        /// The number.
        factor: f64,
    },
    /// It was cancelled before the first iteration was done.
    #[error("stopped before the first iteration was done; there is no picture")]
    Cancelled,
    /// Not even the most frugal plan fits the memory limit.
    #[error(
        "a picture of {} x {} pixels needs at least {} MiB, and {} MiB are free or allowed; {}",
        size.1, size.0, needed.div_ceil(1 << 20), limit >> 20, advice(*largest)
    )]
    Memory {
        /// Rows and columns of the picture.
        size: (usize, usize),
        /// The bytes of the most frugal plan.
        needed: u64,
        /// The limit in bytes.
        limit: u64,
        /// The largest longest side that would fit.
        largest: Option<usize>,
    },
    /// The network refuses a size.
    #[error(transparent)]
    Autodiff(#[from] AutodiffError),
}

/// What to do about a mask that leaves nothing. The content's reaches a layer by means in any case.
fn advice_on_mask(what: &Masked, reach: Reach) -> String {
    let (more, reach) = match what {
        Masked::Content => ("make more of its mask white, and more of the photo opaque", Reach::Average),
        Masked::Region(_) => {
            ("give it more of the photo, where no other mask is white and nothing is transparent", reach)
        }
        Masked::Painting(_) => ("make more of its mask white, and more of the painting opaque", reach),
    };
    let inside = if reach == Reach::Inside { ", or `mask-reach` average" } else { "" };
    format!("{more}, or use a larger `size`, or earlier layers{inside}")
}

/// Where a loss looks.
fn at(layer: Option<&str>) -> String {
    layer.map_or_else(String::new, |layer| format!(" at {layer}"))
}

/// What to do about too little memory.
fn advice(largest: Option<usize>) -> String {
    match largest {
        Some(side) => format!("use `size` {side} or less, or raise `memory-limit`"),
        None => "free some memory, or raise `memory-limit`".to_owned(),
    }
}
