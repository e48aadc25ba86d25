//! Minimisation of smooth functions of many variables: L-BFGS with a strong Wolfe line search, and Adam.
//!
//! Give it a function that returns a loss f(x) and writes the gradient g, and a start x:
//!
//! ```
//! use impasto_lbfgs::{Lbfgs, Optimiser, StopReason};
//! use std::{convert::Infallible, ops::ControlFlow};
//!
//! // f(x) = sum_i i (x_i - i)^2, smallest at x = (1, 2, 3).
//! let objective = |x: &[f32], g: &mut [f32]| {
//!     let mut loss = 0.0;
//!     for (i, (x, g)) in (1u8..).zip(x.iter().zip(g)) {
//!         let i = f32::from(i);
//!         *g = 2.0 * i * (x - i);
//!         loss += f64::from(i * (x - i) * (x - i));
//!     }
//!     Ok::<_, Infallible>(loss)
//! };
//! let mut x = vec![0.0; 3];
//! let lbfgs = Lbfgs { gradient_tolerance: 1e-4, ..Lbfgs::default() };
//! let outcome = lbfgs.minimise(&mut x, objective, |iteration| {
//!     println!("{}: loss {:.6}", iteration.iteration, iteration.loss);
//!     ControlFlow::Continue(()) // Break(()) would stop here
//! })?;
//! assert_eq!(outcome.reason, StopReason::GradientSmall);
//! assert!(x.iter().zip([1.0, 2.0, 3.0]).all(|(x, exact)| (x - exact).abs() < 1e-4));
//! # Ok::<(), impasto_lbfgs::Error<Infallible>>(())
//! ```
//!
//! # The method
//! Newton's method would step along d = -(second derivative)^-1 g. For a picture that matrix has 10^13 entries.
//! L-BFGS learns its inverse H instead, from how the gradient changed in the last m steps:
//!
//! ```text
//! s_k = x_{k+1} - x_k        where it went
//! y_k = g_{k+1} - g_k        how the gradient answered: y is about (second derivative) s
//! ```
//!
//! H is what remains of H0 = gamma D, a diagonal matrix of the size of the last s and y, after each pair has taught it
//! H y_k = s_k (the BFGS update). It is never formed: the **two-loop recursion** gives H g from the 2 m vectors. One
//! iteration is then
//!
//! 1. d := -H g (-g where there is no pair yet);
//! 2. a step t along d that satisfies the **strong Wolfe conditions**
//!    f(x + t d) <= f(x) + c1 t g·d and |g(x + t d)·d| <= c2 |g·d|, where t = 1 is tried first and nearly always
//!    taken: one evaluation an iteration;
//! 3. the new pair replaces the oldest, if s·y > 0, so that H stays positive definite and d a descent.
//!
//! The very first step has no scale: it is tried with t = `first_step` / |g|.
//!
//! # Files
//! | equation | file |
//! |---|---|
//! | start, step, finish; `minimise`, which is a loop over them | `optimiser.rs` |
//! | options, the step of L-BFGS, restarts | `lbfgs.rs` |
//! | what a run carries from step to step | `lbfgs_state.rs`, `record.rs` |
//! | a run as bytes | `bytes.rs` |
//! | r = H g on dot products | `two_loop.rs` |
//! | H0 = gamma D, a scale for each group of variables | `scaling.rs` |
//! | pairs s, y and their dot products, d = -H g | `history.rs` |
//! | sweeps over the pairs, in half precision | `kept.rs` |
//! | strong Wolfe conditions, bracket, zoom, cubic interpolation | `line_search.rs` |
//! | how a search came to its point, for those who watch | `search.rs` |
//! | sweeps in fixed blocks | `vector.rs` |
//! | Adam | `adam.rs`, `moments.rs` |
//!
//! # Cost
//! With m pairs and n variables: 4 n numbers of memory next to x itself, and 2 m n that are kept in half precision for `f32`
//! ([`Real::Kept`]). In an iteration with one evaluation every sweep is parallel and reads or writes so many vectors of n
//! numbers, of which 3 m + 2 are kept ones:
//!
//! | sweep | vectors |
//! |---|---|
//! | r0: all y and g read, r0 written | m + 2 |
//! | direction: all s, r0 and g read, d written in its place, g·d taken on the way | m + 3 |
//! | x := x_k + t d (x_k and g_k are kept by an exchange of buffers) | 3 |
//! | after the evaluation: g·d and g·g | 2 |
//! | new pair s, y made in place, its dot products with all s | m + 6 |
//!
//! # The same bits
//! Vectors are `f32` or `f64` ([`Real`]); dot products and coefficients are `f64`, summed in fixed blocks in a fixed
//! order. A run gives the same bits at any number of rayon threads, if its objective does; and whether it was made in one go, or
//! ended and continued, or written to bytes and read again.
//!
//! # Sources
//! Nocedal and Wright, "Numerical Optimization", 2nd edition, 2006, chapters 3 and 7; Liu and Nocedal, "On the limited
//! memory BFGS method for large scale optimization", 1989; Chen, Wang and Zhou, "Large-scale L-BFGS using MapReduce",
//! 2014; Kingma and Ba, "Adam", 2015.
#![forbid(unsafe_code)]

mod adam;
mod bytes;
mod history;
mod kept;
mod lbfgs;
mod lbfgs_state;
mod line_search;
mod moments;
mod optimiser;
mod outcome;
mod real;
mod record;
mod scaling;
mod search;
mod two_loop;
mod vector;

pub use adam::{Adam, AdamState};
pub use bytes::{StateError, read_vector, write_vector};
pub use lbfgs::Lbfgs;
pub use lbfgs_state::LbfgsState;
pub use moments::Moments;
pub use optimiser::{Evaluation, Optimiser, State, Step};
pub use outcome::{Error, Iteration, Outcome, StopReason};
pub use real::{Real, Stored};
pub use scaling::Groups;
pub use search::Search;
