//! The Gram matrix F^T F of an M x N response as a symmetric product: half the multiplications.
//!
//! Positions are cut into blocks, a number that depends on M and on N in whole panels alone, so that the bits do not depend
//! on threads, nor on the pieces in which the response comes:
//!
//! ```text
//! G_ij = sum over blocks, in order, in f64, of   sum over the block's positions k, in f32, of F_ki F_kj        i <= j
//! ```
//!
//! In each block, [`DEPTH`] positions at a time are packed into panels of columns; the panel of columns i is then both the
//! left factor and, for every j >= i, a partner of the panel of columns j.
//!
//! With a weight t_k for each position the sum is that of t_k F_ki F_kj, and what it is divided by is that of t_k. A position's row is
//! then multiplied with sqrt(t_k) as it is packed, and rows without a weight are left out. Which positions are packed together does not
//! change by that, so weights that are all 1 give the bits of none.
//!
//! Where the mean is asked for as well, the packed columns are summed before they are multiplied.

mod columns;
mod pack;

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use self::columns::add_columns;
use self::pack::{WeightedRows, pack_panels};
use crate::packed::Tile;
use crate::prefetch::{Lines, Parts};
use crate::simd::{Isa, Kernel, Simd};
use crate::{AlignedBuffer, Scratch, TensorError};

/// Positions that are packed at a time: two panels of 16 columns then just fit the first-level cache.
const DEPTH: usize = 256;
/// The most blocks, and the most numbers in their sums: with 512 channels 4 blocks.
const BLOCKS: usize = 16;
const SUMS_LEN: usize = 1 << 20;

/// Sums the Gram matrix of a response with M positions of N channels, each with a weight if there are any; owns the memory for that.
#[derive(Debug)]
pub struct Gram {
    isa: Isa,
    channels: usize,
    /// N rounded up to whole panels: rows and columns of a block's sum.
    padded: usize,
    /// M.
    positions: usize,
    /// The positions that are in the blocks' sums.
    summed: usize,
    /// The positions after these that wait until there are [`DEPTH`], and room for so many.
    waiting: usize,
    room: AlignedBuffer,
    /// The blocks' sums; those of blocks without a weight stay 0.
    blocks: AlignedBuffer,
    /// The blocks' sums of columns, if the mean is asked for: padded numbers each.
    columns: Vec<f64>,
    /// t_k, if not all are 1.
    weights: Option<Arc<[f32]>>,
    /// M, or the sum of t_k.
    total: f64,
}

impl Gram {
    /// For a response of `positions` positions that comes as a whole.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`] if there is no room for the sums of the blocks.
    pub fn new(isa: Isa, channels: usize, positions: usize) -> Result<Self, TensorError> {
        let padded = channels.next_multiple_of(isa.panel());
        let blocks = AlignedBuffer::zeros(block_count(positions, padded) * padded * padded)?;
        let (room, total) = (AlignedBuffer::default(), positions as f64);
        Ok(Self {
            isa,
            channels,
            padded,
            positions,
            summed: 0,
            waiting: 0,
            room,
            blocks,
            columns: Vec::new(),
            weights: None,
            total,
        })
    }

    /// For a response that comes in pieces, one after the other.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`] if there is no room for the sums of the blocks, and for positions that wait for the next piece.
    pub fn in_pieces(isa: Isa, channels: usize, positions: usize) -> Result<Self, TensorError> {
        Ok(Self { room: AlignedBuffer::zeros(DEPTH * channels)?, ..Self::new(isa, channels, positions)? })
    }

    /// The same with weights t_k of the positions, none below 0 and not all 0.
    ///
    /// # Panics
    /// If there are not M of them, or one is below 0 or no number, or all are 0.
    #[must_use]
    pub fn weighted(self, weights: Arc<[f32]>) -> Self {
        assert!(weights.len() == self.positions, "{} weights", self.positions);
        assert!(weights.iter().all(|&t| t >= 0.0), "weights that are not below 0");
        let total = weights.iter().map(|&t| f64::from(t)).sum();
        assert!(total > 0.0, "a weight that is not 0");
        Self { weights: Some(weights), total, ..self }
    }

