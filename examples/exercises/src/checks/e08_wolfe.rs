//! The strong Wolfe conditions: what must hold.

use impasto_proptest::{Cases, Refuted, check_twin};
use proptest::prelude::*;

/// A step along phi(t) = h - b t + a t^2 / 2, of which both answers are known: sufficient decrease up to t = 2 (1 - c1) b/a, curvature from
/// (1 - c2) b/a to (1 + c2) b/a.
///
/// # Errors
/// [`Refuted`] with the condition that is wrong: 0 is sufficient decrease, 1 curvature; 1 means that it holds.
pub fn check(wolfe: impl Fn((f64, f64), f64, (f64, f64), (f64, f64)) -> [bool; 2]) -> Result<(), Refuted> {
    let quarters = |range: std::ops::Range<i32>| range.prop_map(|k| f64::from(k) / 4.0);
    let cases = (
        quarters(0..9),
        quarters(1..9),
        quarters(1..9),
        1..64_u8,
        prop_oneof![Just((0.1, 0.9)), Just((0.25, 0.5))],
    );
    Cases::default().run(&cases, |&(h, b, a, part, (c1, c2))| {
        // t in 32ths of b/a, a little off: never exactly where an answer changes.
        let u = f64::from(part) / 32.0 + 0.001;
        let t = u * b / a;
        let expected = [u <= 2.0 * (1.0 - c1), (u - 1.0).abs() <= c2];
        let got = wolfe((h, -b), t, (h - b * t + 0.5 * a * t * t, a * t - b), (c1, c2));
        let numbers = |answers: [bool; 2]| answers.map(|answer| f64::from(u8::from(answer)));
        check_twin(&numbers(got), &numbers(expected), 0.0)
            .map_err(|failure| failure.of_operation("wolfe", &[]))
    })
}
