//! Backward of a linear operation is its adjoint.
//!
//! ```text
//! <A x, y> = <x, A' y>        for all x, y
//! ```
//!
//! Exact but for rounding, so a thousand times sharper than differences; it compares forward with backward and asks neither to be right.

use crate::failure::{Failure, Property};

/// Checks `<A x, y> = <x, A' y>` within `tolerance` in parts of the sum of the products' magnitudes. An offset, as a convolution's bias is
/// one, is taken off: A x is `forward(x) - forward(0)`.
///
/// # Errors
/// [`Failure`] at the coordinate i where (A' y)_i differs most from `<A e_i, y>`.
pub fn check_adjoint(
    forward: impl Fn(&[f64]) -> Vec<f64>,
    backward: impl Fn(&[f64]) -> Vec<f64>,
    x: &[f64],
    y: &[f64],
    tolerance: f64,
) -> Result<(), Failure> {
    let n = x.len();
    let (offset, image, back) = (forward(&vec![0.0; n]), forward(x), backward(y));
    for (got, expected, what) in [(image.len(), y.len(), "A x"), (back.len(), n, "A' y")] {
        if got != expected {
            let lengths = [got as f64, expected as f64];
            let failure = Failure::of(Property::Length, expected, lengths, 1.0, 0.0);
            return Err(failure.note(format!("so many numbers has {what}")));
        }
    }
    let product =
        |image: &[f64]| image.iter().zip(&offset).zip(y).map(|((a, o), y)| (a - o) * y).sum::<f64>();
    let (left, right) = (product(&image), x.iter().zip(&back).map(|(x, b)| x * b).sum::<f64>());
    let magnitude = |pairs: &mut dyn Iterator<Item = f64>| pairs.map(f64::abs).sum::<f64>();
    let scale = magnitude(&mut image.iter().zip(&offset).zip(y).map(|((a, o), y)| (a.abs() + o.abs()) * y))
        + magnitude(&mut x.iter().zip(&back).map(|(x, b)| x * b));
    if (left - right).abs() <= tolerance * scale {
        return Ok(());
    }
    let column = |at: usize| {
        let mut unit = vec![0.0; n];
        unit[at] = 1.0;
        product(&forward(&unit))
    };
    let columns: Vec<f64> = (0..n).map(column).collect();
    let off = |at: usize| (back[at] - columns[at]).abs();
    let worst = (0..n).max_by(|&a, &b| off(a).total_cmp(&off(b)));
    let numbers = worst.map_or([right, left], |at| [back[at], columns[at]]);
    let largest = columns.iter().chain(&back).fold(0.0_f64, |largest, c| largest.max(c.abs()));
    let failure = Failure::of(Property::Adjoint, n, numbers, largest, tolerance)
        .note(format!("<A x, y> is {left:e}, <x, A' y> is {right:e}"));
    Err(worst.map_or(failure.clone(), |at| failure.at(at)))
}

/// [`check_adjoint`] within 1e-12.
///
/// # Panics
/// With the [`Failure`], if the two products differ.
#[track_caller]
pub fn assert_adjoint(
    forward: impl Fn(&[f64]) -> Vec<f64>,
    backward: impl Fn(&[f64]) -> Vec<f64>,
    x: &[f64],
    y: &[f64],
) {
    if let Err(failure) = check_adjoint(forward, backward, x, y, 1e-12) {
        panic!("{failure}");
    }
}
