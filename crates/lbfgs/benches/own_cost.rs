//! What L-BFGS itself costs an iteration, without the objective: milliseconds and the memory traffic that they mean.
//!
//! `cargo bench -p impasto-lbfgs --bench own_cost -- [SIZE [HISTORY...]]` for a SIZE x SIZE x 3 picture in f32;
//! without arguments 1024 and histories of 5, 10 and 20.

use impasto_lbfgs::{Lbfgs, Optimiser, Real};
use std::cell::Cell;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Iterations with a full history that are timed.
const TIMED: usize = 20;

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let size = numbers.first().copied().unwrap_or(1024);
    let histories = if numbers.len() > 1 { &numbers[1..] } else { &[5, 10, 20] };
    println!("{size} x {size} x 3 in f32, {} threads", rayon::current_num_threads());
    for &history in histories {
        let mut times = own_times(size * size * 3, history);
        times.sort();
        let Some(median) = times.get(times.len() / 2) else { continue };
        // The table of the crate's front page, for an iteration with one evaluation.
        let kept = (3 * history + 2) * size_of::<<f32 as Real>::Kept>();
        let bytes = (kept + 14 * size_of::<f32>()) * size * size * 3;
        let rate = bytes as f64 / median.as_secs_f64() / 1e9;
        let [least, median] = [times[0], *median].map(|time| time.as_secs_f64() * 1e3);
        println!("history {history:3}: median {median:6.1} ms, least {least:6.1} ms, {rate:5.1} GB/s");
    }
}

/// The time outside the objective of each iteration that has a full history and one evaluation.
fn own_times(n: usize, history: usize) -> Vec<Duration> {
    let inside = Cell::new(Duration::ZERO);
    let objective = |x: &[f32], g: &mut [f32]| {
        let start = Instant::now();
        let loss = bowls(x, g);
        inside.set(inside.get() + start.elapsed());
        Ok::<_, Infallible>(loss)
    };
    let mut x: Vec<f32> = (0..n).map(|i| (i % 255) as f32).collect();
    let lbfgs =
        Lbfgs { history, max_iterations: history + TIMED, first_step: (n as f64).sqrt(), ..Lbfgs::default() };
    let mut times = Vec::new();
    let mut last = (Instant::now(), inside.get(), 0);
    let outcome = lbfgs.minimise(&mut x, objective, |i| {
        if i.iteration > history + 1 && i.evaluations == last.2 + 1 {
            times.push(last.0.elapsed().saturating_sub(inside.get().saturating_sub(last.1)));
        }
        last = (Instant::now(), inside.get(), i.evaluations);
        ControlFlow::Continue(())
    });
    if let Err(error) = outcome {
        eprintln!("{error}");
    }
    times
}

/// sum_i a_i (sqrt(1 + (x_i - 100)^2 / 1000) - 1): convex, badly scaled, and it takes many iterations.
fn bowls(x: &[f32], g: &mut [f32]) -> f64 {
    let mut loss = 0.0;
    for (i, (x, g)) in x.iter().zip(g).enumerate() {
        let a = 1.0 + (i % 97) as f32;
        let gap = x - 100.0;
        let root = (1.0 + gap * gap / 1000.0).sqrt();
        loss += f64::from(a * (root - 1.0));
        *g = a * gap / root / 1000.0;
    }
    loss
}
