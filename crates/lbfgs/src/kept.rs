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
