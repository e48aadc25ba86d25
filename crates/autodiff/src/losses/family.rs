//! The families of losses: what a loss looks at, and what the engine asks of it.

use impasto_tensor::reduce::RunningSum;
use impasto_tensor::{Element, Shape, Tensor, TensorError};

use super::GramMatrix;
use crate::Guide;

/// A loss that compares the response with a target position by position.
pub trait AtPositions<T>: Sync {
    /// Adds the loss of a block of positions to that of the positions before. `first` is the block's first position in the whole
    /// response; `f` holds the block.
    fn add_value(&self, first: usize, f: &[T], sum: &mut RunningSum);

    /// Adds `weight` dL/dF of a block to `gradient`, which has the length of `f`.
    fn add_gradient(&self, first: usize, f: &[T], weight: f64, gradient: &mut [T]);
}

/// A loss of statistics that are sums over positions: of the Gram matrix.
pub trait OfSums<T> {
    /// How much each position counts in the sums; none where all count the same.
    fn guide(&self) -> Option<&Guide>;

    /// The loss of a response with Gram matrix G/M; of a guided one, that of T F divided by S.
    fn value(&self, gram: &GramMatrix<T>) -> f64;

    /// Adds `weight` dL/dF of the whole response to `gradient`: the plain twin of [`Self::add_map`].
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if the sizes do not fit.
    fn add_gradient(
        &self,
        f: &Tensor<T>,
        gram: &GramMatrix<T>,
        weight: f64,
        gradient: &mut [T],
    ) -> Result<(), TensorError>
    where
        T: Element;

    /// Adds `weight` dL/dF as a map of F to `map`, for a response of `positions` positions. Where there is a guide, what the map gives
    /// at a position is to be multiplied with its t_p.
    fn add_map(&self, gram: &GramMatrix<T>, weight: f64, positions: usize, map: &mut AffineMap<T>);
}

/// A loss of the picture's own pixels.
pub trait OfPixels<T> {
    /// The loss of a picture, unweighted; adds `weight` times its gradient to `gradient`. Both have the shape's length.
    fn value_and_gradient(&self, picture: &[T], shape: Shape, weight: f64, gradient: &mut [T]) -> f64;
}

/// dL/dF of losses of sums, as a map of F: each position's row F_k (N numbers) gives F_k `matrix` + `vector`.
#[derive(Debug, Clone, PartialEq)]
pub struct AffineMap<T = f32> {
    /// N, the filters of the layer.
    pub channels: usize,
    /// N x N numbers.
    pub matrix: Vec<T>,
    /// N numbers; none where every loss leaves them 0.
    pub vector: Option<Vec<T>>,
}

impl<T: Element> AffineMap<T> {
    /// The map to 0.
    pub fn zero(channels: usize) -> Self {
        Self { channels, matrix: vec![T::ZERO; channels * channels], vector: None }
    }
}

/// What a loss looks at.
#[derive(Clone, Copy)]
pub enum Needs<'a, T> {
    /// A layer's response, position by position.
    Positions(&'a dyn AtPositions<T>),
    /// A layer's Gram matrix.
    Sums(&'a dyn OfSums<T>),
    /// The picture's pixels.
    Pixels(&'a dyn OfPixels<T>),
}
