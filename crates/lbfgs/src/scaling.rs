//! H0, the matrix that the two-loop recursion starts from: gamma D, learnt from the last pairs.
//!
//! The variables come in groups that the caller knows to be alike, such as the frequencies of an octave. D is diagonal
//! and has one entry for each group B. Where a second derivative is large, small steps s have large answers y, so the
//! ratio of their sizes there says how far to go:
//!
//! ```text
//! D_B   = ( sum_k |s_k|_B^2 / (s_k·y_k) )^1/2 / ( sum_k |y_k|_B^2 / (s_k·y_k) )^1/2     |v|_B^2 = sum_{i in B} v_i^2
//! gamma = max_k (s_k·y_k) / (y_k·D y_k)
//! ```
//!
//! over the last few pairs k, each weighed by 1 / (s_k·y_k) as the BFGS update weighs it. Of one pair, D_B is the geometric
//! mean of the two least-squares fits of D_B y = s and of y = s / D_B within the group, and positive even where these
//! are not. Diagonals from pairs are Gilbert and Lemaréchal's ("Some numerical experiments with variable-storage
//! quasi-Newton algorithms", 1989); here many variables share an entry, so that a few pairs are enough to know it.
//!
//! With one group D = 1, and with one pair gamma is (7.20) of Nocedal and Wright, s·y / y·y. The largest of the last gammas is
//! taken because one step into a steep direction has a small gamma that would shorten the next one everywhere; H knows
//! about the steep direction already, and H0 speaks for those that it has not seen.

use crate::Real;
use crate::vector::block_dots;
use std::collections::VecDeque;
use std::ops::Range;

/// D_B stays within this factor of their geometric mean, both ways.
const WIDEST: f64 = 1e3;

/// |s|_B^2 and |y|_B^2 of each group, and s·y, of one pair.
#[derive(Debug)]
struct Squares {
    sy: f64,
    ss: Vec<f64>,
    yy: Vec<f64>,
}

/// What H0 is made of.
#[derive(Debug)]
pub(crate) struct Scaling<'a> {
    /// The group of each variable; empty when all are in one.
    groups: &'a [u8],
    count: usize,
    /// Pairs that are remembered at most.
    capacity: usize,
    pairs: VecDeque<Squares>,
}

impl<'a> Scaling<'a> {
    pub(crate) fn new(groups: &'a [u8], capacity: usize) -> Self {
        let count = groups.iter().max().map_or(1, |&group| usize::from(group) + 1);
        Self { groups, count, capacity, pairs: VecDeque::new() }
    }

    /// The number of groups.
    pub(crate) fn groups(&self) -> usize {
        self.count
    }

    pub(crate) fn clear(&mut self) {
        self.pairs.clear();
    }

    /// sums_B += |v|_B^2 over one block, the variables of `range`.
    pub(crate) fn add_squares<T: Real>(&self, range: Range<usize>, v: &[T], sums: &mut [f64]) {
        if self.groups.is_empty() {
            sums[0] += block_dots(v, [v])[0];
            return;
        }
        for (&group, v) in self.groups[range].iter().zip(v) {
            let v = v.to_f64();
            sums[usize::from(group)] += v * v;
        }
    }

    /// q := H0 q over one block, where `diagonal` is [`Self::diagonal`].
    pub(crate) fn apply(&self, diagonal: &[f64], range: Range<usize>, q: &mut [f64]) {
        if self.groups.is_empty() {
            for q in q {
                *q *= diagonal[0];
            }
            return;
        }
        for (&group, q) in self.groups[range].iter().zip(q) {
            *q *= diagonal[usize::from(group)];
        }
    }

    /// Learns from a pair: s·y, and |s|_B^2 and |y|_B^2 of all groups.
    pub(crate) fn learn(&mut self, sy: f64, ss: &[f64], yy: &[f64]) {
        if self.pairs.len() == self.capacity {
            self.pairs.pop_front();
        }
        self.pairs.push_back(Squares { sy, ss: ss.to_vec(), yy: yy.to_vec() });
    }

