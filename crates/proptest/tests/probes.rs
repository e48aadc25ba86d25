//! Where the checker looks, and what it makes of what it sees there.

use std::cell::RefCell;
use std::collections::BTreeSet;

use impasto_proptest::{
    Chain, Checks, Failure, Operation, Property, Step, check_adjoint, check_claim, check_gradient, check_twin,
};
use proptest::prelude::*;

/// The coordinates that were moved alone.
fn probed(n: usize, checks: &Checks) -> BTreeSet<usize> {
    let x = vec![0.5; n];
    let seen = RefCell::new(BTreeSet::new());
    let sum = |at: &[f64]| {
        let moved: Vec<usize> = (0..n).filter(|&i| at[i] != x[i]).collect();
        if let [alone] = moved[..] {
            seen.borrow_mut().insert(alone);
        }
        at.iter().sum()
    };
    check_claim(&sum, &x, &vec![1.0; n], checks).unwrap();
    seen.into_inner()
}

#[test]
fn every_seed_probes_other_coordinates_and_always_both_ends() {
    let all: Vec<_> =
        (0..130).map(|seed| probed(1000, &Checks::default().seeded(seed).probing(0, 8))).collect();
    for (seed, one) in all.iter().enumerate() {
        assert!(one.len() == 8 && one.contains(&0) && one.contains(&999), "{seed}: {one:?}");
        assert!(!all[..seed].contains(one), "{seed}: {one:?}");
    }
    // Spread over all.
    let places: BTreeSet<usize> = all.iter().flatten().map(|at| at / 100).collect();
    assert_eq!(places.len(), 10);
}

#[test]
fn as_few_coordinates_as_there_are_are_all_probed() {
    for (n, most) in [(1, 1), (5, 5), (5, 8), (5, 4), (2, 1)] {
        assert_eq!(probed(n, &Checks::default().probing(0, most)).len(), n.min(most));
    }
}

