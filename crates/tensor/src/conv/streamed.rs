//! Winograd convolution that transforms its kernel as it goes.
//!
//! For layers with many channels the transformed kernel U is large: with 512 x 512 channels F(4x4) makes 38 MB of 9 MB,
//! for each direction, and every use reads all of it from memory. Here the plain kernel is kept, and U is made panel by
//! panel, when and where it is multiplied. For a block of some hundred tiles that is a few per cent of the products.
//!
//! ```text
//! 1. V[group][xi]        = (B^T d B)[xi]      parallel over groups of tile rows
//! 2. U[xi]                = (G g G^T)[xi]     parallel over stripes of output channels, one xi at a time:
//!    M[stripe][group][xi] = V[group][xi] U    a group's V and the stripe's U stay in the second-level cache
//! 3. Y                   = A^T M A            parallel over groups of tile rows, into the sink
//! ```

use std::marker::PhantomData;

use rayon::prelude::*;

use super::winograd::{Tiles, balanced_rows, odd_lines};
use super::{Extent, PackedConv, Source};
use crate::Scratch;
use crate::conv::sink::{Band, Sink};
use crate::packed::{DEPTH, Product};
use crate::simd::{Kernel, Simd};
use crate::winograd::Transform;

/// The tiles of a block: with far fewer, making U would show.
const BLOCK_TILES: usize = 256;
/// The tiles of a group: enough that groups of rows fill the micro-kernel.
const GROUP_TILES: usize = 64;
/// The most columns of a stripe: every one of them uses a group's V while it is near.
const STRIPE: usize = 64;

/// How a layer is cut into tiles, groups of tile rows and blocks of groups.
pub(super) struct Layout<F> {
    tile_columns: usize,
    /// Tile rows in a group.
    group_rows: usize,
    /// Groups in a block.
    groups: usize,
    in_channels: usize,
    /// Output channels in a stripe: whole panels.
    stripe: usize,
    stripes: usize,
    transform: PhantomData<F>,
}

impl<F: Transform> Layout<F> {
    pub(super) fn new(
        extent: Extent,
        (in_channels, padded_out_channels): (usize, usize),
        panel: usize,
    ) -> Self {
        let (tile_rows, tile_columns) = (extent.height.div_ceil(F::OUTPUT), extent.width.div_ceil(F::OUTPUT));
        let group_rows = balanced_rows(tile_rows, tile_columns, GROUP_TILES / tile_columns);
        let all = tile_rows.div_ceil(group_rows);
        let most = (BLOCK_TILES / (group_rows * tile_columns)).max(rayon::current_num_threads());
        // Equal blocks.
        let groups = all.div_ceil(all.div_ceil(most));
        let panels = padded_out_channels / panel;
        let widest = (STRIPE / panel).min(panels.div_ceil(rayon::current_num_threads())).max(1);
        let width = (1..=widest).rev().find(|&width| panels.is_multiple_of(width)).unwrap_or(1);
        let (stripe, stripes) = (width * panel, panels / width);
        Self { tile_columns, group_rows, groups, in_channels, stripe, stripes, transform: PhantomData }
    }

    fn tiles(&self) -> usize {
        self.group_rows * self.tile_columns
    }

    /// From one xi plane of a group's V to the next.
    fn v_plane(&self) -> usize {
        odd_lines(self.tiles() * self.in_channels)
    }

    /// From one xi plane of a group's M, in one stripe, to the next.
    fn m_plane(&self) -> usize {
        odd_lines(self.tiles() * self.stripe)
    }

    const fn elements() -> usize {
        F::PATCH * F::PATCH
    }

    /// V and M of a block.
    pub(super) fn shared_len(&self) -> usize {
        Self::elements() * self.groups * (self.v_plane() + self.stripes * self.m_plane())
    }

    /// A task's patch, or its stripe of U and of the three columns of G g.
    pub(super) fn scratch_len(&self) -> usize {
        self.in_channels * Self::elements().max(4 * self.stripe)
    }
}

