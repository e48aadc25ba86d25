//! L-BFGS: the loop.

use crate::history::History;
use crate::line_search::{Found, Point, StrongWolfe};
use crate::outcome::require;
use crate::scaling::Scaling;
use crate::{Error, Groups, Iteration, Outcome, Real, StopReason, vector};
use std::ops::ControlFlow;

/// Limited-memory BFGS with a strong Wolfe line search (Nocedal and Wright, Algorithm 7.5).
///
/// The defaults run all `max_iterations`: both tolerances are 0, which is to say off.
///
/// ```
/// use impasto_lbfgs::Lbfgs;
///
/// let lbfgs = Lbfgs { history: 20, max_iterations: 200, ..Lbfgs::default() };
/// assert_eq!(lbfgs.loss_tolerance, 0.0);
/// // 2 x 20 vectors of pairs in bf16; gradients, a direction and a point in f32: for a 1024 x 1024 picture
/// assert_eq!(lbfgs.bytes::<f32>(1024 * 1024 * 3), (20 + 4) * 1024 * 1024 * 3 * 4);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lbfgs {
    /// Pairs (s, y) that H is made of, at least 1. Each costs two vectors of memory, in half precision for `f32`
    /// ([`Real::Kept`]), and three of memory traffic an iteration. Default 10.
    pub history: usize,
    /// The newest pairs that H0 = gamma D is made of, at least 1. They cost nothing. Default 1: without groups gamma is then
    /// the book's s·y / y·y. More make long steps bolder, which pays where nearly every first trial is taken anyway.
    pub scale_pairs: usize,
    /// Iterations, that is accepted steps, at most. Default 500.
    pub max_iterations: usize,
    /// Evaluations of the objective at most, at least 1; most iterations cost one. Default: no limit.
    pub max_evaluations: usize,
    /// Stops when |g| (2-norm) is at most this. Default 0: only when g is exactly zero.
    pub gradient_tolerance: f64,
    /// Stops when an iteration lowers the loss by at most this times |loss|. Default 0: never.
    pub loss_tolerance: f64,
    /// The length |t d| of the first trial step, where there is no history yet to scale it: t = `first_step` / |g|.
    /// Default 1. A search makes it larger or smaller as it needs, tenfold at most for each further evaluation; a
    /// good guess saves those: for a picture of n numbers in 0..=255 that is about sqrt(n).
    pub first_step: f64,
    /// c1 of the line search, in (0, `curvature`): the part of the loss that the slope promises which must come
    /// true. Default 1e-4.
    pub sufficient_decrease: f64,
    /// c2 of the line search, in (`sufficient_decrease`, 1): the part of the slope that may remain. Default 0.9,
    /// loose, so that the first trial is nearly always taken.
    pub curvature: f64,
    /// Trials in one line search, at least 1, before it settles for the best step so far. Default 20.
    pub max_trials: usize,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self {
            history: 10,
            scale_pairs: 1,
            max_iterations: 500,
            max_evaluations: usize::MAX,
            gradient_tolerance: 0.0,
            loss_tolerance: 0.0,
            first_step: 1.0,
            sufficient_decrease: 1e-4,
            curvature: 0.9,
            max_trials: 20,
        }
    }
}

impl Lbfgs {
    /// Minimises `objective` from `x` on.
    ///
    /// - `x`: n numbers, the start; on return, whatever the return is, the accepted point with the lowest loss.
    /// - `objective(x, g)`: returns f(x) and writes its gradient into all n elements of `g`, whose contents before
    ///   are arbitrary. It must be a function: the same `x`, the same loss and gradient. A loss or gradient that is
    ///   NaN or infinite is never accepted; the line search turns back from it.
    /// - `on_iteration`: called after each accepted iteration; `ControlFlow::Break(())` ends the run.
    ///
    /// The loss falls from each accepted point to the next. When a line search finds no lower loss, x and g are put
    /// back, the history is dropped, and a search along -g follows; only if that fails too, the run ends.
    ///
    /// # Errors
    /// [`Error::Objective`] with the objective's own error, and [`Error::InvalidOption`].
    pub fn minimise<T: Real, E>(
        &self,
        x: &mut [T],
        objective: impl FnMut(&[T], &mut [T]) -> Result<f64, E>,
        on_iteration: impl FnMut(&Iteration<T>) -> ControlFlow<()>,
    ) -> Result<Outcome, Error<E>> {
        self.minimise_in_groups(Groups::default(), x, objective, on_iteration)
    }

