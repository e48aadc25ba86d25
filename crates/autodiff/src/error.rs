//! What can go wrong when a network is built or evaluated.

use impasto_tensor::TensorError;

/// A chain, a tap, a target or a picture that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AutodiffError {
    /// A convolution's numbers do not fit its channels, or its input is not what the layer before it puts out.
    #[error("layer {layer}: {problem}")]
    Layer {
        /// The layer's name.
        layer: String,
        /// What is wrong, in words.
        problem: String,
    },
    /// A loss names a layer that the chain does not have.
    #[error("the network has no layer {layer}; it has {}", known.join(", "))]
    UnknownLayer {
        /// The name asked for.
        layer: String,
        /// The names of the chain's convolutions.
        known: Vec<String>,
    },
    /// A term is not where its loss can be.
    #[error("the loss {loss} is of {needs}")]
    Place {
        /// The loss.
        loss: &'static str,
        /// What it is of, in words.
        needs: &'static str,
    },
    /// There is no term of that number.
    #[error("there is no term {index}: the objective has {terms}, the first one being 0")]
    NoTerm {
        /// The number asked for, from 0 on.
        index: usize,
        /// How many there are.
        terms: usize,
    },
    /// The picture is too small to have a position at some layer.
    #[error(
        "a picture of {height} x {width} is too small for {layer}: it needs at least {minimum} x {minimum} pixels"
    )]
    TooSmall {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// The deepest layer.
        layer: String,
        /// The least side that reaches that layer.
        minimum: usize,
    },
    /// A target's size is not that of the layer it is compared with.
    #[error("the target of {layer} is {got}, but the layer's response is {expected}")]
    Target {
        /// The layer's name.
        layer: String,
        /// The shape of the response.
        expected: String,
        /// The shape of the target.
        got: String,
    },
    /// A weight that is no number to multiply with.
    #[error("a weight must be a finite number, not {weight}")]
    Weight {
        /// The weight.
        weight: String,
    },
    /// A guide is not of the positions of its layer.
    #[error("the guide of {layer} has {got} numbers, but the layer's response has {expected} positions")]
    Guide {
        /// The layer's name.
        layer: String,
        /// The positions of the response.
        expected: usize,
        /// The numbers of the guide.
        got: usize,
    },
    /// There is not a guide, or none, for each tap.
    #[error("{guides} guides for {taps} taps")]
    Guides {
        /// The taps.
        taps: usize,
        /// The guides.
        guides: usize,
    },
    /// A slice of pixels has the wrong length.
    #[error("a picture of {height} x {width} x {channels} has {} numbers, not {got}", height * width * channels)]
    Pixels {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// The channels of the network's input: 3.
        channels: usize,
        /// The length of the slice.
        got: usize,
    },
    /// Not even the smallest bands fit the memory limit.
    #[error("the evaluation needs {needed} bytes, more than the limit of {limit}")]
    Memory {
        /// The bytes of the most frugal plan.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// It was given up: see [`crate::Cancel`].
    #[error("the evaluation was cancelled")]
    Cancelled,
    /// A tensor operation refused its shapes.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}
