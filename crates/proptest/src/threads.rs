//! The same bits, whatever the number of threads.

use std::sync::OnceLock;

use impasto_tensor::{Element, Tensor};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::failure::{Failure, Property};

/// Something that is made of numbers, which are compared to the bit: 0 is not -0, and NaN is NaN.
pub trait Bits {
    /// The bits of each number, and the number itself as messages print it.
    fn bits(&self) -> Vec<(u64, f64)>;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Bits for $number {
            fn bits(&self) -> Vec<(u64, f64)> {
                vec![(u64::from(self.to_bits()), f64::from(*self))]
            }
        }
    )*};
}
numbers!(f32, f64);

macro_rules! integers {
    ($($number:ty),*) => {$(
        impl Bits for $number {
            fn bits(&self) -> Vec<(u64, f64)> {
                vec![(*self as u64, *self as f64)]
            }
        }
    )*};
}
integers!(u8, u16, u32, u64, usize);

impl<T: Bits> Bits for [T] {
    fn bits(&self) -> Vec<(u64, f64)> {
        self.iter().flat_map(T::bits).collect()
    }
}

impl<T: Bits, const N: usize> Bits for [T; N] {
    fn bits(&self) -> Vec<(u64, f64)> {
        self.as_slice().bits()
    }
}

impl<T: Bits> Bits for Vec<T> {
    fn bits(&self) -> Vec<(u64, f64)> {
        self.as_slice().bits()
    }
}

impl<T: Bits> Bits for Option<T> {
    fn bits(&self) -> Vec<(u64, f64)> {
        self.as_ref().map_or_else(Vec::new, T::bits)
    }
}

impl<T: Element + Bits> Bits for Tensor<T> {
    fn bits(&self) -> Vec<(u64, f64)> {
        self.data().bits()
    }
}

impl<A: Bits, B: Bits> Bits for (A, B) {
    fn bits(&self) -> Vec<(u64, f64)> {
        [self.0.bits(), self.1.bits()].concat()
    }
}

impl<A: Bits, B: Bits, C: Bits> Bits for (A, B, C) {
    fn bits(&self) -> Vec<(u64, f64)> {
        [self.0.bits(), self.1.bits(), self.2.bits()].concat()
    }
}

/// A pool of rayon's for each number of threads, made once.
fn pools() -> &'static [(usize, ThreadPool)] {
    static POOLS: OnceLock<Vec<(usize, ThreadPool)>> = OnceLock::new();
    POOLS.get_or_init(|| {
        let pool = |threads| {
            ThreadPoolBuilder::new().num_threads(threads).build().expect("a system that has threads")
        };
        [1, 2, 3, 8].map(|threads| (threads, pool(threads))).into()
    })
}

/// Checks that `compute` gives the same bits in pools of 1, 2, 3 and 8 threads.
///
/// # Errors
/// [`Failure`] at the first number that differs.
///
/// # Panics
/// If the system cannot start 14 threads.
pub fn check_same_bits_on_threads<R: Bits + Send>(compute: impl Fn() -> R + Sync) -> Result<(), Failure> {
    let mut runs = pools().iter().map(|(threads, pool)| (threads, pool.install(&compute).bits()));
    let (_, one) = runs.next().expect("a pool of one thread");
    for (threads, bits) in runs {
        if let Some(failure) = first_difference(Property::SameBits, &bits, &one) {
            return Err(failure.note(format!("{threads} threads give other bits than one")));
        }
    }
    Ok(())
}

/// [`check_same_bits_on_threads`].
///
/// # Panics
/// With the [`Failure`], if one bit differs.
#[track_caller]
pub fn assert_same_bits_on_threads<R: Bits + Send>(compute: impl Fn() -> R + Sync) {
    if let Err(failure) = check_same_bits_on_threads(compute) {
        panic!("{failure}");
    }
}

/// The failure at the first number whose bits differ.
pub(crate) fn first_difference(
    property: Property,
    got: &[(u64, f64)],
    expected: &[(u64, f64)],
) -> Option<Failure> {
    if got.len() != expected.len() {
        let lengths = [got.len() as f64, expected.len() as f64];
        return Some(Failure::of(Property::Length, expected.len(), lengths, 1.0, 0.0));
    }
    let at = got.iter().zip(expected).position(|(got, expected)| got.0 != expected.0)?;
    let scale = expected.iter().fold(0.0_f64, |largest, (_, number)| largest.max(number.abs()));
    Some(Failure::of(property, expected.len(), [got[at].1, expected[at].1], scale, 0.0).at(at))
}
