//! Functions to minimise, in f64 inside and any number type outside.
#![allow(clippy::unnecessary_wraps)] // they are objectives: `Result` is what `minimise` takes

use impasto_lbfgs::Real;
use std::convert::Infallible;
use std::ops::ControlFlow;

/// The callback that lets the run go on.
pub(crate) fn go_on<T>(_: &impasto_lbfgs::Iteration<T>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, smallest at (1, ..., 1).
pub(crate) fn rosenbrock<T: Real>(x: &[T], g: &mut [T]) -> Result<f64, Infallible> {
    let x: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
    let mut gradient = vec![0.0; x.len()];
    let mut loss = 0.0;
    for i in 0..x.len() - 1 {
        let across = x[i + 1] - x[i] * x[i];
        let along = 1.0 - x[i];
        loss += 100.0 * across * across + along * along;
        gradient[i] += -400.0 * x[i] * across - 2.0 * along;
        gradient[i + 1] += 200.0 * across;
    }
    write(g, &gradient);
    Ok(loss)
}

/// Rosenbrock's usual start: -1.2, 1, -1.2, 1, ...
pub(crate) fn rosenbrock_start<T: Real>(n: usize) -> Vec<T> {
    (0..n).map(|i| T::from_f64(if i % 2 == 0 { -1.2 } else { 1.0 })).collect()
}

/// A long, smooth, non-convex function: sum_i a_i sin^2(x_i - i) + 1/20 (x_i - x_{i+1})^2.
pub(crate) fn waves<T: Real>(x: &[T], g: &mut [T]) -> Result<f64, Infallible> {
    let n = x.len();
    let mut loss = 0.0;
    for i in 0..n {
        let a = 1.0 + (i % 7) as f64;
        let next = x[i].to_f64() - x[(i + 1) % n].to_f64();
        let last = x[(i + n - 1) % n].to_f64() - x[i].to_f64();
        let angle = x[i].to_f64() - (i % 11) as f64;
        loss += a * angle.sin().powi(2) + 0.05 * next * next;
        g[i] = T::from_f64(a * (2.0 * angle).sin() + 0.1 * (next - last));
    }
    Ok(loss)
}

/// 1/2 (x - c)' A (x - c) with A = B'B + I; `b` is B, row after row.
pub(crate) fn quadratic<T: Real>(b: &[f64], c: &[f64]) -> impl Fn(&[T], &mut [T]) -> Result<f64, Infallible> {
    let n = c.len();
    move |x, g| {
        let gap: Vec<f64> = x.iter().zip(c).map(|(x, c)| x.to_f64() - c).collect();
        let mut gradient = gap.clone();
        for row in b.chunks_exact(n) {
            let product: f64 = dot(row, &gap);
            gradient.iter_mut().zip(row).for_each(|(g, b)| *g += product * b);
        }
        write(g, &gradient);
        Ok(0.5 * dot(&gap, &gradient))
    }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn write<T: Real>(g: &mut [T], gradient: &[f64]) {
    g.iter_mut().zip(gradient).for_each(|(g, value)| *g = T::from_f64(*value));
}

/// sum_i a_i |x_i - c_i|: its gradient jumps, so that searches settle for less than they look for, or fail.
pub(crate) fn kinks<T: Real>(x: &[T], g: &mut [T]) -> Result<f64, Infallible> {
    let mut loss = 0.0;
    for (i, (x, g)) in x.iter().zip(g).enumerate() {
        let (a, gap) = (1.0 + (i % 3) as f64, x.to_f64() - 0.3 * (i % 5) as f64);
        loss += a * gap.abs();
        *g = T::from_f64(a * gap.signum());
    }
    Ok(loss)
}