    /// [`Self::minimise`] with an H0 that has a scale of its own for each group of variables, learnt on the way.
    ///
    /// That helps where variables of known kinds differ much in how the loss answers to them: say the frequencies of a
    /// picture, when x is its spectrum.
    ///
    /// ```
    /// use impasto_lbfgs::{Groups, Lbfgs};
    /// use std::{convert::Infallible, ops::ControlFlow};
    ///
    /// // Every other variable is 10,000 times as stiff as its neighbours.
    /// let stiffness = |i: usize| if i % 2 == 0 { 1e4 } else { 1.0 } * (1.0 + i as f64 / 50.0);
    /// let objective = |x: &[f64], g: &mut [f64]| {
    ///     let mut loss = 0.0;
    ///     for (i, (x, g)) in x.iter().zip(g).enumerate() {
    ///         *g = stiffness(i) * (x - 1.0);
    ///         loss += 0.5 * *g * (x - 1.0);
    ///     }
    ///     Ok::<_, Infallible>(loss)
    /// };
    /// let lbfgs = Lbfgs { gradient_tolerance: 1e-6, ..Lbfgs::default() };
    /// let go_on = |_: &impasto_lbfgs::Iteration<'_, f64>| ControlFlow::Continue(());
    /// let plain = lbfgs.minimise(&mut vec![0.0; 200], objective, go_on)?;
    /// let of: Vec<u8> = (0..200).map(|i| (i % 2) as u8).collect();
    /// let groups = Groups { of: &of, places: &[] };
    /// let grouped = lbfgs.minimise_in_groups(groups, &mut vec![0.0; 200], objective, go_on)?;
    /// assert!(2 * grouped.evaluations < plain.evaluations);
    /// # Ok::<(), impasto_lbfgs::Error<Infallible>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::minimise`]; [`Error::InvalidOption`] too when `groups` does not fit `x`.
    pub fn minimise_in_groups<T: Real, E>(
        &self,
        groups: Groups<'_>,
        x: &mut [T],
        mut objective: impl FnMut(&[T], &mut [T]) -> Result<f64, E>,
        mut on_iteration: impl FnMut(&Iteration<T>) -> ControlFlow<()>,
    ) -> Result<Outcome, Error<E>> {
        self.validate()?;
        require(groups.cover(x.len()), "groups.of", "one for each variable", groups.of.len() as f64)?;
        let places = groups.places.len() as f64;
        require(groups.are_placed(), "groups.places", "one from 0 to 255 for each group", places)?;
        let mut gradient = vec![T::ZERO; x.len()];
        let loss = objective(x, &mut gradient).map_err(Error::Objective)?;
        let start = Point { step: 0.0, loss, slope: 0.0, gradient_norm: vector::norm(&gradient) };
        let mut state = State { iterations: 0, evaluations: 1, initial_loss: loss, point: start };
        if !start.is_finite() {
            return Ok(state.outcome(StopReason::NotFinite));
        }

        let mut direction = vec![T::ZERO; x.len()];
        let mut history = History::new(self.history, Scaling::new(groups, self.scale_pairs));
        let mut stop = self.stop_reason(&state, None);
        loop {
            if let Some(reason) = stop {
                return Ok(state.outcome(reason));
            }
            let slope = descend(&mut history, &gradient, &mut direction);
            let steepest = history.is_empty();
            let first = if steepest { self.first_step / state.point.gradient_norm } else { 1.0 };
            let before = state.point;
            history.begin(x, &mut gradient);

            let found =
                self.line_search(T::EPSILON).search(Point { step: 0.0, slope, ..before }, first, |step| {
                    vector::move_along(x, history.origin(), step, &direction);
                    if state.evaluations >= self.max_evaluations {
                        return Ok(None);
                    }
                    state.evaluations += 1;
                    let loss = objective(x, &mut gradient)?;
                    let (slope, gradient_norm) = vector::slope_and_norm(&direction, &gradient);
                    Ok(Some(Point { step, loss, slope, gradient_norm }))
                });
            match found {
                Ok(Found::Step(point)) => {
                    state.iterations += 1;
                    state.point = point;
                    stop = report(&state, x, &mut on_iteration)
                        .or_else(|| self.stop_reason(&state, Some(before.loss)));
                    if stop.is_none() {
                        history.update(x, &gradient);
                    }
                }
                Ok(Found::Nothing { any_finite }) => {
                    history.give_up(x, &mut gradient);
                    let failure =
                        if any_finite { StopReason::LineSearchFailed } else { StopReason::NotFinite };
                    stop = self.stop_reason(&state, None).or(steepest.then_some(failure));
                }
                Err(error) => {
                    history.give_up(x, &mut gradient);
                    return Err(Error::Objective(error));
                }
            }
        }
    }

