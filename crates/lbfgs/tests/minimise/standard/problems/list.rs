//! All problems, with their starts and minima, and the variable ones with as many variables as the paper has and with many.
//!
//! The paper has minima to six digits; here they have more, by Gauss-Newton steps from there, so that tighter tolerances can be asked for.

use super::many::{PENALTY_WEIGHT, ROWS_OF_LINEAR};
use super::{Problem, Residuals, few, many};

/// "Many variables", where nothing stands against it.
const MANY: usize = 1000;

/// The problems in order.
pub(crate) fn problems() -> Vec<Problem> {
    let mut all = of_few_variables();
    all.extend(of_many_variables());
    all
}

fn problem(
    number: u8,
    name: &'static str,
    start: impl Into<Vec<f64>>,
    residuals: Residuals,
    minima: impl Into<Vec<f64>>,
) -> Problem {
    Problem { number, name, start: start.into(), residuals, minima: minima.into() }
}

fn of_few_variables() -> Vec<Problem> {
    vec![
        problem(1, "Rosenbrock", [-1.2, 1.0], many::rosenbrock, [0.0]),
        problem(2, "Freudenstein and Roth", [0.5, -2.0], few::freudenstein_roth, [0.0, 48.984_253_679_240]),
        problem(3, "Powell badly scaled", [0.0, 1.0], few::powell_badly_scaled, [0.0]),
        problem(4, "Brown badly scaled", [1.0, 1.0], few::brown_badly_scaled, [0.0]),
        problem(5, "Beale", [1.0, 1.0], few::beale, [0.0]),
        problem(6, "Jennrich and Sampson", [0.3, 0.4], few::jennrich_sampson, [124.362_182_355_61]),
        problem(7, "helical valley", [-1.0, 0.0, 0.0], few::helical_valley, [0.0]),
        problem(8, "Bard", [1.0, 1.0, 1.0], few::bard, [8.214_877_306_579e-3]),
        problem(9, "Gaussian", [0.4, 1.0, 0.0], few::gaussian, [1.127_932_769_619e-8]),
        problem(10, "Meyer", [0.02, 4000.0, 250.0], few::meyer, [87.945_855_170_69]),
        problem(11, "Gulf research and development", [5.0, 2.5, 0.15], few::gulf, [0.0]),
        problem(12, "Box three-dimensional", [0.0, 10.0, 20.0], few::box_three_dimensional, [0.0]),
        problem(13, "Powell singular", [3.0, -1.0, 0.0, 1.0], many::powell_singular, [0.0]),
        problem(14, "Wood", [-3.0, -1.0, -3.0, -1.0], few::wood, [0.0]),
        problem(
            15,
            "Kowalik and Osborne",
            [0.25, 0.39, 0.415, 0.39],
            few::kowalik_osborne,
            [3.075_056_038_492e-4],
        ),
        problem(16, "Brown and Dennis", [25.0, 5.0, -5.0, -1.0], few::brown_dennis, [85_822.201_626_356]),
        problem(17, "Osborne 1", [0.5, 1.5, -1.0, 0.01, 0.02], few::osborne_1, [5.464_894_697_482e-5]),
        problem(18, "Biggs EXP6", [1.0, 2.0, 1.0, 1.0, 1.0, 1.0], few::biggs_exp6, [0.0, 5.655_649_925_5e-3]),
        problem(
            19,
            "Osborne 2",
            [1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5],
            few::osborne_2,
            [4.013_773_629_355e-2],
        ),
    ]
}

