//! A run is its steps: stepped, written and read again, ended and continued, or broken off by an objective that failed, it
//! goes through the same bits.
#![allow(clippy::unnecessary_wraps)] // an objective returns a `Result`

use crate::functions::{go_on, kinks, rosenbrock, rosenbrock_start, waves};
use impasto_lbfgs::{
    Adam, Error, Evaluation, Groups, Iteration, Lbfgs, Optimiser, Outcome, Real, State, Step, StopReason,
};
use rayon::ThreadPoolBuilder;
use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;

/// A method whose iterations are limited.
pub(crate) trait Limited: Optimiser + Copy {
    fn allowing(self, iterations: usize) -> Self;
}

impl Limited for Lbfgs {
    fn allowing(self, max_iterations: usize) -> Self {
        Self { max_iterations, ..self }
    }
}

impl Limited for Adam {
    fn allowing(self, max_iterations: usize) -> Self {
        Self { max_iterations, ..self }
    }
}

/// A function to minimise, its start and groups.
#[derive(Clone)]
pub(crate) struct Problem<T> {
    function: fn(&[T], &mut [T]) -> Result<f64, Infallible>,
    pub(crate) start: Vec<T>,
    pub(crate) groups: Groups,
}

/// The report of a point is a copy of it.
type Found<T> = Evaluation<Vec<T>>;

impl<T: Real> Problem<T> {
    /// Small and large, smooth and with kinks, at which searches settle or fail; with and without groups.
    pub(crate) fn all() -> Vec<Self> {
        let small = rosenbrock_start(7);
        let large = (0..2048 + 77).map(|i| T::from_f64((i % 13) as f64 / 3.0)).collect();
        let problems =
            [(rosenbrock as fn(&[T], &mut [T]) -> _, small.clone()), (waves, large), (kinks, small)];
        let in_groups = problems.into_iter().flat_map(|(function, start)| {
            let of = (0..start.len()).map(|i| (i / 3 % 3) as u8).collect();
            let groups = [Groups::default(), Groups { of, places: vec![0.0, 0.4, 1.0] }];
            groups.map(|groups| Self { function, start: start.clone(), groups })
        });
        in_groups.collect()
    }

    pub(crate) fn evaluate(&self, x: &[T], g: &mut [T]) -> Result<Found<T>, &'static str> {
        let Ok(loss) = (self.function)(x, g);
        Ok(Evaluation { loss, report: x.to_vec() })
    }

    pub(crate) fn start<O: Optimiser>(&self, optimiser: &O) -> O::State<T, Vec<T>> {
        let mut x = self.start.clone();
        optimiser.start(&mut x, self.groups.clone(), |x, g| self.evaluate(x, g)).unwrap()
    }

    /// Steps until the run ends.
    fn run<O: Optimiser>(&self, optimiser: &O, state: &mut O::State<T, Vec<T>>) -> StopReason {
        loop {
            if let Step::Ended(reason) = optimiser.step(state, |x, g| self.evaluate(x, g)).unwrap() {
                return reason;
            }
            self.is_consistent(&state.iteration());
        }
    }

    /// Loss and report are those of the point; of a mean, those of the last point.
    fn is_consistent(&self, accepted: &Iteration<'_, T, Vec<T>>) {
        assert!(accepted.averaged || accepted.x == *accepted.report, "the report of another point");
        let Ok(loss) = (self.function)(accepted.report, &mut self.start.clone());
        assert_eq!(loss, accepted.loss);
    }
}

pub(crate) fn written<T: Real>(state: &mut impl State<T, Vec<T>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let report = |report: &Vec<T>, to: &mut Vec<u8>| {
        to.write_all(&report.len().to_le_bytes())?;
        report.iter().try_for_each(|x| to.write_all(&x.to_f64().to_le_bytes()))
    };
    state.write(&mut bytes, report).unwrap();
    bytes
}

