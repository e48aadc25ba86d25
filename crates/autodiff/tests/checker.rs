//! The checker itself: it passes right gradients, finds wrong ones, and reports kinks.

use crate::common::{TOLERANCE, probes};
use impasto_autodiff::check::{Direction, Ladder, Probe, Quotient, Verdict, check_gradient};
use impasto_proptest::strategies::off_zero as numbers_off_zero;
use proptest::prelude::*;

/// What the checker finds along the first coordinate.
fn first_probe(f: &dyn Fn(&[f64]) -> f64, x: &[f64], gradient: &[f64]) -> Probe {
    check_gradient(f, x, gradient, &[Direction::Coordinate(0)], &Ladder::for_scale(1.0)).remove(0)
}

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
        let verdict = |claimed: f64| {
            let probe = first_probe(&relu, &[0.0], &[claimed]);
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
        let probe = first_probe(&f, &[0.0], &[0.0]);
        prop_assert!(probe.step() < distance);
        prop_assert_eq!((probe.verdict(TOLERANCE), probe.kink), (Verdict::Pass, false));
        let met = probe.nearest_kink.expect("the kink is within the largest step");
        prop_assert!(distance < met && met < 16.1 * distance);
    }

    /// Around 0 these are even: central differences are right at every step, and the largest ones have the least rounding, while the
    /// halves differ by the curvature there. A wrong value between them is wrong all the same.
    #[test]
    fn curvature_at_a_large_step_is_no_kink(bend in 0.1..10.0f64, claimed in 1e-3..1e-2f64) {
        for f in [|x: f64| x * x + x.powi(4), |x: f64| 3.0 - x.cos(), |x: f64| (x * x).exp()] {
            let probe = first_probe(&|x| bend * f(x[0]), &[0.0], &[claimed * bend]);
            prop_assert_eq!((probe.kink, probe.verdict(TOLERANCE)), (false, Verdict::Fail));
            prop_assert!(!first_probe(&|x| bend * f(x[0]), &[0.0], &[0.0]).kink);
        }
    }

    /// A value far from 0 does not hide a kink: what rounding explains is small against it.
    #[test]
    fn a_kink_on_a_plateau_is_reported(height in 0.5..100.0f64, slope in 0.1..10.0f64) {
        let probe = first_probe(&|x| height + slope * x[0].max(0.0), &[0.0], &[0.0]);
        prop_assert_eq!((probe.kink, probe.verdict(TOLERANCE)), (true, Verdict::Kink));
    }

    /// Nor is rounding a kink: the halves of a straight line far above 0 disagree by eps |f| / h.
    #[test]
    fn rounding_is_no_kink(height in 1e9..1e11f64, x in -1.0..1.0f64, slope in 0.5..2.0f64) {
        let probe = first_probe(&|x| height + slope * x[0], &[x], &[slope]);
        prop_assert_eq!((probe.kink, probe.nearest_kink), (false, None));
    }

    /// `KINK` is a part of the scale: with a slope of 1, a bend by a hundred thousandth is one, by a hundred millionth none.
    #[test]
    fn the_least_kink_is_a_part_of_the_scale(slope in 1e-3..1e3f64) {
        let bent = |bend: f64| {
            let f = move |x: &[f64]| slope * (x[0] + bend * x[0].max(0.0));
            first_probe(&f, &[0.0], &[slope]).kink
        };
        prop_assert!(bent(1e-5) && !bent(1e-8));
    }
}

/// <grad f, d> of a linear function against the slope of a typical direction, ||grad f|| ||d|| / sqrt(n).
#[test]
fn differences_are_divided_by_a_typical_slope() {
    let f = |x: &[f64]| 3.0 * x[0] + 4.0 * x[1];
    let directions = [Direction::Coordinate(0), Direction::Coordinate(1), Direction::Random(2)];
    let probes = check_gradient(&f, &[0.0, 0.0], &[3.0, 4.0], &directions, &Ladder::for_scale(1.0));
    let along = directions[2].vector(2);
    let expected = [12.5_f64.sqrt(), 4.0, (3.0 * along[0] + 4.0 * along[1]).abs().max(5.0)];
    for (probe, expected) in probes.iter().zip(expected) {
        assert!(
            (probe.scale - expected).abs() < 1e-9,
            "{:?}: {} is not {expected}",
            probe.direction,
            probe.scale
        );
    }
}

/// At a kink the analytic value may leave the interval of the one-sided slopes by the tolerance, on either side.
#[test]
fn the_interval_of_a_kink_is_as_wide_as_the_tolerance() {
    let verdict = |left, right, analytic| {
        let quotients = vec![Quotient { step: 0.1, left, right }];
        let direction = Direction::Coordinate(0);
        let probe =
            Probe { direction, analytic, quotients, scale: 4.0, best: 0, kink: true, nearest_kink: None };
        // The slack: 0.01 of 4.
        probe.verdict(0.01)
    };
    for (low, high) in [(0.0, 1.0), (1.0, 0.0)] {
        assert_eq!(verdict(low, high, 1.03), Verdict::Kink);
        assert_eq!(verdict(low, high, -0.03), Verdict::Kink);
        assert_eq!(verdict(low, high, 1.05), Verdict::Fail);
        assert_eq!(verdict(low, high, -0.05), Verdict::Fail);
        assert_eq!(verdict(low, high, 0.53), Verdict::Pass);
    }
}

/// Around 0 this function is flat, so the scale is 0, and its two halves are equal at every step: none meets a kink.
#[test]
fn halves_that_agree_are_no_kink() {
    let f = |x: &[f64]| if x[0].abs() < 0.01 { 0.0 } else { x[0].powi(3) };
    let probe = first_probe(&f, &[0.0], &[0.0]);
    assert!(probe.best > 0 && probe.scale == 0.0);
    assert_eq!((probe.kink, probe.nearest_kink), (false, None));
}

/// The signs are the top bits of SplitMix64, whose first numbers from the seeds 0 and 1234567 are published.
#[test]
fn random_directions_are_the_top_bits_of_splitmix64() {
    let published: [(u64, [u64; 5]); 2] = [
        (
            0,
            [
                0xe220_a839_7b1d_cdaf,
                0x6e78_9e6a_a1b9_65f4,
                0x06c4_5d18_8009_454f,
                0xf88b_b8a8_724c_81ec,
                0x1b39_896a_51a8_749b,
            ],
        ),
        (
            1_234_567,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ],
        ),
    ];
    for (seed, numbers) in published {
        let signs = numbers.map(|number| if number >> 63 == 1 { -1.0 } else { 1.0 });
        assert_eq!(Direction::Random(seed).vector(5), signs);
    }
}

/// Truncation on the right, rounding on the left, the best step between: the V of numerical differentiation.
#[test]
fn error_against_step_is_a_v() {
    let f = |x: &[f64]| x[0].exp();
    let probe = first_probe(&f, &[1.0], &[1f64.exp()]);
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