    /// The same with the mean of the positions.
    #[must_use]
    pub fn with_mean(self) -> Self {
        Self { columns: vec![0.0; block_count(self.positions, self.padded) * self.padded], ..self }
    }

    /// The bytes that [`Self::new`] takes for these sizes, weights and scratch of the tasks not counted.
    pub fn bytes(isa: Isa, channels: usize, positions: usize) -> usize {
        let padded = channels.next_multiple_of(isa.panel());
        block_count(positions, padded) * padded * padded * size_of::<f32>()
    }

    /// The bytes that [`Self::in_pieces`] takes beside those.
    pub const fn waiting_bytes(channels: usize) -> usize {
        DEPTH * channels * size_of::<f32>()
    }

    /// The bytes that [`Self::with_mean`] takes beside those.
    pub fn mean_bytes(isa: Isa, channels: usize, positions: usize) -> usize {
        let padded = channels.next_multiple_of(isa.panel());
        block_count(positions, padded) * padded * size_of::<f64>()
    }

    /// Numbers of scratch of one task.
    pub fn scratch_len(isa: Isa, channels: usize) -> usize {
        DEPTH * channels.next_multiple_of(isa.panel())
    }

    /// Starts a new sum.
    pub fn clear(&mut self) {
        (self.summed, self.waiting) = (0, 0);
    }

    /// Adds F^T F of the response's next positions, N numbers each.
    ///
    /// # Panics
    /// If the length of `f` is no multiple of N, more than M positions come, or pieces come and [`Self::in_pieces`] was not said.
    pub fn add(&mut self, f: &[f32], scratch: &Scratch) {
        let n = self.channels;
        assert!(f.len().is_multiple_of(n), "whole positions");
        let mut rest = f;
        if self.waiting > 0 {
            let (now, later) = rest.split_at(rest.len().min((DEPTH - self.waiting) * n));
            self.wait(now);
            rest = later;
            if self.waiting == DEPTH || self.summed + self.waiting == self.positions {
                let room = std::mem::take(&mut self.room);
                self.sum(&room[..self.waiting * n], scratch);
                (self.room, self.waiting) = (room, 0);
            }
        }
        let positions = rest.len() / n;
        let whole =
            if self.summed + positions == self.positions { positions } else { positions / DEPTH * DEPTH };
        let (now, later) = rest.split_at(whole * n);
        self.sum(now, scratch);
        self.wait(later);
    }

    /// Keeps positions until more come.
    fn wait(&mut self, f: &[f32]) {
        self.room[self.waiting * self.channels..][..f.len()].copy_from_slice(f);
        self.waiting += f.len() / self.channels;
    }

    /// Adds whole [`DEPTH`]s of positions, or all that are left, to the blocks' sums.
    fn sum(&mut self, f: &[f32], scratch: &Scratch) {
        let Self { isa, channels, padded, positions, summed, .. } = *self;
        let count = f.len() / channels;
        assert!(summed + count <= positions, "no more than {positions} positions");
        if count == 0 {
            return;
        }
        let len = block_positions(positions, padded);
        let blocks = summed / len..(summed + count).div_ceil(len);
        // What comes of a block now.
        let part = |block: usize| (block * len).max(summed)..((block + 1) * len).min(summed + count);
        let weights = self.weights.as_deref();
        let counts =
            |part: Range<usize>| weights.is_none_or(|weights| weights[part].iter().any(|&t| t > 0.0));
        // Few blocks are cut into rows of panels, so that every thread has work: a task has one panel's rows, or all.
        let panels = padded / isa.panel();
        let busy = blocks.clone().filter(|&block| counts(part(block))).count();
        let tasks = if busy < rayon::current_num_threads() { panels } else { 1 };
        let rows = panels / tasks;
        let square = padded * padded;
        let sums = self.blocks[blocks.start * square..blocks.end * square]
            .par_chunks_mut(rows * isa.panel() * padded);
        let columns: Vec<&mut [f64]> = if self.columns.is_empty() {
            (0..sums.len()).map(|_| Default::default()).collect()
        } else {
            let columns = &mut self.columns[blocks.start * padded..blocks.end * padded];
            columns.chunks_mut(rows * isa.panel()).collect()
        };
        sums.zip(columns).enumerate().for_each(|(task, (sum, columns))| {
            let (block, first) = (blocks.start + task / tasks, task % tasks);
            let part = part(block);
            if !counts(part.clone()) {
                return;
            }
            let accumulate = part.start > block * len && counts(block * len..part.start);
            let f = &f[(part.start - summed) * channels..(part.end - summed) * channels];
            let weights = weights.map(|weights| &weights[part]);
            scratch.with(Self::scratch_len(isa, channels), |scratch| {
                isa.dispatch(Block {
                    f,
                    weights,
                    channels,
                    padded,
                    accumulate,
                    first,
                    scratch,
                    sum,
                    columns,
                });
            });
        });
        self.summed += count;
    }