/// The report that [`written`] wrote.
pub(crate) fn read_report<T: Real>(from: &mut &[u8]) -> io::Result<Vec<T>> {
    let mut number = [0; 8];
    from.read_exact(&mut number)?;
    let mut report = Vec::new();
    for _ in 0..u64::from_le_bytes(number) {
        from.read_exact(&mut number)?;
        report.push(T::from_f64(f64::from_le_bytes(number)));
    }
    Ok(report)
}

fn read_again<T: Real, S: State<T, Vec<T>>>(bytes: &[u8]) -> S {
    let mut from = bytes;
    let state = S::read(&mut from, read_report).unwrap();
    assert!(from.is_empty());
    state
}

/// Iterations of the longest run.
const N: usize = 12;

/// All that this file promises of one method on one problem.
fn check<T: Real, O: Limited>(problem: &Problem<T>, method: O) {
    let optimiser = method.allowing(N);
    // The run that all others are held to, as bytes before each step. None of the others but `again` is written on its way.
    let mut state = problem.start(&optimiser);
    let mut bytes = vec![written(&mut state)];
    let reason = loop {
        match optimiser.step(&mut state, |x, g| problem.evaluate(x, g)).unwrap() {
            Step::Accepted => bytes.push(written(&mut state)),
            Step::Ended(reason) => break reason,
        }
    };
    let end = written(&mut state);
    let averaged = state.iteration().averaged;
    let (kept, how) = state.kept(reason);
    let looked_at =
        (kept.to_vec(), (how.loss, how.initial_loss, how.iterations, how.evaluations, how.report.clone()));
    let (x, outcome) = state.finish(reason);
    let Outcome { loss, initial_loss, iterations, evaluations, .. } = outcome;
    assert!(looked_at == (x.clone(), (loss, initial_loss, iterations, evaluations, outcome.report.clone())));
    assert!(averaged || x == outcome.report, "the report of another point");
    assert_eq!(outcome.iterations + 1, bytes.len());

    let mut by_minimise = problem.start.clone();
    let mut iterations = 0;
    let (groups, evaluate) = (problem.groups.clone(), |x: &[T], g: &mut [T]| problem.evaluate(x, g));
    let same = optimiser.minimise_in_groups(&mut by_minimise, groups, evaluate, |iteration| {
        iterations += 1;
        assert_eq!(iteration.iteration, iterations);
        ControlFlow::Continue(())
    });
    assert!(by_minimise == x && same.unwrap() == outcome);

    let stride = if x.len() > 10 { 4 } else { 1 }; // not all, where all would take long
    for (n, bytes) in bytes.iter().enumerate().step_by(stride) {
        let mut again: O::State<T, Vec<T>> = read_again(bytes);
        assert!(written(&mut again) == *bytes, "written twice");
        assert_eq!(problem.run(&optimiser, &mut again), reason);
        assert!(written(&mut again) == end, "read after {n}");

        let mut continued = problem.start(&optimiser);
        assert_eq!(problem.run(&method.allowing(n), &mut continued), StopReason::Iterations);
        assert_eq!(problem.run(&optimiser, &mut continued), reason);
        assert!(written(&mut continued) == end, "ended at {n}");
    }
    for fail_at in (1..outcome.evaluations).step_by(stride) {
        let mut calls = 0;
        let mut state = problem.start(&optimiser);
        let failing = |x: &[T], g: &mut [T]| {
            calls += 1;
            if calls == fail_at {
                g.fill(T::from_f64(f64::NAN));
                return Err("out of paint");
            }
            problem.evaluate(x, g)
        };
        fails_and_goes_on(problem, optimiser, &mut state, failing, &bytes);
        assert_eq!(problem.run(&optimiser, &mut state), reason);
        assert!(written(&mut state) == end, "failed in evaluation {fail_at}");
    }
}

