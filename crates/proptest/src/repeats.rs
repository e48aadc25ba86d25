//! An earlier call leaves nothing behind.

use crate::failure::{Failure, Property};
use crate::threads::{Bits, first_difference};

/// Checks that `compute` gives the same bits before and after `other`, a call on something else: no buffer keeps what it had.
///
/// # Errors
/// [`Failure`] at the first number that differs.
pub fn check_repeats<R: Bits>(compute: impl Fn() -> R, other: impl Fn()) -> Result<(), Failure> {
    let first = compute().bits();
    other();
    match first_difference(Property::Repeats, &compute().bits(), &first) {
        Some(failure) => Err(failure.note("after a call on another point")),
        None => Ok(()),
    }
}
