//! The two number types: `f32` for speed, `f64` for checking gradients by finite differences.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A real number that tensors are made of: `f32` or `f64`.
pub trait Element:
    sealed::Sealed
    + Copy
    + Default
    + Debug
    + Display
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The nearest value to an `f64`.
    fn from_f64(value: f64) -> Self;
    /// The exact value as an `f64`: losses and dot products accumulate in it.
    fn to_f64(self) -> f64;

    /// C := alpha A B + beta C through matrixmultiply, with element strides.
    ///
    /// # Safety
    /// Every element that the sizes and strides name must be valid for reads (for writes in `c`), and the elements
    /// of `c` must be distinct and not shared.
    #[doc(hidden)]
    #[allow(clippy::too_many_arguments)]
    unsafe fn matrixmultiply(
        m: usize,
        k: usize,
        n: usize,
        alpha: Self,
        a: *const Self,
        a_strides: (isize, isize),
        b: *const Self,
        b_strides: (isize, isize),
        beta: Self,
        c: *mut Self,
        c_strides: (isize, isize),
    );
}

macro_rules! impl_element {
    ($type:ty, $gemm:path) => {
        impl Element for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            unsafe fn matrixmultiply(
                m: usize,
                k: usize,
                n: usize,
                alpha: Self,
                a: *const Self,
                a_strides: (isize, isize),
                b: *const Self,
                b_strides: (isize, isize),
                beta: Self,
                c: *mut Self,
                c_strides: (isize, isize),
            ) {
                // SAFETY: forwarded from this function's own contract, which is matrixmultiply's.
                unsafe {
                    $gemm(
                        m,
                        k,
                        n,
                        alpha,
                        a,
                        a_strides.0,
                        a_strides.1,
                        b,
                        b_strides.0,
                        b_strides.1,
                        beta,
                        c,
                        c_strides.0,
                        c_strides.1,
                    );
                }
            }
        }
    };
}

impl_element!(f32, matrixmultiply::sgemm);
impl_element!(f64, matrixmultiply::dgemm);
