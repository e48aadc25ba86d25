//! The Gram matrix F^T F of an M x N response as a symmetric product: half the multiplications.
//!
//! Positions are cut into chunks, a number that depends on M alone, so that the bits do not depend on threads. In each
//! chunk, blocks of [`DEPTH`] positions are packed into panels of columns; the panel of columns i is then both the left
//! factor and, for every j >= i, a partner of the panel of columns j. Chunks are summed in order, in f64.

use rayon::prelude::*;

use crate::packed::Tile;
use crate::prefetch::{Lines, Parts};
use crate::simd::{Isa, Kernel, Simd};
use crate::{AlignedBuffer, Scratch, TensorError};

/// Positions in a packed block: two panels of 16 columns then just fit the first-level cache.
const DEPTH: usize = 256;
/// The most chunks, and the most numbers in their partial sums: with 512 channels 4 chunks.
const CHUNKS: usize = 16;
const PARTIAL_LEN: usize = 1 << 20;

/// Sums Gram matrices of responses with N channels; owns the memory for that.
#[derive(Debug)]
pub struct Gram {
    isa: Isa,
    channels: usize,
    /// N rounded up to whole panels: rows and columns of a partial sum.
    padded: usize,
    partial: AlignedBuffer,
    sum: Vec<f64>,
}

impl Gram {
    /// For responses of at most `positions` positions at once.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`] if there is no room for the partial sums.
    pub fn new(isa: Isa, channels: usize, positions: usize) -> Result<Self, TensorError> {
        let padded = channels.next_multiple_of(isa.panel());
        let partial = AlignedBuffer::zeros(most_chunks(positions, padded) * padded * padded)?;
        Ok(Self { isa, channels, padded, partial, sum: vec![0.0; channels * channels] })
    }

    /// The bytes that [`Self::new`] takes for these sizes, work memory of the tasks not counted.
    pub fn bytes(isa: Isa, channels: usize, positions: usize) -> usize {
        let padded = channels.next_multiple_of(isa.panel());
        most_chunks(positions, padded) * padded * padded * 4 + channels * channels * 8
    }

    /// Numbers of work memory of one task.
    pub fn scratch_len(isa: Isa, channels: usize) -> usize {
        DEPTH * channels.next_multiple_of(isa.panel())
    }

    /// Starts a new sum.
    pub fn clear(&mut self) {
        self.sum.fill(0.0);
    }

    /// Adds F^T F of a response of M x N numbers.
    ///
    /// # Panics
    /// If the length of `f` is no multiple of N, or M is larger than was said to [`Self::new`].
    pub fn add(&mut self, f: &[f32], scratch: &Scratch) {
        let (isa, channels, padded) = (self.isa, self.channels, self.padded);
        assert!(f.len().is_multiple_of(channels), "whole positions");
        if f.is_empty() {
            return;
        }
        let chunk = chunk_len(f.len() / channels, padded) * channels;
        let count = f.len().div_ceil(chunk);
        let partials = &mut self.partial[..count * padded * padded];
        partials.par_chunks_mut(padded * padded).zip(f.par_chunks(chunk)).for_each(|(partial, f)| {
            scratch.with(Self::scratch_len(isa, channels), |panels| {
                isa.dispatch(Chunk { f, channels, padded, panels, partial });
            });
        });
        self.sum.par_chunks_mut(channels).enumerate().for_each(|(row, sums)| {
            for partial in partials.chunks_exact(padded * padded) {
                // Only panels on and above the diagonal are there.
                for (sum, &value) in sums[row..].iter_mut().zip(&partial[row * padded + row..]) {
                    *sum += f64::from(value);
                }
            }
        });
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

/// The most chunks that `positions` positions, or fewer, are cut into.
fn most_chunks(positions: usize, padded: usize) -> usize {
    CHUNKS.min(PARTIAL_LEN / (padded * padded)).max(1).min(positions.div_ceil(2 * DEPTH))
}

/// Positions in a chunk.
fn chunk_len(positions: usize, padded: usize) -> usize {
    let chunks = CHUNKS.min(PARTIAL_LEN / (padded * padded)).max(1);
    positions.div_ceil(chunks).next_multiple_of(DEPTH).max(2 * DEPTH)
}

struct Chunk<'a> {
    f: &'a [f32],
    channels: usize,
    padded: usize,
    panels: &'a mut [f32],
    partial: &'a mut [f32],
}

impl Kernel for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { f, channels, padded, panels, partial } = self;
        assert!(padded.is_multiple_of(S::PANEL) && padded >= channels && partial.len() == padded * padded);
        for (index, block) in f.chunks(DEPTH * channels).enumerate() {
            let depth = block.len() / channels;
            let panel_len = depth * S::PANEL;
            let panels = &mut panels[..depth * padded];
            for (panel, out) in panels.chunks_exact_mut(panel_len).enumerate() {
                let first = panel * S::PANEL;
                let width = S::PANEL.min(channels - first);
                for (row, out) in block.chunks_exact(channels).zip(out.chunks_exact_mut(S::PANEL)) {
                    out[..width].copy_from_slice(&row[first..first + width]);
                    out[width..].fill(0.0);
                }
            }
            // While this block is multiplied, the next one is prefetched, a part with every tile.
            let count = padded / S::PANEL;
            let part = block.len().div_ceil(count * (count + 1) / 2 * S::PANEL.div_ceil(S::ROWS));
            let mut next_block = Parts::new(block.as_ptr().wrapping_add(block.len()), part, depth);
            for i in 0..count {
                let left = &panels[i * panel_len..][..panel_len];
                for j in i..count {
                    let right = &panels[j * panel_len..][..panel_len];
                    for row in (0..S::PANEL).step_by(S::ROWS) {
                        // SAFETY: `left` has `depth` rows of PANEL numbers, of which columns `row..row + rows` are
                        // read; `right` has `depth` rows of PANEL numbers; rows `i * PANEL + row..` of `partial` have
                        // PANEL columns from `j * PANEL`, all below `padded`.
                        unsafe {
                            let tile = Tile {
                                depth,
                                a: left.as_ptr().add(row),
                                a_row: 1,
                                a_step: S::PANEL,
                                b: right.as_ptr(),
                                c: partial.as_mut_ptr().add((i * S::PANEL + row) * padded + j * S::PANEL),
                                c_stride: padded,
                                accumulate: index > 0,
                                prefetch: [next_block.next_part(), Lines::NONE],
                            };
                            tile.run_rows(simd, S::ROWS.min(S::PANEL - row));
                        }
                    }
                }
            }
        }
    }
}
