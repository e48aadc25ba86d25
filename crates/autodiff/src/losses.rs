//! The terms of the total loss, and what an evaluation returns.

use impasto_tensor::Tensor;

use crate::ops::style::GramMatrix;

/// `weight` L_content of one layer: how far its response is from the photo's.
#[derive(Debug, Clone, PartialEq)]
pub struct ContentTerm<T = f32> {
    /// The layer, such as `conv4_2`.
    pub layer: String,
    /// alpha times the layer's own weight.
    pub weight: f64,
    /// P: the photo's response at the layer.
    pub target: Tensor<T>,
}

/// `weight` E_l of one layer: how far its Gram matrix is from the painting's.
#[derive(Debug, Clone, PartialEq)]
pub struct StyleTerm<T = f32> {
    /// The layer, such as `conv1_1`.
    pub layer: String,
    /// beta w_l.
    pub weight: f64,
    /// A/M: the painting's Gram matrix at the layer, divided by its own number of positions.
    pub target: GramMatrix<T>,
}

/// The losses of one picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Losses {
    /// The sum over all terms of weight times loss.
    pub total: f64,
    /// L_content of each content term, unweighted, in the order of the terms.
    pub content: Vec<f64>,
    /// E_l of each style term, unweighted, in the order of the terms.
    pub style: Vec<f64>,
}
