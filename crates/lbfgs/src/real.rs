//! The two number types that vectors are made of.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Sub};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A real number: `f32`, for pictures, or `f64`, for checks.
///
/// Vectors are stored in this type; losses, dot products and coefficients are always `f64`.
pub trait Real:
    sealed::Sealed
    + Copy
    + Debug
    + PartialEq
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// The distance from 1 to the next larger number.
    const EPSILON: f64;
    /// The nearest value to an `f64`.
    fn from_f64(value: f64) -> Self;
    /// The exact value as an `f64`.
    fn to_f64(self) -> f64;
    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
}

macro_rules! impl_real {
    ($type:ident) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const EPSILON: f64 = $type::EPSILON as f64;

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
        }
    };
}

impl_real!(f32);
impl_real!(f64);