/// Steps until the objective fails; `state` is then what it was before that step.
fn fails_and_goes_on<T: Real, O: Limited>(
    problem: &Problem<T>,
    optimiser: O,
    state: &mut O::State<T, Vec<T>>,
    mut failing: impl FnMut(&[T], &mut [T]) -> Result<Found<T>, &'static str>,
    bytes: &[Vec<u8>],
) {
    for before in bytes {
        match optimiser.step(state, &mut failing) {
            Ok(Step::Accepted) => {}
            Ok(Step::Ended(_)) => return, // the last step looked for more than it found
            Err(error) => {
                assert!(matches!(error, Error::Objective("out of paint")));
                problem.is_consistent(&state.iteration());
                assert!(written(state) == *before, "a failed step left its mark");
                return;
            }
        }
    }
}

fn check_all<T: Real>() {
    for problem in Problem::<T>::all() {
        let lbfgs = Lbfgs { history: 4, scale_pairs: 3, ..Lbfgs::default() };
        check(&problem, lbfgs);
        check(&problem, Lbfgs { max_trials: 3, first_step: 1e-3, curvature: 0.1, ..lbfgs });
        check(&problem, Lbfgs { max_trials: 2, first_step: 30.0, ..lbfgs });
        check(&problem, Adam { learning_rate: 0.01, ..Adam::default() });
        check(&problem, Adam { learning_rate: 1.0, ..Adam::default() }); // the loss rises and falls
        let bounds = Some((-0.9, 2.0));
        check(&problem, Adam { learning_rate: 0.1, average_decay: 0.7, bounds, ..Adam::default() });
    }
}

#[test]
fn a_run_is_its_steps_on_any_number_of_threads() {
    for threads in [1, 3] {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(check_all::<f32>);
        pool.install(check_all::<f64>);
    }
}

/// Evaluations may run out in the middle of a search, which then goes back to a point whose gradient is gone.
#[test]
fn a_run_that_is_out_of_evaluations_can_be_given_more() {
    let mut gone = 0;
    for problem in Problem::<f64>::all().into_iter().filter(|problem| problem.start.len() < 10) {
        for limit in 1..40 {
            let limited =
                Lbfgs { max_evaluations: limit, first_step: 0.01, curvature: 0.1, ..Lbfgs::default() };
            let unlimited = Lbfgs { max_evaluations: usize::MAX, max_iterations: 60, ..limited };
            let mut state = problem.start(&limited);
            if problem.run(&limited, &mut state) != StopReason::Evaluations {
                continue;
            }
            assert_eq!(state.iteration().evaluations, limit);
            let bytes = written(&mut state);
            let mut again = read_again(&bytes);

            let (at, loss) = (state.iteration().x.to_vec(), state.iteration().loss);
            let (mut first, mut calls) = (None, 0);
            let evaluate = |x: &[f64], g: &mut [f64]| {
                first.get_or_insert(x.to_vec());
                calls += 1;
                problem.evaluate(x, g)
            };
            let step = unlimited.step(&mut state, evaluate).unwrap();
            assert_eq!(state.iteration().evaluations, limit + calls);
            gone += usize::from(first.is_some_and(|first| first == at));
            assert!(step != Step::Accepted || state.iteration().loss < loss);
            let reason = problem.run(&unlimited, &mut state);
            assert_eq!(problem.run(&unlimited, &mut again), reason);
            assert!(written(&mut again) == written(&mut state));
        }
    }
    assert!(gone > 0);
}

#[test]
fn options_may_change_on_the_way() {
    let problem = &Problem::<f32>::all()[1];
    let lbfgs = Lbfgs { history: 6, max_iterations: 8, ..Lbfgs::default() };
    let mut state = problem.start(&lbfgs);
    problem.run(&lbfgs, &mut state);
    let smaller = Lbfgs { history: 2, max_iterations: 30, gradient_tolerance: 1e-3, ..lbfgs };
    let six_pairs = written(&mut state);
    let mut again = read_again(&six_pairs);
    let reason = problem.run(&smaller, &mut state);
    assert_eq!(problem.run(&smaller, &mut again), reason);
    let two_pairs = written(&mut state);
    assert!(written(&mut again) == two_pairs && two_pairs.len() < six_pairs.len());
    let invalid = smaller.step(&mut state, |_: &[f32], _: &mut [f32]| Err::<Found<f32>, _>("not called"));
    assert!(matches!(invalid, Ok(Step::Ended(ended)) if ended == reason));
    let none = Lbfgs { history: 0, ..lbfgs };
    let invalid = none.step(&mut state, |x, g| problem.evaluate(x, g));
    assert!(matches!(invalid, Err(Error::InvalidOption { option: "history", .. })));
}

