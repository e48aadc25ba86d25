//! Winograd convolution that transforms its kernel as it goes.
//!
//! For layers with many channels the transformed kernel U is large: with 512 x 512 channels F(4x4) makes 38 MB of 9 MB,
//! for each direction, and every use reads all of it from memory. Here the plain kernel is kept, and U is made panel by
//! panel, when and where it is multiplied. For a block of some hundred tiles that is a few per cent of the products.
//!
//! ```text
//! 1. V[group][xi]        = (B^T d B)[xi]      parallel over groups of tiles
//! 2. U[xi]                = (G g G^T)[xi]     parallel over stripes of output channels, one xi at a time:
//!    M[stripe][group][xi] = V[group][xi] U    a group's V and the stripe's U stay in the second-level cache
//! 3. Y                   = A^T M A            parallel over groups of tiles, into the sink
//! ```

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;

use super::method::Method;
use super::sink::{Part, Sink};
use super::tiling::Tiling;
use super::winograd::{odd_lines, tile, transform_inputs};
use super::{Conv, Source};
use crate::packed::{DEPTH, Product, packed_len};
use crate::simd::{Kernel, Simd};
use crate::winograd::Transform;
use crate::{Isa, Scratch};

/// The tiles of a block: with far fewer, making U would show.
const BLOCK_TILES: usize = 256;
/// The most tiles of a group: enough to fill the micro-kernel.
const GROUP_TILES: usize = 64;
/// The most columns of a stripe: every one of them uses a group's V while that is in the second-level cache.
const STRIPE: usize = 64;

/// [`super::Algorithm::Streamed4`] and [`super::Algorithm::Streamed6`].
pub(super) struct Streamed<F>(pub(super) PhantomData<F>);

impl<F: Transform> Method for Streamed<F> {
    fn multiplications(&self) -> f64 {
        F::ELEMENTS as f64 / (F::OUTPUT * F::OUTPUT) as f64
    }

    fn packed_len(&self, isa: Isa, in_channels: usize, out_channels: usize) -> usize {
        packed_len(isa, 9 * in_channels, out_channels)
    }

    /// The plain kernel, panel of output channels by panel: [panel][tap][channel in][channel of the panel].
    fn pack(&self, isa: Isa, kernel: &[f32], in_channels: usize, out_channels: usize, packed: &mut [f32]) {
        let panel = isa.panel();
        packed.par_chunks_mut(9 * in_channels * panel).enumerate().for_each(|(index, packed)| {
            let first = index * panel;
            let width = panel.min(out_channels - first);
            for (row, out) in kernel.chunks_exact(out_channels).zip(packed.chunks_exact_mut(panel)) {
                out[..width].copy_from_slice(&row[first..first + width]);
            }
        });
    }

    fn scratch_len(&self, conv: &Conv) -> usize {
        Blocks::<F>::new(conv).scratch_len()
    }

    fn shared_len(&self, conv: &Conv) -> usize {
        Blocks::<F>::new(conv).shared_len()
    }

    fn run(&self, conv: &Conv, kernel: &[f32], source: Source<'_>, sink: Sink<'_>, scratch: &Scratch) {
        let blocks = &Blocks::<F>::new(conv);
        let (v_group, m_group) = (blocks.v_group(), blocks.m_group());
        let mut parts = sink.parts(blocks.tiling, conv.out_channels);
        scratch.with_shared(blocks.shared_len(), |shared| {
            for parts in parts.chunks_mut(blocks.groups) {
                let groups = parts.len();
                let (v, m) = shared.split_at_mut(groups * v_group);
                let m = &mut m[..blocks.stripes * groups * m_group];

                v.par_chunks_mut(v_group).zip(parts.par_iter()).for_each(|(v, part)| {
                    let tiles = part.tiles.clone();
                    scratch.with(blocks.scratch_len(), |patch| {
                        let patch = &mut patch[..F::ELEMENTS * conv.in_channels];
                        conv.isa.dispatch(Inputs { blocks, source, tiles, patch, v });
                    });
                });

                let v = &*v;
                let kernel = kernel.par_chunks(9 * conv.in_channels * blocks.stripe);
                m.par_chunks_mut(groups * m_group).zip(kernel).for_each(|(m, kernel)| {
                    scratch.with(blocks.scratch_len(), |u| {
                        let u = &mut u[..4 * conv.in_channels * blocks.stripe];
                        conv.isa.dispatch(Stripe { blocks, kernel, v, u, m });
                    });
                });

                let m = &*m;
                parts.par_iter_mut().enumerate().for_each(|(group, part)| {
                    conv.isa.dispatch(Outputs { blocks, groups, group, m, part });
                });
            }
        });
    }
}

