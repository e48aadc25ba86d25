//! The last m pairs (s, y), their dot products, and the direction -H g that they give.
//!
//! An iteration sweeps over the vectors of the pairs three times: [`History::direction`] over the y to make q and y_i·r0,
//! then over the s to add them up; [`History::update`] over the s for their dot products with the new y and g. That is
//! 3 m vectors of memory traffic. The two-loop recursion on vectors, even with each axpy fused to the next dot product,
//! would read every pair twice and besides read and write q at each step: 8 m vectors, and 2 m waits for all threads.

use crate::bytes::{self, StateError};
use crate::kept;
use crate::scaling::{Scaling, Squares};
use crate::two_loop::{Products, alphas, alphas_less_betas};
use crate::vector::{BLOCK, block_dots, block_range};
use crate::{Real, Stored};
use rayon::prelude::*;
use std::collections::VecDeque;
use std::io::{self, Read, Write};

/// Dot products of a new pair with itself and g: s·y, s·g.
const OWN: usize = 2;
/// And with each older pair: s_i·y, s_i·g.
const EACH: usize = 2;

/// One pair of vectors, s = x_{k+1} - x_k and y = g_{k+1} - g_k, as they are kept ([`Real::Kept`]).
#[derive(Debug)]
struct Pair<K> {
    s: Vec<K>,
    y: Vec<K>,
}

/// The pairs that [`History::forget`] took out of H.
pub(crate) struct Forgotten<T: Real> {
    pairs: VecDeque<Pair<T::Kept>>,
    products: VecDeque<Products>,
    squares: VecDeque<Squares>,
}

/// A ring of at most `capacity` pairs. Memory for a pair is taken when the pair is first needed.
#[derive(Debug)]
pub(crate) struct History<T: Real> {
    capacity: usize,
    /// Oldest first, as is `products`.
    pairs: VecDeque<Pair<T::Kept>>,
    products: VecDeque<Products>,
    /// H0.
    scaling: Scaling,
    /// x_k while x_{k+1} is searched for.
    x: Vec<T>,
    /// g_k.
    gradient: Vec<T>,
    /// Memory of pairs that were dropped.
    free: Vec<Pair<T::Kept>>,
    /// The dot products of each block, while they are summed.
    partial: Vec<f64>,
}

