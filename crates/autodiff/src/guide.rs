//! Guides: how much each position of a response counts in a loss ("Controlling Perceptual Factors in Neural Style Transfer", Gatys et
//! al., 2017, section 4.1).
//!
//! ```text
//! F'_pi = T_p F_pi                           a guided response; T, with T_p >= 0, is its guidance channel
//! G'    = F'^T F' / S,   S = sum_p T_p^2     its Gram matrix: with T = 1 it is F^T F / M
//! ```
//!
//! What is kept is t_p = T_p^2 in 0..=1: a mask's value is t, so that masks which add up to 1 share a position's pull among them.

use std::sync::Arc;

use impasto_tensor::Shape;

use crate::AutodiffError;

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

/// A number as t: in 0..=1; what is no number is 0.
pub(crate) fn weight(number: f32) -> f32 {
    if number.is_nan() { 0.0 } else { number.clamp(0.0, 1.0) }
}

impl Coverage {
    /// The coverage of t_p, each brought into 0..=1 (what is no number counts as 0).
    pub fn of(weights: Vec<f32>) -> Self {
        let weights: Arc<[f32]> = weights.into_iter().map(weight).collect();
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

    /// The same numbers, shared.
    pub(crate) fn shared(&self) -> Arc<[f32]> {
        Arc::clone(&self.weights)
    }

    /// Whether it is the same guide: a clone, not an equal one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.weights, &other.weights)
    }

    /// Checks that there is a t for each position of a layer's response.
    pub(crate) fn check(&self, layer: &str, response: Shape) -> Result<(), AutodiffError> {
        let (expected, got) = (response.positions(), self.weights.len());
        if expected == got {
            return Ok(());
        }
        Err(AutodiffError::Guide { layer: layer.to_owned(), expected, got })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coverage_is_everything_nothing_or_a_part() {
        assert_eq!(Coverage::of(vec![1.0, 2.0, f32::INFINITY]), Coverage::Everywhere);
        assert_eq!(Coverage::of(vec![0.0, -1.0, f32::NAN]), Coverage::Nowhere);
        assert_eq!(Coverage::of(Vec::new()).guide(), None);
        let part = Coverage::of(vec![0.5, 1.0, 7.0, f32::NAN]);
        let guide = part.guide().expect("a part");
        assert_eq!((guide.weights(), guide.total(), guide.share()), (&[0.5, 1.0, 1.0, 0.0][..], 2.5, 0.625));
        assert_eq!(guide.bytes(), 16);
        assert!(guide.check("conv1_1", Shape::new(2, 2, 64)).is_ok());
        let error = guide.check("conv1_1", Shape::new(2, 3, 64)).unwrap_err().to_string();
        assert_eq!(error, "the guide of conv1_1 has 4 numbers, but the layer's response has 6 positions");
    }
}
