//! Winograd convolution of a band of rows, block of tiles by block of tiles:
//!
//! ```text
//! V[xi] = (B^T d B)[xi] of every tile          tiles x C_in,   written by the input transform
//! M[xi] = V[xi] U[xi]                          tiles x C_out,  one matrix product for each xi
//! Y     = A^T M A of every tile                handed to the sink, m x m outputs at a time
//! ```
//!
//! A block's V and M stay in the second- and third-level caches. Their xi planes are spaced so that the (m + 2)^2 places
//! that a transform touches at once fall on different lines of the first-level cache.

use std::marker::PhantomData;
use std::ops::Range;

use super::{Extent, PackedConv, Source};
use crate::conv::sink::Band;
use crate::packed::{Product, packed_len};
use crate::simd::{Kernel, Simd};
use crate::winograd::{Transform, Workspace};

/// The bytes of V and M that a block aims at.
const BLOCK_BYTES: usize = 3 << 19;
/// The tiles that a block may have whatever its bytes: with far less, reading U takes longer than multiplying with it.
const ENOUGH_TILES: usize = 64;
/// The tiles whose products take the time of reading U.
const KERNEL_TILES: f64 = 4.0;

/// How a layer is cut into tiles, blocks and tasks.
pub(super) struct Layout<F> {
    tile_columns: usize,
    /// Tile rows in a block.
    block_rows: usize,
    /// Tile columns in a block.
    block_columns: usize,
    in_channels: usize,
    product_stride: usize,
    transform: PhantomData<F>,
}

impl<F: Transform> Layout<F> {
    pub(super) fn new(extent: Extent, (in_channels, product_stride): (usize, usize)) -> Self {
        let (tile_rows, tile_columns) = (extent.height.div_ceil(F::OUTPUT), extent.width.div_ceil(F::OUTPUT));
        let tile_bytes = F::PATCH * F::PATCH * (in_channels + product_stride) * size_of::<f32>();
        let tiles = (BLOCK_BYTES / tile_bytes).max(ENOUGH_TILES);
        let (block_rows, block_columns) = if tile_columns > tiles {
            // Equal blocks of columns.
            (1, tile_columns.div_ceil(tile_columns.div_ceil(tiles)))
        } else {
            (balanced_rows(tile_rows, tile_columns, tiles / tile_columns), tile_columns)
        };
        Self { tile_columns, block_rows, block_columns, in_channels, product_stride, transform: PhantomData }
    }

    /// Rows of outputs in a task: one block high.
    pub(super) fn rows_per_task(&self) -> usize {
        F::OUTPUT * self.block_rows
    }

    /// From one xi plane of V to the next.
    fn v_plane(&self) -> usize {
        odd_lines(self.block_rows * self.block_columns * self.in_channels)
    }

    /// From one xi plane of M to the next.
    fn m_plane(&self) -> usize {
        odd_lines(self.block_rows * self.block_columns * self.product_stride)
    }

    fn patch_len(&self) -> usize {
        F::PATCH * F::PATCH * self.in_channels
    }

    pub(super) fn scratch_len(&self) -> usize {
        F::PATCH * F::PATCH * (self.v_plane() + self.m_plane()) + self.patch_len()
    }
}

/// Tile rows of a block, at most `most`, such that the threads finish together: the rows of the busiest thread, each of
/// them dearer by what reading U costs a block of so few tiles, are fewest. (No result depends on the choice.)
pub(super) fn balanced_rows(tile_rows: usize, tile_columns: usize, most: usize) -> usize {
    let threads = rayon::current_num_threads();
    let cost = |rows: usize| {
        let busiest = tile_rows.div_ceil(rows).div_ceil(threads) * rows;
        busiest as f64 * (1.0 + KERNEL_TILES / (rows * tile_columns) as f64)
    };
    (1..=most.max(1)).min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(1)
}

