//! A fast version against the plain one.

use crate::failure::{Failure, Property};

/// Checks that every number of `fast` is within `tolerance` of the plain one, in parts of the largest plain number. What is not finite must be
/// the same in both. In `f32`, `f64`, or one of each.
///
/// # Errors
/// [`Failure`] at the coordinate that differs most.
pub fn check_twin<F, P>(fast: &[F], plain: &[P], tolerance: f64) -> Result<(), Failure>
where
    F: Copy + Into<f64>,
    P: Copy + Into<f64>,
{
    if fast.len() != plain.len() {
        let lengths = [fast.len() as f64, plain.len() as f64];
        return Err(
            Failure::of(Property::Length, plain.len(), lengths, 1.0, 0.0).note("so many numbers has fast")
        );
    }
    let pairs = || fast.iter().zip(plain).map(|(&f, &p)| (f.into(), p.into()));
    let finite = pairs().map(|(_, p): (f64, f64)| p.abs()).filter(|p| p.is_finite());
    let largest = finite.fold(0.0, f64::max);
    let off = |(f, p): (f64, f64)| match f - p {
        _ if f == p || (f.is_nan() && p.is_nan()) => 0.0,
        difference if difference.is_finite() => difference.abs(),
        _ => f64::INFINITY,
    };
    let worst = pairs().enumerate().max_by(|(_, a), (_, b)| off(*a).total_cmp(&off(*b)));
    match worst {
        Some((at, (f, p))) if off((f, p)) > tolerance * largest => {
            let count = pairs().filter(|pair| off(*pair) > tolerance * largest).count();
            let failure = Failure::of(Property::Twin, plain.len(), [f, p], largest, tolerance).at(at);
            Err(failure.note(format!("{count} of {} numbers differ by more than is allowed", plain.len())))
        }
        _ => Ok(()),
    }
}

/// [`check_twin`].
///
/// # Panics
/// With the [`Failure`], if one number differs by more.
#[track_caller]
pub fn assert_twin<F, P>(fast: &[F], plain: &[P], tolerance: f64)
where
    F: Copy + Into<f64>,
    P: Copy + Into<f64>,
{
    if let Err(failure) = check_twin(fast, plain, tolerance) {
        panic!("{failure}");
    }
}
