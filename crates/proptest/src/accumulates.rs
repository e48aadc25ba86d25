//! A gradient that is added to what is there.

use crate::failure::{Failure, Property};
use crate::random::uneven;
use crate::twin::check_twin;

/// Checks that `add`, which adds a gradient of `len` numbers to a buffer, does so: what is in the buffer before stays in the sum, and twice is
/// twice. Within 1e-12 of the largest number.
///
/// # Errors
/// [`Failure`] at the coordinate that is most off.
pub fn check_accumulates(add: impl Fn(&mut [f64]), len: usize) -> Result<(), Failure> {
    let filled = |before: &[f64], times: usize| {
        let mut buffer = before.to_vec();
        (0..times).for_each(|_| add(&mut buffer));
        buffer
    };
    let (zero, before) = (vec![0.0; len], uneven(len, 3));
    let alone = filled(&zero, 1);
    for (before, times, what) in
        [(&before, 1, "into a buffer that was not 0"), (&zero, 2, "twice into the same buffer")]
    {
        let expected: Vec<f64> = before.iter().zip(&alone).map(|(b, a)| b + times as f64 * a).collect();
        check_twin(&filled(before, times), &expected, 1e-12).map_err(|failure| {
            let notes = vec![what.to_owned()];
            Failure { property: Property::Accumulates, notes, ..failure }
        })?;
    }
    Ok(())
}

/// [`check_accumulates`].
///
/// # Panics
/// With the [`Failure`], if it writes over what is there.
#[track_caller]
pub fn assert_accumulates(add: impl Fn(&mut [f64]), len: usize) {
    if let Err(failure) = check_accumulates(add, len) {
        panic!("{failure}");
    }
}
