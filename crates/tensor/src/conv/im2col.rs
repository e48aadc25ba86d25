//! im2col: a block of patches, packed one a row, times the packed kernel.

use super::method::Method;
use super::sink::{Halves, Part};
use super::tiling::Tiling;
use super::{Algorithm, Conv, Extent, PackedConv, Section, Sink, Source, run_tasks};
use crate::packed::{Product, pack, packed_len};
use crate::simd::{Kernel, Simd};
use crate::winograd::MAX_SIDE;
use crate::{Border, Isa, Scratch};

/// Rows of outputs in a tile: a row of pooling windows.
const TILE_ROWS: usize = 2;
/// Columns of outputs in a tile of two rows: 96 patches stay in the second-level cache for up to 512 channels.
const COLUMNS: usize = 48;
/// The most tiles in a run.
const RUN: usize = 32;

/// [`Algorithm::Im2col`].
pub(super) struct Im2col;

impl Method for Im2col {
    fn multiplications(&self) -> f64 {
        9.0
    }

    fn tile_rows(&self) -> usize {
        TILE_ROWS
    }

    fn needs_whole_inputs(&self) -> bool {
        false
    }

    fn packed_len(&self, isa: Isa, in_channels: usize, out_channels: usize) -> usize {
        packed_len(isa, 9 * in_channels, out_channels)
    }

    fn pack(&self, isa: Isa, kernel: &[f32], in_channels: usize, out_channels: usize, packed: &mut [f32]) {
        pack(isa, 9 * in_channels, out_channels, packed, |k, first, out| {
            out.copy_from_slice(&kernel[k * out_channels + first..][..out.len()]);
        });
    }

    /// A tile's patches and its products.
    fn scratch_len(&self, conv: &Conv) -> usize {
        tiling(conv.section).tile.positions() * (9 * conv.in_channels + conv.padded_out_channels())
    }

    fn run(&self, conv: &Conv, kernel: &[f32], source: Source<'_>, sink: Sink<'_>, scratch: &Scratch) {
        let parts = sink.parts(tiling(conv.section), conv.out_channels);
        run_tasks(parts, scratch, self.scratch_len(conv), |part, scratch| {
            conv.isa.dispatch(Task { conv, kernel, source, part, scratch });
        });
    }
}

/// Two rows of at most COLUMNS outputs a tile.
fn tiling(section: Section) -> Tiling {
    let width = COLUMNS.min(section.extent.width.next_multiple_of(2));
    Tiling::new(section, Extent { height: TILE_ROWS, width }, RUN)
}

/// One run of tiles.
struct Task<'a> {
    conv: &'a Conv,
    kernel: &'a [f32],
    source: Source<'a>,
    part: Part<'a>,
    scratch: &'a mut [f32],
}

impl Kernel for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { conv, kernel, source, mut part, scratch } = self;
        let extent = part.tiling.section.extent;
        let stride = conv.padded_out_channels();
        for tile in part.tiles.clone() {
            let (y, x) = part.tiling.corner(tile);
            let columns = part.tiling.tile.width.min((extent.width - x).next_multiple_of(2));
            let (patches, products) = scratch.split_at_mut(2 * columns * 9 * conv.in_channels);
            let products = &mut products[..2 * columns * stride];
            for channel in (0..part.channels).step_by(S::LANES) {
                part.prefetch(simd, (y, x, channel), (2, columns));
            }
            let rows = patches.chunks_exact_mut(columns * 9 * conv.in_channels);
            for (row, (patches, products)) in
                rows.zip(products.chunks_exact_mut(columns * stride)).enumerate()
            {
                Block { conv, kernel, source, at: (y + row, x), columns }.multiply(simd, patches, products);
            }
            finish(simd, &mut part, (y, x), columns, products, stride);
        }
        part.close(simd);
    }
}

/// Some positions of a row of outputs.
struct Block<'a> {
    conv: &'a Conv,
    kernel: &'a [f32],
    source: Source<'a>,
    /// The first position.
    at: (usize, usize),
    columns: usize,
}

impl Block<'_> {
    /// The products of the positions, without bias: row by row of the output channels in whole panels.
    #[inline(always)]
    fn multiply<S: Simd>(self, simd: S, patches: &mut [f32], products: &mut [f32]) {
        let Self { conv, kernel, source, at: (y, x), columns } = self;
        let channels = conv.in_channels;
        for (column, patch) in patches.chunks_exact_mut(9 * channels).enumerate() {
            pack_patch(simd, conv.section, source, (y, x + column), channels, patch);
        }
        Product {
            m: columns,
            k: 9 * channels,
            n: conv.out_channels,
            a: patches,
            a_stride: 9 * channels,
            b: kernel,
            c: products,
            c_stride: conv.padded_out_channels(),
            accumulate: false,
            prefetch: [&[]; 2],
        }
        .run(simd);
    }
}

