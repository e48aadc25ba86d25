//! What an iteration does with the pairs: block by block ([`BLOCK`](crate::vector::BLOCK)), several vectors side by side.
//!
//! The pairs are most of the memory that L-BFGS reads, so these sweeps should take no longer than memory does. Hence the pairs
//! are kept in half precision ([`Real::Kept`]), four vectors are read at once, and each piece of a vector that is read asks for
//! the one a block further on: one block of one vector is a page of memory, too short for the processor to foresee.

#[cfg(target_arch = "x86_64")]
use crate::vector::BLOCK;
use crate::vector::sum_by_halves;
use crate::{Real, Stored};
use pulp::{Arch, Simd, WithSimd};

/// Vectors that are read at once.
const SIDE_BY_SIDE: usize = 4;

/// Elements between prefetches.
const PIECE: usize = 256;

/// Independent `f64` sums of a dot product. So many that the compiler leaves the loop over them a loop, and vectorises it.
const LANES: usize = 64;

/// kept := a - b, over one block; `difference` becomes the numbers that were kept.
pub(crate) fn keep_difference<T: Real>(kept: &mut [T::Kept], difference: &mut [T], a: &[T], b: &[T]) {
    Arch::new().dispatch(KeepDifference { kept, difference, a, b });
}

/// sum := sum + c_1 v_1 + c_2 v_2 .., over one block.
pub(crate) fn add<T: Real>(sum: &mut [T], c: &[T], v: &[&[T::Kept]]) {
    let (c, c_rest) = c.as_chunks::<SIDE_BY_SIDE>();
    let (v, v_rest) = v.as_chunks::<SIDE_BY_SIDE>();
    for (&c, &v) in c.iter().zip(v) {
        Arch::new().dispatch(Add { sum: &mut *sum, c, v });
    }
    match (c_rest, v_rest) {
        (&[c0], &[v0]) => Arch::new().dispatch(Add { sum, c: [c0], v: [v0] }),
        (&[c0, c1], &[v0, v1]) => Arch::new().dispatch(Add { sum, c: [c0, c1], v: [v0, v1] }),
        (&[c0, c1, c2], &[v0, v1, v2]) => {
            Arch::new().dispatch(Add { sum, c: [c0, c1, c2], v: [v0, v1, v2] });
        }
        _ => {}
    }
}

/// dots_ij := v_i·others_j, over one block.
pub(crate) fn dots<T: Real, const M: usize>(v: &[&[T::Kept]], others: [&[T]; M], dots: &mut [[f64; M]]) {
    let (v, v_rest) = v.as_chunks::<SIDE_BY_SIDE>();
    let (dots, dots_rest) = dots.as_chunks_mut::<SIDE_BY_SIDE>();
    for (dots, &v) in dots.iter_mut().zip(v) {
        *dots = Arch::new().dispatch(Dots { v, others });
    }
    match *v_rest {
        [v0] => dots_rest.copy_from_slice(&Arch::new().dispatch(Dots { v: [v0], others })),
        [v0, v1] => dots_rest.copy_from_slice(&Arch::new().dispatch(Dots { v: [v0, v1], others })),
        [v0, v1, v2] => dots_rest.copy_from_slice(&Arch::new().dispatch(Dots { v: [v0, v1, v2], others })),
        _ => {}
    }
}

/// Asks for what lies a block after `piece`, to read it.
#[inline(always)]
pub(crate) fn prefetch_next_block<K>(piece: &[K]) {
    #[cfg(target_arch = "x86_64")]
    prefetch::<K, { std::arch::x86_64::_MM_HINT_T1 }>(piece);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = piece;
}

/// Asks for what lies a block after `piece`, to write it.
#[inline(always)]
pub(crate) fn prefetch_next_block_to_write<K>(piece: &[K]) {
    #[cfg(target_arch = "x86_64")]
    prefetch::<K, { std::arch::x86_64::_MM_HINT_ET0 }>(piece);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = piece;
}

/// Asks for what lies a block after `piece`, line by line of the cache. Where that is no memory of ours, nothing happens.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch<K, const HINT: i32>(piece: &[K]) {
    let Some(sse) = pulp::core_arch::x86::Sse::try_new() else { return };
    let next = piece.as_ptr().wrapping_add(BLOCK).cast::<i8>();
    for byte in (0..size_of_val(piece)).step_by(64) {
        sse._mm_prefetch::<HINT>(next.wrapping_add(byte));
    }
}

