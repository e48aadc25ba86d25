//! The Gram matrix F^T F of an M x N response as a symmetric product: half the multiplications.
//!
//! Positions are cut into blocks, a number that depends on M and on N in whole panels alone, so that the bits do not depend
//! on threads:
//!
//! ```text
//! G_ij = sum over blocks, in order, in f64, of   sum over the block's positions k, in f32, of F_ki F_kj        i <= j
//! ```
//!
//! In each block, [`DEPTH`] positions at a time are packed into panels of columns; the panel of columns i is then both the
//! left factor and, for every j >= i, a partner of the panel of columns j.

use std::slice::ChunksExact;

use rayon::prelude::*;

use crate::packed::Tile;
use crate::prefetch::{Lines, Parts};
use crate::simd::{Isa, Kernel, Simd};
use crate::{AlignedBuffer, Scratch, TensorError};

/// Positions that are packed at a time: two panels of 16 columns then just fit the first-level cache.
const DEPTH: usize = 256;
/// The most blocks, and the most numbers in their sums: with 512 channels 4 blocks.
const BLOCKS: usize = 16;
const SUMS_LEN: usize = 1 << 20;

/// Sums Gram matrices of responses with N channels; owns the memory for that.
#[derive(Debug)]
pub struct Gram {
    isa: Isa,
    channels: usize,
    /// N rounded up to whole panels: rows and columns of a block's sum.
    padded: usize,
    blocks: AlignedBuffer,
    sum: Vec<f64>,
}

impl Gram {
    /// For responses of at most `positions` positions at once.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`] if there is no room for the sums of the blocks.
    pub fn new(isa: Isa, channels: usize, positions: usize) -> Result<Self, TensorError> {
        let padded = channels.next_multiple_of(isa.panel());
        let blocks = AlignedBuffer::zeros(most_blocks(positions, padded) * padded * padded)?;
        Ok(Self { isa, channels, padded, blocks, sum: vec![0.0; channels * channels] })
    }

    /// The bytes that [`Self::new`] takes for these sizes, scratch of the tasks not counted.
    pub fn bytes(isa: Isa, channels: usize, positions: usize) -> usize {
        let padded = channels.next_multiple_of(isa.panel());
        most_blocks(positions, padded) * padded * padded * size_of::<f32>()
            + channels * channels * size_of::<f64>()
    }

    /// Numbers of scratch of one task.
    pub fn scratch_len(isa: Isa, channels: usize) -> usize {
        DEPTH * channels.next_multiple_of(isa.panel())
    }

    /// The numbers of a block's sum in [`Self::block_sums`]: rows and columns are N rounded up to whole panels.
    pub const fn block_len(&self) -> usize {
        self.padded * self.padded
    }

    /// Starts a new sum.
    pub fn clear(&mut self) {
        self.sum.fill(0.0);
    }

    /// Adds F^T F of a response of M x N numbers: [`Self::block_sums`], and these as [`Self::add_blocks`] adds them.
    ///
    /// # Panics
    /// As [`Self::block_sums`].
    pub fn add(&mut self, f: &[f32], scratch: &Scratch) {
        let (channels, padded) = (self.channels, self.padded);
        let count = self.sum_blocks(f, scratch);
        let blocks: Vec<&[f32]> = self.blocks.chunks_exact(padded * padded).take(count).collect();
        add_in_order(&mut self.sum, &blocks, channels, padded);
    }

    /// F^T F of each of the blocks that the M positions of a response of M x N numbers are cut into, in their order. The
    /// running sum does not change.
    ///
    /// A block's sum is [`Self::block_len`] numbers, row-major: element (i, j) holds sum_k F_ki F_kj over the block's
    /// positions for i <= j < N; what is below the diagonal or beyond N means nothing. How many blocks there are depends
    /// on M and N, and on the instruction set where its panels round N up.
    ///
    /// # Panics
    /// If the length of `f` is no multiple of N, or M is larger than was said to [`Self::new`].
    pub fn block_sums(&mut self, f: &[f32], scratch: &Scratch) -> ChunksExact<'_, f32> {
        let (len, count) = (self.block_len(), self.sum_blocks(f, scratch));
        self.blocks[..count * len].chunks_exact(len)
    }

    /// Adds sums of blocks, in their order. Those of several calls of [`Self::block_sums`], wherever they were made, give the
    /// bits that [`Self::add`] gives in the same order.
    ///
    /// # Panics
    /// If a sum has not [`Self::block_len`] numbers.
    pub fn add_blocks<'b>(&mut self, blocks: impl Iterator<Item = &'b [f32]>) {
        let (len, blocks) = (self.block_len(), blocks.collect::<Vec<_>>());
        assert!(blocks.iter().all(|block| block.len() == len), "sums of {len} numbers");
        add_in_order(&mut self.sum, &blocks, self.channels, self.padded);
    }

    /// Computes the sums of the blocks, and returns how many they are.
    fn sum_blocks(&mut self, f: &[f32], scratch: &Scratch) -> usize {
        let Self { isa, channels, padded, .. } = *self;
        assert!(f.len().is_multiple_of(channels), "whole positions");
        if f.is_empty() {
            return 0;
        }
        let len = block_positions(f.len() / channels, padded) * channels;
        let count = f.len().div_ceil(len);
        let sums = self.blocks[..count * padded * padded].par_chunks_mut(padded * padded);
        sums.zip(f.par_chunks(len)).for_each(|(sum, f)| {
            scratch.with(Self::scratch_len(isa, channels), |scratch| {
                isa.dispatch(Block { f, channels, padded, scratch, sum });
            });
        });
        count
    }

    /// The sum divided by `positions`: G/M, N x N, both triangles.
    pub fn normalised(&self, positions: usize) -> Vec<f32> {
        let n = self.channels;
        let scale = 1.0 / positions as f64;
        (0..n * n)
            .map(|at| (self.sum[(at / n).min(at % n) * n + (at / n).max(at % n)] * scale) as f32)
            .collect()
    }
}

