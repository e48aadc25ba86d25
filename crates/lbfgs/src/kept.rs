//! What an iteration does with the pairs: block by block ([`BLOCK`]), several vectors side by side.
//!
//! The pairs are most of the memory that L-BFGS reads, so these sweeps should take no longer than memory does. Hence the pairs
//! are kept in half precision ([`Real::Kept`]), and four vectors are read at once: one block of one vector is a page of
//! memory, too short for the processor to foresee.

use crate::vector::BLOCK;
use crate::{Real, Stored};
use pulp::{Arch, Simd, WithSimd};

/// Vectors that are read at once.
const SIDE_BY_SIDE: usize = 4;

/// Independent `f64` sums of a dot product: a whole number of SIMD registers.
const LANES: usize = 16;

/// kept := a - b, over one block; returns the numbers that were kept.
pub(crate) fn keep_difference<T: Real>(kept: &mut [T::Kept], a: &[T], b: &[T]) -> [T; BLOCK] {
    let mut difference = [T::ZERO; BLOCK];
    Arch::new().dispatch(KeepDifference { kept, a, b, difference: &mut difference });
    difference
}

/// sum := sum + c_1 v_1 + c_2 v_2 .., over one block.
pub(crate) fn add<T: Real>(sum: &mut [T], c: &[T], v: &[&[T::Kept]]) {
    let (c, c_rest) = c.as_chunks::<SIDE_BY_SIDE>();
    let (v, v_rest) = v.as_chunks::<SIDE_BY_SIDE>();
    for (&c, &v) in c.iter().zip(v) {
        Arch::new().dispatch(Add { sum: &mut *sum, c, v });
    }
    for (&c, &v) in c_rest.iter().zip(v_rest) {
        Arch::new().dispatch(Add { sum: &mut *sum, c: [c], v: [v] });
    }
}

/// dots_ij := v_i·others_j, over one block.
pub(crate) fn dots<T: Real, const M: usize>(v: &[&[T::Kept]], others: [&[T]; M], dots: &mut [[f64; M]]) {
    let (v, v_rest) = v.as_chunks::<SIDE_BY_SIDE>();
    let (dots, dots_rest) = dots.as_chunks_mut::<SIDE_BY_SIDE>();
    for (dots, &v) in dots.iter_mut().zip(v) {
        *dots = Arch::new().dispatch(Dots { v, others });
    }
    for (dot, &v) in dots_rest.iter_mut().zip(v_rest) {
        [*dot] = Arch::new().dispatch(Dots { v: [v], others });
    }
}

/// The arguments of [`keep_difference`]. As with [`block_dots`](crate::vector::block_dots), the bits are the same on every
/// processor.
struct KeepDifference<'a, T: Real> {
    kept: &'a mut [T::Kept],
    a: &'a [T],
    b: &'a [T],
    difference: &'a mut [T],
}

impl<T: Real> WithSimd for KeepDifference<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (((kept, difference), &a), &b) in
            self.kept.iter_mut().zip(self.difference).zip(self.a).zip(self.b)
        {
            *kept = (a - b).keep();
            *difference = kept.load();
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
        // Once here, so that the bounds need no check in the loop.
        let v = v.map(|v| &v[..sum.len()]);
        for i in 0..sum.len() {
            for n in 0..N {
                sum[i] = sum[i] + c[n] * v[n][i].load();
            }
        }
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
        let mut lanes = [[[0.0; LANES]; M]; N];
        let length = others[0].len();
        for start in (0..length).step_by(LANES) {
            let range = start..length.min(start + LANES);
            for n in 0..N {
                for m in 0..M {
                    let products = v[n][range.clone()].iter().zip(&others[m][range.clone()]);
                    for (lane, (v, &other)) in lanes[n][m].iter_mut().zip(products) {
                        *lane += v.load().to_f64() * other.to_f64();
                    }
                }
            }
        }
        let mut dots = [[0.0; M]; N];
        for n in 0..N {
            for m in 0..M {
                for lane in lanes[n][m] {
                    dots[n][m] += lane;
                }
            }
        }
        dots
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::bf16;
    use proptest::prelude::*;

    /// Up to ten kept vectors of one length, and two others.
    fn vectors() -> impl Strategy<Value = (Vec<Vec<bf16>>, Vec<f32>, Vec<f32>)> {
        (0usize..10, 1usize..200).prop_flat_map(|(count, length)| {
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
            let difference = keep_difference(&mut kept, &a, &b);
            for (i, kept) in kept.iter().enumerate() {
                prop_assert_eq!(difference[i], f32::from(*kept));
                prop_assert!((difference[i] - (a[i] - b[i])).abs() <= (a[i] - b[i]).abs() / 256.0);
            }
        }
    }
}