/// How a layer is cut: into tiles, groups (the tiling's runs) and blocks of groups; its output channels into stripes.
struct Blocks<F> {
    tiling: Tiling,
    /// Groups in a block.
    groups: usize,
    in_channels: usize,
    /// Output channels in a stripe: whole panels.
    stripe: usize,
    stripes: usize,
    transform: PhantomData<F>,
}

impl<F: Transform> Blocks<F> {
    fn new(conv: &Conv) -> Self {
        let tiling = Tiling::new(conv.extent, tile::<F>(), GROUP_TILES);
        // Equal blocks, in each of which every thread has as many groups.
        let threads = rayon::current_num_threads();
        let each = tiling.runs().div_ceil(threads);
        let most = (BLOCK_TILES / (threads * tiling.run)).max(1);
        let groups = (threads * each.div_ceil(each.div_ceil(most))).min(tiling.runs());
        let panel = conv.isa.panel();
        let panels = conv.padded_out_channels() / panel;
        let widest = (STRIPE / panel).min(panels.div_ceil(threads)).max(1);
        let width = (1..=widest).rev().find(|&width| panels.is_multiple_of(width)).unwrap_or(1);
        let (stripe, stripes) = (width * panel, panels / width);
        Self { tiling, groups, in_channels: conv.in_channels, stripe, stripes, transform: PhantomData }
    }

    /// From one xi plane of a group's V to the next.
    fn v_plane(&self) -> usize {
        odd_lines(self.tiling.run * self.in_channels)
    }

    /// From one xi plane of a group's M, in one stripe, to the next.
    fn m_plane(&self) -> usize {
        odd_lines(self.tiling.run * self.stripe)
    }

    /// From one group's V to the next.
    fn v_group(&self) -> usize {
        F::ELEMENTS * self.v_plane()
    }

    /// From one group's M, in one stripe, to the next.
    fn m_group(&self) -> usize {
        F::ELEMENTS * self.m_plane()
    }

    /// V and M of a block.
    fn shared_len(&self) -> usize {
        self.groups * (self.v_group() + self.stripes * self.m_group())
    }

    /// A task's patch, or its stripe of U and of the three columns of G g.
    fn scratch_len(&self) -> usize {
        self.in_channels * F::ELEMENTS.max(4 * self.stripe)
    }
}

/// Step 1 for a group.
struct Inputs<'a, F> {
    blocks: &'a Blocks<F>,
    source: Source<'a>,
    tiles: Range<usize>,
    patch: &'a mut [f32],
    v: &'a mut [f32],
}

impl<F: Transform> Kernel for Inputs<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { blocks, source, tiles, patch, v } = self;
        transform_inputs::<S, F>(simd, &blocks.tiling, source, tiles, patch, (v, blocks.v_plane()));
    }
}

/// Step 2 for a stripe.
struct Stripe<'a, F> {
    blocks: &'a Blocks<F>,
    /// The stripe's panels, 9 x C_in x PANEL numbers each.
    kernel: &'a [f32],
    v: &'a [f32],
    u: &'a mut [f32],
    m: &'a mut [f32],
}

