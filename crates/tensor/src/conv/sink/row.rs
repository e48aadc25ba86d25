//! Rows of results on their way to memory: through the caches, or past them.

use crate::GRANULE;
use crate::simd::Simd;
use crate::winograd::MAX_SIDE;

/// Bytes of an output from which it is written past the caches: of a larger one, what reads it next finds little in the
/// caches anyway.
const UNCACHED_BYTES: usize = 24 << 20;

/// Whether an output is written past the caches: it is large, and begins at a cache line. Its channels come in [`GRANULE`]s,
/// a line each, so it can be written in whole lines.
pub(super) fn is_uncached(output: &[f32]) -> bool {
    size_of_val(output) >= UNCACHED_BYTES && output.as_ptr().addr().is_multiple_of(GRANULE * size_of::<f32>())
}

/// First halves of cache lines that wait for their second halves, so that a line is written past the caches as a whole.
///
/// Only instruction sets whose vector is half a line need them. The vectors of a row's first halves come in one call, those
/// of the second halves in a later one; other rows' come in between, but never those of more than `MAX_SIDE` rows.
pub(in crate::conv) struct Halves<V>([[V; MAX_SIDE]; MAX_SIDE]);

impl<V: Copy> Halves<V> {
    #[inline(always)]
    pub(in crate::conv) fn new<S: Simd<V = V>>(simd: S) -> Self {
        Self([[simd.splat(0.0); MAX_SIDE]; MAX_SIDE])
    }

    /// Those of row y of the layer.
    #[inline(always)]
    pub(super) fn row(&mut self, y: usize) -> &mut [V; MAX_SIDE] {
        &mut self.0[y % MAX_SIDE]
    }
}

/// Which channels a vector of results holds: `LANES` from `first`, of positions with `count`.
#[derive(Clone, Copy)]
pub(super) struct Channels {
    pub(super) first: usize,
    pub(super) count: usize,
}

/// Writes a row of results, a vector for each position: through the caches, or with `halves` past them.
#[inline(always)]
pub(super) fn write_row<S: Simd>(
    simd: S,
    to: &mut [f32],
    channels: Channels,
    row: &[S::V],
    halves: Option<&mut [S::V; MAX_SIDE]>,
) {
    match halves {
        None => store_row(simd, to, channels, row),
        Some(halves) if is_first_half::<S>(channels) => {
            for (half, &value) in halves.iter_mut().zip(row) {
                *half = value;
            }
        }
        Some(halves) => stream_row(simd, to, channels, row, halves),
    }
}

/// Whether vectors are half a cache line, and these channels are the first half of theirs.
#[inline(always)]
fn is_first_half<S: Simd>(channels: Channels) -> bool {
    S::LANES < GRANULE && channels.first.is_multiple_of(GRANULE)
}

/// Writes a row through the caches: position j's vector to `to[j * count + first..]`.
#[inline(always)]
fn store_row<S: Simd>(simd: S, to: &mut [f32], channels: Channels, row: &[S::V]) {
    let Some(last) = row.len().checked_sub(1) else { return };
    let to = &mut to[channels.first..];
    assert!(to.len() >= last * channels.count + S::LANES, "a row of the output");
    for (j, &value) in row.iter().enumerate() {
        // SAFETY: j is at most `last`, so the vector ends within the asserted length.
        unsafe { simd.store(to.as_mut_ptr().add(j * channels.count), value) }
    }
}

/// Writes a row of an output of [`is_uncached`] past the caches: position j's cache line that ends with the vector
/// `row[j]`. Where a vector is half a line, `halves[j]` is the first half.
#[inline(always)]
fn stream_row<S: Simd>(simd: S, to: &mut [f32], channels: Channels, row: &[S::V], halves: &[S::V; MAX_SIDE]) {
    let Some(last) = row.len().checked_sub(1) else { return };
    let line = channels.first / GRANULE * GRANULE;
    let to = &mut to[line..];
    assert!(to.len() >= last * channels.count + GRANULE, "a row of the output");
    for (j, (&half, &value)) in halves.iter().zip(row).enumerate() {
        // SAFETY: j is at most `last`, so the line ends within the asserted length. An uncached output begins at a line,
        // and `count` and `line` are multiples of a line, so the vectors are aligned.
        unsafe {
            let to = to.as_mut_ptr().add(j * channels.count);
            if S::LANES < GRANULE {
                simd.stream(to, half);
            }
            simd.stream(to.add(GRANULE - S::LANES), value);
        }
    }
}
