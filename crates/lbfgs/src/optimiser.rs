//! What all methods have in common: a run that starts, steps and finishes.

use crate::bytes::StateError;
use crate::{Error, Groups, Iteration, Moments, Outcome, Real, StopReason};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;

/// What an objective returns: f(x), and whatever the caller wants to travel with x.
///
/// The report stays with its point: [`Iteration::report`] is that of the accepted point, whichever trial of a line search
/// that was. An objective without a report returns the loss alone, an `f64`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation<R = ()> {
    /// f(x).
    pub loss: f64,
    /// What travels with x: the parts of the loss, say. A few are held at a time.
    pub report: R,
}

impl From<f64> for Evaluation {
    fn from(loss: f64) -> Self {
        Self { loss, report: () }
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The state is at the next accepted point.
    Accepted,
    /// No step was taken. The state is as it was, but for the evaluations that were made and counted.
    Ended(StopReason),
}

/// A method that minimises a smooth function f of n variables, step by step.
///
/// # Objectives
/// An objective is given x and a `g` of the same n numbers, whose contents before are arbitrary. It writes the gradient at
/// x into all of `g` and returns f(x), as an `f64` or an [`Evaluation`]. It must be a function: the same `x`, the same loss
/// and gradient. A loss or gradient that is NaN or infinite is never accepted.
///
/// # Steps
/// A run can be stepped, paused, looked at, written and read again:
///
/// ```
/// use impasto_lbfgs::{Evaluation, Groups, Lbfgs, LbfgsState, Optimiser, State, Step};
///
/// // The report of a point is where it is the furthest from the minimum.
/// let objective = |x: &[f64], g: &mut [f64]| {
///     g.copy_from_slice(x);
///     let report = x.iter().fold(0.0, |furthest: f64, x| x.abs().max(furthest));
///     Ok::<_, std::io::Error>(Evaluation { loss: x.iter().map(|x| 0.5 * x * x).sum(), report })
/// };
/// let lbfgs = Lbfgs { max_iterations: 1, ..Lbfgs::default() };
/// let mut state = lbfgs.start(&mut vec![3.0, -4.0], Groups::default(), objective)?;
/// while lbfgs.step(&mut state, objective)? == Step::Accepted {
///     assert!(*state.iteration().report < 4.0);
/// }
/// let mut bytes = Vec::new();
/// state.write(&mut bytes, |report, to| std::io::Write::write_all(to, &report.to_le_bytes()))?;
///
/// // Another day, another program, more iterations.
/// let lbfgs = Lbfgs { max_iterations: 100, ..lbfgs };
/// let mut state = LbfgsState::<f64, f64>::read(&mut &*bytes, |from| {
///     let mut report = [0; 8];
///     std::io::Read::read_exact(from, &mut report)?;
///     Ok(f64::from_le_bytes(report))
/// })?;
/// let ended = loop {
///     if let Step::Ended(reason) = lbfgs.step(&mut state, objective)? {
///         break reason;
///     }
/// };
/// let (x, outcome) = state.finish(ended);
/// assert_eq!((x, outcome.report), (vec![0.0, 0.0], 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # A method of your own
/// The optimiser holds the options, the state everything else. [`start`](Self::start) evaluates the objective once and
/// takes x; [`step`](Self::step) checks the options' limits, then looks for the next point and accepts it or says why not;
/// the state shows the accepted point, gives the one to keep, and can be written and read. Whoever keeps to what these
/// functions promise has [`minimise`](Self::minimise) for free, and fits wherever the methods of this crate do. A step must
/// be able to turn back when the objective fails: give it a trial point beside x, and change what it has learnt only once that
/// is accepted. `adam.rs` is the shorter example.
pub trait Optimiser {
    /// What a run carries from step to step, and owns.
    type State<T: Real, R>: State<T, R>;

    /// Evaluates `objective` at `x`, and takes `x`: an empty vector stays behind. Fails, and leaves `x` there, when the
    /// objective does.
    ///
    /// A loss or gradient that is not finite is found by the first step, which then ends with [`StopReason::NotFinite`].
    ///
    /// # Errors
    /// [`Error::Objective`], and [`Error::InvalidOption`] where an option makes no sense or `groups` does not fit `x`.
    fn start<T: Real, R, V: Into<Evaluation<R>>, E>(
        &self,
        x: &mut Vec<T>,
        groups: Groups,
        objective: impl FnMut(&[T], &mut [T]) -> Result<V, E>,
    ) -> Result<Self::State<T, R>, Error<E>>;

