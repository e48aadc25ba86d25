//! H0, the matrix that the two-loop recursion starts from: gamma D, learnt from the last pairs.
//!
//! The variables come in groups that the caller knows to be alike, such as the frequencies of an octave. D is diagonal
//! and has one entry for each group B (or for a few of them, with all others blended in between: [`Groups`]). Where a second derivative is large, small steps s have large answers y, so the
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

use crate::bytes::{self, StateError};
use crate::outcome::require;
use crate::vector::{BLOCK, block_dots, products_in_lanes, sum_by_halves};
use crate::{Error, Real};
use pulp::{Arch, Simd, WithSimd};
use std::collections::VecDeque;
use std::io::{self, Read, Write};

/// D_B stays within this factor of their geometric mean, both ways.
const WIDEST: f64 = 1e3;

/// The kinds of variables that have a scale in common, for [`Optimiser::start`](crate::Optimiser::start).
/// [`Lbfgs`](crate::Lbfgs) gives each of them a scale.
///
/// Groups are numbered from 0. Neighbours on an axis, such as frequencies, may share their scales: a group at place 2.25 has
/// three quarters (in logarithms) of scale 2 and a quarter of scale 3, and teaches them in the same parts.
///
/// ```
/// use impasto_lbfgs::Groups;
///
/// // Six variables of two kinds; and the same with a third kind that is half-way between them.
/// let apart = Groups { of: vec![0, 0, 0, 1, 1, 1], ..Groups::default() };
/// let between = Groups { of: vec![0, 0, 1, 1, 2, 2], places: vec![0.0, 0.5, 1.0] };
/// # let _ = (apart, between);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Groups {
    /// The group of each variable. Empty: all are in one.
    pub of: Vec<u8>,
    /// The place of each group between the scales, from 0 to 255. Empty: each group has its own.
    pub places: Vec<f32>,
}

impl Groups {
    /// The number of groups.
    fn count(&self) -> usize {
        self.of.iter().max().map_or(1, |&group| usize::from(group) + 1)
    }

    /// Whether there is a group for each of `n` variables, and a place for each group.
    pub(crate) fn validate<E>(&self, n: usize) -> Result<(), Error<E>> {
        let (of, places) = (self.of.len(), self.places.len());
        require(of == 0 || of == n, "groups.of", "one for each variable", of as f64)?;
        require(self.are_placed(), "groups.places", "one from 0 to 255 for each group", places as f64)
    }

    fn are_placed(&self) -> bool {
        let valid = |place: &f32| (0.0..=255.0).contains(place);
        self.places.is_empty() || (self.places.len() >= self.count() && self.places.iter().all(valid))
    }
}

/// |s|_B^2 and |y|_B^2 of each group, and s·y, of one pair.
#[derive(Debug)]
pub(crate) struct Squares {
    sy: f64,
    ss: Vec<f64>,
    yy: Vec<f64>,
}

/// Neighbours of one group, within a block.
#[derive(Debug, Clone, Copy)]
struct Run {
    group: u8,
    length: u16,
}

/// What H0 is made of.
#[derive(Debug)]
pub(crate) struct Scaling {
    /// The number of groups.
    count: usize,
    /// The place of each group; none if each has its own scale.
    places: Vec<f32>,
    /// The runs of each block; no blocks if all variables are in one group.
    runs: Vec<Vec<Run>>,
    /// Pairs that are remembered at most.
    capacity: usize,
    pairs: VecDeque<Squares>,
}

impl Scaling {
    /// For groups that fit the variables, which only their runs and places are kept of.
    pub(crate) fn new(groups: Groups, capacity: usize) -> Self {
        let run = |alike: &[u8]| Run { group: alike[0], length: alike.len() as u16 };
        let runs = groups.of.chunks(BLOCK).map(|block| block.chunk_by(|a, b| a == b).map(run).collect());
        let (count, runs) = (groups.count(), runs.collect());
        Self { count, places: groups.places, runs, capacity, pairs: VecDeque::new() }
    }

    /// The number of groups.
    pub(crate) fn groups(&self) -> usize {
        self.count
    }

    /// Forgets every pair, and returns what [`Self::remember`] takes.
    pub(crate) fn forget(&mut self) -> VecDeque<Squares> {
        std::mem::take(&mut self.pairs)
    }

    /// Undoes [`Self::forget`].
    pub(crate) fn remember(&mut self, pairs: VecDeque<Squares>) {
        self.pairs = pairs;
    }

