//! Winograd convolution of a run of tiles:
//!
//! ```text
//! V[xi] = (B^T d B)[xi] of every tile          tiles x C_in,   written by the input transform
//! M[xi] = V[xi] U[xi]                          tiles x C_out,  one matrix product for each xi
//! Y     = A^T M A of every tile                handed to the sink, m x m outputs at a time
//! ```
//!
//! A run's V and M stay in the second- and third-level caches, and share their place there: M[xi] is written where
//! V[xi - 1] was, which has been used by then. Their planes are spaced so that the (m + 2)^2 places that a transform touches
//! at once fall on different lines of the first-level cache.

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;

use super::kernel_transform::double_sums;
use super::method::Method;
use super::sink::{Halves, Part};
use super::tiling::Tiling;
use super::{Conv, Extent, GRANULE, Section, Sink, Source, run_tasks};
use crate::packed::{Product, packed_len, pieces};
use crate::prefetch::prefetch_row;
use crate::simd::{Access, Kernel, Simd};
use crate::winograd::{Transform, TransformScratch};
use crate::{Isa, Scratch};

/// The most tiles of a run: with far fewer, reading U takes longer than multiplying with it.
const RUN_TILES: usize = 36;

/// So many elements of U are made of one reading of the kernel.
const ELEMENTS_AT_ONCE: usize = 4;

/// [`super::Algorithm::Winograd4`] and [`super::Algorithm::Winograd6`].
pub(super) struct Winograd<F>(pub(super) PhantomData<F>);

impl<F: Transform> Method for Winograd<F> {
    fn multiplications(&self) -> f64 {
        F::ELEMENTS as f64 / (F::OUTPUT * F::OUTPUT) as f64
    }

    fn tile_rows(&self) -> usize {
        F::OUTPUT
    }

    fn packed_len(&self, isa: Isa, in_channels: usize, out_channels: usize) -> usize {
        F::ELEMENTS * packed_len(isa, in_channels, out_channels)
    }

    /// U = G g G^T for every pair of channels, packed element by element: [xi][packed `in_channels` x `out_channels`].
    fn pack(&self, isa: Isa, kernel: &[f32], in_channels: usize, out_channels: usize, packed: &mut [f32]) {
        let plane = packed_len(isa, in_channels, out_channels);
        packed.par_chunks_mut(ELEMENTS_AT_ONCE * plane).enumerate().for_each(|(task, packed)| {
            let xi = |plane: usize| task * ELEMENTS_AT_ONCE + plane;
            let taps = |plane| F::kernel_element(xi(plane) / F::PATCH, xi(plane) % F::PATCH);
            let planes = packed.chunks_exact_mut(plane).enumerate();
            let planes: Vec<_> = planes.map(|(plane, packed)| (taps(plane), packed)).collect();
            isa.dispatch(PackElements { kernel, in_channels, out_channels, planes });
        });
    }

    fn scratch_len(&self, conv: &Conv) -> usize {
        Planes::<F>::new(conv).scratch_len()
    }

    fn run(&self, conv: &Conv, kernel: &[f32], source: Source<'_>, sink: Sink<'_>, scratch: &Scratch) {
        let planes = &Planes::<F>::new(conv);
        let parts = sink.parts(planes.tiling, conv.out_channels);
        run_tasks(parts, scratch, planes.scratch_len(), |part, scratch| {
            conv.isa.dispatch(Task { conv, kernel, planes, source, part, scratch });
        });
    }
}

/// Some elements of U for every pair of channels: what is read of the kernel is there for all of them.
struct PackElements<'a> {
    kernel: &'a [f32],
    in_channels: usize,
    out_channels: usize,
    planes: Vec<([f64; 9], &'a mut [f32])>,
}

