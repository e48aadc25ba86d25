//! Right operations pass, whatever is drawn; each property of an operation is checked where it applies, and only there.

use std::cell::RefCell;

use impasto_proptest::strategies::{
    apart, chains, chains_off_kinks, numbers, off_zero, ties, wide, with_zeros,
};
use impasto_proptest::{
    Cases, Chain, Checks, Operation, Property, Step, assert_operation, assert_operations, check_claim,
    check_gradient, check_operation, uneven,
};
use proptest::prelude::*;

#[test]
fn chains_pass_away_from_kinks() {
    assert_operations(chains_off_kinks(6, 12));
}

/// Kinks right at the point, or nearer than any step: reported as such at most.
#[test]
fn single_operations_pass_at_their_kinks() {
    for step in [Step::Relu, Step::Max, Step::Average, Step::Tanh, Step::Square, Step::Softmax] {
        assert_operation(&step, ties(1..20));
        assert_operation(&step, with_zeros(1..20));
        assert_operation(&step, numbers(0..20));
        assert_operation(&step, off_zero(1..20));
        assert_operation(&step, apart(1..20));
    }
}

#[test]
fn large_ranges_pass() {
    for step in [Step::Relu, Step::Average, Step::Square, Step::Scale(3.0, 0.5)] {
        assert_operation(&step, wide(1..20));
    }
}

proptest! {
    /// Near its least value a function is flat, and its rounding larger than its slope: that is no wrong gradient.
    #[test]
    fn a_flat_place_high_up_passes(height in -1e9..1e9_f64, off in -1e-6..1e-6_f64) {
        let f = |x: &[f64]| (height + (x[0] - 0.3).powi(2), vec![2.0 * (x[0] - 0.3)]);
        check_gradient(f, &[0.3 + off], &Checks::default())?;
    }

    /// Where the function is not defined at large steps, small ones are taken.
    #[test]
    fn the_edge_of_a_domain_is_no_failure(x in 1e-3..1.0_f64) {
        check_gradient(|x| (x[0].ln() + x[1].sqrt(), vec![1.0 / x[0], 0.5 / x[1].sqrt()]), &[x, 1.0 - 0.9 * x], &Checks::default())?;
    }

    /// Two errors that cancel along directions of 1 and -1 do not cancel here.
    #[test]
    fn errors_of_equal_size_do_not_cancel(x in numbers(40), size in 1e-3..1.0_f64) {
        let spoilt = |x: &[f64]| {
            let mut gradient = x.to_vec();
            gradient[11] += size;
            gradient[23] -= size;
            (x.iter().map(|x| 0.5 * x * x).sum(), gradient)
        };
        let one = Checks::default().probing(1, 0);
        prop_assert!(check_gradient(spoilt, &x, &one).is_err());
    }

    #[test]
    fn as_many_coordinates_are_probed_as_are_asked_for(len in 1..50_usize, directions in 0..4_usize, coordinates in 0..60_usize) {
        let checks = Checks::default().probing(directions, coordinates);
        let seen = check_gradient(|x| (x.iter().sum(), vec![1.0; x.len()]), &vec![0.5; len], &checks)?;
        prop_assert_eq!(seen.passed, directions + coordinates.min(len));
    }
}

/// A scaling, with all that an operation can have, and faults that can be switched on.
#[derive(Debug, Default)]
struct Thrice {
    fault: &'static str,
    left: RefCell<f64>,
}

impl Operation for Thrice {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        let y: Vec<f64> = x.iter().map(|x| 3.0 * x + 1.0).collect();
        if self.fault == "stale" { y.iter().map(|y| y + self.left.replace(x[0])).collect() } else { y }
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        match self.fault {
            "length" => vec![],
            "gradient" => x.to_vec(),
            // Right at this x, and not linear in dL/dy.
            "adjoint" => gradient.iter().map(|g| 3.0 * g).chain([]).collect(),
            _ => gradient.iter().map(|g| 3.0 * g).collect(),
        }
    }
    fn is_linear(&self) -> bool {
        true
    }
    fn plain_forward(&self, x: &[f64]) -> Option<Vec<f64>> {
        let bias = if self.fault == "twin" { 1.001 } else { 1.0 };
        Some(x.iter().map(|x| x + x + x + bias).collect())
    }
    fn plain_backward(&self, _: &[f64], gradient: &[f64]) -> Option<Vec<f64>> {
        let factor = if self.fault == "twin back" { 3.001 } else { 3.0 };
        Some(gradient.iter().map(|g| factor * g).collect())
    }
    fn add_backward(&self, _: &[f64], gradient: &[f64], sum: &mut [f64]) -> bool {
        for (s, g) in sum.iter_mut().zip(gradient) {
            *s = 3.0 * g + if self.fault == "overwrites" { 0.0 } else { *s };
        }
        true
    }
}