/// The arguments of [`keep_difference`]. As with [`block_dots`](crate::vector::block_dots), the bits are the same on every
/// processor.
struct KeepDifference<'a, T: Real> {
    kept: &'a mut [T::Kept],
    difference: &'a mut [T],
    a: &'a [T],
    b: &'a [T],
}

impl<T: Real> WithSimd for KeepDifference<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { kept, difference, a, b } = self;
        let results = kept.chunks_mut(PIECE).zip(difference.chunks_mut(PIECE));
        for ((kept, difference), (a, b)) in results.zip(a.chunks(PIECE).zip(b.chunks(PIECE))) {
            prefetch_next_block(a);
            prefetch_next_block(b);
            prefetch_next_block_to_write(kept);
            for (((kept, difference), &a), &b) in kept.iter_mut().zip(difference).zip(a).zip(b) {
                *kept = (a - b).keep();
                *difference = kept.load();
            }
        }
    }
}

/// The arguments of [`add`], for N vectors.
struct Add<'a, T: Real, const N: usize> {
    sum: &'a mut [T],
    c: [T; N],
    v: [&'a [T::Kept]; N],
}

impl<T: Real, const N: usize> WithSimd for Add<'_, T, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { sum, c, v } = self;
        let (pieces, tail) = sum.as_chunks_mut::<PIECE>();
        let tail_start = pieces.len() * PIECE;
        for (index, piece) in pieces.iter_mut().enumerate() {
            let v = v.map(|v| &v.as_chunks().0[index]);
            for v in v {
                prefetch_next_block(v);
            }
            add_piece(piece, c, v);
        }
        for (i, sum) in tail.iter_mut().enumerate() {
            for n in 0..N {
                *sum = *sum + c[n] * v[n][tail_start + i].load();
            }
        }
    }
}

/// A function of its own, so that the compiler knows `sum` to be none of `v`.
#[inline(always)]
fn add_piece<T: Real, const N: usize>(sum: &mut [T; PIECE], c: [T; N], v: [&[T::Kept; PIECE]; N]) {
    for i in 0..PIECE {
        let mut total = sum[i];
        for n in 0..N {
            total = total + c[n] * v[n][i].load();
        }
        sum[i] = total;
    }
}

/// The arguments of [`dots`], for N vectors.
struct Dots<'a, T: Real, const N: usize, const M: usize> {
    v: [&'a [T::Kept]; N],
    others: [&'a [T]; M],
}

impl<T: Real, const N: usize, const M: usize> WithSimd for Dots<'_, T, N, M> {
    type Output = [[f64; M]; N];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [[f64; M]; N] {
        let Self { v, others } = self;
        let length = others[0].len();
        let pieces = length / PIECE;
        let mut lanes = [[[0.0; LANES]; M]; N];
        // Once for all v.
        let mut others_f64 = [[0.0; PIECE]; M];
        for index in 0..pieces {
            for m in 0..M {
                let other: &[T; PIECE] = &others[m].as_chunks().0[index];
                for i in 0..PIECE {
                    others_f64[m][i] = other[i].to_f64();
                }
            }
            for n in 0..N {
                let v = &v[n].as_chunks().0[index];
                prefetch_next_block(v);
                add_products(&mut lanes[n], v, &others_f64);
            }
        }
        let mut dots = [[0.0; M]; N];
        for n in 0..N {
            for m in 0..M {
                for i in pieces * PIECE..length {
                    lanes[n][m][i % LANES] += v[n][i].load().to_f64() * others[m][i].to_f64();
                }
                dots[n][m] = sum_by_halves(lanes[n][m]);
            }
        }
        dots
    }
}

