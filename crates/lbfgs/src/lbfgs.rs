//! L-BFGS: options, the step, restarts.

use crate::lbfgs_state::{Due, LbfgsState};
use crate::line_search::{Found, Point, StrongWolfe};
use crate::outcome::require;
use crate::record::Record;
use crate::{Error, Evaluation, Groups, Optimiser, Real, Search, Step, StopReason, vector};

/// Limited-memory BFGS with a strong Wolfe line search (Nocedal and Wright, Algorithm 7.5).
///
/// The loss falls from each accepted point to the next. A step is one line search. When that finds no lower loss, x and g are
/// put back, the history is dropped, and a search along -g follows; only if that fails too, the run ends.
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
///
/// With groups of variables H0 has a scale of its own for each, learnt on the way. That helps where variables of known kinds
/// differ much in how the loss answers to them: say the frequencies of a picture, when x is its spectrum.
///
/// ```
/// use impasto_lbfgs::{Groups, Iteration, Lbfgs, Optimiser};
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
/// let go_on = |_: &Iteration<'_, f64>| ControlFlow::Continue(());
/// let plain = lbfgs.minimise(&mut vec![0.0; 200], objective, go_on)?;
/// let groups = Groups { of: (0..200).map(|i| (i % 2) as u8).collect(), places: vec![] };
/// let grouped = lbfgs.minimise_in_groups(&mut vec![0.0; 200], groups, objective, go_on)?;
/// assert!(2 * grouped.evaluations < plain.evaluations);
/// # Ok::<(), impasto_lbfgs::Error<Infallible>>(())
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

impl Optimiser for Lbfgs {
    type State<T: Real, R> = LbfgsState<T, R>;

    fn start<T: Real, R, V: Into<Evaluation<R>>, E>(
        &self,
        x: &mut Vec<T>,
        groups: Groups,
        mut objective: impl FnMut(&[T], &mut [T]) -> Result<V, E>,
    ) -> Result<LbfgsState<T, R>, Error<E>> {
        self.validate()?;
        groups.validate(x.len())?;
        let mut gradient = vec![T::ZERO; x.len()];
        let found = objective(x, &mut gradient).map_err(Error::Objective)?.into();
        let record = Record::start(found, vector::norm(&gradient));
        let x = std::mem::take(x);
        Ok(LbfgsState::start(record, x, gradient, groups, (self.history, self.scale_pairs)))
    }

    fn step<T: Real, R, V: Into<Evaluation<R>>, E>(
        &self,
        state: &mut LbfgsState<T, R>,
        mut objective: impl FnMut(&[T], &mut [T]) -> Result<V, E>,
    ) -> Result<Step, Error<E>> {
        self.validate()?;
        if let Some(reason) = self.stop_reason(state) {
            return Ok(Step::Ended(reason));
        }
        if state.due == Due::Gradient {
            // It stays evaluated, and counted, whatever becomes of the step.
            objective(&state.x, &mut state.gradient).map_err(Error::Objective)?;
            state.record.evaluations += 1;
            state.due = Due::Pair;
        }
        state.learn();
        state.history.limit(self.history, self.scale_pairs);
        self.advance(state, &mut objective)
    }
}

impl Lbfgs {
    /// The memory that a run comes to hold beside x of `n` numbers, in bytes, once its history is full: 2 `history` n
    /// numbers of [`Real::Kept`] and 4 n of `T`. Pairs take their memory as they come, so short runs hold less.
    pub fn bytes<T: Real>(&self, n: usize) -> u64 {
        let pairs = self.history.min(self.max_iterations);
        let each = 2 * pairs as u64 * size_of::<T::Kept>() as u64 + 4 * size_of::<T>() as u64;
        each.saturating_mul(n as u64)
    }

