//! The checker itself: it passes right gradients, finds wrong ones, and reports kinks.

mod common;

use common::{TOLERANCE, numbers_off_zero, probes};
use impasto_autodiff::check::{Direction, Ladder, Verdict, check_gradient};
use proptest::prelude::*;

fn quartic(x: &[f64]) -> f64 {
    x.iter().enumerate().map(|(i, x)| (i + 1) as f64 * x.powi(4) - x * x + 3.0 * x).sum()
}

fn quartic_gradient(x: &[f64]) -> Vec<f64> {
    x.iter().enumerate().map(|(i, x)| 4.0 * (i + 1) as f64 * x.powi(3) - 2.0 * x + 3.0).collect()
}

proptest! {
    #[test]
    fn a_right_gradient_passes(x in (1..30usize).prop_flat_map(numbers_off_zero)) {
        for probe in probes(&quartic, &x, &quartic_gradient(&x)) {
            prop_assert_eq!(probe.verdict(TOLERANCE), Verdict::Pass);
            prop_assert_eq!((probe.kink, probe.nearest_kink), (false, None));
        }
    }

    /// One coordinate off by a millionth of the gradient's norm is found by that coordinate's probe.
    #[test]
    fn a_wrong_coordinate_fails(
        x in (1..30usize).prop_flat_map(numbers_off_zero), at in any::<prop::sample::Index>()
    ) {
        let at = at.index(x.len());
        let mut gradient = quartic_gradient(&x);
        gradient[at] += 1e-6 * gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let probe = &check_gradient(&quartic, &x, &gradient, &[Direction::Coordinate(at)], &Ladder::for_scale(1.0))[0];
        prop_assert_eq!(probe.verdict(TOLERANCE), Verdict::Fail);
    }

    /// max(0, x) at 0 has slopes 0 and 1: any value between is a kink's, any other is wrong.
    #[test]
    fn a_kink_is_reported_and_does_not_excuse_a_wrong_gradient(slope in 0.1..10.0f64, claimed in 0.0..1.0f64) {
        let relu = |x: &[f64]| slope * x[0].max(0.0);
        let ladder = Ladder::for_scale(1.0);
        let verdict = |claimed: f64| {
            let probe = check_gradient(&relu, &[0.0], &[claimed], &[Direction::Coordinate(0)], &ladder).remove(0);
            (probe.kink, probe.verdict(TOLERANCE))
        };
        let inside = verdict(claimed * slope).1;
        prop_assert!(inside == Verdict::Kink || (claimed - 0.5).abs() < 1e-6, "{inside:?}");
        prop_assert_eq!(verdict(0.0), (true, Verdict::Kink));
        prop_assert_eq!(verdict(1.1 * slope), (true, Verdict::Fail));
        prop_assert_eq!(verdict(-0.1 * slope), (true, Verdict::Fail));
    }

    /// A kink at a distance is stepped over: smaller steps do not reach it.
    #[test]
    fn a_kink_nearby_is_avoided_by_smaller_steps(distance in 1e-4..5e-2f64) {
        let f = |x: &[f64]| x[0] * x[0] + (x[0] - distance).max(0.0);
        let probe = &check_gradient(&f, &[0.0], &[0.0], &[Direction::Coordinate(0)], &Ladder::for_scale(1.0))[0];
        prop_assert!(probe.step() < distance);
        prop_assert_eq!((probe.verdict(TOLERANCE), probe.kink), (Verdict::Pass, false));
        let met = probe.nearest_kink.expect("the kink is within the largest step");
        prop_assert!(distance < met && met < 16.1 * distance);
    }
}

/// Truncation on the right, rounding on the left, the best step between: the V of numerical differentiation.
#[test]
fn error_against_step_is_a_v() {
    let f = |x: &[f64]| x[0].exp();
    let probe =
        &check_gradient(&f, &[1.0], &[1f64.exp()], &[Direction::Coordinate(0)], &Ladder::for_scale(1.0))[0];
    let last = probe.quotients.len() - 1;
    assert!(probe.best > 0 && probe.best < last);
    assert!(probe.error_at(0) > 1e3 * probe.relative_error());
    assert!(probe.error_at(last) > 10.0 * probe.relative_error());
}

#[test]
fn a_constant_has_gradient_zero() {
    let probe =
        &check_gradient(&|_| 3.0, &[1.0], &[0.0], &[Direction::Random(7)], &Ladder::for_scale(1.0))[0];
    assert_eq!((probe.relative_error(), probe.verdict(TOLERANCE)), (0.0, Verdict::Pass));
}
