//! Numbers whose multiplications are counted.

use std::cell::Cell;
use std::ops::{Add, Mul, Sub};

thread_local! {
    static MULTIPLICATIONS: Cell<usize> = const { Cell::new(0) };
}

/// A number of an exercise that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted(f64);

impl Counted {
    /// The number.
    pub fn value(self) -> f64 {
        self.0
    }

    /// A half of it, which is not counted.
    #[must_use]
    pub fn half(self) -> Self {
        Self(0.5 * self.0)
    }

    /// How many multiplications this thread has done so far.
    pub fn multiplications() -> usize {
        MULTIPLICATIONS.get()
    }
}

impl From<f64> for Counted {
    fn from(number: f64) -> Self {
        Self(number)
    }
}

impl Add for Counted {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Counted {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul for Counted {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        MULTIPLICATIONS.set(MULTIPLICATIONS.get() + 1);
        Self(self.0 * other.0)
    }
}
