//! L-BFGS finds minima, and every accepted step is what the front page promises.

use crate::functions::{dot, go_on, quadratic, rosenbrock, rosenbrock_start, waves};
use impasto_lbfgs::{Groups, Lbfgs, Optimiser, Outcome, Real, StopReason};
use proptest::prelude::*;
use std::convert::Infallible;
use std::ops::ControlFlow;

fn tight() -> Lbfgs {
    Lbfgs { gradient_tolerance: 1e-9, max_iterations: 2000, ..Lbfgs::default() }
}

#[test]
fn rosenbrock_is_solved_in_several_dimensions() {
    for n in [2, 3, 10, 100] {
        let mut x: Vec<f64> = rosenbrock_start(n);
        x[n - 1] = 1.5;
        let outcome = tight().minimise(&mut x, rosenbrock, go_on).unwrap();
        assert_eq!(outcome.reason, StopReason::GradientSmall, "{n}: {outcome:?}");
        // From four dimensions on there is a second, local minimum near (-1, 1, ..., 1), of loss about 4.
        let at_one = x.iter().all(|x| (x - 1.0).abs() < 1e-8);
        assert!(at_one || (n >= 4 && outcome.loss < 4.0), "{n}: {outcome:?}");
    }
}

/// (n, evaluations until every |g_i| <= 1e-9) of SciPy 1.17's L-BFGS-B, by `tests/scipy_rosenbrock.py`.
const SCIPY: [(usize, usize); 4] = [(2, 51), (3, 65), (10, 94), (100, 633)];

#[test]
fn rosenbrock_takes_about_as_many_evaluations_as_in_scipy() {
    for (n, scipy) in SCIPY {
        let mut x: Vec<f64> = rosenbrock_start(n);
        x[n - 1] = 1.5;
        let outcome = tight().minimise(&mut x, rosenbrock, go_on).unwrap();
        assert!(outcome.evaluations * 10 <= scipy * 12, "{n}: {outcome:?} against {scipy}");
    }
}

#[test]
fn f32_reaches_what_f32_can_tell_apart() {
    let mut x: Vec<f32> = rosenbrock_start(2);
    let outcome = tight().minimise(&mut x, rosenbrock, go_on).unwrap();
    assert!(outcome.loss < 1e-10, "{outcome:?}");
    assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-4));
}

#[test]
fn most_iterations_cost_one_evaluation() {
    let mut x = vec![0.3f32; 5000];
    let outcome = Lbfgs { max_iterations: 20, ..Lbfgs::default() }.minimise(&mut x, waves, go_on).unwrap();
    assert!(outcome.evaluations <= outcome.iterations + outcome.iterations / 5, "{outcome:?}");
}

#[test]
fn without_tolerances_every_iteration_asked_for_is_run() {
    let mut x: Vec<f64> = rosenbrock_start(50);
    let outcome =
        Lbfgs { max_iterations: 40, ..Lbfgs::default() }.minimise(&mut x, rosenbrock, go_on).unwrap();
    assert_eq!((outcome.reason, outcome.iterations), (StopReason::Iterations, 40));
}