proptest! {
    /// Steps are a tenth of the largest coordinate at first, and go on to a billionth of one, however large that is.
    #[test]
    fn a_large_coordinate_does_not_hide_a_small_one(power in 0..12, x in 0.2..1.0_f64, wrong in 1e-3..1.0_f64) {
        let at = [x, 10_f64.powi(power)];
        let cube = |x: &[f64]| (100.0 * x[0]).powi(3);
        let slope = 300.0 * (100.0 * x).powi(2);
        let checks = Checks::default().probing(0, 2);
        let seen = check_claim(&cube, &at, &[slope, 0.0], &checks)?;
        prop_assert_eq!((seen.passed, seen.unclear), (2, 0));
        prop_assert!(check_claim(&cube, &at, &[slope * (1.0 + wrong), 0.0], &checks).is_err());
    }

    /// And of a small one: a hundredth at least, so that what is around 0 is seen.
    #[test]
    fn small_coordinates_are_probed_at_their_own_scale(x in -1e-3..1e-3_f64, wrong in 1e-3..1.0_f64) {
        let f = |x: &[f64]| 1.0 / (1.0 - 300.0 * x[0]);
        let slope = 300.0 / (1.0 - 300.0 * x).powi(2);
        check_claim(&f, &[x], &[slope], &Checks::default())?;
        prop_assert!(check_claim(&f, &[x], &[slope * (1.0 + wrong)], &Checks::default()).is_err());
    }

    /// From a tenth of the scale, to about a billionth of 1.
    #[test]
    fn steps_go_from_a_tenth_of_the_scale_to_a_billionth(scale in 1.0..1e6_f64) {
        let moved = RefCell::new(Vec::new());
        let f = |x: &[f64]| {
            moved.borrow_mut().push((x[0] - 0.5).abs());
            x[0]
        };
        let checks = Checks { scale: Some(scale), ..Checks::default().probing(0, 1) };
        check_claim(&f, &[0.5], &[1.0], &checks)?;
        let moved: Vec<f64> = moved.into_inner().into_iter().filter(|step| *step > 0.0).collect();
        let largest = moved.iter().copied().fold(0.0, f64::max);
        let smallest = moved.iter().copied().fold(f64::INFINITY, f64::min);
        prop_assert!((largest / (scale / 10.0) - 1.0).abs() < 1e-12);
        prop_assert!((3e-10..2e-9).contains(&smallest), "{smallest}");
    }

    /// What is within the tolerance passes, and nothing else.
    #[test]
    fn a_tolerance_is_kept(tolerance in 1e-4..1e-1_f64) {
        let off = |part: f64| check_claim(&|x| x[0], &[0.5], &[1.0 + part * tolerance], &Checks::default().within(tolerance));
        prop_assert!(off(0.9).is_ok() && off(-0.9).is_ok() && off(1.2).is_err() && off(-1.2).is_err());
        prop_assert_eq!(off(1.2).unwrap_err().allowed, tolerance);
    }

    /// Far above 0 the function's own rounding is more than the tolerance: unclear, and no failure. Every probe is counted once.
    #[test]
    fn what_rounding_explains_is_unclear(height in 1e9..1e10_f64, slope in 0.1..1.0_f64) {
        let checks = Checks { scale: Some(1e-2), ..Checks::default() };
        let seen = check_claim(&|x| height + slope * x[0], &[0.3], &[slope], &checks)?;
        prop_assert_eq!(seen.passed + seen.kinks + seen.unclear, 9);
        prop_assert!(seen.unclear > 0, "{seen:?}");
    }

    /// Of several kinks the slope along a direction may lie outside of what each allows; then the coordinates decide, and it is a kink.
    #[test]
    fn several_kinks_are_counted_as_kinks(seed in any::<u64>()) {
        let f = |x: &[f64]| (0..6).map(|i| if i < 3 { x[i].max(0.0) } else { -x[i].max(0.0) }).sum::<f64>();
        let seen = check_claim(&f, &[0.0; 6], &[0.0, 0.0, 0.0, -1.0, -1.0, -1.0], &Checks::default().seeded(seed))?;
        prop_assert_eq!((seen.passed, seen.kinks, seen.unclear), (0, 14, 0));
    }

    /// Of many coordinates, wherever it is.
    #[test]
    fn any_wrong_coordinate_of_many_is_named(n in 1025..2000_usize, at in any::<prop::sample::Index>()) {
        let (x, at) = (vec![1.0; n], at.index(n));
        let squares = |x: &[f64]| {
            let mut gradient = x.to_vec();
            gradient[at] *= -1.0;
            (x.iter().map(|x| 0.5 * x * x).sum(), gradient)
        };
        let failure = check_gradient(squares, &x, &Checks::default().probing(4, 0)).unwrap_err();
        prop_assert_eq!((failure.coordinate, failure.len), (Some(at), n));
        prop_assert!((failure.expected - 1.0).abs() < 1e-6 && (failure.got + 1.0).abs() < 1e-6);
        prop_assert!(failure.to_string().contains("found by halves"));
    }

    /// What is said to be off by so much is: |claimed - measured| over the slope of a typical direction.
    #[test]
    fn the_error_is_a_part_of_a_typical_slope(x in -1.0..1.0_f64, factor in 0.0..3.0_f64, n in 1..5_usize) {
        prop_assume!((factor - 1.0).abs() > 1e-3 && x.abs() > 0.05);
        let f = |at: &[f64]| (0.5 * at.iter().map(|x| x * x).sum::<f64>(), at.iter().map(|x| factor * x).collect());
        let failure = check_gradient(f, &vec![x; n], &Checks::default().probing(0, n)).unwrap_err();
        let expected = (factor - 1.0).abs() / factor.max(1.0);
        prop_assert!((failure.error - expected).abs() < 1e-5, "{} is not {expected}", failure.error);
        prop_assert_eq!(failure.allowed, 1e-7);
    }
}

fn failed(claim: &dyn Fn(&[f64]) -> Vec<f64>, x: &[f64]) -> Failure {
    let f = |x: &[f64]| (x.iter().map(|x| 0.5 * x * x).sum(), claim(x));
    check_gradient(f, x, &Checks::default()).unwrap_err()
}

#[test]
fn up_to_1024_coordinates_are_looked_at_one_by_one() {
    let claim = |x: &[f64]| x.iter().map(|x| 2.0 * x).collect::<Vec<f64>>();
    let notes = |n: usize| failed(&claim, &vec![1.0; n]).notes.join("; ");
    assert!(notes(1024).starts_with("1024 of 1024 coordinates are wrong"), "{}", notes(1024));
    assert_eq!(notes(1025), "found by halves: others may be wrong as well");
}

/// The coordinate that is named is the one that is furthest off, wherever that is.
#[test]
fn the_worst_coordinate_is_named() {
    for worst in 0..5 {
        let claim =
            |x: &[f64]| (0..5).map(|i| x[i] + if i == worst { 0.5 } else { -0.25 }).collect::<Vec<f64>>();
        assert_eq!(failed(&claim, &[1.0, 2.0, 3.0, 2.0, 1.0]).coordinate, Some(worst));
    }
}

