//! Sweeps over long vectors: in parallel, in place, and with the same bits at any number of threads.
//!
//! Every vector is cut into fixed blocks of [`BLOCK`] elements. Threads share out the blocks as they like, but one
//! block is always summed in one order (sixteen `f64` lanes, then the lanes), and the sums of the blocks are added
//! from first to last. So a dot product does not know how many threads made it.

use crate::Real;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// Elements in a block: 8 KiB of `f32`, so that the few blocks that a sweep works on at once stay in L1.
pub(crate) const BLOCK: usize = 2048;

/// Independent `f64` sums in a block: enough to hide the latency of addition, and a whole number of SIMD registers.
const LANES: usize = 16;

/// The elements of block `index` in a vector of `len` elements.
pub(crate) fn block_range(index: usize, len: usize) -> Range<usize> {
    index * BLOCK..len.min((index + 1) * BLOCK)
}

/// a·b for each b in `others`, over one block.
pub(crate) fn block_dots<T: Real, const N: usize>(a: &[T], others: [&[T]; N]) -> [f64; N] {
    Arch::new().dispatch(BlockDots { a, others })
}

/// The arguments of [`block_dots`]: `pulp` compiles what it does for every instruction set and takes the widest that the
/// processor has. The bits are the same on all, as nothing is fused or reordered.
struct BlockDots<'a, T, const N: usize> {
    a: &'a [T],
    others: [&'a [T]; N],
}

impl<T: Real, const N: usize> WithSimd for BlockDots<'_, T, N> {
    type Output = [f64; N];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [f64; N] {
        let mut dots = [0.0; N];
        // A closure over `others` would be compiled on its own, for the narrowest vectors.
        for (dot, b) in dots.iter_mut().zip(self.others) {
            for lane in products_in_lanes(self.a, b) {
                *dot += lane;
            }
        }
        dots
    }
}

/// lane_l := sum_j a_i b_i with i = l + 16 j. To be inlined where instructions are chosen, as in [`BlockDots`].
#[inline(always)]
pub(crate) fn products_in_lanes<T: Real>(a: &[T], b: &[T]) -> [f64; LANES] {
    let (a, a_tail) = a.as_chunks::<LANES>();
    let (b, b_tail) = b.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            lanes[lane] += a[lane].to_f64() * b[lane].to_f64();
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_tail).zip(b_tail) {
        *lane += a.to_f64() * b.to_f64();
    }
    lanes
}

/// The sum of a power of two of lanes: of each half and the other one, as often as that goes.
#[inline(always)]
pub(crate) fn sum_by_halves<const N: usize>(mut lanes: [f64; N]) -> f64 {
    let mut half = N / 2;
    while half > 0 {
        let (sums, others) = lanes.split_at_mut(half);
        for (sum, other) in sums.iter_mut().zip(others) {
            *sum += *other;
        }
        half /= 2;
    }
    lanes[0]
}

/// (d·g, |g|) in one sweep: the slope along `d` and the length of the gradient.
pub(crate) fn slope_and_norm<T: Real>(d: &[T], g: &[T]) -> (f64, f64) {
    let blocks: Vec<[f64; 2]> =
        g.par_chunks(BLOCK).zip(d.par_chunks(BLOCK)).map(|(g, d)| block_dots(g, [d, g])).collect();
    let [slope, square] = blocks.iter().fold([0.0; 2], |sum, block| [sum[0] + block[0], sum[1] + block[1]]);
    (slope, square.sqrt())
}

/// |g|.
pub(crate) fn norm<T: Real>(g: &[T]) -> f64 {
    slope_and_norm(g, g).1
}

/// x := origin + step d.
pub(crate) fn move_along<T: Real>(x: &mut [T], origin: &[T], step: f64, d: &[T]) {
    let step = T::from_f64(step);
    x.par_chunks_mut(BLOCK).zip(origin.par_chunks(BLOCK)).zip(d.par_chunks(BLOCK)).for_each(
        |((x, origin), d)| {
            for ((x, &origin), &d) in x.iter_mut().zip(origin).zip(d) {
                *x = origin + step * d;
            }
        },
    );
}

/// Whether [`move_along`] comes to the same x for both steps, because their difference is below the rounding of every element.
/// Where it is not, the first block nearly always tells.
pub(crate) fn same_point<T: Real>(origin: &[T], d: &[T], steps: [f64; 2]) -> bool {
    let [step, other] = steps.map(T::from_f64);
    origin
        .par_chunks(BLOCK)
        .zip(d.par_chunks(BLOCK))
        .all(|(origin, d)| origin.iter().zip(d).all(|(&origin, &d)| origin + step * d == origin + other * d))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn dots_of_a_block_are_the_plain_sums(v in prop::collection::vec((-9.0..9.0, -9.0..9.0), 0..70)) {
            let (a, b): (Vec<f64>, Vec<f64>) = v.into_iter().unzip();
            let [ab, aa] = block_dots(&a, [&b, &a]);
            prop_assert!((ab - a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>()).abs() < 1e-10);
            prop_assert!((aa - a.iter().map(|a| a * a).sum::<f64>()).abs() < 1e-10);
        }

        /// Steps that are some units in the last place apart, along directions that are large and small beside x.
        #[test]
        fn the_same_point_is_where_both_steps_lead(
            v in prop::collection::vec((0.5_f32..4.0, -2.0_f32..2.0), 1..6),
            (exponent, step, apart) in (-25_i32..3, 0.5..2.0, 0_u32..9),
        ) {
            let size = 2.0_f32.powi(exponent);
            let (origin, d): (Vec<f32>, Vec<f32>) = v.into_iter().map(|(x, d)| (x, d * size)).unzip();
            let steps = [step, step * (1.0 + f64::from(apart) * f64::from(f32::EPSILON))];
            let [one, other] = steps.map(|step| {
                let mut x = vec![0.0; origin.len()];
                move_along(&mut x, &origin, step, &d);
                x
            });
            prop_assert_eq!(same_point(&origin, &d, steps), one == other);
        }
    }

    #[test]
    fn sweeps_reach_every_element_of_several_blocks() {
        let n = 2 * BLOCK + 13;
        let origin = vec![2.0f32; n];
        let d: Vec<f32> = (0..n).map(|i| (i % 5) as f32).collect();
        let mut x = vec![0.0; n];
        move_along(&mut x, &origin, 0.5, &d);
        assert!(x.iter().zip(&d).all(|(x, d)| *x == 2.0 + 0.5 * d));
        let (slope, norm) = slope_and_norm(&d, &origin);
        assert_eq!(slope, 2.0 * d.iter().map(|d| f64::from(*d)).sum::<f64>());
        assert!((norm - 2.0 * (n as f64).sqrt()).abs() < 1e-9);
        assert_eq!(block_range(2, n), 2 * BLOCK..n);
    }
}
