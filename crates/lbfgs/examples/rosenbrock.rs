//! Walks down Rosenbrock's valley, f(x, y) = 100 (y - x^2)^2 + (1 - x)^2, and prints each step.
//!
//! `cargo run --release -p impasto-lbfgs --example rosenbrock`

use impasto_lbfgs::{Error, Lbfgs, Optimiser};
use std::convert::Infallible;
use std::ops::ControlFlow;

fn main() -> Result<(), Error<Infallible>> {
    let rosenbrock = |v: &[f64], g: &mut [f64]| {
        let (x, y) = (v[0], v[1]);
        let across = y - x * x; // how far off the valley's floor, y = x^2
        g[0] = -400.0 * x * across - 2.0 * (1.0 - x);
        g[1] = 200.0 * across;
        Ok(100.0 * across * across + (1.0 - x) * (1.0 - x))
    };

    let mut v = vec![-1.2, 1.0]; // the usual start; the minimum is at (1, 1)
    let lbfgs = Lbfgs { gradient_tolerance: 1e-8, ..Lbfgs::default() };
    println!("iteration evaluations       loss        |g|     step         x         y");
    let outcome = lbfgs.minimise(&mut v, rosenbrock, |i| {
        let (x, y) = (i.x[0], i.x[1]);
        println!(
            "{:9} {:11} {:10.3e} {:10.3e} {:8.4} {x:9.6} {y:9.6}",
            i.iteration, i.evaluations, i.loss, i.gradient_norm, i.step
        );
        ControlFlow::Continue(())
    })?;
    println!("{}: f({}, {}) = {:e}", outcome.reason, v[0], v[1], outcome.loss);
    Ok(())
}
