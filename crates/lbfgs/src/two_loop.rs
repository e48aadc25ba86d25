//! The two-loop recursion, run on dot products instead of on vectors.
//!
//! Nocedal and Wright, Algorithm 7.4, computes r = H g from the last k pairs s_i = x_{i+1} - x_i and
//! y_i = g_{i+1} - g_i (here 0 is the oldest pair, k-1 the newest):
//!
//! ```text
//! q := g
//! for i = k-1, ..., 0:   alpha_i = (s_i·q) / (s_i·y_i);   q := q - alpha_i y_i
//! r := gamma q,          gamma = (s_{k-1}·y_{k-1}) / (y_{k-1}·y_{k-1})
//! for i = 0, ..., k-1:   beta_i = (y_i·r) / (s_i·y_i);    r := r + (alpha_i - beta_i) s_i
//! ```
//!
//! q and r are never anything but sums of the s_i, the y_i and g, so both loops can run on the coefficients of that
//! sum (Chen, Wang and Zhou, "Large-scale L-BFGS using MapReduce", 2014; Byrd, Nocedal and Schnabel, 1994, section 3,
//! in matrices). Put the sums in:
//!
//! ```text
//! alpha_i = (s_i·g - sum_{j>i} alpha_j s_i·y_j) / (s_i·y_i)
//! beta_i  = (gamma (y_i·g - sum_j alpha_j y_j·y_i) + sum_{j<i} (alpha_j - beta_j) s_j·y_i) / (s_i·y_i)
//! r       = gamma g + sum_j (alpha_j - beta_j) s_j - gamma sum_j alpha_j y_j
//! ```
//!
//! So H g needs s_i·y_j for i <= j, y_i·y_j, s_i·g and y_i·g: a few small numbers, kept in `f64`. s_i·s_j never occurs.

use std::collections::VecDeque;

/// The dot products of one pair (s_j, y_j).
#[derive(Debug, Clone, Default)]
pub(crate) struct Products {
    /// s_i·y_j for i = 0 (the oldest pair) to j.
    pub(crate) sy: VecDeque<f64>,
    /// y_i·y_j for i = 0 to j.
    pub(crate) yy: VecDeque<f64>,
    /// s_j·g with the newest gradient.
    pub(crate) sg: f64,
    /// y_j·g with the newest gradient.
    pub(crate) yg: f64,
}

/// H g as a sum: gamma g + sum_j (s_j coefficient) s_j + sum_j (y_j coefficient) y_j.
#[derive(Debug)]
pub(crate) struct Coefficients {
    pub(crate) g: f64,
    /// (coefficient of s_j, coefficient of y_j), oldest pair first.
    pub(crate) pairs: Vec<(f64, f64)>,
}

/// The coefficients of H g; those of g itself when there is no pair. `pairs` starts with the oldest.
pub(crate) fn two_loop(pairs: &VecDeque<Products>) -> Coefficients {
    let k = pairs.len();
    let sy = |i: usize, j: usize| pairs[j].sy[i];
    let yy = |i: usize, j: usize| pairs[i.max(j)].yy[i.min(j)];
    if k == 0 {
        return Coefficients { g: 1.0, pairs: Vec::new() };
    }

    let mut alpha = vec![0.0; k];
    for i in (0..k).rev() {
        let newer: f64 = (i + 1..k).map(|j| alpha[j] * sy(i, j)).sum();
        alpha[i] = (pairs[i].sg - newer) / sy(i, i);
    }
    let gamma = sy(k - 1, k - 1) / yy(k - 1, k - 1);

    let mut s = vec![0.0; k]; // alpha_i - beta_i
    for i in 0..k {
        let y_q = pairs[i].yg - (0..k).map(|j| alpha[j] * yy(i, j)).sum::<f64>();
        let older: f64 = (0..i).map(|j| s[j] * sy(j, i)).sum();
        let beta = (gamma * y_q + older) / sy(i, i);
        s[i] = alpha[i] - beta;
    }
    Coefficients { g: gamma, pairs: s.iter().zip(&alpha).map(|(s, alpha)| (*s, -gamma * alpha)).collect() }
}