    /// The memory that [`Self::minimise`] comes to hold for `x` of `n` numbers, in bytes, once its history is full:
    /// 2 `history` n numbers of [`Real::Kept`] and 4 n of `T`. Pairs take their memory as they come, so short runs hold less.
    pub fn bytes<T: Real>(&self, n: usize) -> u64 {
        let pairs = self.history.min(self.max_iterations);
        let each = 2 * pairs as u64 * size_of::<T::Kept>() as u64 + 4 * size_of::<T>() as u64;
        each.saturating_mul(n as u64)
    }

    fn line_search(&self, precision: f64) -> StrongWolfe {
        StrongWolfe {
            sufficient_decrease: self.sufficient_decrease,
            curvature: self.curvature,
            max_trials: self.max_trials,
            precision,
        }
    }

    fn stop_reason(&self, state: &State, loss_before: Option<f64>) -> Option<StopReason> {
        let flat = |before: f64| {
            self.loss_tolerance > 0.0 && before - state.point.loss <= self.loss_tolerance * before.abs()
        };
        if state.point.gradient_norm <= self.gradient_tolerance {
            Some(StopReason::GradientSmall)
        } else if loss_before.is_some_and(flat) {
            Some(StopReason::LossFlat)
        } else if state.iterations >= self.max_iterations {
            Some(StopReason::Iterations)
        } else if state.evaluations >= self.max_evaluations {
            Some(StopReason::Evaluations)
        } else {
            None
        }
    }

    fn validate<E>(&self) -> Result<(), Error<E>> {
        let (c1, c2) = (self.sufficient_decrease, self.curvature);
        let tolerance = "finite and at least 0";
        let valid = |tolerance: f64| tolerance.is_finite() && tolerance >= 0.0;
        require(self.history >= 1, "history", "at least 1", self.history as f64)?;
        require(self.scale_pairs >= 1, "scale_pairs", "at least 1", self.scale_pairs as f64)?;
        require(self.max_evaluations >= 1, "max_evaluations", "at least 1", self.max_evaluations as f64)?;
        require(self.max_trials >= 1, "max_trials", "at least 1", self.max_trials as f64)?;
        require(valid(self.gradient_tolerance), "gradient_tolerance", tolerance, self.gradient_tolerance)?;
        require(valid(self.loss_tolerance), "loss_tolerance", tolerance, self.loss_tolerance)?;
        let length = self.first_step.is_finite() && self.first_step > 0.0;
        require(length, "first_step", "finite and above 0", self.first_step)?;
        require(c1 > 0.0 && c1 < c2, "sufficient_decrease", "between 0 and curvature", c1)?;
        require(c2 < 1.0, "curvature", "between sufficient_decrease and 1", c2)
    }
}

/// Where a run is: at the last accepted point.
struct State {
    iterations: usize,
    evaluations: usize,
    initial_loss: f64,
    point: Point,
}

impl State {
    fn outcome(&self, reason: StopReason) -> Outcome {
        Outcome {
            reason,
            initial_loss: self.initial_loss,
            loss: self.point.loss,
            iterations: self.iterations,
            evaluations: self.evaluations,
        }
    }
}

/// direction := -H g; -g if rounding left -H g without descent. Returns the slope.
fn descend<T: Real>(history: &mut History<'_, T>, gradient: &[T], direction: &mut [T]) -> f64 {
    let slope = history.direction(gradient, direction);
    if slope < 0.0 && slope.is_finite() {
        return slope;
    }
    history.clear();
    history.direction(gradient, direction)
}

/// Shows the accepted point to the callback.
fn report<T>(
    state: &State,
    x: &[T],
    on_iteration: &mut impl FnMut(&Iteration<T>) -> ControlFlow<()>,
) -> Option<StopReason> {
    let Point { step, loss, gradient_norm, .. } = state.point;
    let (iteration, evaluations) = (state.iterations, state.evaluations);
    let iteration = Iteration { iteration, evaluations, x, loss, gradient_norm, step };
    on_iteration(&iteration).is_break().then_some(StopReason::Cancelled)
}
