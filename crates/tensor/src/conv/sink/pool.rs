//! 2x2 pooling of two rows of results in registers.

use super::PoolKind;
use crate::simd::Simd;
use crate::winograd::MAX_SIDE;

/// Pools two rows of `width` values each: the floor(`width` / 2) pooled ones, and for each value the lanes that get a
/// gradient back. With maximum pooling these are the lanes in which it is the (first) largest of its window; else, and
/// in a last column without a window, all of them.
#[inline(always)]
pub(super) fn pool_rows<S: Simd>(
    simd: S,
    kind: PoolKind,
    rows: &[[S::V; MAX_SIDE]; 2],
    width: usize,
) -> ([S::V; MAX_SIDE / 2], [[u16; MAX_SIDE]; 2]) {
    let mut pooled = [simd.splat(0.0); MAX_SIDE / 2];
    let mut winners = [[u16::MAX; MAX_SIDE]; 2];
    for j in (0..width & !1).step_by(2) {
        let window = [rows[0][j], rows[0][j + 1], rows[1][j], rows[1][j + 1]];
        pooled[j / 2] = match kind {
            PoolKind::Average => average(simd, window),
            PoolKind::Max => {
                let (value, lanes) = maximum(simd, window);
                [winners[0][j], winners[0][j + 1], winners[1][j], winners[1][j + 1]] = lanes;
                value
            }
        };
    }
    (pooled, winners)
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