    /// Remembers at most `capacity` pairs from now on.
    pub(crate) fn limit(&mut self, capacity: usize) {
        self.capacity = capacity;
        self.pairs.drain(..self.pairs.len().saturating_sub(capacity));
    }

    /// The scale below a group, and the part of the one above.
    fn place(&self, group: usize) -> (usize, f64) {
        let place = self.places.get(group).map_or(group as f64, |&place| f64::from(place));
        (place as usize, place.fract())
    }

    /// The runs of a block; none if all variables are in one group.
    fn runs(&self, block: usize) -> &[Run] {
        self.runs.get(block).map_or(&[], Vec::as_slice)
    }

    /// sums_B += |v|_B^2 over one block.
    pub(crate) fn add_squares<T: Real>(&self, block: usize, v: &[T], sums: &mut [f64]) {
        match self.runs(block) {
            [] => sums[0] += block_dots(v, [v])[0],
            runs => Arch::new().dispatch(AddSquares { runs, v, sums }),
        }
    }

    /// q := H0 q over one block, where `diagonal` is [`Self::diagonal`].
    pub(crate) fn apply<T: Real>(&self, diagonal: &[T], block: usize, q: &mut [T]) {
        let all = [Run { group: 0, length: q.len() as u16 }];
        let runs = match self.runs(block) {
            [] => &all,
            runs => runs,
        };
        Arch::new().dispatch(Apply { runs, diagonal, q });
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

    /// The groups, and what is known of each pair.
    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        bytes::write_count(to, usize::from(!self.runs.is_empty()))?;
        for runs in &self.runs {
            let of = runs.iter().flat_map(|run| std::iter::repeat_n(run.group, usize::from(run.length)));
            to.write_all(&of.collect::<Vec<u8>>())?;
        }
        bytes::write_count(to, self.places.len())?;
        bytes::write_vector(to, &self.places)?;
        bytes::write_count(to, self.capacity)?;
        bytes::write_count(to, self.pairs.len())?;
        for Squares { sy, ss, yy } in &self.pairs {
            bytes::write_f64(to, *sy)?;
            bytes::write_vector(to, ss)?;
            bytes::write_vector(to, yy)?;
        }
        Ok(())
    }

    /// What [`Self::write`] wrote, for `n` variables.
    pub(crate) fn read(from: &mut impl Read, n: usize) -> Result<Self, StateError> {
        let of = match bytes::read_count(from, "the number of groupings")? {
            0 => Vec::new(),
            1 => bytes::read_vector(from, n)?,
            _ => return Err(StateError::OutOfRange("the number of groupings")),
        };
        let places = bytes::read_count(from, "the number of places")?;
        let groups = Groups { of, places: bytes::read_vector(from, places)? };
        if !groups.are_placed() {
            return Err(StateError::OutOfRange("a place"));
        }
        let mut scaling = Self::new(groups, bytes::read_capacity(from, "the number of pairs for H0")?);
        let pairs = bytes::read_count(from, "the number of pairs in H0")?;
        if pairs > scaling.capacity {
            return Err(StateError::OutOfRange("the number of pairs in H0"));
        }
        for _ in 0..pairs {
            let sy = bytes::read_f64(from)?;
            let ss = bytes::read_vector(from, scaling.count)?;
            let yy = bytes::read_vector(from, scaling.count)?;
            scaling.pairs.push_back(Squares { sy, ss, yy });
        }
        Ok(scaling)
    }

    /// D_B over the geometric mean of all that are known; 1 for a group that did not move.
    fn shape(&self) -> Vec<f64> {
        // Of each scale: sum_k |s_k|^2 / (s_k·y_k) and the same of y, from the groups in their parts.
        let mut scales = vec![[0.0; 2]; 2];
        for group in 0..self.count {
            let (below, part) = self.place(group);
            scales.resize(scales.len().max(below + 2), [0.0; 2]);
            for pair in &self.pairs {
                for (sum, squares) in [&pair.ss, &pair.yy].into_iter().enumerate() {
                    scales[below][sum] += (1.0 - part) * squares[group] / pair.sy;
                    scales[below + 1][sum] += part * squares[group] / pair.sy;
                }
            }
        }
        let logarithm = |[ss, yy]: &[f64; 2]| Some(0.5 * (ss / yy).ln()).filter(|l| l.is_finite());
        let logarithms: Vec<Option<f64>> = scales.iter().map(logarithm).collect();
        let known = logarithms.iter().flatten().count().max(1);
        let mean = logarithms.iter().flatten().sum::<f64>() / known as f64;
        let widest = WIDEST.ln();
        let scale = |index: usize| logarithms[index].map_or(0.0, |l| (l - mean).clamp(-widest, widest));
        let blend = |group| {
            let (below, part) = self.place(group);
            ((1.0 - part) * scale(below) + part * scale(below + 1)).exp()
        };
        (0..self.count).map(blend).collect()
    }
}