/// The next length of an odd number of cache lines: consecutive planes of that length fall on different sets of the
/// first-level cache, so that touching all of them at once drives none out.
pub(super) fn odd_lines(len: usize) -> usize {
    (len.div_ceil(16) | 1) * 16
}

/// One band of output rows.
pub(super) struct Task<'a, F> {
    conv: &'a PackedConv,
    extent: Extent,
    source: Source<'a>,
    band: Band<'a>,
    scratch: &'a mut [f32],
    layout: Layout<F>,
}

impl<'a, F: Transform> Task<'a, F> {
    pub(super) fn new(
        conv: &'a PackedConv,
        extent: Extent,
        source: Source<'a>,
        band: Band<'a>,
        scratch: &'a mut [f32],
    ) -> Self {
        Self { conv, extent, source, band, scratch, layout: Layout::new(extent, conv.padded_channels()) }
    }
}

impl<F: Transform> Kernel for Task<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { conv, extent, source, mut band, scratch, layout } = self;
        let elements = F::PATCH * F::PATCH;
        let (v_plane, m_plane) = (layout.v_plane(), layout.m_plane());
        let (v, rest) = scratch.split_at_mut(elements * v_plane);
        let (m, rest) = rest.split_at_mut(elements * m_plane);
        let patch = &mut rest[..layout.patch_len()];
        let u_plane = packed_len(conv.isa, conv.in_channels, conv.out_channels);
        let rows = band.rows.div_ceil(F::OUTPUT);
        for first_column in (0..layout.tile_columns).step_by(layout.block_columns) {
            let columns = layout.block_columns.min(layout.tile_columns - first_column);
            // With more than one row of tiles a block is as wide as the picture.
            let first_tile = if columns < layout.tile_columns { first_column } else { 0 };
            let tiles = Tiles { extent, source, first_row: band.first, columns: layout.tile_columns };
            let block = first_tile..first_tile + rows * columns;
            tiles.transform::<S, F>(simd, block.clone(), patch, v, v_plane);
            for xi in 0..elements {
                Product {
                    m: rows * columns,
                    k: conv.in_channels,
                    n: conv.out_channels,
                    a: &v[xi * v_plane..],
                    a_stride: conv.in_channels,
                    b: &conv.kernel[xi * u_plane..],
                    c: &mut m[xi * m_plane..],
                    c_stride: layout.product_stride,
                    accumulate: false,
                    ahead: [&[]; 2],
                }
                .run(simd);
            }
            let products = (&*m, layout.product_stride, m_plane);
            let all = 0..conv.out_channels;
            band.finish::<S, F>(simd, (block.clone(), layout.tile_columns), block.start, products, all);
        }
        band.close(simd);
    }
}

impl Band<'_> {
    /// The output transform of the tiles `tiles` of the band (`columns` of them in a row), for the channels `channels`.
    /// Element xi of tile t and channel c is in `products` at
    /// `xi * xi_stride + (t - first_tile) * tile_stride + c - channels.start`.
    #[inline(always)]
    pub(super) fn finish<S: Simd, F: Transform>(
        &mut self,
        simd: S,
        (tiles, columns): (Range<usize>, usize),
        first_tile: usize,
        (products, tile_stride, xi_stride): (&[f32], usize, usize),
        channels: Range<usize>,
    ) {
        let mut workspace = Workspace::new(simd);
        for tile in tiles {
            let (y, x) = (tile / columns * F::OUTPUT, tile % columns * F::OUTPUT);
            let products = &products[(tile - first_tile) * tile_stride..];
            let width = channels.len().min(self.channels - channels.start);
            assert!(products.len() >= (F::PATCH * F::PATCH - 1) * xi_stride + width, "all xi of the tile");
            for channel in (0..width).step_by(S::LANES) {
                let at = (y, x, channels.start + channel);
                self.prefetch(simd, (y, x + F::OUTPUT, at.2), (F::OUTPUT, F::OUTPUT));
                // SAFETY: channels come in whole vectors, so the last element read is below
                // (PATCH^2 - 1) * xi_stride + width.
                unsafe { workspace.output_columns::<S, F>(simd, products[channel..].as_ptr(), xi_stride) };
                // Two loops, so that the results of whole blocks stay in registers.
                if self.holds(at, (F::OUTPUT, F::OUTPUT)) {
                    for row in (0..F::OUTPUT).step_by(2) {
                        let rows = workspace.output_rows::<S, F>(simd, row);
                        self.put(simd, (y + row, x, at.2), (2, F::OUTPUT), rows);
                    }
                } else {
                    for row in (0..F::OUTPUT).step_by(2) {
                        let rows = workspace.output_rows::<S, F>(simd, row);
                        self.put_within(simd, (y + row, x, at.2), F::OUTPUT, rows);
                    }
                }
            }
        }
    }
}

