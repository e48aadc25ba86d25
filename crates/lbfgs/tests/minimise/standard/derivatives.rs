//! The derivatives of the standard problems against differences, and their minima against the paper.

use super::problems::{Derivatives, Problem, Rows, problems};
use crate::functions::dot;

/// All r_i, and all dr_i/dx_j row after row.
fn rows(problem: &Problem, x: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let (mut residuals, mut derivatives) = (Vec::new(), Vec::new());
    let mut keep = |r, of_row: Derivatives<'_>| {
        residuals.push(r);
        derivatives.push(match of_row {
            Derivatives::All(all) => all.to_vec(),
            Derivatives::At(some) => {
                let mut row = vec![0.0; x.len()];
                for &(j, derivative) in some {
                    row[j] += derivative;
                }
                row
            }
        });
    };
    (problem.residuals)(x, &mut Rows(&mut keep));
    (residuals, derivatives)
}

/// A point beside the start, where no term vanishes by chance.
fn beside_start(problem: &Problem) -> Vec<f64> {
    let shift = |(j, x): (usize, &f64)| x + 0.05 * (1.0 + x.abs()) * (1.7 * (j + 1) as f64).sin();
    problem.start.iter().enumerate().map(shift).collect()
}

/// How far r_i may be off: its terms are about as large as x_j dr_i/dx_j.
fn rounding(r: f64, derivatives: &[f64], x: &[f64]) -> f64 {
    let terms: f64 = derivatives.iter().zip(x).map(|(d, x)| (d * x).abs()).sum();
    1e-14 * (1.0 + r.abs() + terms)
}

/// Each r_i on its own, as in a sum of squares a large one would hide the others.
#[test]
fn every_derivative_is_that_of_differences() {
    for problem in problems().iter().filter(|problem| problem.start.len() <= 20) {
        let x = beside_start(problem);
        let (r, derivatives) = rows(problem, &x);
        for j in 0..x.len() {
            let h = 1e-5 * x[j].abs().max(1e-3);
            let at = |sign: f64| {
                let mut x = x.clone();
                x[j] += sign * h;
                rows(problem, &x).0
            };
            for (i, (after, before)) in at(1.0).iter().zip(at(-1.0)).enumerate() {
                let (slope, difference) = (derivatives[i][j], (after - before) / (2.0 * h));
                let allowed = 1e-6 * slope.abs() + rounding(r[i], &derivatives[i], &x) / h;
                let Problem { number, name, .. } = problem;
                assert!(
                    (slope - difference).abs() <= allowed,
                    "{number} {name}: dr_{i}/dx_{j} is {slope}, not {difference}"
                );
            }
        }
    }
}

/// With 1,000 variables: along one direction, which has a part of each.
#[test]
fn derivatives_along_a_line_are_those_of_differences() {
    for problem in problems().iter().filter(|problem| problem.start.len() > 20) {
        let x = beside_start(problem);
        let v: Vec<f64> = (0..x.len()).map(|j| (0.3 + j as f64).cos()).collect();
        let h = 1e-5;
        let at = |sign: f64| {
            let x: Vec<f64> = x.iter().zip(&v).map(|(x, v)| x + sign * h * v).collect();
            rows(problem, &x).0
        };
        let (r, derivatives) = rows(problem, &x);
        for (i, (after, before)) in at(1.0).iter().zip(at(-1.0)).enumerate() {
            let (slope, difference) = (dot(&derivatives[i], &v), (after - before) / (2.0 * h));
            let terms: f64 = derivatives[i].iter().zip(&v).map(|(d, v)| (d * v).abs()).sum();
            let allowed = 1e-6 * terms + rounding(r[i], &derivatives[i], &x) / h;
            let Problem { number, name, .. } = problem;
            assert!(
                (slope - difference).abs() <= allowed,
                "{number} {name}: r_{i} changes by {slope}, not {difference}"
            );
        }
    }
}

/// f and the gradient are what the residuals and derivatives say.
#[test]
fn an_evaluation_is_the_sum_of_squares_and_twice_the_transposed_product() {
    for problem in problems() {
        let x = beside_start(&problem);
        let (r, derivatives) = rows(&problem, &x);
        let mut gradient = vec![0.0; x.len()];
        let f = problem.evaluate(&x, &mut gradient);
        assert!((f - dot(&r, &r)).abs() <= 1e-12 * f);
        for j in [0, x.len() / 2, x.len() - 1] {
            let terms: Vec<f64> = derivatives.iter().zip(&r).map(|(row, r)| 2.0 * r * row[j]).collect();
            let size: f64 = terms.iter().map(|term| term.abs()).sum();
            assert!((gradient[j] - terms.iter().sum::<f64>()).abs() <= 1e-12 * size, "{}", problem.name);
        }
    }
}

/// What the paper prints, to its six digits: (number, n, f at a minimum).
const PRINTED: [(u8, usize, f64); 22] = [
    (2, 2, 48.9842),
    (6, 2, 124.362),
    (8, 3, 8.21487e-3),
    (9, 3, 1.12793e-8),
    (10, 3, 87.9458),
    (15, 4, 3.07505e-4),
    (16, 4, 85822.2),
    (17, 5, 5.46489e-5),
    (18, 6, 5.65565e-3),
    (19, 11, 4.01377e-2),
    (20, 6, 2.28767e-3),
    (20, 9, 1.39976e-6),
    (20, 12, 4.72238e-10),
    (23, 4, 2.24997e-5),
    (23, 10, 7.08765e-5),
    (24, 4, 9.37629e-6),
    (24, 10, 2.93660e-4),
    (26, 10, 2.79506e-5),
    (27, 10, 1.0),
    (35, 8, 3.51687e-3),
    (35, 9, 0.0),
    (35, 10, 6.50395e-3),
];

#[test]
fn minima_are_those_of_the_paper() {
    let all = problems();
    for (number, n, printed) in PRINTED {
        let is_it = |problem: &&Problem| problem.number == number && problem.start.len() == n;
        let problem = all.iter().find(is_it).unwrap();
        let found = problem.minima.iter().any(|minimum| (minimum - printed).abs() <= 5e-6 * printed);
        assert!(found, "{number}, n = {n}: {printed} against {:?}", problem.minima);
    }
    assert!((1..=35).all(|number| all.iter().any(|problem| problem.number == number)));
}
