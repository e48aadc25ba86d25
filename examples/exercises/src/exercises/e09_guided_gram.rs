//! 9. A guided Gram matrix.
//!
//! t_p in 0..=1 says how much position p counts; F_p is its row of N numbers:
//!
//! ```text
//! G_ij  = 1/S sum_p t_p F_pi F_pj        S = sum_p t_p
//! ```

/// G, N x N row by row, of F, M x N row by row, and t, M numbers that are not all 0.
///
/// Write this function.
pub fn guided_gram(f: &[f64], filters: usize, t: &[f64]) -> Vec<f64> {
    vec![0.0; filters * filters]
}
