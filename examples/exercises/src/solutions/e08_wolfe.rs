//! The strong Wolfe conditions: one way to write it.

/// Whether there is sufficient decrease, and whether the curvature condition holds. `start` and `end` are (phi, phi') at 0 and at t.
pub fn wolfe(start: (f64, f64), t: f64, end: (f64, f64), (c1, c2): (f64, f64)) -> [bool; 2] {
    [end.0 <= start.0 + c1 * t * start.1, end.1.abs() <= c2 * start.1.abs()]
}
