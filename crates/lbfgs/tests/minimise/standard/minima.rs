//! Where L-BFGS ends on each of the standard problems.

use super::problems::run::lbfgs;
use super::problems::{Problem, problems};
use crate::functions::dot;
use impasto_lbfgs::StopReason;

/// Where a run ends that does not come to a minimum that the paper knows.
#[derive(Debug, Clone, Copy)]
enum Elsewhere {
    /// At another local minimum: the gradient is 0 to rounding, and the second derivative is positive definite.
    LocalMinimum,
    /// Where f no longer tells better from worse: one direction is so much flatter than another that rounding hides it.
    Rounding,
    /// Nowhere yet: the evaluations are used up.
    OnTheWay,
}

/// The exceptions: (number, n, where, f there at most). `docs/standard-problems.md` has the reasons.
const ELSEWHERE: [(u8, usize, Elsewhere, f64); 4] = [
    // Second derivatives of 1e3 and 1e-10: the minimum, 4.7e-10, lies along the flat ones.
    (20, 12, Elsewhere::Rounding, 1e-8),
    // The paper names another for n = 10, 2.8e-5.
    (26, 1000, Elsewhere::LocalMinimum, 1e-6),
    // The largest second derivative is n^4 / 10 times the least: with 50 variables it takes 3,000 evaluations.
    (28, 1000, Elsewhere::OnTheWay, 1.25e-9),
    // From the standard start at least; SciPy's L-BFGS-B ends there too.
    (30, 1000, Elsewhere::LocalMinimum, 0.72),
];

#[test]
fn every_standard_problem_ends_at_a_known_minimum_or_is_listed() {
    let mut listed = ELSEWHERE.to_vec();
    for problem in problems() {
        let Problem { number, name, ref start, .. } = problem;
        let run = problem.run::<f64>(&lbfgs(), |_| ()).unwrap();
        let reached = problem.reached(&run, 1e-10);
        let title = format!("{number} {name}, n = {}: {:?}", start.len(), run.outcome);
        let place = listed.iter().position(|entry| (entry.0, entry.1) == (number, start.len()));
        let Some((.., elsewhere, at_most)) = place.map(|place| listed.remove(place)) else {
            assert!(reached.is_some(), "{title}");
            continue;
        };
        assert!(reached.is_none(), "no longer an exception: {title}");
        assert!(run.outcome.loss <= at_most, "{title}");
        match elsewhere {
            Elsewhere::LocalMinimum => assert!(is_minimum(&problem, &run.x), "{title}"),
            Elsewhere::Rounding => assert_eq!(run.outcome.reason, StopReason::LineSearchFailed, "{title}"),
            Elsewhere::OnTheWay => assert_eq!(run.outcome.reason, StopReason::Evaluations, "{title}"),
        }
    }
    assert!(listed.is_empty(), "not run: {listed:?}");
}

/// Newton's step is short, and the second derivative positive definite: its Cholesky factor L exists.
fn is_minimum(problem: &Problem, x: &[f64]) -> bool {
    let mut gradient = vec![0.0; x.len()];
    problem.evaluate(x, &mut gradient);
    let Some(l) = cholesky(second_derivative(problem, x)) else { return false };
    // The step is -(L L')^-1 g; |L^-1 g|^2 is what it promises of f, twice.
    let mut y = gradient;
    for i in 0..y.len() {
        y[i] = (y[i] - dot(&l[i][..i], &y[..i])) / l[i][i];
    }
    dot(&y, &y) <= 1e-6 * problem.evaluate(x, &mut vec![0.0; x.len()])
}

/// By differences of the gradient.
fn second_derivative(problem: &Problem, x: &[f64]) -> Vec<Vec<f64>> {
    let h = 1e-5;
    let gradient = |j: usize, step: f64| {
        let (mut x, mut g) = (x.to_vec(), vec![0.0; x.len()]);
        x[j] += step;
        problem.evaluate(&x, &mut g);
        g
    };
    let column = |j| gradient(j, h).iter().zip(gradient(j, -h)).map(|(a, b)| (a - b) / (2.0 * h)).collect();
    (0..x.len()).map(column).collect()
}

/// L with L L' = A, row after row, if A is positive definite.
fn cholesky(mut a: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    for i in 0..a.len() {
        for j in 0..=i {
            let rest = a[i][j] - dot(&a[i][..j], &a[j][..j]);
            a[i][j] = if i == j { Some(rest.sqrt()).filter(|root| *root > 0.0)? } else { rest / a[j][j] };
        }
    }
    Some(a)
}

#[test]
fn a_saddle_is_no_minimum() {
    let saddle = Problem {
        number: 0,
        name: "a saddle at 0",
        start: vec![0.0, 0.0],
        // (1 + x^2 - y^2)^2
        residuals: |x, rows| {
            let [x, y] = [x[0], x[1]];
            (rows.0)(1.0 + x * x - y * y, super::problems::Derivatives::All(&[2.0 * x, -2.0 * y]));
        },
        minima: Vec::new(),
    };
    assert!(!is_minimum(&saddle, &[0.0, 0.0]));
    assert!(!is_minimum(&saddle, &[0.1, 0.0]));
    let powell = problems().into_iter().find(|problem| problem.number == 5).unwrap();
    assert!(is_minimum(&powell, &[3.0, 0.5]));
}

/// At the bottom every step leads to the same point again: the run must see that, and not try them all.
#[test]
fn a_run_that_is_at_the_bottom_ends_soon() {
    let problems = problems();
    let problem = problems.iter().find(|problem| problem.number == 33).unwrap();
    let run = problem.run::<f64>(&lbfgs(), |_| ()).unwrap();
    let (_, evaluations) = problem.reached(&run, 1e-10).unwrap();
    assert_eq!(run.outcome.reason, StopReason::LineSearchFailed);
    assert!(run.outcome.evaluations < evaluations + 30, "{:?}", run.outcome);
}