    /// One search along -H g and, if that finds nothing, one along -g.
    fn advance<T: Real, R, V: Into<Evaluation<R>>, E>(
        &self,
        state: &mut LbfgsState<T, R>,
        objective: &mut impl FnMut(&[T], &mut [T]) -> Result<V, E>,
    ) -> Result<Step, Error<E>> {
        let mut evaluations = state.record.evaluations;
        let mut forgotten = None;
        let result = loop {
            let slope = state.descend(&mut forgotten);
            let steepest = state.history.is_empty();
            match self.search(state, slope, &mut evaluations, objective) {
                Ok(Found::Step(point, report)) => {
                    let trials = evaluations - state.record.evaluations;
                    let search = self.seen(state, (slope, steepest), &point, trials);
                    state.accept(point, report);
                    state.record.search = Some(search);
                    break Ok(Step::Accepted);
                }
                Ok(Found::Nothing { .. }) if evaluations >= self.max_evaluations => {
                    break Ok(Step::Ended(StopReason::Evaluations));
                }
                Ok(Found::Nothing { any_finite: true }) if steepest => {
                    break Ok(Step::Ended(StopReason::LineSearchFailed));
                }
                Ok(Found::Nothing { .. }) if steepest => break Ok(Step::Ended(StopReason::NotFinite)),
                Ok(Found::Nothing { .. }) => forgotten = Some(state.history.forget()),
                Err(error) => break Err(Error::Objective(error)),
            }
        };
        if result.is_ok() {
            state.record.evaluations = evaluations;
        }
        match forgotten {
            Some(forgotten) if matches!(result, Ok(Step::Accepted)) => state.history.recycle(forgotten),
            Some(forgotten) => state.history.remember(forgotten),
            None => {}
        }
        result
    }

    /// A line search from x along d. If it finds no step, x and g are put back.
    fn search<T: Real, R, V: Into<Evaluation<R>>, E>(
        &self,
        state: &mut LbfgsState<T, R>,
        slope: f64,
        evaluations: &mut usize,
        objective: &mut impl FnMut(&[T], &mut [T]) -> Result<V, E>,
    ) -> Result<Found<R>, E> {
        let Record { loss, gradient_norm, .. } = state.record;
        let start = Point { step: 0.0, loss, slope, gradient_norm };
        let first = if state.history.is_empty() { self.first_step / gradient_norm } else { 1.0 };
        let LbfgsState { x, gradient, direction, history, .. } = state;
        let mut evaluated = 0.0; // the step that `gradient` belongs to
        history.depart(x, gradient);
        let same = |step, other| vector::same_point(history.origin(), direction, [step, other]);
        let found = self.line_search(T::EPSILON).search(start, first, same, |step| {
            vector::move_along(x, history.origin(), step, direction);
            if *evaluations >= self.max_evaluations {
                return Ok(None);
            }
            *evaluations += 1;
            let Evaluation { loss, report } = objective(x, gradient)?.into();
            evaluated = step;
            let (slope, gradient_norm) = vector::slope_and_norm(direction, gradient);
            Ok(Some((Point { step, loss, slope, gradient_norm }, report)))
        });
        match &found {
            Ok(Found::Step(point, _)) if point.step == evaluated => state.due = Due::Pair,
            Ok(Found::Step(..)) => state.due = Due::Gradient,
            _ => history.go_back(x, gradient),
        }
        found
    }

    /// What is told of the search that a point was found by, before it is accepted.
    fn seen<T: Real, R>(
        &self,
        state: &LbfgsState<T, R>,
        (slope_before, steepest): (f64, bool),
        point: &Point,
        trials: usize,
    ) -> Search {
        Search {
            step: point.step,
            trials,
            loss_before: state.record.loss,
            loss: point.loss,
            slope_before,
            slope: point.slope,
            sufficient_decrease: self.sufficient_decrease,
            curvature: self.curvature,
            steepest,
            scales: state.history.scales(),
        }
    }

    fn line_search(&self, precision: f64) -> StrongWolfe {
        StrongWolfe {
            sufficient_decrease: self.sufficient_decrease,
            curvature: self.curvature,
            max_trials: self.max_trials,
            precision,
        }
    }

    fn stop_reason<T: Real, R>(&self, state: &LbfgsState<T, R>) -> Option<StopReason> {
        let Record { iterations, evaluations, loss, gradient_norm, .. } = state.record;
        let before = state.loss_before;
        if !state.record.is_finite() {
            Some(StopReason::NotFinite)
        } else if gradient_norm <= self.gradient_tolerance {
            Some(StopReason::GradientSmall)
        } else if self.loss_tolerance > 0.0 && before - loss <= self.loss_tolerance * before.abs() {
            Some(StopReason::LossFlat)
        } else if iterations >= self.max_iterations {
            Some(StopReason::Iterations)
        } else if evaluations >= self.max_evaluations {
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