/// Adds the sums of blocks to a running N x N sum, on and above the diagonal.
fn add_in_order(sum: &mut [f64], blocks: &[&[f32]], channels: usize, padded: usize) {
    sum.par_chunks_mut(channels).enumerate().for_each(|(row, sums)| {
        for block in blocks {
            for (sum, &value) in sums[row..].iter_mut().zip(&block[row * padded + row..]) {
                *sum += f64::from(value);
            }
        }
    });
}

/// The most blocks of any response.
fn block_limit(padded: usize) -> usize {
    BLOCKS.min(SUMS_LEN / (padded * padded)).max(1)
}

/// The most blocks that `positions` positions, or fewer, are cut into.
fn most_blocks(positions: usize, padded: usize) -> usize {
    block_limit(padded).min(positions.div_ceil(2 * DEPTH))
}

/// Positions in a block.
fn block_positions(positions: usize, padded: usize) -> usize {
    positions.div_ceil(block_limit(padded)).next_multiple_of(DEPTH).max(2 * DEPTH)
}

/// One block: its positions, and their sum.
struct Block<'a> {
    f: &'a [f32],
    channels: usize,
    padded: usize,
    scratch: &'a mut [f32],
    sum: &'a mut [f32],
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { f, channels, padded, scratch, sum } = self;
        assert!(padded.is_multiple_of(S::PANEL) && padded >= channels && sum.len() == padded * padded);
        let count = padded / S::PANEL;
        let tiles = count * (count + 1) / 2 * S::PANEL.div_ceil(S::ROWS);
        for (index, f) in f.chunks(DEPTH * channels).enumerate() {
            let depth = f.len() / channels;
            let panel_len = depth * S::PANEL;
            let panels = &mut scratch[..depth * padded];
            pack_panels::<S>(f, channels, panels);
            // While these positions are multiplied, the next ones are prefetched, a part with every tile.
            let mut prefetch = Parts::new(f.as_ptr().wrapping_add(f.len()), f.len().div_ceil(tiles), depth);
            for i in 0..count {
                let left = &panels[i * panel_len..][..panel_len];
                for j in i..count {
                    let right = &panels[j * panel_len..][..panel_len];
                    for row in (0..S::PANEL).step_by(S::ROWS) {
                        // SAFETY: `left` has `depth` rows of PANEL numbers, of which columns `row..row + rows` are
                        // read; `right` has `depth` rows of PANEL numbers; rows `i * PANEL + row..` of `sum` have
                        // PANEL columns from `j * PANEL`, all below `padded`.
                        unsafe {
                            let tile = Tile {
                                depth,
                                a: left.as_ptr().add(row),
                                a_row: 1,
                                a_step: S::PANEL,
                                b: right.as_ptr(),
                                c: sum.as_mut_ptr().add((i * S::PANEL + row) * padded + j * S::PANEL),
                                c_stride: padded,
                                accumulate: index > 0,
                                prefetch: [prefetch.next_part(), Lines::NONE],
                            };
                            tile.run_rows(simd, S::ROWS.min(S::PANEL - row));
                        }
                    }
                }
            }
        }
    }
}

/// Packs some positions into panels of columns, a panel's rows one after the other; columns beyond N become zeros.
#[inline(always)]
fn pack_panels<S: Simd>(f: &[f32], channels: usize, panels: &mut [f32]) {
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
                let taken = size_of_val(&gram.blocks[..]) + size_of_val(&gram.sum[..]);
                assert_eq!(Gram::bytes(isa, channels, positions), taken, "{isa:?} {channels} {positions}");
            }
            for (channels, positions, blocks) in [(512, 1 << 20, 4), (64, 700, 2), (64, 1 << 20, 16)] {
                let expected = channels * channels * (4 * blocks + 8);
                assert_eq!(Gram::bytes(isa, channels, positions), expected, "{isa:?} {channels} {positions}");
            }
        }
    }
}
