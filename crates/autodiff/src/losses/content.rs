//! Content loss (the paper, section 2): how far the response F is from the photo's response P.
//!
//! ```text
//! L_content      = 1/2 sum_ij (F_ij - P_ij)^2
//! dL_content/dF  = F - P           (the paper's "0 where F_ij < 0" is the ReLU's mask, see `ops::relu`)
//! ```
//!
//! It needs F at each position.
//!
//! Where a [`Guide`] says how much each position counts, c_p in 0..=1, they are
//!
//! ```text
//! L_content        = 1/2 sum_p c_p sum_i (F_pi - P_pi)^2
//! dL_content/dF_p  = c_p (F_p - P_p)
//! ```

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
        let p = self.block(first, f.len());
        let Some(guide) = &self.guide else {
            sum.add(f, p, half_square);
            return;
        };
        let channels = self.target.shape().channels;
        let c = &guide.weights()[first..][..f.len() / channels];
        sum.add_each(c.len(), |at| {
            let row = at * channels..(at + 1) * channels;
            if c[at] > 0.0 { f64::from(c[at]) * loss(&f[row.clone()], &p[row]) } else { 0.0 }
        });
    }

    fn add_gradient(&self, first: usize, f: &[T], weight: f64, gradient: &mut [T]) {
        let p = self.block(first, f.len());
        let Some(guide) = &self.guide else {
            add_gradient(f, p, weight, gradient);
            return;
        };
        let channels = self.target.shape().channels;
        let rows = f.chunks_exact(channels).zip(p.chunks_exact(channels));
        let rows = rows.zip(gradient.chunks_exact_mut(channels)).zip(&guide.weights()[first..]);
        for (((f, p), gradient), &c) in rows.filter(|(_, c)| **c > 0.0) {
            add_gradient(f, p, weight * f64::from(c), gradient);
        }
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
    use super::super::finite_differences::{assert_gradient, guides, responses, shapes};
    use super::*;

    /// A response, a target and a guide of one shape.
    fn guided() -> impl Strategy<Value = (Tensor<f64>, Tensor<f64>, Guide)> {
        shapes().prop_flat_map(|shape| {
            (responses(Just(shape)), responses(Just(shape)), guides(shape.positions()))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn content_gradient_matches_finite_differences(
            (f, p) in shapes().prop_flat_map(|shape| (responses(Just(shape)), responses(Just(shape)))),
            weight in 0.1..10.0,
        ) {
            assert_gradient(&Loss::Content(Content { target: p, guide: None }), &f, weight);
        }

        #[test]
        fn guided_content_gradient_matches_finite_differences((f, p, guide) in guided(), weight in 0.1..10.0) {
            assert_gradient(&Loss::Content(Content { target: p, guide: Some(guide) }), &f, weight);
        }

        #[test]
        fn a_guided_loss_counts_each_position_by_its_weight((f, p, guide) in guided()) {
            let n = f.shape().channels;
            let position = |at: usize| {
                let row = at * n..(at + 1) * n;
                f64::from(guide.weights()[at]) * super::loss(&f.data()[row.clone()], &p.data()[row])
            };
            let expected: f64 = (0..guide.weights().len()).map(position).sum();
            let ours = Loss::Content(Content { target: p.clone(), guide: Some(guide.clone()) }).value(&f)?;
            prop_assert!((ours - expected).abs() <= 1e-13 * expected.max(1.0));
        }

        /// Where a guide is 0 a response may be anything: it is neither in the loss nor in the gradient.
        #[test]
        fn what_a_guide_leaves_out_is_not_looked_at((mut f, p, guide) in guided()) {
            let n = f.shape().channels;
            let loss = Content { target: p, guide: Some(guide.clone()) };
            let results = |f: &[f64]| {
                let (mut sum, mut gradient) = (RunningSum::default(), vec![0.0; f.len()]);
                loss.add_value(0, f, &mut sum);
                loss.add_gradient(0, f, 2.0, &mut gradient);
                (sum.total(), gradient)
            };
            let expected = results(f.data());
            let rows = f.data_mut().chunks_exact_mut(n).zip(guide.weights());
            rows.filter(|(_, c)| **c == 0.0).for_each(|(row, _)| row.fill(f64::NAN));
            prop_assert_eq!(results(f.data()), expected);
        }

        /// Block by block it is the same loss, and the same gradient, guided or not.
        #[test]
        fn a_block_is_compared_with_its_own_part_of_the_target(
            (f, p, guide) in guided(),
            is_guided in any::<bool>(),
            cut in 0.0..1.0,
        ) {
            let (guide, channels) = (is_guided.then_some(guide), f.shape().channels);
            let loss = Content { target: p, guide };
            let first = (cut * f.shape().positions() as f64) as usize;
            let (before, after) = f.data().split_at(first * channels);
            let mut sum = RunningSum::default();
            loss.add_value(0, before, &mut sum);
            loss.add_value(first, after, &mut sum);
            let mut whole = RunningSum::default();
            loss.add_value(0, f.data(), &mut whole);
            prop_assert_eq!(sum.total(), whole.total());
            if !is_guided {
                prop_assert_eq!(sum.total(), super::loss(f.data(), loss.target.data()));
            }
            let (mut gradient, mut expected) = (vec![0.0; f.data().len()], vec![0.0; f.data().len()]);
            loss.add_gradient(0, f.data(), 2.0, &mut expected);
            let (g_before, g_after) = gradient.split_at_mut(first * channels);
            loss.add_gradient(0, before, 2.0, g_before);
            loss.add_gradient(first, after, 2.0, g_after);
            prop_assert_eq!(gradient, expected);
        }
    }
}
