//! The number types that vectors are made of.

use crate::bytes::Number;
use half::bf16;
use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number in memory whose exact value is a `T`.
pub trait Stored<T>: Number + Debug + PartialEq + Send + Sync + 'static {
    /// 0.
    const ZERO: Self;
    /// The value.
    fn load(self) -> T;
}

/// A real number: `f32`, for pictures, or `f64`, for checks.
///
/// Vectors are stored in this type; losses, dot products and coefficients are always `f64`.
pub trait Real:
    Stored<Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// What the pairs (s, y) of L-BFGS are kept in: `bf16` for `f32`, `f64` for `f64`.
    ///
    /// A `bf16` is an `f32` with 8 instead of 24 bits of precision, in half the memory. What H loses by its pairs' last bits
    /// is far less than what the pairs of twice as many steps give it; and H y = s holds for the pairs as they are kept.
    type Kept: Stored<Self>;
    /// The distance from 1 to the next larger number.
    const EPSILON: f64;
    /// The exact value as an `f64`.
    fn to_f64(self) -> f64;
    /// The nearest value to an `f64`.
    fn from_f64(value: f64) -> Self;
    /// The nearest number that can be kept.
    fn keep(self) -> Self::Kept;
    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// The nearest number that is at least the first and at most the second bound, of which the first is not larger; NaN for NaN.
    #[must_use]
    fn within(self, bounds: (Self, Self)) -> Self;
}

macro_rules! impl_real {
    ($type:ident, $kept:ident, $keep:expr) => {
        impl Stored<$type> for $type {
            const ZERO: Self = 0.0;

            #[inline(always)]
            fn load(self) -> $type {
                self
            }
        }

        impl Real for $type {
            const EPSILON: f64 = $type::EPSILON as f64;
            type Kept = $kept;

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn keep(self) -> $kept {
                $keep(self)
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                self.sqrt()
            }

            #[inline(always)]
            fn within(self, (least, most): (Self, Self)) -> Self {
                self.clamp(least, most)
            }
        }
    };
}

impl_real!(f32, bf16, bf16::from_f32);
impl_real!(f64, f64, std::convert::identity);

impl Stored<f32> for bf16 {
    const ZERO: Self = bf16::ZERO;

    #[inline(always)]
    fn load(self) -> f32 {
        // bf16's own conversion takes care of NaN, which is never kept.
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }
}