/// The input tiles of a band.
#[derive(Clone, Copy)]
pub(super) struct Tiles<'a> {
    pub(super) extent: Extent,
    pub(super) source: Source<'a>,
    /// The band's first row of outputs.
    pub(super) first_row: usize,
    /// Tiles in a row.
    pub(super) columns: usize,
}

impl Tiles<'_> {
    /// The input transform of the band's tiles `tiles`, for all channels: element xi of tile t and channel c goes to `v`
    /// at `xi * xi_stride + (t - tiles.start) * channels + c`. `patch` is work memory of the length of one patch.
    #[inline(always)]
    pub(super) fn transform<S: Simd, F: Transform>(
        &self,
        simd: S,
        tiles: Range<usize>,
        patch: &mut [f32],
        v: &mut [f32],
        xi_stride: usize,
    ) {
        let Self { extent, source, first_row, columns } = *self;
        let channels = patch.len() / (F::PATCH * F::PATCH);
        let mut workspace = Workspace::new(simd);
        for (index, tile) in tiles.enumerate() {
            let (y, x) = (first_row + tile / columns * F::OUTPUT, tile % columns * F::OUTPUT);
            let inside =
                y > 0 && x > 0 && y + F::PATCH - 1 <= extent.height && x + F::PATCH - 1 <= extent.width;
            let (data, row_stride) = match source {
                // The patch's first position is (y - 1, x - 1).
                Source::Plain(data) if inside => {
                    (&data[((y - 1) * extent.width + x - 1) * channels..], extent.width * channels)
                }
                _ => {
                    for (position, out) in patch.chunks_exact_mut(channels).enumerate() {
                        let (row, column) = (position / F::PATCH, position % F::PATCH);
                        source.copy_shifted(simd, extent, y + row, x + column, out);
                    }
                    (&*patch, F::PATCH * channels)
                }
            };
            let out = &mut v[index * channels..];
            let side = F::PATCH - 1;
            assert!(data.len() >= side * row_stride + F::PATCH * channels, "the whole patch");
            assert!(out.len() >= (F::PATCH * F::PATCH - 1) * xi_stride + channels, "all xi of the tile");
            // Where this patch ends in each row, the new columns of the next one begin.
            let next = F::PATCH * channels;
            for channel in (0..channels).step_by(S::LANES) {
                if inside {
                    for row in 0..F::PATCH {
                        let row = data.as_ptr().wrapping_add(row * row_stride + next + channel);
                        for column in 0..F::OUTPUT {
                            simd.prefetch(row.wrapping_add(column * channels));
                        }
                    }
                }
                // SAFETY: channels come in whole vectors (`PackedConv::new`), so the last element read is below
                // side * row_stride + PATCH * channels and the last one written below (PATCH^2 - 1) * xi_stride + channels.
                unsafe {
                    let (from, to) = (data[channel..].as_ptr(), out[channel..].as_mut_ptr());
                    workspace.input::<S, F>(simd, from, row_stride, channels, to, xi_stride);
                }
            }
        }
    }
}