#[test]
fn a_flat_loss_stops_only_when_asked() {
    let mut x: Vec<f64> = rosenbrock_start(2);
    let lbfgs = Lbfgs { loss_tolerance: 5e-3, ..Lbfgs::default() };
    let mut losses = vec![24.2];
    let outcome = lbfgs
        .minimise(&mut x, rosenbrock, |i| {
            losses.push(i.loss);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(outcome.reason, StopReason::LossFlat);
    let fell: Vec<bool> = losses.windows(2).map(|l| l[0] - l[1] > 5e-3 * l[0]).collect();
    let (last, before) = fell.split_last().unwrap();
    assert!(!last && before.iter().all(|fell| *fell));
}

#[test]
fn evaluations_are_limited_too() {
    for limit in 1..30 {
        let mut x: Vec<f64> = rosenbrock_start(2);
        let mut counted = 0;
        let mut last = f64::NAN;
        let outcome = Lbfgs { max_evaluations: limit, ..Lbfgs::default() }
            .minimise(
                &mut x,
                |x, g| {
                    counted += 1;
                    rosenbrock(x, g)
                },
                |i| {
                    last = i.loss;
                    ControlFlow::Continue(())
                },
            )
            .unwrap();
        assert_eq!((outcome.reason, outcome.evaluations), (StopReason::Evaluations, limit));
        assert_eq!(counted, limit);
        assert_eq!(rosenbrock(&x, &mut [0.0; 2]), Ok(outcome.loss));
        assert!(outcome.iterations == 0 || outcome.loss == last);
        assert!(limit < 3 || outcome.loss < outcome.initial_loss);
    }
}

/// Runs and checks at every accepted step, from nothing but the x that the callback sees: the loss falls, the strong
/// Wolfe conditions hold, s·y > 0, and loss and |g| are those of x.
fn checked_run(
    lbfgs: &Lbfgs,
    x: &mut Vec<f64>,
    objective: impl Fn(&[f64], &mut [f64]) -> Result<f64, Infallible>,
) -> Outcome {
    let mut before = x.clone();
    let mut g_before = vec![0.0; x.len()];
    let mut loss_before = objective(&before, &mut g_before).unwrap();
    let mut g = g_before.clone();
    let outcome = lbfgs
        .minimise(x, &objective, |i| {
            assert_eq!(i.loss, objective(i.x, &mut g).unwrap());
            assert!((i.gradient_norm - dot(&g, &g).sqrt()).abs() <= 1e-12 * i.gradient_norm);
            let s: Vec<f64> = i.x.iter().zip(&before).map(|(a, b)| a - b).collect();
            let (slope_before, slope) = (dot(&g_before, &s), dot(&g, &s));
            // s is t d up to the rounding of x, hence the slack.
            let slack = 1e-13 * dot(&g_before, &g_before).sqrt() * dot(i.x, i.x).sqrt();
            assert!(i.loss < loss_before);
            assert!(i.loss <= loss_before + lbfgs.sufficient_decrease * slope_before + slack);
            assert!(slope.abs() <= lbfgs.curvature * slope_before.abs() + slack);
            assert!(slope > slope_before); // s·y > 0
            before.copy_from_slice(i.x);
            g_before.copy_from_slice(&g);
            loss_before = i.loss;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(outcome.loss, loss_before);
    assert_eq!(*x, before);
    outcome
}

#[test]
fn accepted_steps_of_rosenbrock_satisfy_strong_wolfe() {
    for curvature in [0.1, 0.5, 0.9] {
        for history in [1, 3, 10] {
            let lbfgs = Lbfgs {
                curvature,
                history,
                max_iterations: 500,
                gradient_tolerance: 1e-6,
                ..Lbfgs::default()
            };
            let outcome = checked_run(&lbfgs, &mut rosenbrock_start(8), rosenbrock);
            assert_eq!(outcome.reason, StopReason::GradientSmall);
        }
    }
}

/// (B, c, x) of `functions::quadratic` with n from 1 to 12.
fn quadratics() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<f64>)> {
    let vector = |n| prop::collection::vec(-3.0..3.0, n);
    (1usize..12).prop_flat_map(move |n| (vector(n * n), vector(n), vector(n)))
}

fn distance<T: Real>(x: &[T], c: &[f64]) -> f64 {
    x.iter().zip(c).map(|(x, c)| (x.to_f64() - c).powi(2)).sum::<f64>().sqrt()
}

proptest! {
    #[test]
    fn convex_quadratics_converge_to_the_exact_minimiser((b, c, start) in quadratics(), history in 1usize..12) {
        let lbfgs = Lbfgs { history, ..tight() };
        let mut x = start.clone();
        let outcome = lbfgs.minimise(&mut x, quadratic(&b, &c), go_on).unwrap();
        prop_assert_eq!(outcome.reason, StopReason::GradientSmall);
        prop_assert!(distance(&x, &c) <= 1e-9); // A >= I, so |x - c| <= |g|

        let mut x: Vec<f32> = start.iter().map(|x| *x as f32).collect();
        lbfgs.minimise(&mut x, quadratic(&b, &c), go_on).unwrap();
        prop_assert!(distance(&x, &c) <= 1e-3, "{}", distance(&x, &c));
    }

    #[test]
    fn groups_of_any_kind_converge_to_the_same_minimiser(
        (b, c, start) in quadratics(), groups in prop::collection::vec(0u8..5, 12), places in prop::collection::vec(0f32..3.0, 5), scale_pairs in 1usize..12,
    ) {
        let lbfgs = Lbfgs { scale_pairs, ..tight() };
        let mut x = start;
        let groups = Groups { of: groups[..x.len()].to_vec(), places };
        let outcome = lbfgs.minimise_in_groups(&mut x, groups, quadratic(&b, &c), go_on).unwrap();
        prop_assert_eq!(outcome.reason, StopReason::GradientSmall);
        prop_assert!(distance(&x, &c) <= 1e-9);
    }

    #[test]
    fn the_loss_falls_and_strong_wolfe_holds_at_each_accepted_step(
        x in prop::collection::vec(-6.0..6.0, 2..40), history in 1usize..8, first_step in 1e-4..1e3,
    ) {
        let lbfgs =
            Lbfgs { history, first_step, max_iterations: 300, gradient_tolerance: 1e-5, ..Lbfgs::default() };
        let outcome = checked_run(&lbfgs, &mut x.clone(), waves);
        prop_assert_eq!(outcome.reason, StopReason::GradientSmall);
    }
}
