//! What a run tells of its line searches is what happened: the conditions hold where it says so, and every evaluation is counted.

use crate::functions::{rosenbrock, rosenbrock_start, waves};
use impasto_lbfgs::{Adam, Groups, Iteration, Lbfgs, Optimiser, Search};
use std::convert::Infallible;
use std::ops::ControlFlow;

/// The searches of a run, and its evaluations.
fn searches(
    lbfgs: Lbfgs,
    mut x: Vec<f64>,
    function: fn(&[f64], &mut [f64]) -> Result<f64, Infallible>,
    groups: Groups,
) -> (Vec<Search>, usize) {
    let mut seen = Vec::new();
    let look = |iteration: &Iteration<'_, f64>| {
        let search = iteration.search.expect("a search");
        assert_eq!((search.loss, search.step), (iteration.loss, iteration.step));
        seen.push(search.clone());
        ControlFlow::Continue(())
    };
    let outcome = lbfgs.minimise_in_groups(&mut x, groups, function, look).unwrap();
    (seen, outcome.evaluations)
}

#[test]
fn accepted_steps_have_both_wolfe_conditions_with_the_margins_that_are_told() {
    for (function, start) in
        [(rosenbrock as fn(&[f64], &mut [f64]) -> _, rosenbrock_start(6)), (waves, vec![0.7; 60])]
    {
        let lbfgs = Lbfgs { max_iterations: 25, ..Lbfgs::default() };
        let (seen, evaluations) = searches(lbfgs, start, function, Groups::default());
        assert!(seen.len() > 5);
        assert_eq!(1 + seen.iter().map(|search| search.trials).sum::<usize>(), evaluations);
        assert!(seen[0].steepest && seen[1..].iter().all(|search| !search.steepest));
        assert_eq!(seen[0].scales, [1.0]);
        for (before, search) in seen.iter().zip(&seen[1..]) {
            assert_eq!(search.loss_before, before.loss);
        }
        for search in &seen {
            let Search { step, loss_before, loss, slope_before, slope, .. } = *search;
            assert!(slope_before < 0.0 && search.trials >= 1);
            assert!(
                loss <= loss_before + 1e-4 * step * slope_before && slope.abs() <= 0.9 * slope_before.abs()
            );
            assert!(search.decrease_margin() >= 0.0 && search.curvature_margin() >= 0.0);
            assert_eq!(search.decrease_margin(), loss_before + 1e-4 * step * slope_before - loss);
            assert_eq!(search.curvature_margin(), 0.9 - (slope / slope_before).abs());
        }
    }
}

#[test]
fn a_step_that_was_settled_for_has_a_margin_below_0() {
    let lbfgs = Lbfgs { max_iterations: 1, max_trials: 1, first_step: 1e-6, ..Lbfgs::default() };
    let (seen, _) = searches(lbfgs, rosenbrock_start(4), rosenbrock, Groups::default());
    assert!(seen[0].decrease_margin() > 0.0 && seen[0].curvature_margin() < 0.0, "{seen:?}");
}

#[test]
fn each_group_has_its_scale() {
    let stiff = |x: &[f64], g: &mut [f64]| {
        let stiffness = |i: usize| if i.is_multiple_of(2) { 1e4 } else { 1.0 };
        g.iter_mut().zip(x).enumerate().for_each(|(i, (g, x))| *g = stiffness(i) * (x - 1.0));
        Ok(x.iter().zip(&*g).map(|(x, g)| 0.5 * g * (x - 1.0)).sum())
    };
    let groups = Groups { of: (0..40).map(|i| (i % 2) as u8).collect(), places: Vec::new() };
    let lbfgs = Lbfgs { max_iterations: 6, gradient_tolerance: 1e-9, ..Lbfgs::default() };
    let (seen, _) = searches(lbfgs, vec![0.0; 40], stiff, groups);
    let [steep, flat] = seen.last().unwrap().scales[..] else { panic!("two groups") };
    assert!(flat > 100.0 * steep, "{steep} and {flat}");
}

#[test]
fn adam_searches_nothing() {
    let adam = Adam { max_iterations: 3, ..Adam::default() };
    let look = |iteration: &Iteration<'_, f64>| {
        assert!(iteration.search.is_none());
        ControlFlow::Continue(())
    };
    adam.minimise(&mut rosenbrock_start::<f64>(4), rosenbrock, look).unwrap();
}