/// The products of one piece, added up in lanes.
#[expect(clippy::needless_range_loop, reason = "a lane is a column of all three arrays")]
#[inline(always)]
fn add_products<T: Real, K: Stored<T>, const M: usize>(
    lanes: &mut [[f64; LANES]; M],
    v: &[K; PIECE],
    others: &[[f64; PIECE]; M],
) {
    for lane in 0..LANES {
        let mut sums = [0.0; M];
        for i in (lane..PIECE).step_by(LANES) {
            let v = v[i].load().to_f64();
            for m in 0..M {
                sums[m] += v * others[m][i];
            }
        }
        for m in 0..M {
            lanes[m][lane] += sums[m];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::bf16;
    use proptest::prelude::*;

    /// Up to ten kept vectors of one length, and two others.
    fn vectors() -> impl Strategy<Value = (Vec<Vec<bf16>>, Vec<f32>, Vec<f32>)> {
        (0usize..10, 1usize..700).prop_flat_map(|(count, length)| {
            let vector = move || prop::collection::vec(-9.0f32..9.0, length);
            let kept = vector().prop_map(|v| v.into_iter().map(bf16::from_f32).collect());
            (prop::collection::vec(kept, count), vector(), vector())
        })
    }

    proptest! {
        #[test]
        fn dots_side_by_side_are_the_plain_sums((v, a, b) in vectors()) {
            let v: Vec<&[bf16]> = v.iter().map(Vec::as_slice).collect();
            let mut all = vec![[0.0; 2]; v.len()];
            dots(&v, [&a, &b], &mut all);
            for (v, dots) in v.iter().zip(all) {
                for (dot, other) in dots.into_iter().zip([&a, &b]) {
                    let plain: f64 = v.iter().zip(other).map(|(v, o)| f64::from(*v) * f64::from(*o)).sum();
                    prop_assert!((dot - plain).abs() < 1e-10);
                }
            }
        }

        /// And to the bit: each lane in its order, four of its numbers at a time while there are whole pieces; then the lanes by halves.
        #[test]
        fn dots_are_summed_in_a_fixed_order((v, a, b) in vectors()) {
            // Of sizes so different that every sum is rounded.
            let spread = |v: &[f32]| {
                let power = |i: usize| (11 * i % 41) as i32 - 20;
                v.iter().enumerate().map(|(i, v)| v * 2_f32.powi(power(i))).collect::<Vec<f32>>()
            };
            let (a, b) = (spread(&a), spread(&b));
            let v: Vec<&[bf16]> = v.iter().map(Vec::as_slice).collect();
            let mut all = vec![[0.0; 2]; v.len()];
            dots(&v, [&a, &b], &mut all);
            for (v, dots) in v.iter().zip(all) {
                for (dot, other) in dots.into_iter().zip([&a, &b]) {
                    let products: Vec<f64> = v.iter().zip(other).map(|(v, o)| f64::from(*v) * f64::from(*o)).collect();
                    let (pieces, rest) = products.as_chunks::<PIECE>();
                    let lane = |lane: usize| {
                        let own = |products: &[f64]| products.iter().skip(lane).step_by(64).copied().collect::<Vec<_>>();
                        let sum = pieces.iter().map(|piece| own(piece).iter().sum::<f64>()).fold(0.0, |sum, one| sum + one);
                        own(rest).iter().fold(sum, |sum, one| sum + one)
                    };
                    let mut lanes: Vec<f64> = (0..64).map(lane).collect();
                    while lanes.len() > 1 {
                        let (first, second) = lanes.split_at(lanes.len() / 2);
                        lanes = first.iter().zip(second).map(|(a, b)| a + b).collect();
                    }
                    prop_assert_eq!(dot, lanes[0]);
                }
            }
        }

        #[test]
        fn sums_side_by_side_are_the_plain_sums((v, c, mut sum) in vectors()) {
            let v: Vec<&[bf16]> = v.iter().map(Vec::as_slice).collect();
            let c: Vec<f32> = (0..v.len()).map(|n| c[n % c.len()]).collect();
            let mut plain = sum.clone();
            for (v, c) in v.iter().zip(&c) {
                plain.iter_mut().zip(*v).for_each(|(sum, v)| *sum += c * f32::from(*v));
            }
            add(&mut sum, &c, &v);
            prop_assert_eq!(sum, plain); // to the bit: the order is the same
        }

        #[test]
        fn a_difference_is_kept_to_8_bits((_, a, b) in vectors()) {
            let mut kept = vec![bf16::ZERO; a.len()];
            let mut difference = vec![0.0; a.len()];
            keep_difference(&mut kept, &mut difference, &a, &b);
            for (i, kept) in kept.iter().enumerate() {
                prop_assert_eq!(difference[i], f32::from(*kept));
                prop_assert!((difference[i] - (a[i] - b[i])).abs() <= (a[i] - b[i]).abs() / 256.0);
            }
        }
    }
}