impl<T: Real> History<T> {
    /// A history of at most `capacity` pairs, which starts H from `scaling`.
    pub(crate) fn new(capacity: usize, scaling: Scaling) -> Self {
        Self {
            capacity,
            pairs: VecDeque::new(),
            products: VecDeque::new(),
            scaling,
            x: Vec::new(),
            gradient: Vec::new(),
            free: Vec::new(),
            partial: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Keeps at most `capacity` pairs from now on, and makes H0 of at most `scale_pairs`.
    pub(crate) fn limit(&mut self, capacity: usize, scale_pairs: usize) {
        self.capacity = capacity;
        while self.pairs.len() > capacity {
            self.drop_oldest();
        }
        self.free.truncate(capacity - self.pairs.len());
        self.scaling.limit(scale_pairs);
    }

    /// The entry of H0 for each group.
    pub(crate) fn scales(&self) -> Vec<f64> {
        self.scaling.diagonal()
    }

    /// Forgets every pair: the next direction is that of steepest descent. [`Self::remember`] can take that back until
    /// [`Self::recycle`] takes the memory.
    pub(crate) fn forget(&mut self) -> Forgotten<T> {
        Forgotten {
            pairs: std::mem::take(&mut self.pairs),
            products: std::mem::take(&mut self.products),
            squares: self.scaling.forget(),
        }
    }

    /// Undoes [`Self::forget`].
    pub(crate) fn remember(&mut self, forgotten: Forgotten<T>) {
        (self.pairs, self.products) = (forgotten.pairs, forgotten.products);
        self.scaling.remember(forgotten.squares);
    }

    /// The memory of forgotten pairs is that of the next ones.
    pub(crate) fn recycle(&mut self, forgotten: Forgotten<T>) {
        self.free.extend(forgotten.pairs);
    }

    /// x_k and g_k become those that are remembered, and `x` and `g` hold anything.
    pub(crate) fn depart(&mut self, x: &mut Vec<T>, g: &mut Vec<T>) {
        self.x.resize(x.len(), T::ZERO);
        self.gradient.resize(g.len(), T::ZERO);
        self.go_back(x, g);
    }

    /// Undoes [`Self::depart`].
    pub(crate) fn go_back(&mut self, x: &mut Vec<T>, g: &mut Vec<T>) {
        std::mem::swap(&mut self.x, x);
        std::mem::swap(&mut self.gradient, g);
    }

    /// x_k, which [`Self::depart`] was given.
    pub(crate) fn origin(&self) -> &[T] {
        &self.x
    }

    /// The oldest pair, which is no longer kept.
    fn drop_oldest(&mut self) -> Option<Pair<T::Kept>> {
        self.products.pop_front();
        for products in &mut self.products {
            products.sy.pop_front();
        }
        self.pairs.pop_front()
    }

    /// Memory for the next pair of vectors of length `n`. A full history drops its oldest pair.
    fn next_pair(&mut self, n: usize) -> Pair<T::Kept> {
        if self.pairs.len() == self.capacity {
            let oldest = self.drop_oldest();
            self.free.extend(oldest);
        }
        let zeros = || vec![T::Kept::ZERO; n];
        self.free.pop().unwrap_or_else(|| Pair { s: zeros(), y: zeros() })
    }

    /// d := -H g, and returns the slope d·g. Needs the dot products of the last [`Self::update`], made with this `g`.
    pub(crate) fn direction(&mut self, g: &[T], d: &mut [T]) -> f64 {
        let alphas = alphas(&self.products);
        let yr = self.start_recursion(&alphas, g, d);
        let coefficients: Vec<T> =
            alphas_less_betas(&self.products, &alphas, &yr).into_iter().map(T::from_f64).collect();
        let add_s = |(index, d): (usize, &mut [T])| {
            let range = block_range(index, g.len());
            kept::prefetch_next_block_to_write(d);
            kept::prefetch_next_block(&g[range.clone()]);
            let s: Vec<_> = self.pairs.iter().map(|pair| &pair.s[range.clone()]).collect();
            kept::add(d, &coefficients, &s);
            for d in d.iter_mut() {
                *d = -*d;
            }
            block_dots(d, [&g[range]])[0]
        };
        let slopes: Vec<f64> = d.par_chunks_mut(BLOCK).enumerate().map(add_s).collect();
        slopes.iter().sum()
    }

    /// r0 := H0 (g - sum_j alpha_j y_j); returns the y_i·r0.
    fn start_recursion(&mut self, alphas: &[f64], g: &[T], r0: &mut [T]) -> Vec<f64> {
        let (pairs, scaling) = (&self.pairs, &self.scaling);
        let diagonal: Vec<T> = scaling.diagonal().into_iter().map(T::from_f64).collect();
        let less_alphas: Vec<T> = alphas.iter().map(|alpha| T::from_f64(-alpha)).collect();
        // One number for each block even when there is no pair.
        let width = pairs.len().max(1);
        self.partial.clear();
        self.partial.resize(width * g.len().div_ceil(BLOCK), 0.0);
        let blocks = r0.par_chunks_mut(BLOCK).zip(self.partial.par_chunks_mut(width)).enumerate();
        blocks.for_each(|(index, (r0, dots))| {
            let range = block_range(index, g.len());
            kept::prefetch_next_block(&g[range.clone()]);
            kept::prefetch_next_block_to_write(r0);
            r0.copy_from_slice(&g[range.clone()]);
            let y: Vec<_> = pairs.iter().map(|pair| &pair.y[range.clone()]).collect();
            kept::add(r0, &less_alphas, &y);
            scaling.apply(&diagonal, index, r0);
            let (dots, _) = dots.as_chunks_mut::<1>();
            kept::dots(&y, [&*r0], dots);
        });
        sum_blocks(&self.partial, width)
    }

    /// Adds the pair s = x - x_k, y = g - g_k to the history; takes the dot products of everything with the new y and g.
    ///
    /// The pair is left out when s·y <= epsilon |s| |y|: H stays positive definite only while s·y > 0.
    /// Returns whether it was kept.
    pub(crate) fn update(&mut self, x: &[T], g: &[T]) -> bool {
        let mut pair = self.next_pair(x.len());
        let squares = OWN + EACH * self.pairs.len(); // where |s|_B^2 and |y|_B^2 begin
        let sums = self.difference(&mut pair, x, g, squares);
        let (dots, squares) = sums.split_at(squares);
        let (own, each) = dots.split_at(OWN);
        let (ss, yy) = squares.split_at(self.scaling.groups());
        let mut new = Products { sg: own[1], ..Products::default() };
        for (old, dots) in self.products.iter_mut().zip(each.chunks_exact(EACH)) {
            new.sy.push_back(dots[0]);
            old.sg = dots[1];
        }
        new.sy.push_back(own[0]);
        let keep = own[0] > T::EPSILON * (ss.iter().sum::<f64>() * yy.iter().sum::<f64>()).sqrt();
        if keep {
            self.pairs.push_back(pair);
            self.products.push_back(new);
            self.scaling.learn(own[0], ss, yy);
        } else {
            self.free.push(pair);
        }
        keep
    }

    /// s := x - x_k and y := g - g_k; returns [`OWN`] dot products, [`EACH`] of every older pair and, from `squares` on,
    /// |s|_B^2 of all groups and |y|_B^2 of all groups.
    fn difference(&mut self, pair: &mut Pair<T::Kept>, x: &[T], g: &[T], squares: usize) -> Vec<f64> {
        let (pairs, scaling) = (&self.pairs, &self.scaling);
        let (x_k, g_k) = (&self.x, &self.gradient);
        let groups = scaling.groups();
        let width = squares + 2 * groups;
        self.partial.clear();
        self.partial.resize(width * x.len().div_ceil(BLOCK), 0.0);

        let blocks = pair.s.par_chunks_mut(BLOCK).zip(pair.y.par_chunks_mut(BLOCK));
        let blocks = blocks.zip(self.partial.par_chunks_mut(width)).enumerate();
        let room = || [vec![T::ZERO; BLOCK], vec![T::ZERO; BLOCK]];
        blocks.for_each_init(room, |[s_kept, y_kept], (index, ((s, y), dots))| {
            let range = block_range(index, x.len());
            let g = &g[range.clone()];
            let (s_kept, y_kept) = (&mut s_kept[..g.len()], &mut y_kept[..g.len()]);
            kept::keep_difference(s, s_kept, &x[range.clone()], &x_k[range.clone()]);
            kept::keep_difference(y, y_kept, g, &g_k[range.clone()]);
            let (s, y) = (&*s_kept, &*y_kept);
            let (dots, squares) = dots.split_at_mut(squares);
            let (own, each) = dots.split_at_mut(OWN);
            own.copy_from_slice(&block_dots(s, [y, g]));
            let (each, _) = each.as_chunks_mut::<EACH>();
            let old: Vec<_> = pairs.iter().map(|pair| &pair.s[range.clone()]).collect();
            kept::dots(&old, [y, g], each);
            let (ss, yy) = squares.split_at_mut(groups);
            scaling.add_squares(index, s, ss);
            scaling.add_squares(index, y, yy);
        });
        sum_blocks(&self.partial, width)
    }

    /// x_k and g_k.
    pub(crate) fn write_origin(&self, to: &mut impl Write) -> io::Result<()> {
        bytes::write_vector(to, &self.x)?;
        bytes::write_vector(to, &self.gradient)
    }

    /// What [`Self::write_origin`] wrote.
    pub(crate) fn read_origin(&mut self, from: &mut impl Read, n: usize) -> Result<(), StateError> {
        self.x = bytes::read_vector(from, n)?;
        self.gradient = bytes::read_vector(from, n)?;
        Ok(())
    }

    /// H: its scaling, the dot products, then the pairs.
    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        self.scaling.write(to)?;
        bytes::write_count(to, self.capacity)?;
        bytes::write_count(to, self.pairs.len())?;
        for Products { sy, sg } in &self.products {
            for value in sy.iter().chain([sg]) {
                bytes::write_f64(to, *value)?;
            }
        }
        for Pair { s, y } in &self.pairs {
            bytes::write_vector(to, s)?;
            bytes::write_vector(to, y)?;
        }
        Ok(())
    }

    /// What [`Self::write`] wrote, for `n` variables.
    pub(crate) fn read(from: &mut impl Read, n: usize) -> Result<Self, StateError> {
        let scaling = Scaling::read(from, n)?;
        let mut history = Self::new(bytes::read_capacity(from, "the number of pairs that fit")?, scaling);
        let pairs = bytes::read_count(from, "the number of pairs")?;
        if pairs > history.capacity {
            return Err(StateError::OutOfRange("the number of pairs"));
        }
        for index in 0..pairs {
            let sy = bytes::read_vector(from, index + 1)?.into();
            history.products.push_back(Products { sy, sg: bytes::read_f64(from)? });
        }
        for _ in 0..pairs {
            history
                .pairs
                .push_back(Pair { s: bytes::read_vector(from, n)?, y: bytes::read_vector(from, n)? });
        }
        Ok(history)
    }
}

/// Adds up the rows of `partial`, each of `width` numbers, from first to last.
fn sum_blocks(partial: &[f64], width: usize) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    for block in partial.chunks_exact(width) {
        for (sum, dot) in sums.iter_mut().zip(block) {
            *sum += dot;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Groups;
    use proptest::prelude::*;

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    /// Algorithm 7.4 of Nocedal and Wright on vectors, with a diagonal H0: the plain twin.
    fn reference(pairs: &[(Vec<f64>, Vec<f64>)], h0: &[f64], g: &[f64]) -> Vec<f64> {
        let mut q = g.to_vec();
        let mut alphas = Vec::new();
        for (s, y) in pairs.iter().rev() {
            let alpha = dot(s, &q) / dot(s, y);
            q.iter_mut().zip(y).for_each(|(q, y)| *q -= alpha * y);
            alphas.push(alpha);
        }
        q.iter_mut().zip(h0).for_each(|(q, h0)| *q *= h0);
        for ((s, y), alpha) in pairs.iter().zip(alphas.iter().rev()) {
            let beta = dot(y, &q) / dot(s, y);
            q.iter_mut().zip(s).for_each(|(q, s)| *q += (alpha - beta) * s);
        }
        q
    }

    const N: usize = 6;

    /// A walk of points and gradients; the pairs may well have s·y < 0.
    fn walk() -> impl Strategy<Value = Vec<(Vec<f64>, Vec<f64>)>> {
        let vector = || prop::collection::vec(-1.0..1.0, N);
        prop::collection::vec((vector(), vector()), 1..12)
    }

    proptest! {
        #[test]
        fn the_recursion_on_dot_products_is_the_recursion_on_vectors(walk in walk(), capacity in 1usize..5, groups in 1..4) {
            let groups: Vec<u8> = (0..N).map(|i| (i % groups as usize) as u8).collect();
            let mut history = History::<f64>::new(capacity, Scaling::new(Groups { of: groups, places: vec![] }, 3));
            let mut pairs: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
            for points in walk.windows(2) {
                let (x0, g0) = &points[0];
                let (x, g) = &points[1];
                history.depart(&mut x0.clone(), &mut g0.clone());
                pairs.drain(..pairs.len().saturating_sub(capacity - 1));
                let s: Vec<f64> = x.iter().zip(x0).map(|(a, b)| a - b).collect();
                // Make the curvature of every pair but a few positive and not too small.
                let gap: Vec<f64> = g.iter().zip(&s).map(|(g, s)| g + 4.0 * s).collect();
                let y: Vec<f64> = gap.iter().zip(g0).map(|(a, b)| a - b).collect();
                let kept = history.update(x, &gap);
                prop_assert_eq!(kept, dot(&s, &y) > f64::EPSILON * (dot(&s, &s) * dot(&y, &y)).sqrt());
                if kept {
                    prop_assume!(dot(&s, &y) > 0.05 * (dot(&s, &s) * dot(&y, &y)).sqrt());
                    pairs.push((s, y));
                }
                let mut d = vec![0.0; N];
                let slope = history.direction(&gap, &mut d);
                let mut h0 = vec![1.0; N];
                history.scaling.apply(&history.scaling.diagonal(), 0, &mut h0);
                let expected = reference(&pairs, &h0, &gap);
                let scale = dot(&expected, &expected).sqrt();
                for (d, r) in d.iter().zip(&expected) {
                    prop_assert!((d + r).abs() <= 1e-7 * scale, "{} against {}", -d, r);
                }
                prop_assert!((slope - dot(&d, &gap)).abs() <= 1e-12 * slope.abs().max(scale));
            }
        }
    }

    #[test]
    fn a_pair_of_negative_curvature_is_left_out() {
        let mut history = History::<f64>::new(3, Scaling::new(Groups::default(), 1));
        history.depart(&mut vec![0.0, 0.0], &mut vec![1.0, 0.0]);
        assert!(!history.update(&[1.0, 0.0], &[0.5, 0.0])); // s·y = -1/2
        assert!(history.is_empty());
        let mut d = [0.0; 2];
        assert_eq!(history.direction(&[0.5, 0.0], &mut d), -0.25);
        assert_eq!(d, [-0.5, 0.0]);
    }

    #[test]
    fn a_pair_without_curvature_to_speak_of_is_left_out() {
        let update = |s: [f64; 2], y: [f64; 2]| {
            let mut history = History::<f64>::new(3, Scaling::new(Groups::default(), 1));
            history.depart(&mut vec![0.0; 2], &mut vec![0.0; 2]);
            history.update(&s, &y)
        };
        assert!(!update([0.0, 0.0], [0.0, 1.0])); // x did not move: 0 is not above 0
        // cos(s, y) = 1e-17 is far below epsilon = 2e-16, and 1e-14 far above, whatever the lengths.
        for (s, y) in [(1.0, 1e3), (1e3, 1.0), (1e-3, 1.0), (1.0, 1e-3)] {
            assert!(!update([s, 0.0], [1e-17 * y, y]), "{s} {y}");
            assert!(update([s, 0.0], [1e-14 * y, y]), "{s} {y}");
        }
    }

    #[test]
    fn a_pair_takes_room_for_its_own_dot_products_only() {
        let groups = Groups { of: vec![0, 1, 2], places: vec![] };
        let mut history = History::<f64>::new(3, Scaling::new(groups, 1));
        for k in 0..3 {
            let at = |k: usize| vec![k as f64, 0.0, 0.0];
            history.depart(&mut at(k), &mut at(k));
            assert!(history.update(&at(k + 1), &at(k + 1)));
            assert_eq!(history.partial.len(), OWN + EACH * k + 2 * 3);
        }
    }

    #[test]
    fn forgotten_pairs_come_back_or_leave_their_memory() {
        let mut history = History::<f32>::new(2, Scaling::new(Groups::default(), 2));
        for k in 0..3 {
            let at = |k: usize| vec![(k * k) as f32, k as f32];
            history.depart(&mut at(k), &mut at(k));
            history.update(&at(k + 1), &at(k + 1));
        }
        let bytes = |history: &History<f32>| {
            let mut bytes = Vec::new();
            history.write(&mut bytes).unwrap();
            bytes
        };
        let before = bytes(&history);
        let forgotten = history.forget();
        assert!(history.is_empty());
        assert_eq!(history.scaling.diagonal(), [1.0]);
        assert_eq!(history.direction(&[3.0, 4.0], &mut [0.0; 2]), -25.0);
        history.remember(forgotten);
        assert_eq!(bytes(&history), before);
        let forgotten = history.forget();
        history.recycle(forgotten);
        assert_eq!((history.pairs.len(), history.free.len()), (0, 2));
    }

    #[test]
    fn a_smaller_history_keeps_the_newest_pairs() {
        let run = |capacity: usize, smaller: usize| {
            let mut history = History::<f64>::new(capacity, Scaling::new(Groups::default(), capacity));
            for k in 0..5 {
                let at = |k: usize| vec![(k * k) as f64, k as f64];
                history.depart(&mut at(k), &mut at(k));
                history.update(&at(k + 1), &at(k + 1));
            }
            history.limit(smaller, smaller);
            let mut d = [0.0; 2];
            let slope = history.direction(&[1.0, 2.0], &mut d);
            (slope, d, history.pairs.len() + history.free.len())
        };
        for smaller in 1..5 {
            assert_eq!(run(5, smaller), run(smaller, smaller));
        }
        assert_eq!(run(3, 9), run(3, 3));
        let mut history = History::<f64>::new(3, Scaling::new(Groups::default(), 1));
        history.free.extend((0..3).map(|_| Pair { s: vec![], y: vec![] }));
        history.limit(2, 1);
        assert_eq!(history.free.len(), 2);
        // Pairs and free memory together are no more than fit.
        let mut history = History::<f64>::new(3, Scaling::new(Groups::default(), 1));
        history.depart(&mut vec![0.0], &mut vec![0.0]);
        history.update(&[1.0], &[1.0]);
        history.free.extend((0..2).map(|_| Pair { s: vec![], y: vec![] }));
        history.limit(2, 1);
        assert_eq!((history.pairs.len(), history.free.len()), (1, 1));
    }

    #[test]
    fn more_pairs_than_fit_are_refused() {
        let mut history = History::<f64>::new(3, Scaling::new(Groups::default(), 3));
        for k in 0..2 {
            let at = |k: usize| vec![k as f64];
            history.depart(&mut at(k), &mut at(k));
            history.update(&at(k + 1), &at(k + 1));
        }
        let read = |history: &History<f64>| {
            let mut bytes = Vec::new();
            history.write(&mut bytes).unwrap();
            History::<f64>::read(&mut &*bytes, 1)
                .map(|history| history.pairs.len())
                .map_err(|e| e.to_string())
        };
        history.capacity = 2;
        assert_eq!(read(&history), Ok(2));
        history.capacity = 1;
        assert_eq!(read(&history), Err("the number of pairs of the state is out of range".to_owned()));
        history.capacity = 2;
        let two = history.scaling.forget();
        history.scaling.limit(1);
        history.scaling.remember(two);
        assert_eq!(read(&history), Err("the number of pairs in H0 of the state is out of range".to_owned()));
    }

    #[test]
    fn memory_is_taken_as_the_history_fills_and_then_reused() {
        let mut history = History::<f32>::new(2, Scaling::new(Groups::default(), 1));
        for k in 0..5 {
            let x = [k as f32];
            history.depart(&mut x.to_vec(), &mut x.to_vec());
            assert!(history.update(&[x[0] + 1.0], &[x[0] + 1.0]));
            assert_eq!(history.pairs.len(), 2.min(k + 1));
            assert!(history.free.is_empty());
        }
    }
}