    /// G/M, N x N, both triangles: the sum of the blocks, in order, divided by M, or by the sum of the weights.
    ///
    /// # Panics
    /// If not all positions have come.
    pub fn normalised(&self) -> Vec<f32> {
        let Self { channels: n, padded, positions, .. } = *self;
        assert!(self.summed == positions, "{positions} positions, not {}", self.summed);
        let scale = 1.0 / self.total;
        let mut normalised = vec![0.0; n * n];
        normalised.par_chunks_mut(n).enumerate().for_each(|(i, row)| {
            for (j, normalised) in row.iter_mut().enumerate().skip(i) {
                let blocks = self.blocks.chunks_exact(padded * padded);
                let sum = blocks.fold(0.0, |sum, block| sum + f64::from(block[i * padded + j]));
                *normalised = (sum * scale) as f32;
            }
        });
        for (i, j) in (0..n).flat_map(|i| (0..i).map(move |j| (i, j))) {
            normalised[i * n + j] = normalised[j * n + i];
        }
        normalised
    }

    /// The mean, N numbers: the sum of the columns over M, or over the sum of the weights; none if it was not asked for.
    ///
    /// # Panics
    /// If not all positions have come.
    pub fn mean(&self) -> Vec<f32> {
        assert!(self.summed == self.positions, "{} positions, not {}", self.positions, self.summed);
        let channels = if self.columns.is_empty() { 0 } else { self.channels };
        let sum = |i: usize| self.columns.chunks_exact(self.padded).map(|block| block[i]).sum::<f64>();
        (0..channels).map(|i| (sum(i) / self.total) as f32).collect()
    }
}

/// The most blocks of any response.
fn block_limit(padded: usize) -> usize {
    BLOCKS.min(SUMS_LEN / (padded * padded)).max(1)
}

/// The blocks that `positions` positions are cut into.
fn block_count(positions: usize, padded: usize) -> usize {
    positions.div_ceil(block_positions(positions, padded))
}

/// Positions in a block.
fn block_positions(positions: usize, padded: usize) -> usize {
    positions.div_ceil(block_limit(padded)).next_multiple_of(DEPTH).max(2 * DEPTH)
}

/// Positions of a block, and some rows of panels of the block's sum.
struct Block<'a> {
    f: &'a [f32],
    /// t of each position, if not all are 1; not all 0.
    weights: Option<&'a [f32]>,
    channels: usize,
    padded: usize,
    /// Whether other positions of the block have been summed.
    accumulate: bool,
    /// The first of the rows of panels.
    first: usize,
    scratch: &'a mut [f32],
    sum: &'a mut [f32],
    /// Sums of these panels' columns; none where they are not asked for.
    columns: &'a mut [f64],
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { f, weights, channels, padded, mut accumulate, first, scratch, sum, columns } = self;
        let Some(weights) = weights else {
            for (index, now) in f.chunks(DEPTH * channels).enumerate() {
                let depth = now.len() / channels;
                let panels = &mut scratch[..depth * padded];
                pack_panels::<S>(now, channels, panels);
                // While these positions are multiplied, the next ones are prefetched.
                let next = (now.as_ptr().wrapping_add(now.len()), now.len());
                let accumulate = accumulate || index > 0;
                add_columns(simd, (panels, depth), None, first, accumulate, columns);
                Panels { numbers: panels, padded, first, accumulate }.add(simd, next, sum);
            }
            return;
        };
        let mut rows = WeightedRows::new(f, weights, channels);
        while let Some(count) = rows.next_some() {
            let panels = &mut scratch[..count * padded];
            rows.pack::<S>(panels);
            add_columns(simd, (panels, count), Some(rows.factors()), first, accumulate, columns);
            Panels { numbers: panels, padded, first, accumulate }.add(simd, rows.ahead(), sum);
            accumulate = true;
        }
    }
}

