//! 2. The gradient of the style loss.
//!
//! F has M rows, one for each position, of N numbers, one for each filter; A is the painting's Gram matrix, N x N, symmetric, row by row:
//!
//! ```text
//! G_ij      = sum_p F_pi F_pj
//! E         = 1/(4 N^2 M^2) sum_ij (G_ij - A_ij)^2
//! dE/dF_pi  = 1/(N^2 M^2) sum_j F_pj (G_ji - A_ji)
//! ```
//!
//! This is as in the paper: G and A are sums. Chapter 6 of the book divides them by M, and the loss by 4 N^2 alone.

/// dE/dF of F, M x N row by row, and A, N x N.
///
/// Write this function.
pub fn gram_gradient(f: &[f64], filters: usize, a: &[f64]) -> Vec<f64> {
    vec![0.0; f.len()]
}
