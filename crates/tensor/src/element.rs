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

    /// C := alpha A B + beta C through matrixmultiply, for A m x k, B k x n and C m x n; `sizes` is m, k, n.
    ///
    /// # Safety
    /// Every element that the sizes and strides name must be valid for reads (for writes in `c`), and the elements
    /// of `c` must be distinct and not shared.
    #[doc(hidden)]
    unsafe fn matrixmultiply(
        sizes: [usize; 3],
        alpha: Self,
        a: Strided<*const Self>,
        b: Strided<*const Self>,
        beta: Self,
        c: Strided<*mut Self>,
    );
}

/// Where a matrix's elements are: (row, column) at `start + row * strides[0] + column * strides[1]`.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Strided<P> {
    pub(crate) start: P,
    pub(crate) strides: [isize; 2],
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
                [m, k, n]: [usize; 3],
                alpha: Self,
                a: Strided<*const Self>,
                b: Strided<*const Self>,
                beta: Self,
                c: Strided<*mut Self>,
            ) {
                let ([a_row, a_column], [b_row, b_column], [c_row, c_column]) =
                    (a.strides, b.strides, c.strides);
                let (a, b, c) = (a.start, b.start, c.start);
                // SAFETY: forwarded from this function's own contract, which is matrixmultiply's.
                unsafe {
                    $gemm(m, k, n, alpha, a, a_row, a_column, b, b_row, b_column, beta, c, c_row, c_column);
                }
            }
        }
    };
}

impl_element!(f32, matrixmultiply::sgemm);
impl_element!(f64, matrixmultiply::dgemm);