/// Hands two rows of products to the sink, MAX_SIDE columns at a time.
#[inline(always)]
fn finish<S: Simd>(
    simd: S,
    part: &mut Part<'_>,
    (y, x): (usize, usize),
    columns: usize,
    products: &[f32],
    stride: usize,
) {
    let mut halves = Halves::new(simd);
    for first in (0..columns).step_by(MAX_SIDE) {
        for channel in (0..part.channels).step_by(S::LANES) {
            let at = (y, x + first, channel);
            let width = MAX_SIDE.min(columns - first);
            let products = &products[first * stride + channel..];
            // Whole blocks have a call of their own, in which the size is a constant: with a size that is not, the compiler
            // keeps the results in memory instead of registers.
            if width == MAX_SIDE && part.holds(at, (2, MAX_SIDE)) {
                let rows = two_rows(simd, products, stride, columns, MAX_SIDE);
                part.put(simd, at, (2, MAX_SIDE), rows, &mut halves);
            } else {
                let rows = two_rows(simd, products, stride, columns, width);
                part.put_within(simd, at, width, rows, &mut halves);
            }
        }
    }
}

/// The products of `width` positions of either row, for the `LANES` channels at the front.
#[inline(always)]
fn two_rows<S: Simd>(
    simd: S,
    products: &[f32],
    stride: usize,
    columns: usize,
    width: usize,
) -> [[S::V; MAX_SIDE]; 2] {
    let mut rows = [[simd.splat(0.0); MAX_SIDE]; 2];
    for (i, row) in rows.iter_mut().enumerate() {
        for (j, value) in row.iter_mut().enumerate().take(width) {
            *value = simd.read(&products[(i * columns + j) * stride..]);
        }
    }
    rows
}

/// Writes the 3x3 patch around (y, x): 9 C numbers, outside the picture what its border says.
#[inline(always)]
fn pack_patch<S: Simd>(
    simd: S,
    section: Section,
    source: Source<'_>,
    (y, x): (usize, usize),
    channels: usize,
    patch: &mut [f32],
) {
    let extent = section.extent;
    let inside = y > 0 && x > 0 && y + 1 < extent.height && x + 1 < extent.width;
    if let (Source::Plain(data) | Source::Bordered { input: data, .. }, true) = (source, inside) {
        let first = y - 1 - section.input_rows().start;
        for (ky, row) in patch.chunks_exact_mut(3 * channels).enumerate() {
            let at = ((first + ky) * extent.width + x - 1) * channels;
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
        source.copy_shifted(simd, section, (y + tap / 3, x + tap % 3), out);
    }
}

/// Consecutive positions of one row of a layer, and what their responses are made of.
#[derive(Debug, Clone, Copy)]
pub struct Positions<'a> {
    /// H x W of the layer.
    pub extent: Extent,
    /// The layer's input, H x W x C_in.
    pub input: &'a [f32],
    /// What is read beyond its edge.
    pub border: Border,
    /// b, one number an output channel.
    pub bias: &'a [f32],
    /// Row y and column x of the first position.
    pub at: (usize, usize),
}

/// F = max(0, Z + b) of some positions of one row.
struct Respond<'a> {
    conv: &'a Conv,
    kernel: &'a [f32],
    positions: Positions<'a>,
    response: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Kernel for Respond<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { conv, kernel, positions, response, scratch } = self;
        let Positions { input, border, bias, at: (y, x), .. } = positions;
        let source = Source::Bordered { input, border };
        let (channels, stride) = (conv.out_channels, conv.padded_out_channels());
        for (block, response) in response.chunks_mut(COLUMNS * channels).enumerate() {
            let columns = response.len() / channels;
            let (patches, products) = scratch.split_at_mut(columns * 9 * conv.in_channels);
            let at = (y, x + block * COLUMNS);
            Block { conv, kernel, source, at, columns }.multiply(simd, patches, products);
            for (response, products) in response.chunks_exact_mut(channels).zip(products.chunks_exact(stride))
            {
                for channel in (0..channels).step_by(S::LANES) {
                    let value = simd.add(simd.read(&products[channel..]), simd.read(&bias[channel..]));
                    simd.write(&mut response[channel..], simd.max(value, simd.splat(0.0)));
                }
            }
        }
    }
}

impl PackedConv {
    /// F = max(0, Z + b) of the positions (y, x), (y, x + 1), ...: as many as `response` holds, `out_channels` numbers
    /// each. On the calling thread, with [`Self::scratch_len`] numbers of scratch; the same bits as [`Self::run`].
    ///
    /// # Panics
    /// If the kernel is not packed for [`Algorithm::Im2col`], a length is not that of its documentation, or the
    /// positions are not all in row y.
    pub fn respond(&self, positions: Positions<'_>, response: &mut [f32], scratch: &mut [f32]) {
        let Positions { extent, input, bias, at: (y, x), .. } = positions;
        let conv = &self.at(extent);
        assert_eq!(conv.algorithm, Algorithm::Im2col, "a kernel packed for im2col");
        Source::Plain(input).check(conv.section, conv.in_channels);
        assert_eq!(bias.len(), conv.out_channels, "a bias for every channel");
        assert!(response.len().is_multiple_of(conv.out_channels), "whole positions");
        let count = response.len() / conv.out_channels;
        assert!(y < extent.height && x + count <= extent.width, "positions in one row");
        conv.isa.dispatch(Respond { conv, kernel: self.kernel(), positions, response, scratch });
    }
}
