//! What becomes of a convolution's results: the last step of the layer, done while a block of them is in registers.

use std::ops::Range;

use super::tiling::{Rows, Tiling};
use super::{Extent, GRANULE, mask_len};
use crate::prefetch::prefetch_row;
use crate::simd::{Access, Simd};
use crate::winograd::MAX_SIDE;

/// Bytes of an output from which it is written past the caches: what reads it next would find little of it there anyway.
const UNCACHED_BYTES: usize = 24 << 20;

/// Which 2x2 pooling a sink does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolKind {
    /// The mean of the four.
    Average,
    /// The largest of the four.
    Max,
}

/// Where the results of a convolution go, and what is done to them on the way.
#[derive(Debug)]
pub enum Sink<'a> {
    /// Forward: F = max(0, Z + b), and whatever of the layer is wanted.
    Response {
        /// b, one number a channel.
        bias: &'a [f32],
        /// F, H x W x C.
        response: Option<&'a mut [f32]>,
        /// F pooled, floor(H/2) x floor(W/2) x C.
        pooled: Option<(PoolKind, &'a mut [f32])>,
        /// H x W x C bits: where F > 0. With maximum pooling only where F is also the (first) largest of its window.
        mask: Option<&'a mut [u8]>,
    },
    /// Backward: the gradient with respect to the input, multiplied by the mask of the layer that made that input.
    Gradient {
        /// H x W x C.
        gradient: &'a mut [f32],
        /// H x W x C bits; none where the layer before has no ReLU or its mask is applied later.
        mask: Option<&'a [u8]>,
    },
}

impl<'a> Sink<'a> {
    /// Panics unless the slices have the lengths of an H x W x C output.
    pub(super) fn check(&self, extent: Extent, channels: usize) {
        assert!(channels.is_multiple_of(GRANULE), "channels in whole vectors");
        let len = extent.positions() * channels;
        match self {
            Self::Response { bias, response, pooled, mask } => {
                assert_eq!(bias.len(), channels, "a bias for every channel");
                assert!(response.as_ref().is_none_or(|data| data.len() == len), "a response of H x W x C");
                let pooled_len = (extent.height / 2) * (extent.width / 2) * channels;
                assert!(
                    pooled.as_ref().is_none_or(|(_, data)| data.len() == pooled_len),
                    "pooled H/2 x W/2 x C"
                );
                let bits = mask_len(extent, channels);
                assert!(mask.as_ref().is_none_or(|mask| mask.len() == bits), "a mask of H x W x C bits");
            }
            Self::Gradient { gradient, mask } => {
                assert_eq!(gradient.len(), len, "a gradient of H x W x C");
                let bits = mask_len(extent, channels);
                assert!(mask.is_none_or(|mask| mask.len() == bits), "a mask of H x W x C bits");
            }
        }
    }

    /// Cuts the sink into the parts of a tiling's runs, each of which one task can fill.
    pub(super) fn parts(self, tiling: Tiling, channels: usize) -> Vec<Part<'a>> {
        let uncached = match &self {
            Self::Response { response, .. } => {
                response.as_ref().is_some_and(|response| is_uncached(response))
            }
            Self::Gradient { gradient, .. } => is_uncached(gradient),
        };
        let outputs: Vec<Outputs<'a>> = match self {
            Self::Response { bias, response, pooled, mask } => {
                let (kind, pooled) = pooled.unzip();
                let mut responses = cut(response, &tiling, 0, channels);
                let mut pooleds = cut(pooled, &tiling, 1, channels);
                let mut masks = cut(mask, &tiling, 0, channels / 8);
                (0..tiling.runs())
                    .map(|_| Outputs::Response {
                        bias,
                        response: responses.next().flatten(),
                        pooled: kind.zip(pooleds.next().flatten()),
                        mask: masks.next().flatten(),
                    })
                    .collect()
            }
            Self::Gradient { gradient, mask } => Rows::cut(gradient, &tiling, 0, channels)
                .into_iter()
                .map(|gradient| Outputs::Gradient { gradient, mask })
                .collect(),
        };
        let part = |(run, outputs): (usize, _)| {
            let tiles = run * tiling.run..((run + 1) * tiling.run).min(tiling.tiles());
            Part { tiling, tiles, channels, outputs, uncached }
        };
        outputs.into_iter().enumerate().map(part).collect()
    }
}

/// Whether an output is large, and its lines can be written whole: channels come in [`GRANULE`]s, a line each.
fn is_uncached(output: &[f32]) -> bool {
    size_of_val(output) >= UNCACHED_BYTES && output.as_ptr().addr().is_multiple_of(GRANULE * size_of::<f32>())
}

