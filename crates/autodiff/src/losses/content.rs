//! Content loss (the paper, section 2): how far the response F is from the photo's response P.
//!
//! ```text
//! L_content      = 1/2 sum_ij (F_ij - P_ij)^2
//! dL_content/dF  = F - P           (the paper's "0 where F_ij < 0" is the ReLU's mask, see `ops::relu`)
//! ```
//!
//! It needs F at each position.

use impasto_tensor::reduce::{RunningSum, sum_pairs};
use impasto_tensor::{Element, Tensor};

use super::AtPositions;
use crate::Guide;

/// The content loss of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Content<T = f32> {
    /// P: the photo's response at the layer, H x W x C.
    pub target: Tensor<T>,
    /// c_p, what each position counts; none where all count the same.
    pub guide: Option<Guide>,
}

impl<T: Element> AtPositions<T> for Content<T> {
    fn add_value(&self, first: usize, f: &[T], sum: &mut RunningSum) {
        sum.add(f, self.block(first, f.len()), half_square);
    }

    fn add_gradient(&self, first: usize, f: &[T], weight: f64, gradient: &mut [T]) {
        add_gradient(f, self.block(first, f.len()), weight, gradient);
    }
}

impl<T: Element> Content<T> {
    /// P of `len` numbers from position `first` on.
    fn block(&self, first: usize, len: usize) -> &[T] {
        &self.target.data()[first * self.target.shape().channels..][..len]
    }
}

/// The term of one number.
fn half_square(f: f64, p: f64) -> f64 {
    0.5 * (f - p) * (f - p)
}

/// L_content.
///
/// # Panics
/// If the lengths differ.
pub fn loss<T: Element>(f: &[T], p: &[T]) -> f64 {
    sum_pairs(f, p, half_square)
}

/// Adds `weight` (F - P) to `gradient`.
///
/// # Panics
/// If the lengths differ.
pub fn add_gradient<T: Element>(f: &[T], p: &[T], weight: f64, gradient: &mut [T]) {
    assert!(f.len() == p.len() && f.len() == gradient.len(), "slices of equal length");
    let weight = T::from_f64(weight);
    for ((g, &f), &p) in gradient.iter_mut().zip(f).zip(p) {
        *g += weight * (f - p);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Loss;
    use super::super::finite_differences::{assert_gradient, responses, shapes};
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn content_gradient_matches_finite_differences(
            (f, p) in shapes().prop_flat_map(|shape| (responses(Just(shape)), responses(Just(shape)))),
            weight in 0.1..10.0,
        ) {
            assert_gradient(&Loss::Content(Content { target: p, guide: None }), &f, weight);
        }

        /// Block by block it is the same loss, and the same gradient.
        #[test]
        fn a_block_is_compared_with_its_own_part_of_the_target(
            (f, p) in shapes().prop_flat_map(|shape| (responses(Just(shape)), responses(Just(shape)))),
            cut in 0.0..1.0,
        ) {
            let (loss, channels) = (Content { target: p, guide: None }, f.shape().channels);
            let first = (cut * f.shape().positions() as f64) as usize;
            let (before, after) = f.data().split_at(first * channels);
            let mut sum = RunningSum::default();
            loss.add_value(0, before, &mut sum);
            loss.add_value(first, after, &mut sum);
            prop_assert_eq!(sum.total(), super::loss(f.data(), loss.target.data()));
            let (mut gradient, mut expected) = (vec![0.0; f.data().len()], vec![0.0; f.data().len()]);
            loss.add_gradient(0, f.data(), 2.0, &mut expected);
            let (g_before, g_after) = gradient.split_at_mut(first * channels);
            loss.add_gradient(0, before, 2.0, g_before);
            loss.add_gradient(first, after, 2.0, g_after);
            prop_assert_eq!(gradient, expected);
        }
    }
}
