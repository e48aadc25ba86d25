//! Guides: how much each position of a response counts in a loss ("Controlling Perceptual Factors in Neural Style Transfer", Gatys et
//! al., 2017, section 4.1).
//!
//! ```text
//! F'_pi = T_p F_pi                           a guided response, T_p >= 0
//! G'    = F'^T F' / S,   S = sum_p T_p^2     its Gram matrix: with T = 1 it is F^T F / M
//! ```
//!
//! What is kept is t_p = T_p^2 in 0..=1: a mask's value is t, so that masks which add up to 1 share a position's pull among them.

use std::sync::Arc;

/// t_p = T_p^2 at the positions of a response, row by row: between 0 and 1, neither 0 everywhere nor 1 everywhere. Cheap to share.
#[derive(Debug, Clone, PartialEq)]
pub struct Guide {
    weights: Arc<[f32]>,
    total: f64,
}

/// What a mask leaves of a response.
#[derive(Debug, Clone, PartialEq)]
pub enum Coverage {
    /// t = 1 at every position: no guide is needed, and the loss is the unguided one to the bit.
    Everywhere,
    /// Some positions count more than others.
    Partly(Guide),
    /// t = 0 at every position: the loss drops out.
    Nowhere,
}

impl Coverage {
    /// The coverage of t_p, each brought into 0..=1 (what is no number counts as 0).
    pub fn of(weights: Vec<f32>) -> Self {
        let weights: Arc<[f32]> = weights.into_iter().map(|t| t.max(0.0).min(1.0)).collect();
        if weights.iter().all(|&t| t >= 1.0) {
            return Self::Everywhere;
        }
        let total = weights.iter().map(|&t| f64::from(t)).sum();
        if total > 0.0 { Self::Partly(Guide { weights, total }) } else { Self::Nowhere }
    }

    /// The guide of a response that is there: none if it counts everywhere.
    pub fn guide(&self) -> Option<&Guide> {
        if let Self::Partly(guide) = self { Some(guide) } else { None }
    }
}

impl Guide {
    /// t_p, M numbers.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// S = sum_p t_p.
    pub const fn total(&self) -> f64 {
        self.total
    }

    /// S / M, the share of the response that counts.
    pub fn share(&self) -> f64 {
        self.total / self.weights.len() as f64
    }

    /// The bytes of its numbers.
    pub fn bytes(&self) -> u64 {
        size_of_val::<[f32]>(&self.weights) as u64
    }
}
