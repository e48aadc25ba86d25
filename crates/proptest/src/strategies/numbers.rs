//! Rows of numbers.

use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;

/// How many numbers there are.
pub(super) fn lengths(len: impl Into<SizeRange>) -> impl Strategy<Value = usize> + Clone {
    let len: SizeRange = len.into();
    len.start()..=len.end_incl()
}

/// Thousandths in -1..=1.
fn thousandths() -> impl Strategy<Value = f64> + Clone {
    (-1000..=1000_i32).prop_map(|k| f64::from(k) / 1000.0)
}

/// Numbers in -1..=1. Shrinks to zeros.
pub fn numbers(len: impl Into<SizeRange>) -> impl Strategy<Value = Vec<f64>> + Clone {
    vec(thousandths(), len)
}

/// Numbers in -1..=1 whose distance to 0 is 0.05 at least: no step of a difference that counts reaches the kink of a ReLU. Shrinks to 0.05.
pub fn off_zero(len: impl Into<SizeRange>) -> impl Strategy<Value = Vec<f64>> + Clone {
    let number = (50..=1000_i32, any::<bool>()).prop_map(|(k, is_negative)| {
        let number = f64::from(k) / 1000.0;
        if is_negative { -number } else { number }
    });
    vec(number, len)
}

/// n different numbers in -1..1, 2/n from one to the next and 1/n off zero at least, in any order: no ties in any window. Shrinks to
/// numbers that grow.
pub fn apart(len: impl Into<SizeRange>) -> impl Strategy<Value = Vec<f64>> + Clone {
    lengths(len).prop_flat_map(|n| {
        let n = n as i64;
        let number = |k: i64| (2 * (k - n / 2) + 1) as f64 / n as f64;
        Just((0..n).map(number).collect::<Vec<f64>>()).prop_shuffle()
    })
}

/// Numbers of 0, 0.5, -0.5, 1, -1 alone: many are equal, many exactly 0. Shrinks to zeros.
pub fn ties(len: impl Into<SizeRange>) -> impl Strategy<Value = Vec<f64>> + Clone {
    vec((0..5_usize).prop_map(|k| [0.0, 0.5, -0.5, 1.0, -1.0][k]), len)
}

/// Numbers in -1..=1, a third of them exactly 0, a few -0. Shrinks to zeros.
pub fn with_zeros(len: impl Into<SizeRange>) -> impl Strategy<Value = Vec<f64>> + Clone {
    vec(prop_oneof![6 => Just(0.0), 12 => thousandths(), 1 => Just(-0.0)], len)
}

/// Numbers of a millionth to a million, either sign, and 0. Shrinks to zeros.
pub fn wide(len: impl Into<SizeRange>) -> impl Strategy<Value = Vec<f64>> + Clone {
    let number =
        (-999..=999_i32, -6..=6_i32).prop_map(|(k, power)| f64::from(k) / 100.0 * 10_f64.powi(power));
    vec(number, len)
}

/// Numbers of which arithmetic is careless: 0, -0, denormal ones, the smallest normal one, epsilon, 1e-150, 1e150. Shrinks to zeros. For a
/// fast version against a plain one: central differences cannot follow such numbers.
pub fn extremes(len: impl Into<SizeRange>) -> impl Strategy<Value = Vec<f64>> + Clone {
    let magnitudes = [0.0, 1.0, f64::EPSILON, f64::MIN_POSITIVE, 1e-310, 5e-324, 1e-150, 1e150];
    let number = (0..magnitudes.len(), any::<bool>())
        .prop_map(move |(k, is_negative)| if is_negative { -magnitudes[k] } else { magnitudes[k] });
    vec(number, len)
}