impl Kernel for PackElements<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { kernel, in_channels, out_channels, mut planes } = self;
        let tap_stride = in_channels * out_channels;
        for (input, first, place) in pieces(S::PANEL, in_channels, out_channels) {
            let kernel = &kernel[input * out_channels + first..];
            let width = S::PANEL.min(out_channels - first);
            for (taps, packed) in &mut planes {
                let out = &mut packed[place..place + S::PANEL];
                for at in (0..width).step_by(S::LANES) {
                    let (out, kernel) = (&mut out[at..], &kernel[at..]);
                    // A length that is a constant leaves the sums in registers.
                    if at + S::LANES <= width {
                        double_sums(taps, kernel, tap_stride, &mut out[..S::LANES]);
                    } else {
                        double_sums(taps, kernel, tap_stride, &mut out[..width - at]);
                    }
                }
                out[width..].fill(0.0);
            }
        }
    }
}

/// How a layer is cut into runs, and where in a run's scratch its V and M are: V[xi] in plane xi + 1, M[xi] in plane xi.
struct Planes<F> {
    tiling: Tiling,
    in_channels: usize,
    product_stride: usize,
    transform: PhantomData<F>,
}

impl<F: Transform> Planes<F> {
    fn new(conv: &Conv) -> Self {
        Self {
            tiling: Tiling::new(conv.section, tile::<F>(), RUN_TILES),
            in_channels: conv.in_channels,
            product_stride: conv.padded_out_channels(),
            transform: PhantomData,
        }
    }

    /// From one xi plane of V or M to the next.
    fn plane(&self) -> usize {
        odd_lines(self.tiling.run * self.in_channels.max(self.product_stride))
    }

    fn patch_len(&self) -> usize {
        F::ELEMENTS * self.in_channels
    }

    fn scratch_len(&self) -> usize {
        (F::ELEMENTS + 1) * self.plane() + self.patch_len()
    }
}

/// The outputs of a tile.
pub(super) const fn tile<F: Transform>() -> Extent {
    Extent { height: F::OUTPUT, width: F::OUTPUT }
}

/// The next length of an odd number of cache lines: consecutive planes of that length fall on different sets of the
/// first-level cache, so that touching all of them at once drives none out.
pub(super) fn odd_lines(len: usize) -> usize {
    (len.div_ceil(GRANULE) | 1) * GRANULE
}

/// One run of tiles.
struct Task<'a, F> {
    conv: &'a Conv,
    kernel: &'a [f32],
    planes: &'a Planes<F>,
    source: Source<'a>,
    part: Part<'a>,
    scratch: &'a mut [f32],
}

impl<F: Transform> Kernel for Task<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { conv, kernel, planes, source, mut part, scratch } = self;
        let plane = planes.plane();
        let (v_and_m, rest) = scratch.split_at_mut((F::ELEMENTS + 1) * plane);
        let patch = &mut rest[..planes.patch_len()];
        let u_plane = packed_len(conv.isa, conv.in_channels, conv.out_channels);
        let tiles = part.tiles.clone();
        let v = (&mut v_and_m[plane..], plane);
        transform_inputs::<S, F>(simd, &planes.tiling, source, tiles.clone(), patch, v);
        for xi in 0..F::ELEMENTS {
            let (m, v) = v_and_m.split_at_mut((xi + 1) * plane);
            Product {
                m: tiles.len(),
                k: conv.in_channels,
                n: conv.out_channels,
                a: v,
                a_stride: conv.in_channels,
                b: &kernel[xi * u_plane..],
                c: &mut m[xi * plane..],
                c_stride: planes.product_stride,
                accumulate: false,
                prefetch: [&[]; 2],
            }
            .run(simd);
        }
        part.finish::<S, F>(simd, (v_and_m, planes.product_stride, plane), 0..conv.out_channels);
        part.close(simd);
    }
}

