//! Sums of columns of packed positions: the mean of a response, beside its Gram matrix.

use crate::simd::Simd;

/// Partial sums of a column, so that the additions do not wait for each other.
const PARTIAL: usize = 4;

/// Adds the sums of the columns of packed positions to `sums`, those of the panels from the `first` one on; or puts them there. A position
/// is multiplied with its factor, if there are any: with 1 it has the bits of none. Each sum is made in f32 and added in f64.
#[inline(always)]
pub(super) fn add_columns<S: Simd>(
    simd: S,
    (panels, depth): (&[f32], usize),
    factors: Option<&[f32]>,
    first: usize,
    accumulate: bool,
    sums: &mut [f64],
) {
    let panels = panels.chunks_exact(depth * S::PANEL).skip(first);
    for (panel, sums) in panels.zip(sums.chunks_exact_mut(S::PANEL)) {
        for (vector, sums) in sums.chunks_exact_mut(S::LANES).enumerate() {
            let read = |k: usize| {
                let row = simd.read(&panel[k * S::PANEL + vector * S::LANES..]);
                factors.map_or(row, |factors| simd.mul(simd.splat(factors[k]), row))
            };
            let mut partial = [simd.splat(0.0); PARTIAL];
            let whole = depth / PARTIAL * PARTIAL;
            for k in (0..whole).step_by(PARTIAL) {
                for (at, partial) in partial.iter_mut().enumerate() {
                    *partial = simd.add(*partial, read(k + at));
                }
            }
            for (k, partial) in (whole..depth).zip(&mut partial) {
                *partial = simd.add(*partial, read(k));
            }
            let [a, b, c, d] = partial;
            let mut total = [0.0; crate::GRANULE];
            simd.write(&mut total, simd.add(simd.add(a, b), simd.add(c, d)));
            for (sum, total) in sums.iter_mut().zip(total) {
                *sum = if accumulate { *sum } else { 0.0 } + f64::from(total);
            }
        }
    }
}