    /// Moves `state` on by one accepted iteration, unless a limit of the options is reached or no step can be found.
    ///
    /// The limits are those of `self`, not of the optimiser that started the run: a run that ended at n iterations and is
    /// continued to N by an optimiser that allows N is, to the bit, the run that was asked for N.
    ///
    /// # Errors
    /// [`Error::Objective`]: `state` is then as it was, and the next step is the one that this would have been.
    /// [`Error::InvalidOption`].
    fn step<T: Real, R, V: Into<Evaluation<R>>, E>(
        &self,
        state: &mut Self::State<T, R>,
        objective: impl FnMut(&[T], &mut [T]) -> Result<V, E>,
    ) -> Result<Step, Error<E>>;

    /// Minimises `objective` from `x` on: starts, steps until a step ends the run, and finishes.
    ///
    /// - `x`: the start; on return, whatever the return is, the accepted point with the lowest loss.
    /// - `on_iteration`: called after each accepted iteration; `ControlFlow::Break(())` ends the run.
    ///
    /// # Errors
    /// As [`Self::start`] and [`Self::step`].
    fn minimise<T: Real, R, V: Into<Evaluation<R>>, E>(
        &self,
        x: &mut Vec<T>,
        objective: impl FnMut(&[T], &mut [T]) -> Result<V, E>,
        on_iteration: impl FnMut(&Iteration<T, R>) -> ControlFlow<()>,
    ) -> Result<Outcome<R>, Error<E>> {
        self.minimise_in_groups(x, Groups::default(), objective, on_iteration)
    }

    /// [`Self::minimise`] for variables in groups, which the method may give a scale each ([`Groups`]).
    ///
    /// # Errors
    /// As [`Self::start`] and [`Self::step`].
    fn minimise_in_groups<T: Real, R, V: Into<Evaluation<R>>, E>(
        &self,
        x: &mut Vec<T>,
        groups: Groups,
        mut objective: impl FnMut(&[T], &mut [T]) -> Result<V, E>,
        mut on_iteration: impl FnMut(&Iteration<T, R>) -> ControlFlow<()>,
    ) -> Result<Outcome<R>, Error<E>> {
        let mut state = self.start(x, groups, &mut objective)?;
        let ended = loop {
            match self.step(&mut state, &mut objective) {
                Ok(Step::Accepted) => {}
                Ok(Step::Ended(reason)) => break Ok(reason),
                Err(error) => break Err(error),
            }
            if on_iteration(&state.iteration()).is_break() {
                break Ok(StopReason::Cancelled);
            }
        };
        let outcome;
        (*x, outcome) = state.finish(*ended.as_ref().unwrap_or(&StopReason::Cancelled));
        ended.map(|_| outcome)
    }
}

/// A run between two steps.
pub trait State<T: Real, R>: Sized {
    /// The accepted point: the start before the first step, which counts as iteration 0 with a step of 0.
    fn iteration(&self) -> Iteration<'_, T, R>;

    /// What [`Self::finish`] would return, with the state still there: to be written afterwards, say.
    fn kept(&self, reason: StopReason) -> (&[T], Outcome<&R>);

    /// The point to keep, which is the accepted one with the lowest loss, and how the run went. `reason` is what ended it:
    /// the last step's, or [`StopReason::Cancelled`] when the caller did.
    fn finish(self, reason: StopReason) -> (Vec<T>, Outcome<R>);

    /// Takes out what the run has learnt of the gradient for one of other variables, once it has ended: it cannot be stepped or
    /// written any more. None where the method learns nothing of the kind.
    fn take_moments(&mut self) -> Option<Moments<T>> {
        None
    }

    /// Writes all that the run needs to go on with the same bits; `report` writes a report of the caller's, of which there
    /// may be more than one.
    ///
    /// The bytes are little endian: [`StateError`] lists what of them [`Self::read`] checks. They are the same before and
    /// after a step that failed. Changes nothing that can be seen; what the last step left for the next to do may be done.
    ///
    /// # Errors
    /// Those of `to` and `report`.
    fn write<W: Write>(
        &mut self,
        to: &mut W,
        report: impl FnMut(&R, &mut W) -> io::Result<()>,
    ) -> io::Result<()>;

    /// Reads what [`Self::write`] wrote, and no byte more; `report` reads what its counterpart wrote.
    ///
    /// The bytes need not be trusted: memory is taken as they come, not as they claim, and a state that is returned can be
    /// stepped on without a panic. A byte that was changed within a number is not noticed: add a checksum where that matters.
    ///
    /// # Errors
    /// [`StateError`].
    fn read<F: Read>(from: &mut F, report: impl FnMut(&mut F) -> io::Result<R>) -> Result<Self, StateError>;
}