    /// gamma D_B of each group; 1 while there is no pair.
    pub(crate) fn diagonal(&self) -> Vec<f64> {
        let mut d = self.shape();
        let gamma = |pair: &Squares| {
            let ydy: f64 = d.iter().zip(&pair.yy).map(|(d, yy)| d * yy).sum();
            pair.sy / ydy
        };
        let gamma = self.pairs.iter().map(gamma).reduce(f64::max).unwrap_or(1.0);
        for d in &mut d {
            *d *= gamma;
        }
        d
    }

    /// D_B over the geometric mean of all that are known; 1 for a group that did not move.
    fn shape(&self) -> Vec<f64> {
        let sum = |squares: fn(&Squares) -> &[f64], group: usize| -> f64 {
            self.pairs.iter().map(|pair| squares(pair)[group] / pair.sy).sum()
        };
        let logarithm = |group| {
            let ratio = sum(|pair| &pair.ss, group) / sum(|pair| &pair.yy, group);
            Some(0.5 * ratio.ln()).filter(|logarithm| logarithm.is_finite())
        };
        let logarithms: Vec<Option<f64>> = (0..self.count).map(logarithm).collect();
        let known = logarithms.iter().flatten().count().max(1);
        let mean = logarithms.iter().flatten().sum::<f64>() / known as f64;
        let widest = WIDEST.ln();
        logarithms
            .iter()
            .map(|logarithm| logarithm.map_or(1.0, |l| (l - mean).clamp(-widest, widest).exp()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_group_and_one_pair_is_the_books_gamma() {
        let mut scaling = Scaling::new(&[], 1);
        assert_eq!(scaling.diagonal(), [1.0]);
        scaling.learn(3.0, &[2.0], &[6.0]);
        scaling.learn(5.0, &[2.0], &[20.0]);
        assert!((scaling.diagonal()[0] - 0.25).abs() < 1e-15);
    }

    #[test]
    fn gamma_is_the_largest_of_those_remembered() {
        let mut scaling = Scaling::new(&[], 2);
        for (sy, yy) in [(9.0, 1.0), (1.0, 4.0), (1.0, 2.0)] {
            scaling.learn(sy, &[1.0], &[yy]);
        }
        assert!((scaling.diagonal()[0] - 0.5).abs() < 1e-15);
    }

    #[test]
    fn a_group_that_never_moves_is_left_alone() {
        let groups = [0, 0, 2, 2];
        let mut scaling = Scaling::new(&groups, 3);
        scaling.learn(2.0, &[1.0, 0.0, 1.0], &[1.0, 0.0, 1.0]);
        assert_eq!(scaling.diagonal(), [1.0; 3]);
    }

    proptest! {
        /// On f = 1/2 sum a_B x_i^2 H0 is the inverse of the second derivative, whatever the steps were.
        #[test]
        fn a_second_derivative_that_is_constant_in_each_group_is_inverted(
            a in prop::collection::vec(0.1..10.0f64, 1..5),
            steps in prop::collection::vec(prop::collection::vec(0.1..1.0f64, 20), 1..6),
        ) {
            let groups: Vec<u8> = (0..20).map(|i| (i % a.len()) as u8).collect();
            let mut scaling = Scaling::new(&groups, 3);
            for s in &steps {
                let y: Vec<f64> = s.iter().zip(&groups).map(|(s, &group)| a[usize::from(group)] * s).collect();
                let (mut ss, mut yy) = (vec![0.0; a.len()], vec![0.0; a.len()]);
                scaling.add_squares(0..20, s, &mut ss);
                scaling.add_squares(0..20, &y, &mut yy);
                scaling.learn(s.iter().zip(&y).map(|(s, y)| s * y).sum(), &ss, &yy);
            }
            let mut ones = [1.0f64; 20];
            scaling.apply(&scaling.diagonal(), 0..20, &mut ones);
            for (h0, &group) in ones.iter().zip(&groups) {
                prop_assert!((h0 * a[usize::from(group)] - 1.0).abs() < 1e-9);
            }
        }
    }
}
