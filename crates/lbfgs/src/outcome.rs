//! What a run reports: each iteration, how it ended, and what can go wrong.

use crate::Search;
use std::fmt;

/// An accepted point, as the callback of a run sees it after each iteration.
#[derive(Debug, Clone, Copy)]
pub struct Iteration<'a, T, R = ()> {
    /// The number of this iteration, from 1; 0 is the start.
    pub iteration: usize,
    /// Evaluations of the objective so far, the one at the start included.
    pub evaluations: usize,
    /// The accepted point.
    pub x: &'a [T],
    /// The loss at `x`.
    pub loss: f64,
    /// |g| at `x`, the 2-norm of the gradient.
    pub gradient_norm: f64,
    /// L-BFGS: the step t along the direction d (1 is the full quasi-Newton step). Adam: the learning rate.
    pub step: f64,
    /// L-BFGS: how the line search came to `x`. None at the start, where a run goes on from its bytes, and for Adam.
    pub search: Option<&'a Search>,
    /// Whether `x` is the mean of the points so far in place of the last one, whose loss, gradient and report these are.
    pub averaged: bool,
    /// What the objective returned with the loss at `x` ([`Evaluation::report`](crate::Evaluation::report)).
    pub report: &'a R,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// |g| is at most `gradient_tolerance`.
    GradientSmall,
    /// The last iteration lowered the loss by at most `loss_tolerance` of its size.
    LossFlat,
    /// `max_iterations` are done.
    Iterations,
    /// `max_evaluations` are done.
    Evaluations,
    /// The callback asked for it.
    Cancelled,
    /// No step along the steepest descent lowers the loss: rounding hides any progress, or the gradient is wrong.
    LineSearchFailed,
    /// The loss or its gradient is NaN or infinite at the start, or wherever else the method went.
    NotFinite,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GradientSmall => "the gradient is small",
            Self::LossFlat => "the loss no longer falls",
            Self::Iterations => "all iterations are done",
            Self::Evaluations => "all evaluations are used",
            Self::Cancelled => "cancelled",
            Self::LineSearchFailed => "no step lowers the loss",
            Self::NotFinite => "the loss or its gradient is not finite",
        })
    }
}

/// How a run ended. The point that it kept is the accepted one with the lowest loss; or the mean of the accepted points, and the losses
/// here are then the last one's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome<R = ()> {
    /// Why it ended.
    pub reason: StopReason,
    /// The loss at the `x` that was given.
    pub initial_loss: f64,
    /// The loss at the point that was kept.
    pub loss: f64,
    /// Accepted iterations.
    pub iterations: usize,
    /// Evaluations of the objective.
    pub evaluations: usize,
    /// What the objective returned with the loss at the point that was kept.
    pub report: R,
}

/// Why there is no outcome; `E` is the objective's own error.
#[derive(Debug, thiserror::Error)]
pub enum Error<E> {
    /// The objective failed.
    #[error("the objective failed: {0}")]
    Objective(#[source] E),
    /// An option has a value that makes no sense.
    #[error("the option {option} must be {requirement}, not {value}")]
    InvalidOption {
        /// The field's name.
        option: &'static str,
        /// What it must be.
        requirement: &'static str,
        /// What it is.
        value: f64,
    },
}

/// An error that names the option, unless `valid`.
pub(crate) fn require<E>(
    valid: bool,
    option: &'static str,
    requirement: &'static str,
    value: f64,
) -> Result<(), Error<E>> {
    if valid { Ok(()) } else { Err(Error::InvalidOption { option, requirement, value }) }
}
