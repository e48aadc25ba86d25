//! Adam does what its three equations say, and keeps the best point.

use crate::functions::{go_on, rosenbrock, rosenbrock_start, waves};
use impasto_lbfgs::{Adam, AdamState, Error, Groups, Optimiser, State, Step, StopReason};
use std::convert::Infallible;
use std::ops::ControlFlow;

#[test]
fn iterates_are_those_of_the_equations() {
    let adam = Adam {
        max_iterations: 30,
        learning_rate: 0.02,
        beta1: 0.8,
        beta2: 0.95,
        epsilon: 1e-6,
        ..Adam::default()
    };
    let (mut x, mut m, mut v, mut g) = ([-1.2, 1.0], [0.0; 2], [0.0; 2], [0.0; 2]);
    let mut start = x.to_vec();
    adam.minimise(&mut start, rosenbrock::<f64>, |i| {
        rosenbrock(&x, &mut g).unwrap();
        for e in 0..2 {
            m[e] = 0.8 * m[e] + 0.2 * g[e];
            v[e] = 0.95 * v[e] + 0.05 * g[e] * g[e];
            let k = i32::try_from(i.iteration).unwrap();
            let (mean, square) = (m[e] / (1.0 - 0.8f64.powi(k)), v[e] / (1.0 - 0.95f64.powi(k)));
            x[e] -= 0.02 * mean / (square.sqrt() + 1e-6);
            assert!((i.x[e] - x[e]).abs() < 1e-12, "iteration {k}");
        }
        assert_eq!(i.evaluations, i.iteration + 1);
        ControlFlow::Continue(())
    })
    .unwrap();
}

/// (iteration, x) of PyTorch 2.15's torch.optim.Adam with lr 0.02 from (-1.2, 1), by `tests/torch_adam.py`.
const TORCH: [(usize, [f64; 2]); 3] = [
    (1, [-1.180_000_000_000_927_6, 1.019_999_999_997_727_2]),
    (10, [-1.033_139_590_148_144_8, 1.166_618_312_585_085]),
    (200, [-0.917_689_318_901_437_2, 0.848_359_761_313_214_1]),
];

#[test]
fn iterates_are_those_of_pytorch() {
    let mut seen = Vec::new();
    let adam = Adam { max_iterations: 200, learning_rate: 0.02, ..Adam::default() };
    adam.minimise(&mut vec![-1.2, 1.0], rosenbrock::<f64>, |i| {
        seen.push([i.x[0], i.x[1]]);
        ControlFlow::Continue(())
    })
    .unwrap();
    for (iteration, expected) in TORCH {
        for (x, torch) in seen[iteration - 1].iter().zip(expected) {
            assert!((x - torch).abs() < 1e-12, "iteration {iteration}: {x} against {torch}");
        }
    }
}

/// The means of the points of another walk, clamped to -1.19..=1.1, with betas of 0.9 and 0.99, each of which weighs 0.9 times what the
/// next one does; by the same script.
const TORCH_MEANS: [(usize, [f64; 2]); 3] = [
    (1, [-1.189_473_684_211_014_7, 1.010_526_315_788_277_6]),
    (10, [-1.090_367_234_774_038_5, 1.081_866_926_110_357_7]),
    (200, [-0.833_331_534_466_139_7, 0.700_757_451_478_285]),
];

#[test]
fn means_of_clamped_iterates_are_those_of_pytorch() {
    let adam = Adam {
        max_iterations: 200,
        learning_rate: 0.02,
        beta2: 0.99,
        bounds: Some((-1.19, 1.1)),
        average_decay: 0.9,
        ..Adam::default()
    };
    // The start itself is not brought into the bounds in that walk.
    let free = Adam { bounds: None, ..adam };
    let mut state: AdamState<f64> =
        free.start(&mut vec![-1.2, 1.0], Groups::default(), rosenbrock::<f64>).unwrap();
    let mut seen = Vec::new();
    while let Step::Accepted = adam.step(&mut state, rosenbrock::<f64>).unwrap() {
        let iteration = state.iteration();
        assert!(iteration.averaged);
        seen.push([iteration.x[0], iteration.x[1]]);
    }
    for (iteration, expected) in TORCH_MEANS {
        for (x, torch) in seen[iteration - 1].iter().zip(expected) {
            assert!((x - torch).abs() < 1e-12, "iteration {iteration}: {x} against {torch}");
        }
    }
    let (kept, outcome) = state.finish(StopReason::Iterations);
    assert_eq!((kept, outcome.iterations), (seen[199].to_vec(), 200));
}

#[test]
fn the_start_is_brought_into_the_bounds_and_no_step_leaves_them() {
    let adam = Adam { learning_rate: 3.0, bounds: Some((0.0, 1.0)), max_iterations: 40, ..Adam::default() };
    let mut x: Vec<f32> = (0..3000).map(|i| (i % 7) as f32 - 3.0).collect();
    let mut evaluated = 0;
    let inside = |x: &[f32], g: &mut [f32]| {
        assert!(x.iter().all(|x| (0.0..=1.0).contains(x)));
        evaluated += 1;
        waves(x, g)
    };
    adam.minimise(&mut x, inside, go_on).unwrap();
    assert_eq!(evaluated, 41);
}

