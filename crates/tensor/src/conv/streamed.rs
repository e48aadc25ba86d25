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
//!
//! How U is made, and so its bits, is a [`KernelTransform`]'s: in single precision, or in double precision with the bits that
//! [`super::winograd`] keeps.

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;

use super::kernel_transform::KernelTransform;
use super::method::Method;
use super::sink::{Part, Sink};
use super::tiling::Tiling;
use super::winograd::{odd_lines, tile, transform_inputs};
use super::{Conv, Source};
use crate::packed::{Product, packed_len};
use crate::simd::{Kernel, Simd};
use crate::winograd::Transform;
use crate::{Isa, Scratch};

/// The tiles of a block: with far fewer, making U would show.
const BLOCK_TILES: usize = 256;
/// The most tiles of a group: enough to fill the micro-kernel.
const GROUP_TILES: usize = 64;
/// The most columns of a stripe: every one of them uses a group's V while that is in the second-level cache.
const STRIPE: usize = 64;

/// Those of [`super::Algorithm`] that transform their kernel as they go.
pub(super) struct Streamed<F, U>(pub(super) PhantomData<(F, U)>);

impl<F: Transform, U: KernelTransform> Method for Streamed<F, U> {
    fn multiplications(&self) -> f64 {
        F::ELEMENTS as f64 / (F::OUTPUT * F::OUTPUT) as f64
    }

    fn tile_rows(&self) -> usize {
        F::OUTPUT
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
        Blocks::<F, U>::new(conv).scratch_len()
    }

    fn shared_len(&self, conv: &Conv) -> usize {
        Blocks::<F, U>::new(conv).shared_len()
    }

    fn run(&self, conv: &Conv, kernel: &[f32], source: Source<'_>, sink: Sink<'_>, scratch: &Scratch) {
        let blocks = &Blocks::<F, U>::new(conv);
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
                        let u = &mut u[..U::STRIPES * conv.in_channels * blocks.stripe];
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
struct Blocks<F, U> {
    tiling: Tiling,
    /// Groups in a block.
    groups: usize,
    in_channels: usize,
    /// Output channels in a stripe: whole panels.
    stripe: usize,
    stripes: usize,
    transform: PhantomData<(F, U)>,
}

impl<F: Transform, U: KernelTransform> Blocks<F, U> {
    fn new(conv: &Conv) -> Self {
        let tiling = Tiling::new(conv.section, tile::<F>(), GROUP_TILES);
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

    /// A task's patch, or its stripe of U and what that is made of.
    fn scratch_len(&self) -> usize {
        self.in_channels * F::ELEMENTS.max(U::STRIPES * self.stripe)
    }
}

/// Step 1 for a group.
struct Inputs<'a, F, U> {
    blocks: &'a Blocks<F, U>,
    source: Source<'a>,
    tiles: Range<usize>,
    patch: &'a mut [f32],
    v: &'a mut [f32],
}

impl<F: Transform, U: KernelTransform> Kernel for Inputs<'_, F, U> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { blocks, source, tiles, patch, v } = self;
        transform_inputs::<S, F>(simd, &blocks.tiling, source, tiles, patch, (v, blocks.v_plane()));
    }
}

/// Step 2 for a stripe.
struct Stripe<'a, F, U> {
    blocks: &'a Blocks<F, U>,
    /// The stripe's panels, 9 x C_in x PANEL numbers each.
    kernel: &'a [f32],
    v: &'a [f32],
    u: &'a mut [f32],
    m: &'a mut [f32],
}

impl<F: Transform, U: KernelTransform> Kernel for Stripe<'_, F, U> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { blocks, kernel, v, u, m } = self;
        let (v_plane, m_plane) = (blocks.v_plane(), blocks.m_plane());
        let (u, room) = u.split_at_mut(blocks.in_channels * blocks.stripe);
        let v_group = blocks.v_group();
        let groups = v.len() / v_group;
        for xi in 0..F::ELEMENTS {
            U::element::<S, F>(simd, xi, blocks.in_channels, kernel, (u, room));
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

/// Step 3 for a group.
struct Outputs<'a, 'b, F, U> {
    blocks: &'a Blocks<F, U>,
    groups: usize,
    group: usize,
    m: &'a [f32],
    part: &'a mut Part<'b>,
}

impl<F: Transform, U: KernelTransform> Kernel for Outputs<'_, '_, F, U> {
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
