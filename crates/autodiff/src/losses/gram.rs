//! Gram matrix and style loss of a layer (the paper, section 2).
//!
//! With F as an M x N matrix (positions x filters; the paper writes its transpose):
//!
//! ```text
//! G          = F^T F                       N x N
//! E_l        = 1/(4 N^2 M^2) sum_ij (G_ij - A_ij)^2
//! dE_l/dF    = 1/(N^2 M^2) F (G - A)       M x N   (masked where F <= 0 by the ReLU, see `ops::relu`)
//! ```
//!
//! The painting may have another size than the picture, so another M. Each Gram matrix is therefore divided by **its
//! own** M where it is made ([`GramMatrix`] holds G/M), and with G' = G/M, A' = A/M_a the same two lines read
//!
//! ```text
//! E_l        = 1/(4 N^2) sum_ij (G'_ij - A'_ij)^2
//! dE_l/dF    = 1/(N^2 M) F (G' - A')
//! ```
//!
//! which for equal sizes are the paper's. It needs G, a sum over positions; dE_l/dF is then F times the matrix
//! (G' - A') / (N^2 M).

use impasto_tensor::{Element, Matrix, Tensor, TensorError, gemm, reduce};

use super::{AffineMap, OfSums};

/// The style loss of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Style<T = f32> {
    /// A/M: the painting's Gram matrix at the layer, divided by its own number of positions.
    pub target: GramMatrix<T>,
}

impl<T: Element> OfSums<T> for Style<T> {
    fn value(&self, gram: &GramMatrix<T>) -> f64 {
        loss(gram, &self.target)
    }

    fn add_gradient(
        &self,
        f: &Tensor<T>,
        gram: &GramMatrix<T>,
        weight: f64,
        gradient: &mut [T],
    ) -> Result<(), TensorError> {
        add_gradient(f, gram, &self.target, weight, gradient)
    }

    fn add_map(&self, gram: &GramMatrix<T>, weight: f64, positions: usize, map: &mut AffineMap<T>) {
        add_map(gram, &self.target, weight, positions, map);
    }
}

/// G/M: the Gram matrix of a layer's response, divided by its number of positions. Symmetric.
#[derive(Debug, Clone, PartialEq)]
pub struct GramMatrix<T = f32> {
    /// N, the filters of the layer.
    pub channels: usize,
    /// N x N numbers.
    pub data: Vec<T>,
}

impl<T: Element> GramMatrix<T> {
    /// Adds `share` times another matrix of the same size.
    pub fn add(&mut self, share: f64, other: &Self) {
        let share = T::from_f64(share);
        self.data.iter_mut().zip(&other.data).for_each(|(sum, &value)| *sum += share * value);
    }

    /// The same matrix in another precision.
    pub fn cast<U: Element>(&self) -> GramMatrix<U> {
        let data = self.data.iter().map(|value| U::from_f64(value.to_f64())).collect();
        GramMatrix { channels: self.channels, data }
    }
}

/// G' = F^T F / M.
///
/// # Errors
/// [`TensorError`] only if F is inconsistent, which a [`Tensor`] never is.
pub fn gram<T: Element>(f: &Tensor<T>) -> Result<GramMatrix<T>, TensorError> {
    let (positions, channels) = (f.shape().positions(), f.shape().channels);
    let f = Matrix::new(f.data(), positions, channels)?;
    let mut data = vec![T::ZERO; channels * channels];
    gemm(T::from_f64(1.0 / positions as f64), f.transposed(), f, T::ZERO, &mut data)?;
    Ok(GramMatrix { channels, data })
}

/// E_l of the picture's G' and the painting's A'.
///
/// # Panics
/// If the matrices differ in size.
pub fn loss<T: Element>(g: &GramMatrix<T>, a: &GramMatrix<T>) -> f64 {
    reduce::squared_distance(&g.data, &a.data) / (4.0 * (g.channels * g.channels) as f64)
}

/// Adds `weight` dE_l/dF = `weight`/(N^2 M) F (G' - A') to `gradient`.
///
/// # Errors
/// [`TensorError::Mismatch`] if the sizes do not fit.
pub fn add_gradient<T: Element>(
    f: &Tensor<T>,
    g: &GramMatrix<T>,
    a: &GramMatrix<T>,
    weight: f64,
    gradient: &mut [T],
) -> Result<(), TensorError> {
    let (positions, channels) = (f.shape().positions(), f.shape().channels);
    let difference: Vec<T> = g.data.iter().zip(&a.data).map(|(&g, &a)| g - a).collect();
    gemm(
        T::from_f64(weight / ((channels * channels) as f64 * positions as f64)),
        Matrix::new(f.data(), positions, channels)?,
        Matrix::new(&difference, channels, channels)?,
        T::ONE,
        gradient,
    )
}

/// Adds `weight`/(N^2 M) (G' - A') to the matrix of `map`: the gradient of [`add_gradient`] as what F is multiplied with, for
/// a response of M = `positions`.
pub fn add_map<T: Element>(
    g: &GramMatrix<T>,
    a: &GramMatrix<T>,
    weight: f64,
    positions: usize,
    map: &mut AffineMap<T>,
) {
    let scale = weight / ((g.channels * g.channels) as f64 * positions as f64);
    for ((d, &g), &a) in map.matrix.iter_mut().zip(&g.data).zip(&a.data) {
        *d += T::from_f64(scale * (g - a).to_f64());
    }
}
