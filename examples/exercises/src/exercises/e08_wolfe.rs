//! 8. The strong Wolfe conditions.
//!
//! phi(t) is the loss along the search direction, phi' its slope; phi'(0) < 0. A step t is good enough when
//!
//! ```text
//! phi(t) <= phi(0) + c1 t phi'(0)      sufficient decrease
//! |phi'(t)| <= c2 |phi'(0)|            curvature
//! ```

/// Whether there is sufficient decrease, and whether the curvature condition holds. `start` and `end` are (phi, phi') at 0 and at t.
///
/// Write this function.
pub fn wolfe(start: (f64, f64), t: f64, end: (f64, f64), (c1, c2): (f64, f64)) -> [bool; 2] {
    [false, false]
}