#[test]
fn of_those_that_are_as_wrong_the_first_one_is_named() {
    let sum = |x: &[f64]| (x[0] + x[1], vec![1.5, 1.5]);
    let failure = check_gradient(sum, &[1.0, 1.0], &Checks::default()).unwrap_err();
    assert_eq!(failure.coordinate, Some(0), "{failure}");
}

#[test]
fn eight_wrong_coordinates_are_all_listed() {
    let list = |wrong: usize| {
        let claim =
            |x: &[f64]| (0..12).map(|i| x[i] * if i < wrong { 2.0 } else { 1.0 }).collect::<Vec<f64>>();
        failed(&claim, &[1.0; 12]).notes[0].clone()
    };
    assert_eq!(list(8), "8 of 12 coordinates are wrong: 0, 1, 2, 3, 4, 5, 6, 7");
    assert_eq!(list(9), "9 of 12 coordinates are wrong: 0, 1, 2, 3, 4, 5, 6, 7, ...");
}

/// A common factor is named where several share it, or where it is one that is made by forgetting something.
#[test]
fn a_factor_is_named_where_it_tells_something() {
    let last = |factors: &[f64]| {
        let claim = |x: &[f64]| x.iter().zip(factors).map(|(x, factor)| factor * x).collect::<Vec<f64>>();
        failed(&claim, &vec![1.5; factors.len()]).notes.pop().unwrap_or_default()
    };
    for factor in ["-2", "-1", "-0.5", "0.25", "0.5", "2", "4"] {
        let number: f64 = factor.parse().unwrap();
        let said = format!("every wrong coordinate is {factor} times what it should be");
        assert_eq!(last(&[number]), said);
        assert_eq!(last(&[number, 1.0, number]), said);
    }
    assert_eq!(last(&[3.0]), "");
    assert_eq!(last(&[3.0, 3.0, 1.0]), "every wrong coordinate is 3 times what it should be");
    assert_eq!(last(&[3.0, 3.001, 1.0]), "2 of 3 coordinates are wrong: 0, 1");
    assert_eq!(last(&[0.0, 0.0, 1.0]), "every wrong coordinate is 0");
    assert_eq!(last(&[0.0, 3.0, 1.0]), "2 of 3 coordinates are wrong: 0, 1");
    assert_eq!(last(&[2.0, -2.0, 1.0]), "2 of 3 coordinates are wrong: 0, 1");
}

/// Both are parts of what is there, large numbers or small.
#[test]
fn patterns_are_seen_at_any_size() {
    for size in [1e-3, 1.0, 1e4] {
        let twice = |x: &[f64]| (0.5 * x[0] * x[0], vec![2.0 * x[0]]);
        let failure = check_gradient(twice, &[size], &Checks::default()).unwrap_err();
        assert_eq!(failure.notes, ["every wrong coordinate is 2 times what it should be"]);
        let flat = |x: &[f64]| (size * x[0] + 1e-9 * size * x[1], vec![size, size]);
        let failure = check_gradient(flat, &[1.0, 1.0], &Checks::default()).unwrap_err();
        assert_eq!(failure.notes[1], "every wrong coordinate should be 0");
        let several = |x: &[f64]| (0.5 * (x[0] * x[0] + x[1] * x[1]), vec![2.0 * x[0], 3.0 * x[1]]);
        let failure = check_gradient(several, &[size, size], &Checks::default()).unwrap_err();
        assert_eq!(failure.notes, ["2 of 2 coordinates are wrong: 0, 1"]);
    }
}