/// Some positions, packed: panels of columns, a panel's rows one after the other.
struct Panels<'a> {
    numbers: &'a [f32],
    padded: usize,
    first: usize,
    accumulate: bool,
}

impl Panels<'_> {
    /// Adds their products to `sum`, the rows of panels from the `first` one on; or puts them there. `next` is prefetched meanwhile, a
    /// part with every tile.
    #[inline(always)]
    fn add<S: Simd>(self, simd: S, next: (*const f32, usize), sum: &mut [f32]) {
        let Self { numbers: panels, padded, first, accumulate } = self;
        let (count, depth) = (padded / S::PANEL, panels.len() / padded);
        let rows = first..first + sum.len() / (S::PANEL * padded);
        assert!(padded.is_multiple_of(S::PANEL) && panels.len() == depth * padded && rows.end <= count);
        assert!(sum.len() == rows.len() * S::PANEL * padded, "whole rows of panels");
        let panel_len = depth * S::PANEL;
        let mut prefetch = prefetched_parts::<S>(rows.clone(), count, next, depth);
        for i in rows {
            let left = &panels[i * panel_len..][..panel_len];
            for j in i..count {
                let right = &panels[j * panel_len..][..panel_len];
                for row in (0..S::PANEL).step_by(S::ROWS) {
                    // SAFETY: `left` has `depth` rows of PANEL numbers, of which columns `row..row + rows` are
                    // read; `right` has `depth` rows of PANEL numbers; rows `(i - first) * PANEL + row..` of `sum`
                    // have PANEL columns from `j * PANEL`, all below `padded`.
                    unsafe {
                        let tile = Tile {
                            depth,
                            a: left.as_ptr().add(row),
                            a_row: 1,
                            a_step: S::PANEL,
                            b: right.as_ptr(),
                            c: sum.as_mut_ptr().add(((i - first) * S::PANEL + row) * padded + j * S::PANEL),
                            c_stride: padded,
                            accumulate,
                            prefetch: [prefetch.next_part(), Lines::NONE],
                        };
                        tile.run_rows(simd, S::ROWS.min(S::PANEL - row));
                    }
                }
            }
        }
    }
}

/// `next` in as many parts as there are tiles in these rows of `count` panels.
#[inline(always)]
fn prefetched_parts<S: Simd>(
    rows: Range<usize>,
    count: usize,
    next: (*const f32, usize),
    depth: usize,
) -> Parts {
    let pairs: usize = rows.map(|i| count - i).sum();
    let tiles = pairs * S::PANEL.div_ceil(S::ROWS);
    Parts::new(next.0, next.1.div_ceil(tiles), depth)
}

#[cfg(test)]
mod tests {
    use super::Gram;
    use crate::simd::Isa;

    /// What is counted beforehand is what is allocated, whether channels fill their panels or not.
    #[test]
    fn bytes_are_those_that_new_takes() {
        for isa in Isa::available() {
            for (channels, positions) in [(16, 1), (48, 700), (64, 5000), (80, 1 << 20), (512, 9000)] {
                let gram = Gram::new(isa, channels, positions).expect("memory for the sums");
                let taken = size_of_val(&gram.blocks[..]);
                assert_eq!(Gram::bytes(isa, channels, positions), taken, "{isa:?} {channels} {positions}");
            }
            let gram = Gram::new(isa, 48, 700).expect("memory for the sums").with_mean();
            assert_eq!(Gram::mean_bytes(isa, 48, 700), size_of_val(&gram.columns[..]));
            let pieces = Gram::in_pieces(isa, 48, 700).expect("memory for the sums");
            assert_eq!(Gram::waiting_bytes(48), size_of_val(&pieces.room[..]));
            for (channels, positions, blocks) in [(512, 1 << 20, 4), (64, 700, 2), (64, 1 << 20, 16)] {
                let expected = channels * channels * 4 * blocks;
                assert_eq!(Gram::bytes(isa, channels, positions), expected, "{isa:?} {channels} {positions}");
            }
        }
    }
}