fn of_many_variables() -> Vec<Problem> {
    let mut all = Vec::new();
    for (n, minimum) in [(6, 2.287_670_053_552e-3), (9, 1.399_760_138_09e-6), (12, 4.722_381_1e-10)] {
        all.push(problem(20, "Watson", vec![0.0; n], many::watson, [minimum]));
    }
    for n in [20, MANY] {
        let start = repeat(n, &[-1.2, 1.0]);
        all.push(problem(21, "extended Rosenbrock", start, many::rosenbrock, [0.0]));
    }
    for n in [20, MANY] {
        let start = repeat(n, &[3.0, -1.0, 0.0, 1.0]);
        all.push(problem(22, "extended Powell singular", start, many::powell_singular, [0.0]));
    }
    for n in [4, 10, MANY] {
        all.push(problem(23, "penalty I", counted(n, |j, _| j), many::penalty_1, [minimum_of_penalty_1(n)]));
    }
    // Its constants grow as e^(n/5): at 1,000 variables f is 1e83 from start to minimum.
    for (n, minimum) in [(4, 9.376_293_007_36e-6), (10, 2.936_605_374_567e-4), (100, 97_096.083_954_69)] {
        all.push(problem(24, "penalty II", vec![0.5; n], many::penalty_2, [minimum]));
    }
    for n in [10, MANY] {
        let start = counted(n, |j, n| 1.0 - j / n);
        all.push(problem(25, "variably dimensioned", start, many::variably_dimensioned, [0.0]));
    }
    for n in [10, MANY] {
        let start = vec![1.0 / n as f64; n];
        all.push(problem(26, "trigonometric", start, many::trigonometric, [0.0, 2.795_056_121_878e-5]));
    }
    for n in [10, MANY] {
        all.push(problem(27, "Brown almost-linear", vec![0.5; n], many::brown_almost_linear, [0.0, 1.0]));
    }
    let bow = |n| counted(n, |j, n| (j / (n + 1.0)) * (j / (n + 1.0) - 1.0));
    for n in [10, 50, MANY] {
        all.push(problem(28, "discrete boundary value", bow(n), many::discrete_boundary_value, [0.0]));
    }
    for n in [10, MANY] {
        all.push(problem(29, "discrete integral equation", bow(n), many::discrete_integral, [0.0]));
        all.push(problem(30, "Broyden tridiagonal", vec![-1.0; n], many::broyden_tridiagonal, [0.0]));
        all.push(problem(31, "Broyden banded", vec![-1.0; n], many::broyden_banded, [0.0]));
        all.extend(linear(n));
    }
    for (n, minimum) in [(8, 3.516_873_725_678e-3), (9, 0.0), (10, 6.503_954_800_882e-3)] {
        let start = counted(n, |j, n| j / (n + 1.0));
        all.push(problem(35, "Chebyquad", start, many::chebyquad, [minimum]));
    }
    all.sort_by_key(|problem| problem.number);
    all
}

/// r = A x - 1 with A of m x n: what is left is what A cannot reach.
fn linear(n: usize) -> [Problem; 3] {
    let m = (ROWS_OF_LINEAR * n) as f64;
    let (start, rank_1) = (vec![1.0; n], m * (m - 1.0) / (2.0 * (2.0 * m + 1.0)));
    let with_zeros = (m * m + 3.0 * m - 6.0) / (2.0 * (2.0 * m - 3.0));
    [
        problem(32, "linear, full rank", start.clone(), many::linear_full_rank, [m - n as f64]),
        problem(33, "linear, rank 1", start.clone(), many::linear_rank_1, [rank_1]),
        problem(34, "linear, rank 1 with zeros", start, many::linear_rank_1_with_zeros, [with_zeros]),
    ]
}

/// All variables are some t there, where df/dt = 0 says that w (t - 1) + 2 t (n t^2 - 1/4) = 0: by Newton's method.
fn minimum_of_penalty_1(n: usize) -> f64 {
    let (n, w) = (n as f64, PENALTY_WEIGHT);
    let mut t = 0.5 / n.sqrt();
    for _ in 0..20 {
        t -= (w * (t - 1.0) + 2.0 * t * (n * t * t - 0.25)) / (w + 6.0 * n * t * t - 0.5);
    }
    n * w * (t - 1.0).powi(2) + (n * t * t - 0.25).powi(2)
}

/// `few` again and again, `n` numbers in all.
fn repeat(n: usize, few: &[f64]) -> Vec<f64> {
    few.iter().copied().cycle().take(n).collect()
}

/// value(j, n) for j = 1, ..., n.
fn counted(n: usize, value: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    (1..=n).map(|j| value(j as f64, n as f64)).collect()
}