/// k, m and v count on from a first run, as if the gradients of both had been seen by one.
#[test]
fn a_run_goes_on_with_the_moments_of_another() {
    let adam = Adam { max_iterations: 3, learning_rate: 0.02, beta1: 0.8, beta2: 0.95, ..Adam::default() };
    let mut state: AdamState<f64> =
        adam.start(&mut vec![-1.2, 1.0], Groups::default(), rosenbrock::<f64>).unwrap();
    let (mut m, mut v, mut k, mut g) = ([0.0; 2], [0.0; 2], 0, [0.0; 2]);
    let mut absorb = |x: &[f64]| {
        rosenbrock(x, &mut g).unwrap();
        k += 1;
        for e in 0..2 {
            m[e] = 0.8 * m[e] + 0.2 * g[e];
            v[e] = 0.95 * v[e] + 0.05 * g[e] * g[e];
        }
        (m, v, k)
    };
    absorb(state.iteration().x);
    while let Step::Accepted = adam.step(&mut state, rosenbrock::<f64>).unwrap() {
        absorb(state.iteration().x);
    }
    let moments = state.take_moments().unwrap();
    assert_eq!(moments.gradients, 4);
    let mut x = vec![0.5, -0.5];
    let (m, v, k) = absorb(&x);
    let mut state: AdamState<f64> = adam.start_with(moments, &mut x, rosenbrock::<f64>).unwrap();
    let start = [state.iteration().x[0], state.iteration().x[1]];
    adam.step(&mut state, rosenbrock::<f64>).unwrap();
    for e in 0..2 {
        let (mean, square) = (m[e] / (1.0 - 0.8f64.powi(k)), v[e] / (1.0 - 0.95f64.powi(k)));
        let expected = start[e] - 0.02 * mean / (square.sqrt() + 1e-8);
        assert!((state.iteration().x[e] - expected).abs() < 1e-12);
    }
    let wrong =
        adam.start_with::<f64, (), _, _>(state.take_moments().unwrap(), &mut vec![1.0], rosenbrock::<f64>);
    assert!(matches!(wrong, Err(Error::InvalidOption { option: "moments", .. })));
}

#[test]
fn rosenbrock_is_solved() {
    let mut x: Vec<f64> = rosenbrock_start(2);
    let adam = Adam { max_iterations: 20_000, learning_rate: 0.01, ..Adam::default() };
    let outcome = adam.minimise(&mut x, rosenbrock, go_on).unwrap();
    assert!(outcome.loss < 1e-8, "{outcome:?}");
}

#[test]
fn the_lowest_loss_is_returned_though_the_last_is_higher() {
    let mut x = vec![0.3f32; 3000];
    let (mut lowest, mut last) = (f64::INFINITY, 0.0);
    let adam = Adam { max_iterations: 50, learning_rate: 2.0, ..Adam::default() };
    let outcome = adam
        .minimise(&mut x, waves, |i| {
            lowest = i.loss.min(lowest);
            last = i.loss;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(outcome.reason, StopReason::Iterations);
    let lowest = lowest.min(outcome.initial_loss);
    assert!(outcome.loss == lowest && lowest < last);
    assert_eq!(waves(&x, &mut vec![0.0; x.len()]), Ok(lowest));
}

#[test]
fn the_best_point_is_kept_when_the_run_breaks_off() {
    // x^2 until x < 0.5; beyond that nothing.
    let square = |x: &[f64], g: &mut [f64]| {
        g[0] = 2.0 * x[0];
        Ok::<_, Infallible>(if x[0] < 0.5 { f64::NAN } else { x[0] * x[0] })
    };
    let adam = Adam { learning_rate: 0.1, ..Adam::default() };
    let mut x = vec![1.0];
    let outcome = adam.minimise(&mut x, square, go_on).unwrap();
    assert_eq!(outcome.reason, StopReason::NotFinite);
    assert_eq!(outcome.loss, x[0] * x[0]);
    assert!(x[0] >= 0.5 && x[0] < 0.65);

    let failing = |x: &[f64], g: &mut [f64]| {
        let loss = square(x, g).unwrap();
        if loss.is_nan() { Err("gone") } else { Ok(loss) }
    };
    let mut y = vec![1.0];
    assert!(matches!(adam.minimise(&mut y, failing, go_on), Err(Error::Objective("gone"))));
    assert_eq!(y, x);

    let mut z = vec![1.0];
    let outcome = adam.minimise(&mut z, square, |i| {
        if i.iteration == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(outcome.unwrap().reason, StopReason::Cancelled);
    assert!((z[0] - 0.8).abs() < 0.01);
}

#[test]
fn of_equal_losses_the_first_is_kept() {
    let flat = |_: &[f64], g: &mut [f64]| {
        g.fill(1.0);
        Ok::<_, Infallible>(3.0)
    };
    let mut x = vec![1.0, 2.0];
    let outcome = Adam { max_iterations: 5, ..Adam::default() }.minimise(&mut x, flat, go_on).unwrap();
    assert_eq!((outcome.iterations, x), (5, vec![1.0, 2.0]));
}

#[test]
fn options_are_checked() {
    for (adam, name) in [
        (Adam { learning_rate: 0.0, ..Adam::default() }, "learning_rate"),
        (Adam { beta1: 1.0, ..Adam::default() }, "beta1"),
        (Adam { beta2: -0.1, ..Adam::default() }, "beta2"),
        (Adam { epsilon: f64::NAN, ..Adam::default() }, "epsilon"),
        (Adam { average_decay: 1.0, ..Adam::default() }, "average_decay"),
        (Adam { bounds: Some((1.0, 0.0)), ..Adam::default() }, "bounds"),
        (Adam { bounds: Some((f64::NAN, 0.0)), ..Adam::default() }, "bounds"),
    ] {
        let error = adam.minimise(&mut vec![1.0, 1.0], rosenbrock::<f64>, go_on).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { option, .. } if option == name), "{error}");
    }
}
