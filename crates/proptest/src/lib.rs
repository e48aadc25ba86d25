//! Property tests for gradients that were written by hand.
//!
//! A gradient is wrong in ways that a run does not show: a factor 2 makes the optimiser slow, a mask that is missing makes the result
//! a little worse. So it is compared with central differences, at points that are drawn at random and made small when they fail.
//!
//! # An operation
//! y = f(x), and backward dL/dx from dL/dy. Implement [`Operation`], and [`assert_operation`] runs every assertion that applies:
//!
//! ```
//! use impasto_proptest::{Operation, assert_operation, strategies::numbers};
//!
//! #[derive(Debug)]
//! struct Softplus; // y = log(1 + e^x)
//!
//! impl Operation for Softplus {
//!     fn forward(&self, x: &[f64]) -> Vec<f64> {
//!         x.iter().map(|x| x.exp().ln_1p()).collect()
//!     }
//!     fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
//!         x.iter().zip(gradient).map(|(x, g)| g / (1.0 + (-x).exp())).collect()
//!     }
//! }
//!
//! assert_operation(&Softplus, numbers(1..20));
//! ```
//!
//! # Any function
//! that returns its value and its gradient:
//!
//! ```
//! use impasto_proptest::assert_gradient;
//!
//! let half_square = |x: &[f64]| (x.iter().map(|x| 0.5 * x * x).sum(), x.to_vec());
//! assert_gradient(half_square, &[0.5, -2.0, 3.0]);
//! ```
//!
//! # What fails, says where
//! With `2.0 * g` above:
//!
//! ```text
//! Softplus: the gradient is wrong at coordinate 0 of 1
//!   it is         -1.0665616
//!   it should be  -0.53328079
//!   off by        0.53328079, which is 5.0e-1 of a typical slope; 1.0e-7 is allowed
//!   seed          1
//!   note          every wrong coordinate is 2 times what it should be
//!   smallest case [0.0]
//!   again         IMPASTO_PROPTEST_SEED=17035190447316493123
//! ```
//!
//! # Modules
//! | what | where |
//! |---|---|
//! | one operation, all assertions that apply | [`Operation`], [`assert_operation`], [`assert_operations`], [`check_operation`] |
//! | the gradient of any function | [`assert_gradient`], [`check_gradient`], [`check_claim`] |
//! | `<A x, y> = <x, A' y>` | [`assert_adjoint`] |
//! | fast against plain | [`assert_twin`] |
//! | the same bits on 1, 2, 3 and 8 threads | [`assert_same_bits_on_threads`] |
//! | a gradient that is added to what is there | [`assert_accumulates`] |
//! | an earlier call leaves nothing behind | [`check_repeats`] |
//! | tensors, kernels, chains of operations, masks, pictures, matrices | [`strategies`] |
//! | cases with a seed that can be given again | [`Cases`] |
//!
//! Each `assert_` panics with a [`Failure`], as tests like it; its `check_` returns it, and `?` takes it in the body of `proptest!`.
//!
//! The comparison itself, with its choice of step and its detection of kinks, is [`impasto_autodiff::check`]. This crate is one of its
//! own so that a dev-dependency brings neither pictures nor files with it.
#![forbid(unsafe_code)]

mod accumulates;
mod adjoint;
mod cases;
mod chain;
mod failure;
mod gradient;
mod locate;
mod number;
mod operation;
mod random;
mod repeats;
pub mod strategies;
mod threads;
mod twin;

pub use accumulates::{assert_accumulates, check_accumulates};
pub use adjoint::{assert_adjoint, check_adjoint};
pub use cases::{Cases, Refuted, SEED_VARIABLE};
pub use chain::{Chain, Step};
pub use failure::{Failure, Named, Property};
pub use gradient::{Checks, Seen, assert_gradient, check_claim, check_gradient};
pub use operation::{Operation, Report, assert_operation, assert_operations, check_operation};
pub use random::uneven;
pub use repeats::check_repeats;
pub use threads::{Bits, assert_same_bits_on_threads, check_same_bits_on_threads};
pub use twin::{assert_twin, check_twin};