/// The arguments of [`Scaling::add_squares`].
struct AddSquares<'a, T> {
    runs: &'a [Run],
    v: &'a [T],
    sums: &'a mut [f64],
}

impl<T: Real> WithSimd for AddSquares<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut rest = self.v;
        for run in self.runs {
            let (v, after) = rest.split_at(usize::from(run.length));
            rest = after;
            self.sums[usize::from(run.group)] += sum_by_halves(products_in_lanes(v, v));
        }
    }
}

/// The arguments of [`Scaling::apply`].
struct Apply<'a, T> {
    runs: &'a [Run],
    diagonal: &'a [T],
    q: &'a mut [T],
}

impl<T: Real> WithSimd for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut rest = self.q;
        for run in self.runs {
            let (q, after) = rest.split_at_mut(usize::from(run.length));
            rest = after;
            let scale = self.diagonal[usize::from(run.group)];
            for q in q {
                *q = scale * *q;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_group_and_one_pair_is_the_books_gamma() {
        let mut scaling = Scaling::new(Groups::default(), 1);
        assert_eq!(scaling.diagonal(), [1.0]);
        scaling.learn(3.0, &[2.0], &[6.0]);
        scaling.learn(5.0, &[2.0], &[20.0]);
        assert!((scaling.diagonal()[0] - 0.25).abs() < 1e-15);
    }

    #[test]
    fn gamma_is_the_largest_of_those_remembered() {
        let mut scaling = Scaling::new(Groups::default(), 2);
        for (sy, yy) in [(9.0, 1.0), (1.0, 4.0), (1.0, 2.0)] {
            scaling.learn(sy, &[1.0], &[yy]);
        }
        assert!((scaling.diagonal()[0] - 0.5).abs() < 1e-15);
    }

    #[test]
    fn a_group_that_never_moves_is_left_alone() {
        let groups = vec![0, 0, 2, 2];
        let mut scaling = Scaling::new(Groups { of: groups.clone(), places: vec![] }, 3);
        scaling.learn(2.0, &[1.0, 0.0, 1.0], &[1.0, 0.0, 1.0]);
        assert_eq!(scaling.diagonal(), [1.0; 3]);
    }

    #[test]
    fn a_group_between_two_scales_has_their_geometric_mean() {
        let groups = Groups { of: vec![0, 1, 2], places: vec![0.0, 0.5, 1.0] };
        let mut scaling = Scaling::new(groups, 1);
        scaling.learn(1.0, &[1.0, 0.0, 1.0], &[1.0, 0.0, 16.0]);
        let d = scaling.diagonal();
        assert!((d[0] / d[1] - 2.0).abs() < 1e-12 && (d[1] / d[2] - 2.0).abs() < 1e-12);
    }

    #[test]
    fn without_groups_all_squares_are_of_one() {
        let mut sums = [1.0];
        Scaling::new(Groups::default(), 1).add_squares(0, &[2.0, -3.0], &mut sums);
        assert_eq!(sums, [14.0]);
    }

    #[test]
    fn groups_fit_the_variables_and_places_the_groups() {
        let fit = |of: Vec<u8>, places: Vec<f32>| Groups { of, places }.validate::<()>(2).is_ok();
        assert!(fit(vec![], vec![]) && fit(vec![0, 1], vec![]) && fit(vec![0, 1], vec![0.0, 255.0]));
        assert!(fit(vec![], vec![3.0]) && fit(vec![0, 1], vec![0.5, 0.0, 1.0]));
        assert!(!fit(vec![0], vec![]) && !fit(vec![0; 3], vec![]) && !fit(vec![0, 1], vec![0.0]));
        for place in [-0.5, 255.5, f32::NAN] {
            assert!(!fit(vec![0, 1], vec![0.0, place]), "{place}");
        }
    }

    /// s·y, and the squares of each group.
    type Pair = (f64, Vec<f64>, Vec<f64>);

    /// gamma D as the equations at the top have it, with a scale's part in a group as the hat that is 1 at its place and 0 at the next ones.
    fn by_the_equations(pairs: &[Pair], places: &[f32]) -> Vec<f64> {
        let part = |place: f32, scale: usize| (1.0 - (f64::from(place) - scale as f64).abs()).max(0.0);
        let sum = |scale: usize, squares: fn(&Pair) -> &Vec<f64>| {
            let of_pair = |pair: &Pair| {
                let parts = places.iter().zip(squares(pair)).map(|(&place, v)| part(place, scale) * v);
                parts.sum::<f64>() / pair.0
            };
            pairs.iter().map(of_pair).sum::<f64>()
        };
        let logarithm = |scale: usize| 0.5 * (sum(scale, |pair| &pair.1) / sum(scale, |pair| &pair.2)).ln();
        let logarithms: Vec<f64> = (0..5).map(logarithm).collect();
        let known: Vec<f64> = logarithms.iter().copied().filter(|l| l.is_finite()).collect();
        let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
        let widest = 1e3_f64.ln();
        let around = |l: &f64| if l.is_finite() { (l - mean).clamp(-widest, widest) } else { 0.0 };
        let around: Vec<f64> = logarithms.iter().map(around).collect();
        let d = |&place: &f32| {
            around.iter().enumerate().map(|(scale, l)| part(place, scale) * l).sum::<f64>().exp()
        };
        let d: Vec<f64> = places.iter().map(d).collect();
        let gamma = |pair: &Pair| pair.0 / d.iter().zip(&pair.2).map(|(d, yy)| d * yy).sum::<f64>();
        let gamma = pairs.iter().map(gamma).fold(0.0, f64::max);
        d.iter().map(|d| gamma * d).collect()
    }

    /// Squares of three groups: of any size, or of a group that did not move.
    fn squares() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec((-12..12_i32).prop_map(|power| 2_f64.powi(power)), 3)
    }

    proptest! {
        #[test]
        fn the_diagonal_is_that_of_the_equations(
            pairs in prop::collection::vec((0.1..10.0_f64, squares(), squares()), 1..4),
            places in prop::collection::vec(prop_oneof![(0..4_u8).prop_map(f32::from), 0.0..3.0_f32], 3),
            still in prop::option::of(0..3_usize),
        ) {
            let mut scaling = Scaling::new(Groups { of: vec![0, 1, 2], places: places.clone() }, 3);
            let moved = |mut v: Vec<f64>| {
                if let Some(group) = still {
                    v[group] = 0.0;
                }
                v
            };
            let pairs: Vec<_> = pairs.into_iter().map(|(sy, ss, yy)| (sy, moved(ss), moved(yy))).collect();
            for (sy, ss, yy) in &pairs {
                scaling.learn(*sy, ss, yy);
            }
            for (ours, expected) in scaling.diagonal().iter().zip(by_the_equations(&pairs, &places)) {
                prop_assert!((ours / expected - 1.0).abs() < 1e-9, "{ours} is not {expected}");
            }
        }

        /// On f = 1/2 sum a_B x_i^2 H0 is the inverse of the second derivative, whatever the steps were.
        #[test]
        fn a_second_derivative_that_is_constant_in_each_group_is_inverted(
            a in prop::collection::vec(0.1..10.0f64, 1..5),
            steps in prop::collection::vec(prop::collection::vec(0.1..1.0f64, 20), 1..6),
        ) {
            let groups: Vec<u8> = (0..20).map(|i| (i % a.len()) as u8).collect();
            let mut scaling = Scaling::new(Groups { of: groups.clone(), places: vec![] }, 3);
            for s in &steps {
                let y: Vec<f64> = s.iter().zip(&groups).map(|(s, &group)| a[usize::from(group)] * s).collect();
                let (mut ss, mut yy) = (vec![0.0; a.len()], vec![0.0; a.len()]);
                scaling.add_squares(0, s, &mut ss);
                scaling.add_squares(0, &y, &mut yy);
                scaling.learn(s.iter().zip(&y).map(|(s, y)| s * y).sum(), &ss, &yy);
            }
            let mut ones = [1.0f64; 20];
            scaling.apply(&scaling.diagonal(), 0, &mut ones);
            for (h0, &group) in ones.iter().zip(&groups) {
                prop_assert!((h0 * a[usize::from(group)] - 1.0).abs() < 1e-9);
            }
        }
    }
}
