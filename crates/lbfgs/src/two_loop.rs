//! The two-loop recursion, run on dot products instead of on vectors.
//!
//! Nocedal and Wright, Algorithm 7.4, computes r = H g from the last k pairs s_i = x_{i+1} - x_i and
//! y_i = g_{i+1} - g_i (here 0 is the oldest pair, k-1 the newest):
//!
//! ```text
//! q := g
//! for i = k-1, ..., 0:   alpha_i = (s_i·q) / (s_i·y_i);   q := q - alpha_i y_i
//! r := H0 q              H0: see scaling.rs
//! for i = 0, ..., k-1:   beta_i = (y_i·r) / (s_i·y_i);    r := r + (alpha_i - beta_i) s_i
//! ```
//!
//! Inside each loop q and r are sums of vectors that are known before it, so the loop can run on the coefficients of
//! that sum (Chen, Wang and Zhou, "Large-scale L-BFGS using MapReduce", 2014; Byrd, Nocedal and Schnabel, 1994,
//! section 3, in matrices). Put the sums in:
//!
//! ```text
//! alpha_i = (s_i·g - sum_{j>i} alpha_j s_i·y_j) / (s_i·y_i)
//! q       = g - sum_j alpha_j y_j                                one sweep, which goes on to
//! r0      = H0 q   and   y_i·r0 for all i
//! beta_i  = (y_i·r0 + sum_{j<i} (alpha_j - beta_j) s_j·y_i) / (s_i·y_i)
//! r       = r0 + sum_j (alpha_j - beta_j) s_j                    one sweep
//! ```
//!
//! So the loops need s_i·y_j for i <= j, s_i·g and y_i·r0: a few small numbers, kept in `f64`.

use std::collections::VecDeque;

/// The dot products of one pair (s_j, y_j).
#[derive(Debug, Clone, Default)]
pub(crate) struct Products {
    /// s_i·y_j for i = 0 (the oldest pair) to j.
    pub(crate) sy: VecDeque<f64>,
    /// s_j·g with the newest gradient.
    pub(crate) sg: f64,
}

/// The first loop: alpha_i, oldest pair first.
pub(crate) fn alphas(pairs: &VecDeque<Products>) -> Vec<f64> {
    let k = pairs.len();
    let mut alpha = vec![0.0; k];
    for i in (0..k).rev() {
        let newer: f64 = (i + 1..k).map(|j| alpha[j] * pairs[j].sy[i]).sum();
        alpha[i] = (pairs[i].sg - newer) / pairs[i].sy[i];
    }
    alpha
}

/// The second loop: alpha_i - beta_i, oldest pair first, from the alpha_i and the y_i·r0.
pub(crate) fn alphas_less_betas(pairs: &VecDeque<Products>, alpha: &[f64], yr: &[f64]) -> Vec<f64> {
    let k = pairs.len();
    let mut coefficients = vec![0.0; k];
    for i in 0..k {
        let older: f64 = (0..i).map(|j| coefficients[j] * pairs[i].sy[j]).sum();
        let beta = (yr[i] + older) / pairs[i].sy[i];
        coefficients[i] = alpha[i] - beta;
    }
    coefficients
}