impl Part<'_> {
    /// The output transform of the run's tiles, for the channels `channels`. Element xi of the run's tile t and channel c
    /// is in `products` at `xi * xi_stride + t * tile_stride + c - channels.start`.
    #[inline(always)]
    pub(super) fn finish<S: Simd, F: Transform>(
        &mut self,
        simd: S,
        (products, tile_stride, xi_stride): (&[f32], usize, usize),
        channels: Range<usize>,
    ) {
        let mut transform = TransformScratch::new(simd);
        let mut halves = Halves::new(simd);
        for (index, tile) in self.tiles.clone().enumerate() {
            let (y, x) = self.tiling.corner(tile);
            let products = &products[index * tile_stride..];
            let width = channels.len().min(self.channels - channels.start);
            assert!(products.len() >= (F::ELEMENTS - 1) * xi_stride + width, "all xi of the tile");
            for channel in (0..width).step_by(S::LANES) {
                let at = (y, x, channels.start + channel);
                self.prefetch(simd, (y, x + F::OUTPUT, at.2), (F::OUTPUT, F::OUTPUT));
                // SAFETY: channels come in whole vectors, so the last element read is below
                // (PATCH^2 - 1) * xi_stride + width.
                unsafe { transform.output_columns::<S, F>(simd, products[channel..].as_ptr(), xi_stride) };
                // Whole blocks have a loop of their own, in which their size is a constant: with a size that is not, the
                // compiler keeps the results in memory instead of registers.
                if self.holds(at, (F::OUTPUT, F::OUTPUT)) {
                    for row in (0..F::OUTPUT).step_by(2) {
                        let rows = transform.output_rows::<S, F>(simd, row);
                        self.put(simd, (y + row, x, at.2), (2, F::OUTPUT), rows, &mut halves);
                    }
                } else {
                    for row in (0..F::OUTPUT).step_by(2) {
                        let rows = transform.output_rows::<S, F>(simd, row);
                        self.put_within(simd, (y + row, x, at.2), F::OUTPUT, rows, &mut halves);
                    }
                }
            }
        }
    }
}

/// The input transform of the tiles `tiles`, for all channels: element xi of tile t and channel c goes to `v` at
/// `xi * xi_stride + (t - tiles.start) * channels + c`. `patch` is scratch of the length of one patch.
#[inline(always)]
pub(super) fn transform_inputs<S: Simd, F: Transform>(
    simd: S,
    tiling: &Tiling,
    source: Source<'_>,
    tiles: Range<usize>,
    patch: &mut [f32],
    (v, xi_stride): (&mut [f32], usize),
) {
    let Section { extent, .. } = tiling.section;
    let first = tiling.section.input_rows().start;
    let channels = patch.len() / F::ELEMENTS;
    let mut transform = TransformScratch::new(simd);
    for (index, tile) in tiles.enumerate() {
        let (y, x) = tiling.corner(tile);
        let inside = y > 0 && x > 0 && y + F::PATCH - 1 <= extent.height && x + F::PATCH - 1 <= extent.width;
        let (data, row_stride) = match source {
            // The patch's first position is (y - 1, x - 1).
            Source::Plain(data) | Source::Bordered { input: data, .. } if inside => {
                (&data[((y - 1 - first) * extent.width + x - 1) * channels..], extent.width * channels)
            }
            _ => {
                for (position, out) in patch.chunks_exact_mut(channels).enumerate() {
                    let (row, column) = (position / F::PATCH, position % F::PATCH);
                    source.copy_shifted(simd, tiling.section, (y + row, x + column), out);
                }
                (&*patch, F::PATCH * channels)
            }
        };
        let out = &mut v[index * channels..];
        let side = F::PATCH - 1;
        assert!(data.len() >= side * row_stride + F::PATCH * channels, "the whole patch");
        assert!(out.len() >= (F::ELEMENTS - 1) * xi_stride + channels, "all xi of the tile");
        // Where this patch ends in each row, the new columns of the next one begin.
        let next = F::PATCH * channels;
        for channel in (0..channels).step_by(S::LANES) {
            if inside {
                for row in 0..F::PATCH {
                    let row = data.as_ptr().wrapping_add(row * row_stride + next + channel);
                    prefetch_row(simd, Access::Read, row, F::OUTPUT, channels);
                }
            }
            // SAFETY: channels come in whole vectors (`PackedConv::new`), so the last element read is below
            // side * row_stride + PATCH * channels and the last one written below (PATCH^2 - 1) * xi_stride + channels.
            unsafe {
                let (from, to) = (data[channel..].as_ptr(), out[channel..].as_mut_ptr());
                transform.input::<S, F>(simd, from, [row_stride, channels], to, xi_stride);
            }
        }
    }
}