pub(super) fn run<F: Transform>(
    conv: &PackedConv,
    extent: Extent,
    source: Source<'_>,
    sink: Sink<'_>,
    scratch: &Scratch,
) {
    let isa = conv.isa;
    let layout = Layout::<F>::new(extent, conv.padded_channels(), isa.panel());
    let elements = Layout::<F>::elements();
    let (v_group, m_group) = (elements * layout.v_plane(), elements * layout.m_plane());
    let mut bands = sink.bands(extent, conv.out_channels, layout.group_rows * F::OUTPUT);
    scratch.with_shared(layout.shared_len(), |shared| {
        for bands in bands.chunks_mut(layout.groups) {
            let groups = bands.len();
            let (v, m) = shared.split_at_mut(groups * v_group);
            let m = &mut m[..layout.stripes * groups * m_group];

            v.par_chunks_mut(v_group).zip(bands.par_iter()).for_each(|(v, band)| {
                let tiles = Tiles { extent, source, first_row: band.first, columns: layout.tile_columns };
                let (count, xi_stride) =
                    (layout.tile_columns * band.rows.div_ceil(F::OUTPUT), layout.v_plane());
                scratch.with(layout.scratch_len(), |patch| {
                    let patch = &mut patch[..elements * conv.in_channels];
                    isa.dispatch(Inputs::<F> { tiles, count, patch, v, xi_stride, transform: PhantomData });
                });
            });

            let v = &*v;
            let kernel = conv.kernel.par_chunks(9 * conv.in_channels * layout.stripe);
            m.par_chunks_mut(groups * m_group).zip(kernel).for_each(|(m, kernel)| {
                scratch.with(layout.scratch_len(), |u| {
                    let u = &mut u[..4 * conv.in_channels * layout.stripe];
                    isa.dispatch(Stripe { layout: &layout, kernel, v, u, m });
                });
            });

            let m = &*m;
            bands.par_iter_mut().enumerate().for_each(|(group, band)| {
                isa.dispatch(Outputs { layout: &layout, groups, group, m, band });
            });
        }
    });
}

/// Step 1 for a group.
struct Inputs<'a, F> {
    tiles: Tiles<'a>,
    count: usize,
    patch: &'a mut [f32],
    v: &'a mut [f32],
    xi_stride: usize,
    transform: PhantomData<F>,
}

impl<F: Transform> Kernel for Inputs<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { tiles, count, patch, v, xi_stride, .. } = self;
        tiles.transform::<S, F>(simd, 0..count, patch, v, xi_stride);
    }
}

/// Step 2 for a stripe.
struct Stripe<'a, F> {
    layout: &'a Layout<F>,
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
        let Self { layout, kernel, v, u, m } = self;
        let elements = Layout::<F>::elements();
        let (v_plane, m_plane) = (layout.v_plane(), layout.m_plane());
        let (u, columns) = u.split_at_mut(layout.in_channels * layout.stripe);
        let v_group = elements * v_plane;
        let groups = v.len() / v_group;
        for xi in 0..elements {
            if xi % F::PATCH == 0 {
                kernel_columns(simd, F::KERNEL[xi / F::PATCH], layout.in_channels, kernel, columns);
            }
            kernel_element(simd, F::KERNEL[xi % F::PATCH], layout.in_channels, columns, u);
            for (group, m) in m.chunks_exact_mut(elements * m_plane).enumerate() {
                let plane = |group, xi| &v[group * v_group + xi * v_plane..][..v_plane];
                // All V together are too large for the second-level cache.
                let next = match (group + 1 < groups, xi + 1 < elements) {
                    (true, _) => plane(group + 1, xi),
                    (false, true) => plane(0, xi + 1),
                    (false, false) => &[],
                };
                Product {
                    m: layout.tiles(),
                    k: layout.in_channels,
                    n: layout.stripe,
                    a: plane(group, xi),
                    a_stride: layout.in_channels,
                    b: u,
                    c: &mut m[xi * m_plane..],
                    c_stride: layout.stripe,
                    accumulate: false,
                    ahead: [next, &[]],
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
    layout: &'a Layout<F>,
    groups: usize,
    group: usize,
    m: &'a [f32],
    band: &'a mut Band<'b>,
}

impl<F: Transform> Kernel for Outputs<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { layout, groups, group, m, band } = self;
        let m_group = Layout::<F>::elements() * layout.m_plane();
        let tiles = layout.tile_columns * band.rows.div_ceil(F::OUTPUT);
        for (stripe, m) in m.chunks_exact(groups * m_group).enumerate() {
            let products = &m[group * m_group..][..m_group];
            let channels = stripe * layout.stripe..(stripe + 1) * layout.stripe;
            band.finish::<S, F>(
                simd,
                (0..tiles, layout.tile_columns),
                0,
                (products, layout.stripe, layout.m_plane()),
                channels,
            );
        }
        band.close(simd);
    }
}
