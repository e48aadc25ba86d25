//! L-BFGS on one of the problems, and how many evaluations it took.

use super::Problem;
use impasto_lbfgs::{Error, Iteration, Lbfgs, Optimiser, Outcome, Real};
use std::convert::Infallible;
use std::ops::ControlFlow;

/// Evaluations that a run has at most.
pub(crate) const EVALUATIONS: usize = 10_000;

/// L-BFGS as it is by default, until no step lowers the loss.
pub(crate) fn lbfgs() -> Lbfgs {
    Lbfgs { max_iterations: usize::MAX, max_evaluations: EVALUATIONS, ..Lbfgs::default() }
}

/// A run from the standard start.
pub(crate) struct Run {
    /// Where it ended.
    pub(crate) x: Vec<f64>,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// f at each evaluation.
    losses: Vec<f64>,
}

impl Problem {
    /// Runs `lbfgs` from the start with vectors of `T`; `look` sees each iteration.
    pub(crate) fn run<T: Real>(
        &self,
        lbfgs: &Lbfgs,
        mut look: impl FnMut(&Iteration<T>),
    ) -> Result<Run, Error<Infallible>> {
        let (mut x, mut losses): (Vec<T>, _) =
            (self.start.iter().map(|&x| T::from_f64(x)).collect(), Vec::new());
        let objective = |x: &[T], g: &mut [T]| {
            let loss = self.evaluate(x, g);
            losses.push(loss);
            Ok::<_, Infallible>(loss)
        };
        let outcome = lbfgs.minimise(&mut x, objective, |iteration| {
            look(iteration);
            ControlFlow::Continue(())
        })?;
        Ok(Run { x: x.iter().map(|x| x.to_f64()).collect(), outcome, losses })
    }

    /// The lowest known minimum that a run came down to, and the evaluations until it first did:
    ///
    /// ```text
    /// f(x) <= f* + tolerance max(|f*|, min(1, f(start)))
    /// ```
    ///
    /// A difference from f* is taken relative to f*, where that is not 0; or else, with the start, to what there was to win.
    pub(crate) fn reached(&self, run: &Run, tolerance: f64) -> Option<(f64, usize)> {
        let worth = run.outcome.initial_loss.min(1.0);
        let allowed = |minimum: f64| tolerance * worth.max(minimum.abs());
        let at = |minimum: f64| (run.outcome.loss - minimum).abs() <= allowed(minimum);
        let minimum = self.minima.iter().copied().find(|&minimum| at(minimum))?;
        let first = run.losses.iter().position(|loss| loss - minimum <= allowed(minimum))?;
        Some((minimum, first + 1))
    }
}