/// The equations of the steps, written once more.
#[test]
fn steps_are_their_equations() {
    let x = [0.5, -1.0, 2.0, 2.5, -0.25];
    let close = |step: &Step, expected: &[f64]| check_twin(&step.forward(&x), expected, 1e-14).unwrap();
    close(&Step::Scale(-2.0, 0.25), &[-0.75, 2.25, -3.75, -4.75, 0.75]);
    close(&Step::Dense(vec![vec![1.0, 2.0, 0.0, -1.0, 4.0], vec![0.0, 0.0, 3.0, 0.0, 0.0]]), &[-5.0, 6.0]);
    close(&Step::Relu, &[0.5, 0.0, 2.0, 2.5, 0.0]);
    close(&Step::Tanh, &x.map(|x| 1.0 - 2.0 / ((2.0 * x).exp() + 1.0)));
    close(&Step::Square, &[0.25, 1.0, 4.0, 6.25, 0.0625]);
    let sum: f64 = x.iter().map(|x| x.exp()).sum();
    close(&Step::Softmax, &x.map(|x| x.exp() / sum));
    close(&Step::Average, &[-0.25, 2.25]);
    close(&Step::Max, &[0.5, 2.5]);
    for step in [Step::Average, Step::Max] {
        assert_eq!(step.forward(&[7.0]), [7.0]); // alone, a number is its own window
    }
    let steps = [
        (Step::Scale(1.0, 0.0), true, false),
        (Step::Dense(vec![]), true, false),
        (Step::Average, true, false),
        (Step::Max, false, true),
        (Step::Relu, false, true),
        (Step::Tanh, false, false),
        (Step::Square, false, false),
        (Step::Softmax, false, false),
    ];
    for (step, is_linear, has_kinks) in steps {
        assert_eq!((step.is_linear(), step.has_kinks()), (is_linear, has_kinks), "{step:?}");
    }
    // A chain is linear if all its steps are.
    assert!(Chain(vec![Step::Average, Step::Scale(2.0, 1.0)]).is_linear());
    assert!(!Chain(vec![Step::Average, Step::Tanh]).is_linear());
    // At 0 a ReLU gives 0 back.
    assert_eq!(Step::Relu.backward(&[0.0, 1e-300], &[3.0, 3.0]), [0.0, 3.0]);
    // Of equal numbers the first is the largest.
    assert_eq!(Step::Max.backward(&[2.0, 2.0], &[3.0]), [3.0, 0.0]);
    let large = Step::Softmax.forward(&[1e3, 999.0]);
    check_twin(&large, &Step::Softmax.forward(&[1.0, 0.0]), 1e-12).unwrap();
}

proptest! {
    /// Neither more nor less than is allowed: of the largest plain number.
    #[test]
    fn a_twin_may_be_off_by_a_part_of_the_largest_number(at in 0..4_usize, tolerance in 1e-6..1e-2_f64) {
        let plain = [0.5, -4.0, 1.0, 0.0];
        let off = |part: f64| {
            let mut fast = plain;
            fast[at] += part * tolerance * 4.0;
            check_twin(&fast, &plain, tolerance)
        };
        prop_assert!(off(0.99).is_ok() && off(-0.99).is_ok());
        for part in [1.01, -1.01] {
            let failure = off(part).unwrap_err();
            prop_assert_eq!((failure.property, failure.coordinate), (Property::Twin, Some(at)));
            prop_assert!((failure.error / tolerance - 1.01).abs() < 1e-9);
            prop_assert_eq!(&failure.notes[..], ["1 of 4 numbers differ by more than is allowed".to_owned()]);
        }
    }

    /// The products may differ by a part of the sums of what was added up, whatever cancels.
    #[test]
    fn an_adjoint_is_right_up_to_the_rounding_of_its_sums(
        x in prop::collection::vec(0.1..1.0_f64, 3), y in prop::collection::vec(0.1..1.0_f64, 2), part in 0.0..3.0_f64,
    ) {
        let a = [[2.0, -1.0, 0.5], [1.0, 3.0, -2.0]];
        let forward = |x: &[f64]| a.iter().map(|row| 5.0 + row.iter().zip(x).map(|(a, x)| a * x).sum::<f64>()).collect::<Vec<_>>();
        let exact: Vec<f64> = (0..3).map(|j| a[0][j] * y[0] + a[1][j] * y[1]).collect();
        let sums = forward(&x).iter().zip(&y).map(|(f, y)| (f.abs() + 5.0) * y).sum::<f64>()
            + x.iter().zip(&exact).map(|(x, b)| (x * b).abs()).sum::<f64>();
        // An error of so many times what is allowed, at one coordinate.
        let tolerance = 1e-9;
        let backward = |_: &[f64]| {
            let mut back = exact.clone();
            back[1] += part * tolerance * sums / x[1];
            back
        };
        prop_assume!((part - 1.0).abs() > 1e-3);
        let checked = check_adjoint(forward, backward, &x, &y, tolerance);
        prop_assert_eq!(checked.is_ok(), part < 1.0, "{:?}", checked);
        if let Err(failure) = checked {
            prop_assert_eq!(failure.coordinate, Some(1));
        }
    }
}