/// The rows of each run; nothing of nothing.
fn cut<'a, T>(
    data: Option<&'a mut [T]>,
    tiling: &Tiling,
    level: u32,
    depth: usize,
) -> impl Iterator<Item = Option<Rows<'a, T>>> {
    data.map(|data| Rows::cut(data, tiling, level, depth)).into_iter().flatten().map(Some)
}

/// What belongs to a run of tiles of a sink.
pub(super) struct Part<'a> {
    pub(super) tiling: Tiling,
    pub(super) tiles: Range<usize>,
    pub(super) channels: usize,
    outputs: Outputs<'a>,
    /// Whether F or the gradient is written past the caches.
    uncached: bool,
}

/// For instruction sets of which a vector is half a cache line: results that wait for the other half, so that the line is
/// written past the caches at once.
pub(super) struct Halves<V>([[V; MAX_SIDE]; MAX_SIDE]);

impl<V: Copy> Halves<V> {
    #[inline(always)]
    pub(super) fn new<S: Simd<V = V>>(simd: S) -> Self {
        Self([[simd.splat(0.0); MAX_SIDE]; MAX_SIDE])
    }

    /// Those of row y of the layer: no more than MAX_SIDE rows wait at once.
    #[inline(always)]
    fn row(&mut self, y: usize) -> &mut [V; MAX_SIDE] {
        &mut self.0[y % MAX_SIDE]
    }
}

enum Outputs<'a> {
    Response {
        bias: &'a [f32],
        response: Option<Rows<'a, f32>>,
        pooled: Option<(PoolKind, Rows<'a, f32>)>,
        mask: Option<Rows<'a, u8>>,
    },
    Gradient {
        gradient: Rows<'a, f32>,
        /// The whole layer's.
        mask: Option<&'a [u8]>,
    },
}

impl Part<'_> {
    /// Whether the `height` x `width` block at (y, x) is in the layer as a whole.
    #[inline(always)]
    pub(super) fn holds(&self, (y, x, _): (usize, usize, usize), (height, width): (usize, usize)) -> bool {
        y + height <= self.tiling.extent.height && x + width <= self.tiling.extent.width
    }

    /// As [`Self::put`] with two rows of `side` results, of which what lies beyond the layer is passed over.
    #[inline(always)]
    pub(super) fn put_within<S: Simd>(
        &mut self,
        simd: S,
        (y, x, channel): (usize, usize, usize),
        side: usize,
        rows: [[S::V; MAX_SIDE]; 2],
        halves: &mut Halves<S::V>,
    ) {
        let Extent { height, width } = self.tiling.extent;
        let size = (2.min(height.saturating_sub(y)), side.min(width - x));
        self.put(simd, (y, x, channel), size, rows, halves);
    }

    /// Prefetches the lines of a `height` x `width` block's outputs, which will be written soon.
    #[inline(always)]
    pub(super) fn prefetch<S: Simd>(
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
    pub(super) fn close<S: Simd>(&self, simd: S) {
        if self.uncached {
            simd.fence();
        }
    }

    /// Takes `height` x `width` results (at most 2 x MAX_SIDE) whose corner is (y, x), both even, for `LANES`
    /// channels from `channel`.
    #[inline(always)]
    pub(super) fn put<S: Simd>(
        &mut self,
        simd: S,
        (y, x, channel): (usize, usize, usize),
        (height, width): (usize, usize),
        mut rows: [[S::V; MAX_SIDE]; 2],
        halves: &mut Halves<S::V>,
    ) {
        let (channels, uncached) = (self.channels, self.uncached && S::STREAMS);
        let row_of_mask = self.tiling.extent.width * channels / 8;
        match &mut self.outputs {
            Outputs::Gradient { gradient, mask } => {
                for (i, &row) in rows.iter().enumerate().take(height) {
                    let mut kept = row;
                    if let Some(mask) = mask {
                        let bits = &mask[(y + i) * row_of_mask + (x * channels + channel) / 8..];
                        // Not in place: the compiler makes that a masked store, which AVX2 does lane by lane.
                        kept = [simd.splat(0.0); MAX_SIDE];
                        for (j, (kept, &value)) in kept.iter_mut().zip(&row).enumerate().take(width) {
                            *kept = simd.keep(value, simd.read_bits(&bits[j * (channels / 8)..]));
                        }
                    }
                    let past = uncached.then_some(halves.row(y + i));
                    write_row(simd, gradient.from((y + i, x)), (channels, channel), &kept[..width], past);
                }
            }
            Outputs::Response { bias, response, pooled, mask } => {
                let bias = simd.read(&bias[channel..]);
                let zero = simd.splat(0.0);
                for row in rows.iter_mut().take(height) {
                    for value in row.iter_mut().take(width) {
                        *value = simd.max(simd.add(*value, bias), zero);
                    }
                }
                if let Some(response) = response {
                    for (i, row) in rows.iter().enumerate().take(height) {
                        let past = uncached.then_some(halves.row(y + i));
                        write_row(simd, response.from((y + i, x)), (channels, channel), &row[..width], past);
                    }
                }
                let mut route = [[u16::MAX; MAX_SIDE]; 2];
                if let Some((kind, pooled)) = pooled.as_mut().filter(|_| height == 2 && width >= 2) {
                    let mut means = [zero; MAX_SIDE / 2];
                    for j in (0..width & !1).step_by(2) {
                        let window = [rows[0][j], rows[0][j + 1], rows[1][j], rows[1][j + 1]];
                        means[j / 2] = match kind {
                            PoolKind::Average => average(simd, window),
                            PoolKind::Max => {
                                let (value, bits) = maximum(simd, window);
                                [route[0][j], route[0][j + 1], route[1][j], route[1][j + 1]] = bits;
                                value
                            }
                        };
                    }
                    let pooled = pooled.from((y / 2, x / 2));
                    write_row(simd, pooled, (channels, channel), &means[..width / 2], None);
                }
                if let Some(mask) = mask {
                    for (i, (row, route)) in rows.iter().zip(&route).enumerate().take(height) {
                        let bits = &mut mask.from((y + i, x))[channel / 8..];
                        for (j, &value) in row.iter().enumerate().take(width) {
                            let bits = &mut bits[j * (channels / 8)..];
                            simd.write_bits(bits, simd.positive(value) & route[j]);
                        }
                    }
                }
            }
        }
    }
}