#[test]
fn a_start_that_fails_leaves_x() {
    let mut x = vec![1.0, 2.0];
    let failing = |_: &[f64], _: &mut [f64]| Err::<f64, _>("out of paint");
    assert!(Lbfgs::default().start(&mut x, Groups::default(), failing).is_err());
    assert!(Adam::default().start(&mut x, Groups::default(), failing).is_err());
    let groups = Groups { of: vec![0; 3], places: vec![] };
    let invalid = Adam::default().start(&mut x, groups, rosenbrock);
    assert!(matches!(invalid, Err(Error::InvalidOption { option: "groups.of", .. })));
    assert_eq!(x, [1.0, 2.0]);
}

#[test]
fn the_start_is_iteration_0() {
    let problem = &Problem::<f64>::all()[0];
    let state = problem.start(&Lbfgs::default());
    let start = state.iteration();
    assert_eq!((start.iteration, start.evaluations, start.step), (0, 1, 0.0));
    assert!(start.x == problem.start && start.report == start.x);
    let (x, outcome) = state.finish(StopReason::Cancelled);
    assert_eq!(
        (x, outcome.reason, outcome.loss),
        (problem.start.clone(), StopReason::Cancelled, outcome.initial_loss)
    );
}

#[test]
fn after_a_restart_a_run_is_one_that_starts_there() {
    let problem = &Problem::<f64>::all()[1];
    let lbfgs = Lbfgs { max_trials: 4, scale_pairs: 3, ..Lbfgs::default() };
    let mut state = problem.start(&lbfgs);
    for _ in 0..6 {
        assert_eq!(lbfgs.step(&mut state, |x, g| problem.evaluate(x, g)).unwrap(), Step::Accepted);
    }
    let mut x = state.iteration().x.to_vec();
    let mut fresh = lbfgs.start(&mut x, problem.groups.clone(), |x, g| problem.evaluate(x, g)).unwrap();
    // The loss reads too high for as many evaluations as one search makes.
    let mut bad = lbfgs.max_trials;
    let restart = lbfgs.step(&mut state, |x, g| {
        let mut found = problem.evaluate(x, g)?;
        found.loss += if bad > 0 { 1e6 } else { 0.0 };
        bad = bad.saturating_sub(1);
        Ok::<_, &str>(found)
    });
    assert_eq!((restart.unwrap(), bad), (Step::Accepted, 0));
    lbfgs.step(&mut fresh, |x, g| problem.evaluate(x, g)).unwrap();
    for _ in 0..6 {
        assert!(state.iteration().x == fresh.iteration().x);
        for run in [&mut state, &mut fresh] {
            assert_eq!(lbfgs.step(run, |x, g| problem.evaluate(x, g)).unwrap(), Step::Accepted);
        }
    }
}

/// The first step is as long as it was asked for, however steep it is there.
#[test]
fn the_first_trial_has_the_length_asked_for() {
    for (first_step, steepness) in [(1.0, 3.0), (0.25, 1e4), (30.0, 1e-3)] {
        let lbfgs = Lbfgs { first_step, max_evaluations: 2, ..Lbfgs::default() };
        let mut tried = Vec::new();
        let slope = |x: &[f64], g: &mut [f64]| {
            tried.push(x.to_vec());
            g.copy_from_slice(&[3.0 * steepness, 4.0 * steepness]);
            Ok::<_, Infallible>(steepness * (3.0 * x[0] + 4.0 * x[1]))
        };
        lbfgs.minimise(&mut vec![1.0, 1.0], slope, go_on).unwrap();
        let moved = [tried[1][0] - 1.0, tried[1][1] - 1.0];
        assert!((moved[0] + 0.6 * first_step).abs() < 1e-12 && (moved[1] + 0.8 * first_step).abs() < 1e-12);
    }
}

