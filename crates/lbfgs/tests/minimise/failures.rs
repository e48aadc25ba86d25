//! What may go wrong, and where x is afterwards.

use crate::functions::{dot, go_on, rosenbrock, rosenbrock_start};
use impasto_lbfgs::{Adam, Error, Groups, Lbfgs, Optimiser, StopReason};
use std::cell::Cell;
use std::convert::Infallible;
use std::ops::ControlFlow;

fn f(x: &[f64]) -> f64 {
    rosenbrock(x, &mut vec![0.0; x.len()]).unwrap()
}

#[test]
fn a_run_goes_round_a_region_of_nan() {
    // log(x) - x/2 + ... : f(x) = x - log(x), NaN for x < 0, smallest at 1.
    let objective = |x: &[f64], g: &mut [f64]| {
        g[0] = 1.0 - 1.0 / x[0];
        Ok::<_, Infallible>(x[0] - x[0].ln())
    };
    let mut x = vec![200.0];
    let lbfgs = Lbfgs { first_step: 1000.0, gradient_tolerance: 1e-9, ..Lbfgs::default() };
    let outcome = lbfgs
        .minimise(&mut x, objective, |i| {
            assert!(i.loss.is_finite() && i.x[0] > 0.0);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(outcome.reason, StopReason::GradientSmall);
    assert!((x[0] - 1.0).abs() < 1e-8);
}

#[test]
fn a_loss_or_gradient_that_is_not_finite_at_the_start_ends_the_run() {
    for (loss, slope) in [(f64::NAN, 1.0), (f64::NEG_INFINITY, 1.0), (1.0, f32::NAN), (1.0, f32::INFINITY)] {
        let objective = |_: &[f32], g: &mut [f32]| {
            g.fill(slope);
            Ok::<_, Infallible>(loss)
        };
        let mut x = vec![3.0; 4];
        let outcome = Lbfgs::default().minimise(&mut x, objective, go_on).unwrap();
        assert_eq!((outcome.reason, outcome.evaluations), (StopReason::NotFinite, 1));
        let outcome = Adam::default().minimise(&mut x, objective, go_on).unwrap();
        assert_eq!((outcome.reason, outcome.evaluations), (StopReason::NotFinite, 1));
        assert_eq!(x, [3.0; 4]);
    }
}

#[test]
fn a_start_with_nan_all_round_it_says_so() {
    let objective = |x: &[f64], g: &mut [f64]| {
        g[0] = 1.0;
        Ok::<_, Infallible>(if x[0] == 5.0 { 1.0 } else { f64::NAN })
    };
    let mut x = vec![5.0];
    let outcome = Lbfgs::default().minimise(&mut x, objective, go_on).unwrap();
    assert_eq!((outcome.reason, outcome.iterations, outcome.loss), (StopReason::NotFinite, 0, 1.0));
    assert_eq!(x, [5.0]);
}

#[test]
fn a_wrong_gradient_fails_the_search_and_leaves_x() {
    let uphill = |x: &[f64], g: &mut [f64]| {
        let loss = rosenbrock(x, g);
        for g in g {
            *g = -*g;
        }
        loss
    };
    let start: Vec<f64> = rosenbrock_start(6);
    let mut x = start.clone();
    let outcome = Lbfgs::default().minimise(&mut x, uphill, go_on).unwrap();
    assert_eq!((outcome.reason, outcome.iterations), (StopReason::LineSearchFailed, 0));
    assert_eq!(x, start);
}

#[test]
fn after_a_failed_search_x_is_restored_and_steepest_descent_follows() {
    // After iteration 10 the loss reads too high, for as many evaluations as one search makes.
    let lbfgs = Lbfgs { max_trials: 6, gradient_tolerance: 1e-10, ..Lbfgs::default() };
    let bad = Cell::new(0usize);
    let mut restart = None;
    let objective = |x: &[f64], g: &mut [f64]| {
        let loss = rosenbrock(x, g)?;
        if bad.get() == 1 {
            restart.get_or_insert(x.to_vec());
        }
        let raised = if bad.get() > 1 { 1e6 } else { 0.0 };
        bad.set(bad.get().saturating_sub(1));
        Ok::<_, Infallible>(loss + raised)
    };
    let mut x: Vec<f64> = rosenbrock_start(2);
    let (mut origin, mut iterations) = (Vec::new(), 0);
    let outcome = lbfgs
        .minimise(&mut x, objective, |i| {
            iterations += 1;
            assert_eq!(i.iteration, iterations);
            if i.iteration == 10 {
                bad.set(lbfgs.max_trials + 1);
                origin = i.x.to_vec();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(outcome.reason, StopReason::GradientSmall);

    let restart = restart.expect("a search failed");
    let mut g = [0.0; 2];
    rosenbrock(&origin, &mut g).unwrap();
    let norm = dot(&g, &g).sqrt();
    for i in 0..2 {
        assert!((restart[i] - (origin[i] - g[i] / norm)).abs() < 1e-12);
    }
}

#[test]
fn the_callback_can_stop_at_any_iteration() {
    for stop_at in 1..10 {
        let mut x: Vec<f64> = rosenbrock_start(4);
        let mut seen = Vec::new();
        let outcome = Lbfgs::default()
            .minimise(&mut x, rosenbrock, |i| {
                seen = i.x.to_vec();
                if i.iteration == stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .unwrap();
        assert_eq!((outcome.reason, outcome.iterations), (StopReason::Cancelled, stop_at));
        assert_eq!(x, seen);
        assert_eq!(f(&x), outcome.loss);
    }
}

#[test]
fn a_failing_objective_leaves_x_at_the_best_accepted_point() {
    for fail_at in 1..40 {
        let mut calls = 0;
        let objective = |x: &[f64], g: &mut [f64]| {
            calls += 1;
            if calls == fail_at { Err("out of paint") } else { Ok(rosenbrock(x, g).unwrap()) }
        };
        let mut x: Vec<f64> = rosenbrock_start(2);
        let mut best = x.clone();
        let error = Lbfgs::default()
            .minimise(&mut x, objective, |i| {
                best = i.x.to_vec();
                ControlFlow::Continue(())
            })
            .unwrap_err();
        assert!(matches!(error, Error::Objective("out of paint")));
        assert_eq!(x, best);
    }
}

#[test]
fn errors_read_as_sentences() {
    let error = Error::Objective("no space left");
    assert_eq!(error.to_string(), "the objective failed: no space left");
    let invalid: [(Lbfgs, &str); 9] = [
        (Lbfgs { history: 0, ..Lbfgs::default() }, "history"),
        (Lbfgs { scale_pairs: 0, ..Lbfgs::default() }, "scale_pairs"),
        (Lbfgs { max_evaluations: 0, ..Lbfgs::default() }, "max_evaluations"),
        (Lbfgs { max_trials: 0, ..Lbfgs::default() }, "max_trials"),
        (Lbfgs { gradient_tolerance: -1.0, ..Lbfgs::default() }, "gradient_tolerance"),
        (Lbfgs { loss_tolerance: f64::NAN, ..Lbfgs::default() }, "loss_tolerance"),
        (Lbfgs { first_step: 0.0, ..Lbfgs::default() }, "first_step"),
        (Lbfgs { sufficient_decrease: 0.95, ..Lbfgs::default() }, "sufficient_decrease"),
        (Lbfgs { curvature: 1.0, ..Lbfgs::default() }, "curvature"),
    ];
    for (lbfgs, name) in invalid {
        let error = lbfgs.minimise(&mut vec![1.0, 1.0], rosenbrock::<f64>, go_on).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { option, .. } if option == name), "{error}");
    }
    let error = Lbfgs { history: 0, ..Lbfgs::default() }
        .minimise(&mut vec![1.0, 1.0], rosenbrock::<f64>, go_on)
        .unwrap_err();
    assert_eq!(error.to_string(), "the option history must be at least 1, not 0");
    let groups = [
        (
            Groups { of: vec![0; 3], places: vec![] },
            "the option groups.of must be one for each variable, not 3",
        ),
        (
            Groups { of: vec![0, 1], places: vec![0.0] },
            "the option groups.places must be one from 0 to 255 for each group, not 1",
        ),
    ];
    for (groups, sentence) in groups {
        let error = Lbfgs::default()
            .minimise_in_groups(&mut vec![1.0, 1.0], groups, rosenbrock::<f64>, go_on)
            .unwrap_err();
        assert_eq!(error.to_string(), sentence);
    }
}

#[test]
fn at_a_minimum_nothing_moves() {
    let mut x = vec![1.0, 1.0, 1.0];
    let outcome = Lbfgs::default().minimise(&mut x, rosenbrock::<f64>, go_on).unwrap();
    assert_eq!((outcome.reason, outcome.evaluations), (StopReason::GradientSmall, 1));
    let mut x: Vec<f64> = vec![];
    let outcome = Lbfgs::default().minimise(&mut x, |_, _| Ok::<_, Infallible>(7.0), go_on).unwrap();
    assert_eq!((outcome.reason, outcome.loss), (StopReason::GradientSmall, 7.0));
}

#[test]
fn no_iterations_only_measure_the_loss() {
    let mut x: Vec<f64> = rosenbrock_start(2);
    let outcome =
        Lbfgs { max_iterations: 0, ..Lbfgs::default() }.minimise(&mut x, rosenbrock, go_on).unwrap();
    assert_eq!((outcome.reason, outcome.evaluations), (StopReason::Iterations, 1));
    assert_eq!(outcome.loss, f(&x));
}