/// Writes the `LANES` channels from `channel` of positions of `channels` numbers; with `past` past the caches, see
/// [`stream_row`].
#[inline(always)]
fn write_row<S: Simd>(
    simd: S,
    to: &mut [f32],
    (channels, channel): (usize, usize),
    row: &[S::V],
    past: Option<&mut [S::V; MAX_SIDE]>,
) {
    if let Some(firsts) = past {
        return stream_row(simd, to, (channels, channel), row, firsts);
    }
    let Some(last) = row.len().checked_sub(1) else { return };
    let to = &mut to[channel..];
    assert!(to.len() >= last * channels + S::LANES, "a row of the output");
    for (j, &value) in row.iter().enumerate() {
        // SAFETY: j is at most `last`, so the vector ends within the asserted length.
        unsafe { simd.store(to.as_mut_ptr().add(j * channels), value) }
    }
}

/// [`write_row`] for an output of [`is_uncached`], past the caches, whole lines only: vectors that are the first half of
/// their lines wait in `firsts` until the second halves come.
#[inline(always)]
fn stream_row<S: Simd>(
    simd: S,
    to: &mut [f32],
    (channels, channel): (usize, usize),
    row: &[S::V],
    firsts: &mut [S::V; MAX_SIDE],
) {
    let line = channel / GRANULE * GRANULE;
    if S::LANES < GRANULE && channel == line {
        for (first, &value) in firsts.iter_mut().zip(row) {
            *first = value;
        }
        return;
    }
    let Some(last) = row.len().checked_sub(1) else { return };
    let to = &mut to[line..];
    assert!(to.len() >= last * channels + GRANULE, "a row of the output");
    for (j, (&first, &value)) in firsts.iter().zip(row).enumerate() {
        // SAFETY: j is at most `last`, so the line ends within the asserted length. An uncached output begins at a line,
        // and `channels` and `line` are multiples of a line, so the vectors are aligned.
        unsafe {
            let to = to.as_mut_ptr().add(j * channels);
            if S::LANES < GRANULE {
                simd.stream(to, first);
            }
            simd.stream(to.add(GRANULE - S::LANES), value);
        }
    }
}

#[inline(always)]
fn average<S: Simd>(simd: S, [a, b, c, d]: [S::V; 4]) -> S::V {
    simd.mul(simd.splat(0.25), simd.add(simd.add(a, b), simd.add(c, d)))
}

/// The largest of four, and for each of them the lanes in which it is that one, the first among equals.
#[inline(always)]
fn maximum<S: Simd>(simd: S, window: [S::V; 4]) -> (S::V, [u16; 4]) {
    let mut best = window[0];
    let mut bits = [u16::MAX, 0, 0, 0];
    for (index, &candidate) in window.iter().enumerate().skip(1) {
        let larger = simd.positive(simd.sub(candidate, best));
        bits[..index].iter_mut().for_each(|earlier| *earlier &= !larger);
        bits[index] = larger;
        best = simd.max(best, candidate);
    }
    (best, bits)
}