impl<F: Transform> Kernel for Stripe<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { blocks, kernel, v, u, m } = self;
        let (v_plane, m_plane) = (blocks.v_plane(), blocks.m_plane());
        let (u, columns) = u.split_at_mut(blocks.in_channels * blocks.stripe);
        let v_group = blocks.v_group();
        let groups = v.len() / v_group;
        for xi in 0..F::ELEMENTS {
            if xi % F::PATCH == 0 {
                kernel_columns(simd, F::KERNEL[xi / F::PATCH], blocks.in_channels, kernel, columns);
            }
            kernel_element(simd, F::KERNEL[xi % F::PATCH], blocks.in_channels, columns, u);
            for (group, m) in m.chunks_exact_mut(blocks.m_group()).enumerate() {
                let plane = |group, xi| &v[group * v_group + xi * v_plane..][..v_plane];
                // All V together are too large for the second-level cache.
                let next = match (group + 1 < groups, xi + 1 < F::ELEMENTS) {
                    (true, _) => plane(group + 1, xi),
                    (false, true) => plane(0, xi + 1),
                    (false, false) => &[],
                };
                Product {
                    m: blocks.tiling.run,
                    k: blocks.in_channels,
                    n: blocks.stripe,
                    a: plane(group, xi),
                    a_stride: blocks.in_channels,
                    b: u,
                    c: &mut m[xi * m_plane..],
                    c_stride: blocks.stripe,
                    accumulate: false,
                    prefetch: [next, &[]],
                }
                .run(simd);
            }
        }
    }
}

/// The three columns of a row of G g: sum over ky of G[i][ky] g[ky][kx], for every pair of channels of a stripe.
/// `kernel` is [panel][ky][kx][pair], `columns` [panel][kx][pair].
#[inline(always)]
fn kernel_columns<S: Simd>(
    simd: S,
    weights: [f64; 3],
    in_channels: usize,
    kernel: &[f32],
    columns: &mut [f32],
) {
    let weights =
        [simd.splat(weights[0] as f32), simd.splat(weights[1] as f32), simd.splat(weights[2] as f32)];
    let row = 3 * in_channels * S::PANEL;
    for (kernel, columns) in kernel.chunks_exact(3 * row).zip(columns.chunks_exact_mut(row)) {
        for at in (0..row).step_by(S::LANES) {
            let mut sum = simd.mul(weights[0], simd.read(&kernel[at..]));
            sum = simd.mul_add(weights[1], simd.read(&kernel[row + at..]), sum);
            sum = simd.mul_add(weights[2], simd.read(&kernel[2 * row + at..]), sum);
            simd.write(&mut columns[at..], sum);
        }
    }
}

/// U[xi] of a stripe, packed as [`Product`] reads it: sum over kx of G[j][kx] times the columns of [`kernel_columns`].
#[inline(always)]
fn kernel_element<S: Simd>(simd: S, weights: [f64; 3], in_channels: usize, columns: &[f32], u: &mut [f32]) {
    let weights =
        [simd.splat(weights[0] as f32), simd.splat(weights[1] as f32), simd.splat(weights[2] as f32)];
    let (panel, stripe) = (in_channels * S::PANEL, u.len() / in_channels);
    for (first, columns) in columns.chunks_exact(3 * panel).enumerate() {
        for block in (0..in_channels).step_by(DEPTH) {
            let depth = DEPTH.min(in_channels - block);
            let columns = &columns[block * S::PANEL..];
            let out = &mut u[block * stripe + first * S::PANEL * depth..][..depth * S::PANEL];
            for at in (0..depth * S::PANEL).step_by(S::LANES) {
                let mut sum = simd.mul(weights[0], simd.read(&columns[at..]));
                sum = simd.mul_add(weights[1], simd.read(&columns[panel + at..]), sum);
                sum = simd.mul_add(weights[2], simd.read(&columns[2 * panel + at..]), sum);
                simd.write(&mut out[at..], sum);
            }
        }
    }
}

/// Step 3 for a group.
struct Outputs<'a, 'b, F> {
    blocks: &'a Blocks<F>,
    groups: usize,
    group: usize,
    m: &'a [f32],
    part: &'a mut Part<'b>,
}

impl<F: Transform> Kernel for Outputs<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { blocks, groups, group, m, part } = self;
        let m_group = blocks.m_group();
        for (stripe, m) in m.chunks_exact(groups * m_group).enumerate() {
            let products = &m[group * m_group..][..m_group];
            let channels = stripe * blocks.stripe..(stripe + 1) * blocks.stripe;
            part.finish::<S, F>(simd, (products, blocks.stripe, blocks.m_plane()), channels);
        }
        part.close(simd);
    }
}
