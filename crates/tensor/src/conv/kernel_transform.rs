//! U = G g G^T element by element, for a convolution that transforms its kernel as it goes: in either precision.

use crate::packed::DEPTH;
use crate::simd::Simd;
use crate::winograd::Transform;

/// Numbers in the widest vector.
const MAX_LANES: usize = crate::GRANULE;

/// How an element of U is made of the plain kernel.
pub(super) trait KernelTransform: Send + Sync + 'static {
    /// Stripes of scratch: U's own, and what it is made of.
    const STRIPES: usize;

    /// Writes U[xi] of a stripe, packed as [`crate::packed::Product`] reads it, to `u`: `in_channels` x stripe numbers. `kernel` is
    /// [panel][tap][channel in][channel of the panel]. `u` comes with scratch; the elements are asked for in ascending order.
    fn element<S: Simd, F: Transform>(
        simd: S,
        xi: usize,
        in_channels: usize,
        kernel: &[f32],
        u: (&mut [f32], &mut [f32]),
    );
}

/// In single precision: the columns of G g first, then the element.
pub(super) struct Single;

impl KernelTransform for Single {
    const STRIPES: usize = 4;

    #[inline(always)]
    fn element<S: Simd, F: Transform>(
        simd: S,
        xi: usize,
        in_channels: usize,
        kernel: &[f32],
        (u, columns): (&mut [f32], &mut [f32]),
    ) {
        if xi.is_multiple_of(F::PATCH) {
            kernel_columns(simd, F::KERNEL[xi / F::PATCH], in_channels, kernel, columns);
        }
        kernel_element(simd, F::KERNEL[xi % F::PATCH], in_channels, columns, u);
    }
}

/// In double precision, rounded once: the bits of [`super::Algorithm::Winograd4`] and [`super::Algorithm::Winograd6`].
pub(super) struct Double;

impl KernelTransform for Double {
    const STRIPES: usize = 1;

    #[inline(always)]
    fn element<S: Simd, F: Transform>(
        _: S,
        xi: usize,
        in_channels: usize,
        kernel: &[f32],
        (u, _): (&mut [f32], &mut [f32]),
    ) {
        let taps = F::kernel_element(xi / F::PATCH, xi % F::PATCH);
        let (panel, stripe) = (in_channels * S::PANEL, u.len() / in_channels);
        for (first, kernel) in kernel.chunks_exact(9 * panel).enumerate() {
            for block in (0..in_channels).step_by(DEPTH) {
                let depth = DEPTH.min(in_channels - block);
                let kernel = &kernel[block * S::PANEL..];
                let out = &mut u[block * stripe + first * S::PANEL * depth..][..depth * S::PANEL];
                for (index, out) in out.chunks_exact_mut(S::LANES).enumerate() {
                    double_sums(&taps, &kernel[index * S::LANES..], panel, &mut out[..S::LANES]);
                }
            }
        }
    }
}

/// The sums over the nine taps, `tap_stride` numbers apart, of as many pairs of channels as `out` has places: a vector at most. A tap
/// whose weight is 0 would add nothing.
#[inline(always)]
pub(super) fn double_sums(taps: &[f64; 9], kernel: &[f32], tap_stride: usize, out: &mut [f32]) {
    let mut sums = [0.0_f64; MAX_LANES];
    for (tap, &weight) in taps.iter().enumerate() {
        if weight != 0.0 {
            let g = &kernel[tap * tap_stride..][..out.len()];
            for (sum, &g) in sums.iter_mut().zip(g) {
                *sum += weight * f64::from(g);
            }
        }
    }
    for (out, &sum) in out.iter_mut().zip(&sums) {
        *out = sum as f32;
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

/// U[xi] of a stripe: sum over kx of G[j][kx] times the columns of [`kernel_columns`].
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
