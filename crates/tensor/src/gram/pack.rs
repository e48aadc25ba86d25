//! Positions packed into panels of columns: all of them, or those that have a weight.

use std::ops::Range;

use super::DEPTH;
use crate::simd::Simd;

/// Packs some positions into panels of columns, a panel's rows one after the other; columns beyond N become zeros.
#[inline(always)]
pub(super) fn pack_panels<S: Simd>(f: &[f32], channels: usize, panels: &mut [f32]) {
    let depth = f.len() / channels;
    for (panel, out) in panels.chunks_exact_mut(depth * S::PANEL).enumerate() {
        let first = panel * S::PANEL;
        let width = S::PANEL.min(channels - first);
        for (row, out) in f.chunks_exact(channels).zip(out.chunks_exact_mut(S::PANEL)) {
            out[..width].copy_from_slice(&row[first..first + width]);
            out[width..].fill(0.0);
        }
    }
}

/// The positions of a block that have a weight, those of [`DEPTH`] positions at a time.
pub(super) struct WeightedRows<'a> {
    f: &'a [f32],
    weights: &'a [f32],
    channels: usize,
    /// The positions before this one are done.
    next: usize,
    /// The positions in hand, as numbers of the block, and sqrt(t) of each.
    rows: [usize; DEPTH],
    factors: [f32; DEPTH],
    count: usize,
}

impl<'a> WeightedRows<'a> {
    #[inline(always)]
    pub(super) fn new(f: &'a [f32], weights: &'a [f32], channels: usize) -> Self {
        Self { f, weights, channels, next: 0, rows: [0; DEPTH], factors: [0.0; DEPTH], count: 0 }
    }

    /// The first position from the next one on that has a weight.
    #[inline(always)]
    fn first_ahead(&self) -> Option<usize> {
        self.weights[self.next..].iter().position(|&t| t > 0.0).map(|at| self.next + at)
    }

    /// The positions among [`DEPTH`] from one on.
    #[inline(always)]
    fn depth_of(&self, position: usize) -> Range<usize> {
        let start = position / DEPTH * DEPTH;
        start..self.weights.len().min(start + DEPTH)
    }

    /// Takes the next ones, and says how many there are; none at the end.
    #[inline(always)]
    pub(super) fn next_some(&mut self) -> Option<usize> {
        let depth = self.depth_of(self.first_ahead()?);
        self.count = 0;
        for (&t, row) in self.weights[depth.clone()].iter().zip(depth.start..) {
            if t > 0.0 {
                (self.rows[self.count], self.factors[self.count]) = (row, t);
                self.count += 1;
            }
        }
        for factor in &mut self.factors[..self.count] {
            *factor = factor.sqrt();
        }
        self.next = depth.end;
        Some(self.count)
    }

    /// sqrt(t) of the rows in hand.
    #[inline(always)]
    pub(super) fn factors(&self) -> &[f32] {
        &self.factors[..self.count]
    }

    /// Packs the rows in hand as [`pack_panels`] does, each times its factor.
    #[inline(always)]
    pub(super) fn pack<S: Simd>(&self, panels: &mut [f32]) {
        let Self { f, channels, count, .. } = *self;
        let (rows, factors) = (&self.rows[..count], &self.factors[..count]);
        for (panel, out) in panels.chunks_exact_mut(count * S::PANEL).enumerate() {
            let first = panel * S::PANEL;
            let width = S::PANEL.min(channels - first);
            for ((&row, &factor), out) in rows.iter().zip(factors).zip(out.chunks_exact_mut(S::PANEL)) {
                let row = &f[row * channels + first..][..width];
                out[..width].iter_mut().zip(row).for_each(|(out, &f)| *out = factor * f);
                out[width..].fill(0.0);
            }
        }
    }

    /// Where the rows after those in hand are, and how many numbers lie from the first to the last of them.
    #[inline(always)]
    pub(super) fn ahead(&self) -> (*const f32, usize) {
        let Some(first) = self.first_ahead() else { return (self.f.as_ptr(), 0) };
        let depth = self.depth_of(first);
        let last =
            self.weights[depth.clone()].iter().rposition(|&t| t > 0.0).map_or(first, |at| depth.start + at);
        (self.f[first * self.channels..].as_ptr(), (last + 1 - first) * self.channels)
    }
}
