//! im2col: a block of patches, packed one a row, times the packed kernel.

use super::{Extent, PackedConv, Source};
use crate::conv::sink::Band;
use crate::packed::Product;
use crate::simd::{Kernel, Simd};
use crate::winograd::MAX_SIDE;

/// Columns of outputs in a block of two rows: 96 patches stay in the second-level cache for up to 512 channels.
const COLUMNS: usize = 48;

/// Rows of outputs in a task.
pub(super) fn rows_per_task(extent: Extent) -> usize {
    // Narrow pictures take more rows, so that a task is worth its start.
    2 * COLUMNS.div_ceil(extent.width).max(1)
}

/// A block's patches and its products.
pub(super) fn scratch_len(extent: Extent, (in_channels, padded_out_channels): (usize, usize)) -> usize {
    let patches = 2 * COLUMNS.min(extent.width.next_multiple_of(2));
    patches * (9 * in_channels + padded_out_channels)
}

/// One band of output rows.
pub(super) struct Task<'a> {
    pub(super) conv: &'a PackedConv,
    pub(super) extent: Extent,
    pub(super) source: Source<'a>,
    pub(super) band: Band<'a>,
    pub(super) scratch: &'a mut [f32],
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { conv, extent, source, mut band, scratch } = self;
        let patch = 9 * conv.in_channels;
        let stride = conv.out_channels.next_multiple_of(S::PANEL);
        for y in (0..band.rows).step_by(2) {
            for x in (0..extent.width).step_by(COLUMNS) {
                let columns = COLUMNS.min((extent.width - x).next_multiple_of(2));
                let (patches, products) = scratch.split_at_mut(2 * columns * patch);
                for (index, row) in patches.chunks_exact_mut(patch).enumerate() {
                    let (y, x) = (band.first + y + index / columns, x + index % columns);
                    pack_patch(simd, extent, source, (y, x), conv.in_channels, row);
                }
                let products = &mut products[..2 * columns * stride];
                Product {
                    m: 2 * columns,
                    k: patch,
                    n: conv.out_channels,
                    a: patches,
                    a_stride: patch,
                    b: &conv.kernel,
                    c: products,
                    c_stride: stride,
                    accumulate: false,
                }
                .run(simd);
                for column in (0..columns).step_by(2) {
                    for channel in (0..conv.out_channels).step_by(S::LANES) {
                        let read = |i: usize, j: usize| {
                            simd.read(&products[(i * columns + column + j) * stride + channel..])
                        };
                        let mut rows = [[simd.splat(0.0); MAX_SIDE]; 2];
                        (rows[0][0], rows[0][1]) = (read(0, 0), read(0, 1));
                        (rows[1][0], rows[1][1]) = (read(1, 0), read(1, 1));
                        band.put_within(simd, (y, x + column, channel), 2, rows);
                    }
                }
            }
        }
    }
}

/// Writes the 3x3 patch around (y, x): 9 C numbers, zeros outside the picture.
#[inline(always)]
fn pack_patch<S: Simd>(
    simd: S,
    extent: Extent,
    source: Source<'_>,
    (y, x): (usize, usize),
    channels: usize,
    patch: &mut [f32],
) {
    let inside = y > 0 && x > 0 && y + 1 < extent.height && x + 1 < extent.width;
    if let (Source::Plain(data), true) = (source, inside) {
        for (ky, row) in patch.chunks_exact_mut(3 * channels).enumerate() {
            let at = ((y + ky - 1) * extent.width + x - 1) * channels;
            let data = &data[at..at + 3 * channels];
            if channels == 3 {
                // The first layer's rows are 9 numbers: a loop of known length is faster than a call.
                let (row, data) = (row.first_chunk_mut::<9>(), data.first_chunk::<9>());
                row.into_iter().zip(data).for_each(|(row, data)| *row = *data);
            } else {
                row.copy_from_slice(data);
            }
        }
        return;
    }
    for (tap, out) in patch.chunks_exact_mut(channels).enumerate() {
        source.copy_shifted(simd, extent, y + tap / 3, x + tap % 3, out);
    }
}
