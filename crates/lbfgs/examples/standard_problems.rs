//! The problems of Moré, Garbow and Hillstrom: how many evaluations L-BFGS takes on each.
//!
//! ```text
//! cargo run -p impasto-lbfgs --example standard_problems              a table of all, in f64
//! cargo run -p impasto-lbfgs --example standard_problems -- --f32     in f32, which keeps pairs as bf16
//! cargo run -p impasto-lbfgs --example standard_problems -- --options what other options than the defaults change
//! cargo run -p impasto-lbfgs --example standard_problems -- --json    for benches/standard_problems.py
//! cargo run -p impasto-lbfgs --example standard_problems -- 3 2       problem 3 with 2 variables, step by step
//! ```

#[path = "../tests/minimise/standard/problems/mod.rs"]
mod problems;

use impasto_lbfgs::{Error, Lbfgs};
use problems::run::{Run, lbfgs};
use problems::{Problem, problems};
use std::convert::Infallible;

/// Of `Problem::reached`: a rough one and a tight one.
const TOLERANCES: [f64; 2] = [1e-5, 1e-10];

fn main() -> Result<(), Error<Infallible>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    if let [number, n] = numbers[..] {
        let is_it = |problem: &&Problem| size(problem) == (number, n);
        return match problems().iter().find(is_it) {
            Some(problem) => steps(problem),
            None => refuse(number, n),
        };
    }
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if has("--options") {
        return options();
    }
    if !has("--json") {
        println!("                                        evaluations to");
        println!("  problem                          n    1e-5   1e-10   end at f     after");
    }
    for problem in problems() {
        let run = if has("--f32") {
            problem.run::<f32>(&lbfgs(), |_| ())?
        } else {
            problem.run::<f64>(&lbfgs(), |_| ())?
        };
        let line = if has("--json") { json(&problem, &run) } else { row(&problem, &run) };
        println!("{line}");
    }
    Ok(())
}

/// Its number in the paper, and how many variables it has.
fn size(problem: &Problem) -> (usize, usize) {
    (usize::from(problem.number), problem.start.len())
}

/// Says what there is instead, and ends the program.
fn refuse(number: usize, n: usize) -> ! {
    let all = problems();
    let of_it = all.iter().map(size).filter(|size| size.0 == number);
    let sizes: Vec<String> = of_it.map(|(_, n)| n.to_string()).collect();
    match &sizes[..] {
        [] => eprintln!("there is no problem {number}: they are 1 to 35"),
        _ => eprintln!("problem {number} is not here with {n} variables, only with {}", sizes.join(", ")),
    }
    std::process::exit(2)
}

fn row(problem: &Problem, run: &Run) -> String {
    let evaluations = |tolerance| problem.reached(run, tolerance).map(|(_, evaluations)| evaluations);
    let [rough, tight] = TOLERANCES.map(|tolerance| {
        evaluations(tolerance).map_or_else(|| "-".to_owned(), |evaluations| evaluations.to_string())
    });
    let Problem { number, name, start, .. } = problem;
    let outcome = &run.outcome;
    format!(
        "{number:2} {name:30} {:4} {rough:>7} {tight:>7}   {:<11.5e} {:5}: {}",
        start.len(),
        outcome.loss,
        outcome.evaluations,
        outcome.reason
    )
}

/// An object of JSON on a line.
fn json(problem: &Problem, run: &Run) -> String {
    let mut gradient = vec![0.0; problem.start.len()];
    let start_loss = problem.evaluate(&problem.start, &mut gradient);
    let reached = TOLERANCES.map(|tolerance| {
        let reached = problem.reached(run, tolerance);
        reached.map_or_else(
            || "null".to_owned(),
            |(minimum, evaluations)| format!("[{minimum:e}, {evaluations}]"),
        )
    });
    let Problem { number, name, start, minima, .. } = problem;
    let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    let outcome = &run.outcome;
    format!(
        "{{\"number\": {number}, \"name\": \"{name}\", \"start\": {start:?}, \"minima\": {minima:?}, \
         \"start_loss\": {start_loss:e}, \"start_gradient\": {norm:e}, \"reached\": [{}], \
         \"x\": {:?}, \"loss\": {:e}, \"evaluations\": {}, \"reason\": \"{}\"}}",
        reached.join(", "),
        run.x,
        outcome.loss,
        outcome.evaluations,
        outcome.reason
    )
}

/// One run, an iteration a line.
fn steps(problem: &Problem) -> Result<(), Error<Infallible>> {
    println!("iteration evaluations         f       |g|    step  trials        H0   x");
    let run = problem.run::<f64>(&lbfgs(), |i| {
        let Some(search) = i.search else { return };
        let few: Vec<String> = i.x.iter().take(3).map(|x| format!("{x:.5e}")).collect();
        println!(
            "{:9} {:11} {:9.3e} {:9.3e} {:7.1e} {:7} {:9.2e}   {}",
            i.iteration,
            i.evaluations,
            i.loss,
            i.gradient_norm,
            search.step,
            search.trials,
            search.scales[0],
            few.join(" ")
        );
    })?;
    println!("{} after {} evaluations", run.outcome.reason, run.outcome.evaluations);
    Ok(())
}

/// Evaluations with other options over those with the defaults, on the problems that both solve: a table in Markdown.
fn options() -> Result<(), Error<Infallible>> {
    let all = problems();
    let evaluations = |lbfgs: &Lbfgs| -> Result<Vec<Option<f64>>, Error<Infallible>> {
        let of = |problem: &Problem| {
            let run = problem.run::<f64>(lbfgs, |_| ())?;
            Ok(problem.reached(&run, TOLERANCES[1]).map(|(_, evaluations)| evaluations as f64))
        };
        all.iter().map(of).collect()
    };
    let defaults = evaluations(&lbfgs())?;
    let others = [
        ("2 pairs", Lbfgs { history: 2, ..lbfgs() }),
        ("5 pairs", Lbfgs { history: 5, ..lbfgs() }),
        ("20 pairs", Lbfgs { history: 20, ..lbfgs() }),
        ("50 pairs", Lbfgs { history: 50, ..lbfgs() }),
        ("c2 = 0.1", Lbfgs { curvature: 0.1, ..lbfgs() }),
        ("c2 = 0.5", Lbfgs { curvature: 0.5, ..lbfgs() }),
        ("c2 = 0.99", Lbfgs { curvature: 0.99, ..lbfgs() }),
        ("c1 = 0.01", Lbfgs { sufficient_decrease: 0.01, ..lbfgs() }),
        ("H0 of 2 pairs", Lbfgs { scale_pairs: 2, ..lbfgs() }),
        ("H0 of 10 pairs", Lbfgs { scale_pairs: 10, ..lbfgs() }),
    ];
    println!("| | solved | evaluations | fewer in | more in | most |\n|---|--:|--:|--:|--:|--:|");
    for (name, lbfgs) in [("the defaults", lbfgs())].into_iter().chain(others) {
        let found = evaluations(&lbfgs)?;
        let ratios: Vec<f64> = found.iter().zip(&defaults).filter_map(|(a, b)| Some((*a)? / (*b)?)).collect();
        let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
        let fewer = ratios.iter().filter(|ratio| **ratio < 1.0).count();
        let more = ratios.iter().filter(|ratio| **ratio > 1.0).count();
        let most = ratios.iter().copied().fold(0.0, f64::max);
        let solved = found.iter().flatten().count();
        println!("| {name} | {solved} | {mean:.2} | {fewer} | {more} | {most:.1} |");
    }
    Ok(())
}
