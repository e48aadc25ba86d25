//! What belongs to a run of tiles of a sink: takes blocks of results and finishes them.

use std::ops::Range;

use super::PoolKind;
use super::pool::pool_rows;
use super::row::{Channels, Halves, write_row};
use crate::conv::Extent;
use crate::conv::tiling::{Rows, Tiling};
use crate::prefetch::prefetch_row;
use crate::simd::{Access, Simd};
use crate::winograd::MAX_SIDE;

/// What belongs to a run of tiles of a sink.
pub(in crate::conv) struct Part<'a> {
    pub(in crate::conv) tiling: Tiling,
    pub(in crate::conv) tiles: Range<usize>,
    pub(in crate::conv) channels: usize,
    pub(super) outputs: Outputs<'a>,
    /// Whether F or the gradient is written past the caches.
    pub(super) uncached: bool,
}

/// A run's rows of a [`super::Sink`]'s outputs.
pub(super) enum Outputs<'a> {
    Response {
        bias: &'a [f32],
        response: Option<Rows<'a, f32>>,
        pooled: Option<(PoolKind, Rows<'a, f32>)>,
        mask: Option<Rows<'a, u8>>,
    },
    Gradient {
        gradient: Rows<'a, f32>,
        /// The whole section's.
        mask: Option<&'a [u8]>,
    },
}

impl Part<'_> {
    /// Whether the `height` x `width` block at (y, x) is in the layer as a whole.
    #[inline(always)]
    pub(in crate::conv) fn holds(
        &self,
        (y, x, _): (usize, usize, usize),
        (height, width): (usize, usize),
    ) -> bool {
        let extent = self.tiling.section.extent;
        y + height <= extent.height && x + width <= extent.width
    }

    /// As [`Self::put`] with two rows of `side` results, of which what lies beyond the layer is passed over.
    #[inline(always)]
    pub(in crate::conv) fn put_within<S: Simd>(
        &mut self,
        simd: S,
        (y, x, channel): (usize, usize, usize),
        side: usize,
        rows: [[S::V; MAX_SIDE]; 2],
        halves: &mut Halves<S::V>,
    ) {
        let Extent { height, width } = self.tiling.section.extent;
        let size = (2.min(height.saturating_sub(y)), side.min(width - x));
        self.put(simd, (y, x, channel), size, rows, halves);
    }

    /// Prefetches the lines of a `height` x `width` block's outputs, which will be written soon.
    #[inline(always)]
    pub(in crate::conv) fn prefetch<S: Simd>(
        &self,
        simd: S,
        (y, x, channel): (usize, usize, usize),
        (height, width): (usize, usize),
    ) {
        let (data, level) = match &self.outputs {
            _ if self.uncached => return,
            Outputs::Gradient { gradient, .. } => (gradient, 0),
            Outputs::Response { response: Some(response), .. } => (response, 0),
            Outputs::Response { pooled: Some((_, pooled)), .. } => (pooled, 1),
            Outputs::Response { .. } => return,
        };
        for i in 0..height >> level {
            let row = data.address(((y >> level) + i, x >> level)).wrapping_add(channel);
            prefetch_row(simd, Access::Write, row, width >> level, self.channels);
        }
    }

    /// To be called after the last [`Self::put`].
    #[inline(always)]
    pub(in crate::conv) fn close<S: Simd>(&self, simd: S) {
        if self.uncached {
            simd.fence();
        }
    }

    /// Takes `height` x `width` results (at most 2 x MAX_SIDE) whose corner is (y, x), both even, for `LANES`
    /// channels from `channel`.
    #[inline(always)]
    pub(in crate::conv) fn put<S: Simd>(
        &mut self,
        simd: S,
        (y, x, channel): (usize, usize, usize),
        (height, width): (usize, usize),
        mut rows: [[S::V; MAX_SIDE]; 2],
        halves: &mut Halves<S::V>,
    ) {
        let channels = Channels { first: channel, count: self.channels };
        let uncached = self.uncached && S::STREAMS;
        match &mut self.outputs {
            Outputs::Gradient { gradient, mask } => {
                let section = self.tiling.section;
                for (i, row) in rows.iter().enumerate().take(height) {
                    let mut kept = *row;
                    if let Some(mask) = mask {
                        let bits = &mask
                            [((y + i - section.start) * section.extent.width + x) * (channels.count / 8)..];
                        kept = keep_row(simd, &row[..width], channels, bits);
                    }
                    let halves = uncached.then_some(halves.row(y + i));
                    write_row(simd, gradient.from((y + i, x)), channels, &kept[..width], halves);
                }
            }
            Outputs::Response { bias, response, pooled, mask } => {
                add_bias_and_rectify(simd, &mut rows, (height, width), &bias[channel..]);
                if let Some(response) = response {
                    for (i, row) in rows.iter().enumerate().take(height) {
                        let halves = uncached.then_some(halves.row(y + i));
                        write_row(simd, response.from((y + i, x)), channels, &row[..width], halves);
                    }
                }
                let mut winners = [[u16::MAX; MAX_SIDE]; 2];
                if let Some((kind, pooled)) = pooled.as_mut().filter(|_| height == 2 && width >= 2) {
                    let values;
                    (values, winners) = pool_rows(simd, *kind, &rows, width);
                    write_row(simd, pooled.from((y / 2, x / 2)), channels, &values[..width / 2], None);
                }
                if let Some(mask) = mask {
                    for (i, (row, winners)) in rows.iter().zip(&winners).enumerate().take(height) {
                        mark_row(simd, mask.from((y + i, x)), channels, &row[..width], winners);
                    }
                }
            }
        }
    }
}

/// max(0, Z + b), where `bias` begins with that of the first lane.
#[inline(always)]
fn add_bias_and_rectify<S: Simd>(
    simd: S,
    rows: &mut [[S::V; MAX_SIDE]; 2],
    (height, width): (usize, usize),
    bias: &[f32],
) {
    let (bias, zero) = (simd.read(bias), simd.splat(0.0));
    for row in rows.iter_mut().take(height) {
        for value in row.iter_mut().take(width) {
            *value = simd.max(simd.add(*value, bias), zero);
        }
    }
}

/// A row of gradients where the mask has a bit, 0 elsewhere; `bits` begins at the row's first position.
#[inline(always)]
fn keep_row<S: Simd>(simd: S, row: &[S::V], channels: Channels, bits: &[u8]) -> [S::V; MAX_SIDE] {
    let bits = &bits[channels.first / 8..];
    // A new array: if the row were changed in place, the compiler would write single lanes of it to memory, which is slow
    // with AVX2.
    let mut kept = [simd.splat(0.0); MAX_SIDE];
    for (j, (kept, &value)) in kept.iter_mut().zip(row).enumerate() {
        *kept = simd.keep(value, simd.read_bits(&bits[j * (channels.count / 8)..]));
    }
    kept
}

/// Writes a row's mask: where F > 0 and, with maximum pooling, the largest of its window. `bits` begins at the row's
/// first position.
#[inline(always)]
fn mark_row<S: Simd>(simd: S, bits: &mut [u8], channels: Channels, row: &[S::V], winners: &[u16; MAX_SIDE]) {
    let bits = &mut bits[channels.first / 8..];
    for (j, (&value, &winner)) in row.iter().zip(winners).enumerate() {
        simd.write_bits(&mut bits[j * (channels.count / 8)..], simd.positive(value) & winner);
    }
}