/// Two vectors a pair, as many pairs as there can be, and four more.
#[test]
fn memory_is_counted_in_vectors() {
    for (history, iterations, pairs) in [(10, 500, 10), (10, 3, 3), (1, 1, 1), (7, 7, 7)] {
        let lbfgs = Lbfgs { history, max_iterations: iterations, ..Lbfgs::default() };
        assert_eq!(lbfgs.bytes::<f64>(100), 100 * (2 * pairs * 8 + 4 * 8));
        assert_eq!(lbfgs.bytes::<f32>(100), 100 * (2 * pairs * 2 + 4 * 4));
    }
    assert_eq!(Lbfgs::default().bytes::<f64>(usize::MAX), u64::MAX);
}

/// Every bound of an option: what lies just inside runs, what lies on it or beyond is refused by name.
#[test]
fn options_have_bounds() {
    let flat = |_: &[f64], g: &mut [f64]| {
        g[0] = 0.0;
        Ok::<_, Infallible>(1.0)
    };
    let refused = |lbfgs: Lbfgs| {
        let mut x = vec![1.0];
        match lbfgs.minimise(&mut x, flat, go_on) {
            Ok(_) => "",
            Err(Error::InvalidOption { option, .. }) => option,
            Err(Error::Objective(never)) => match never {},
        }
    };
    let fine = Lbfgs::default();
    let cases = [
        (Lbfgs { history: 1, scale_pairs: 1, max_evaluations: 1, max_trials: 1, ..fine }, ""),
        (Lbfgs { history: 0, ..fine }, "history"),
        (Lbfgs { scale_pairs: 0, ..fine }, "scale_pairs"),
        (Lbfgs { max_evaluations: 0, ..fine }, "max_evaluations"),
        (Lbfgs { max_trials: 0, ..fine }, "max_trials"),
        (Lbfgs { gradient_tolerance: 0.0, loss_tolerance: 0.0, ..fine }, ""),
        (Lbfgs { gradient_tolerance: -1e-9, ..fine }, "gradient_tolerance"),
        (Lbfgs { gradient_tolerance: f64::INFINITY, ..fine }, "gradient_tolerance"),
        (Lbfgs { loss_tolerance: -1e-9, ..fine }, "loss_tolerance"),
        (Lbfgs { loss_tolerance: f64::NAN, ..fine }, "loss_tolerance"),
        (Lbfgs { first_step: 1e-9, ..fine }, ""),
        (Lbfgs { first_step: 0.0, ..fine }, "first_step"),
        (Lbfgs { first_step: -1.0, ..fine }, "first_step"),
        (Lbfgs { first_step: f64::INFINITY, ..fine }, "first_step"),
        (Lbfgs { sufficient_decrease: 1e-9, curvature: 1e-8, ..fine }, ""),
        (Lbfgs { sufficient_decrease: 0.0, ..fine }, "sufficient_decrease"),
        (Lbfgs { sufficient_decrease: -0.1, ..fine }, "sufficient_decrease"),
        (Lbfgs { sufficient_decrease: 0.9, ..fine }, "sufficient_decrease"),
        (Lbfgs { sufficient_decrease: 0.95, ..fine }, "sufficient_decrease"),
        (Lbfgs { curvature: 0.999, ..fine }, ""),
        (Lbfgs { curvature: 1.0, ..fine }, "curvature"),
        (Lbfgs { curvature: 1.5, ..fine }, "curvature"),
    ];
    for (lbfgs, option) in cases {
        assert_eq!(refused(lbfgs), option, "{lbfgs:?}");
    }
}