#[test]
fn each_property_is_checked() {
    let x = [0.5, -1.0, 0.25];
    let check = |fault| check_operation(&Thrice { fault, ..Thrice::default() }, &x, &Checks::default());
    let report = check("none").unwrap();
    let held = [
        Property::Length,
        Property::Repeats,
        Property::Gradient,
        Property::Adjoint,
        Property::TwinForward,
        Property::TwinBackward,
        Property::Accumulates,
    ];
    assert_eq!(report.held, held);
    assert_eq!((report.seen.passed, report.seen.kinks, report.seen.unclear), (11, 0, 0));
    for (fault, property) in [
        ("length", Property::Length),
        ("stale", Property::Repeats),
        ("gradient", Property::Gradient),
        ("twin", Property::TwinForward),
        ("twin back", Property::TwinBackward),
        ("overwrites", Property::Accumulates),
    ] {
        let failure = check(fault).expect_err(fault);
        let is_of_lengths =
            failure.notes.iter().any(|note| note.starts_with("backward does not return a number"));
        assert_eq!(is_of_lengths, fault == "length", "{failure}");
        assert_eq!(
            (failure.property, failure.operation.unwrap().name.as_str()),
            (property, "Thrice"),
            "{fault}"
        );
    }
}

/// y = x, fast and plain, which differ by `off`; it keeps the points at which it is called, with dL/dy.
#[derive(Default)]
struct Same {
    off: f64,
    called: RefCell<Vec<(Vec<f64>, Vec<f64>)>>,
}

impl Operation for Same {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        x.to_vec()
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        self.called.borrow_mut().push((x.to_vec(), gradient.to_vec()));
        gradient.to_vec()
    }
    fn plain_forward(&self, x: &[f64]) -> Option<Vec<f64>> {
        Some(x.iter().map(|x| x + self.off).collect())
    }
}

/// Twins may differ by rounding; the shape is a row.
#[test]
fn what_an_operation_does_not_say_is_plain() {
    let check = |off| check_operation(&Same { off, ..Same::default() }, &[1.0, -0.5], &Checks::default());
    assert!(check(1e-13).is_ok() && check(1e-11).unwrap_err().property == Property::TwinForward);
    assert!(Same::default().shape().is_empty());
}

/// It is x backwards and halved, with other weights.
#[test]
fn between_two_calls_there_is_one_at_another_point() {
    let (same, checks) = (Same::default(), Checks::default());
    check_operation(&same, &[1.0, -0.5, 0.25], &checks).unwrap();
    let at_x = (vec![1.0, -0.5, 0.25], uneven(3, checks.seed));
    let elsewhere = (vec![0.125, -0.25, 0.5], uneven(3, checks.seed + 1));
    let called = same.called.take();
    let other = called.iter().position(|call| *call == elsewhere).expect("another point");
    assert!(called[..other].contains(&at_x) && called[other..].contains(&at_x));
    assert!(called.iter().all(|call| *call == at_x || *call == elsewhere));
}

/// A convolution whose gradient is right where x is, and which is not linear although it says so.
#[derive(Debug)]
struct NotLinear;

impl Operation for NotLinear {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        x.iter().map(|x| x * x).collect()
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        x.iter().zip(gradient).map(|(x, g)| 2.0 * x * g).collect()
    }
    fn is_linear(&self) -> bool {
        true
    }
}

#[test]
fn an_operation_that_is_not_linear_is_not_adjoint() {
    let failure = check_operation(&NotLinear, &[0.5, 1.0], &Checks::default()).unwrap_err();
    assert_eq!(failure.property, Property::Adjoint);
}

/// A sum that depends on the number of threads.
struct Sum;
impl Operation for Sum {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        vec![x.iter().sum::<f64>() + rayon::current_num_threads() as f64]
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        vec![gradient[0]; x.len()]
    }
    fn threaded(&self) -> Option<&(dyn Operation + Sync)> {
        Some(self)
    }
}

/// What uses no threads is not asked about them.
#[test]
fn only_what_applies_is_checked() {
    let report = check_operation(&Chain(vec![Step::Tanh]), &[0.5], &Checks::default()).unwrap();
    assert_eq!(report.held, [Property::Length, Property::Repeats, Property::Gradient]);
    let failure = check_operation(&Sum, &[0.5], &Checks::default()).unwrap_err();
    assert_eq!(failure.property, Property::SameBits);
}

/// A kink does not excuse what lies outside its slopes, and is counted.
#[test]
fn kinks_are_counted() {
    let relu = |x: &[f64]| x[0].max(0.0);
    let seen = check_claim(&relu, &[0.0], &[0.0], &Checks::default()).unwrap();
    assert_eq!((seen.passed, seen.unclear), (0, 0));
    assert_eq!(seen.kinks, 9);
    assert!(check_claim(&relu, &[0.0], &[1.5], &Checks::default()).is_err());
}

/// In the body of proptest's own macro a failure is one of its.
#[test]
fn cases_can_be_those_of_any_runner() {
    let seen = RefCell::new(0);
    let count = |(chain, x): &(Chain, Vec<f64>)| {
        *seen.borrow_mut() += 1;
        assert_eq!(chain.backward(x, &vec![1.0; chain.forward(x).len()]).len(), x.len());
        Ok(())
    };
    Cases::new(300, 2).run(&chains(8, 9), count).unwrap();
    assert_eq!(seen.into_inner(), 300);
}
