//! Where a loss acts: its gradient added to what comes from deeper layers, and the ReLU's mask, in one pass.
//!
//! ```text
//! dL/dZ = (incoming + F D + sum_c w_c (F - P_c))  where F > 0, else 0
//! D     = sum_s w_s (G' - A'_s) / (N^2 M)
//! ```
//!
//! This is [`crate::ops::style`]'s and [`crate::ops::content`]'s gradient followed by [`crate::ops::relu`]'s, block of
//! positions by block of positions, so that F D never exists as a whole.

use impasto_tensor::conv::Extent;
use impasto_tensor::{PackedMatrix, Scratch};
use rayon::prelude::*;

/// Positions in one block.
pub(crate) const POSITIONS: usize = 96;
/// The most blocks in a task.
const BLOCKS: usize = 8;

/// A content term at a layer: weight and P, at the same positions as F.
pub(crate) type ContentTarget<'a> = (f32, &'a [f32]);

/// Numbers of work memory of one block.
pub(crate) fn scratch_len(padded_channels: usize) -> usize {
    POSITIONS * padded_channels
}

/// Adds the losses' gradients at a layer with responses `f` to `gradient`, and masks it.
pub(crate) fn add_and_mask(
    f: &[f32],
    channels: usize,
    style: Option<&PackedMatrix>,
    content: &[ContentTarget<'_>],
    gradient: &mut [f32],
    scratch: &Scratch,
) {
    let block = POSITIONS * channels;
    let products = style.map_or(0, |difference| scratch_len(difference.padded_columns()));
    // Several blocks in a task, so that the next one can come from memory while this one is computed.
    let task = block * (f.len() / block / (4 * rayon::current_num_threads())).clamp(1, BLOCKS);
    gradient.par_chunks_mut(task).zip(f.par_chunks(task)).enumerate().for_each(|(index, (gradient, f))| {
        let mut rest = gradient;
        for (number, now) in f.chunks(block).enumerate() {
            let (gradient, later) = rest.split_at_mut(now.len());
            let at = index * task + number * block;
            let content = content.iter().map(|&(weight, target)| (weight, &target[at..at + now.len()]));
            let ahead =
                [&f[number * block + now.len()..], &*later].map(|next| &next[..block.min(next.len())]);
            scratch.with(products, |products| {
                add_and_mask_block(now, channels, style, content, gradient, products, ahead);
            });
            rest = later;
        }
    });
}

/// As [`add_and_mask`] for at most [`POSITIONS`] positions, on the calling thread, with [`scratch_len`] numbers of work
/// memory. Meanwhile `ahead` comes from memory.
pub(crate) fn add_and_mask_block<'a>(
    f: &[f32],
    channels: usize,
    style: Option<&PackedMatrix>,
    content: impl Iterator<Item = ContentTarget<'a>>,
    gradient: &mut [f32],
    products: &mut [f32],
    ahead: [&[f32]; 2],
) {
    if let Some(difference) = style {
        let stride = difference.padded_columns();
        if stride == channels {
            difference.multiply(f, channels, gradient, true, ahead);
        } else {
            let products = &mut products[..f.len() / channels * stride];
            difference.multiply(f, channels, products, false, ahead);
            let rows = gradient.chunks_exact_mut(channels).zip(products.chunks_exact(stride));
            for (gradient, products) in rows {
                gradient.iter_mut().zip(products).for_each(|(g, &product)| *g += product);
            }
        }
    }
    for (weight, target) in content {
        for ((g, &f), &p) in gradient.iter_mut().zip(f).zip(target) {
            *g += weight * (f - p);
        }
    }
    mask_block(f, gradient);
}

/// Zero where F <= 0.
pub(crate) fn mask(f: &[f32], gradient: &mut [f32]) {
    const BLOCK: usize = 1 << 14;
    gradient.par_chunks_mut(BLOCK).zip(f.par_chunks(BLOCK)).for_each(|(gradient, f)| mask_block(f, gradient));
}

pub(crate) fn mask_block(f: &[f32], gradient: &mut [f32]) {
    for (g, &f) in gradient.iter_mut().zip(f) {
        *g = if f > 0.0 { *g } else { 0.0 };
    }
}

/// The gradient before a pooling and a ReLU from the gradient after the pooling, whole: the twin of
/// [`impasto_tensor::conv::Source::Unpooled`] for layers that also carry a loss.
pub(crate) fn unpool(
    extent: Extent,
    channels: usize,
    pooled: &[f32],
    mask: &[u8],
    share: f32,
    gradient: &mut [f32],
) {
    let (height, width) = (extent.height / 2, extent.width / 2);
    gradient.par_chunks_mut(extent.width * channels).enumerate().for_each(|(y, row)| {
        for (x, out) in row.chunks_exact_mut(channels).enumerate() {
            if y / 2 >= height || x / 2 >= width {
                out.fill(0.0);
                continue;
            }
            let pooled = &pooled[((y / 2) * width + x / 2) * channels..][..channels];
            let bits = &mask[(y * extent.width + x) * channels / 8..];
            for (channel, (out, &g)) in out.iter_mut().zip(pooled).enumerate() {
                let set = bits[channel / 8] >> (channel % 8) & 1 == 1;
                *out = if set { share * g } else { 0.0 };
            }
        }
    });
}
