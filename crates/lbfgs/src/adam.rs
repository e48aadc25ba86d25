//! Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, Algorithm 1).

use crate::bytes::{self, StateError};
use crate::moments::Moments;
use crate::outcome::require;
use crate::record::Record;
use crate::vector::{self, BLOCK};
use crate::{Error, Evaluation, Groups, Iteration, Optimiser, Outcome, Real, State, Step, StopReason};
use rayon::prelude::*;
use std::io::{self, Read, Write};

/// Adam: steps of about the learning rate in each element, whatever the gradient's size.
///
/// ```text
/// m := beta1 m + (1 - beta1) g            mean of the gradient
/// v := beta2 v + (1 - beta2) g^2          mean of its square, by element
/// x := x - lr (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + epsilon)        in iteration k = 1, 2, ...
/// ```
///
/// Two things beyond the paper's algorithm can be asked for. Within `bounds`, x is brought back to the nearest point of a box
/// after each step, as the start is. And with an `average_decay` d the run shows and keeps the mean of its points, the start
/// among them, in which each weighs d times what the one after it does (the paper's section 7.2, with its correction for the bias):
///
/// ```text
/// a_0 = x_0        a_k = a_{k-1} + (1 - d) / (1 - d^(k+1)) (x_k - a_{k-1})
/// ```
///
/// Losses and gradients are then those of the last point and not of the mean, which is never evaluated.
///
/// Every iteration is accepted and costs one evaluation, so the loss may rise on the way. A step ends the run with
/// [`StopReason::Iterations`], with [`StopReason::GradientSmall`] where g is exactly zero, or with [`StopReason::NotFinite`]:
/// Adam has no line search that could turn back. Groups of variables mean nothing to it, as each variable has its own scale.
///
/// ```
/// use impasto_lbfgs::{Adam, Optimiser};
/// use std::{convert::Infallible, ops::ControlFlow};
///
/// let mut x = vec![3.0f32];
/// let square = |x: &[f32], g: &mut [f32]| {
///     g[0] = 2.0 * x[0];
///     Ok::<_, Infallible>(f64::from(x[0] * x[0]))
/// };
/// let adam = Adam { learning_rate: 0.1, ..Adam::default() };
/// let outcome = adam.minimise(&mut x, square, |_| ControlFlow::Continue(())).unwrap();
/// assert!(outcome.loss < 1e-6);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Iterations at most; evaluations are one more, for the start. Default 500.
    pub max_iterations: usize,
    /// lr, above 0, in the unit of x. Default 1e-3, the paper's; for a picture in 0..=255 about 1 is usual.
    pub learning_rate: f64,
    /// beta1, in [0, 1). Default 0.9.
    pub beta1: f64,
    /// beta2, in [0, 1). Default 0.999.
    pub beta2: f64,
    /// Above 0. Default 1e-8.
    pub epsilon: f64,
    /// The least and the most that every variable may be. Default none.
    pub bounds: Option<(f64, f64)>,
    /// d, in [0, 1); 0 takes no mean, and the point with the lowest loss is kept. Default 0.
    pub average_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            max_iterations: 500,
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            bounds: None,
            average_decay: 0.0,
        }
    }
}

/// A run of [`Adam`].
#[derive(Debug)]
pub struct AdamState<T, R = ()> {
    record: Record<R>,
    x: Vec<T>,
    /// m and v, with the gradient at x in them.
    moments: Moments<T>,
    /// The accepted point of lowest loss, where that is not x; none where there is a mean.
    best: Option<Best<T, R>>,
    /// The mean of the accepted points.
    average: Option<Vec<T>>,
    /// Where the next x is tried, and its gradient: any contents between steps.
    trial: Vec<T>,
    gradient: Vec<T>,
}

#[derive(Debug)]
struct Best<T, R> {
    x: Vec<T>,
    loss: f64,
    report: R,
}

impl Optimiser for Adam {
    type State<T: Real, R> = AdamState<T, R>;

    fn start<T: Real, R, V: Into<Evaluation<R>>, E>(
        &self,
        x: &mut Vec<T>,
        groups: Groups,
        objective: impl FnMut(&[T], &mut [T]) -> Result<V, E>,
    ) -> Result<AdamState<T, R>, Error<E>> {
        groups.validate(x.len())?;
        let moments = Moments::none(x.len());
        self.start_with(moments, x, objective)
    }

    fn step<T: Real, R, V: Into<Evaluation<R>>, E>(
        &self,
        state: &mut AdamState<T, R>,
        mut objective: impl FnMut(&[T], &mut [T]) -> Result<V, E>,
    ) -> Result<Step, Error<E>> {
        self.validate()?;
        if let Some(reason) = self.stop_reason(&state.record) {
            return Ok(Step::Ended(reason));
        }
        for room in [&mut state.trial, &mut state.gradient] {
            room.resize(state.x.len(), T::ZERO);
        }
        self.try_next(state);
        let Evaluation { loss, report } =
            objective(&state.trial, &mut state.gradient).map_err(Error::Objective)?.into();
        let gradient_norm = vector::norm(&state.gradient);
        state.record.evaluations += 1;
        if !(loss.is_finite() && gradient_norm.is_finite()) {
            return Ok(Step::Ended(StopReason::NotFinite));
        }
        self.absorb(&state.gradient, &mut state.moments);
        let share = self.share_of_average(state.record.iterations + 1);
        state.accept(
            share,
            Record {
                iterations: state.record.iterations + 1,
                loss,
                gradient_norm,
                step: self.learning_rate,
                search: None,
                report,
                ..state.record
            },
        );
        Ok(Step::Accepted)
    }
}

impl Adam {
    /// [`Optimiser::start`] of a run that goes on with what an earlier one has learnt of the gradient, such as that of a smaller
    /// picture: k counts on from there.
    ///
    /// # Errors
    /// As [`Optimiser::start`], and [`Error::InvalidOption`] where the moments are not of as many variables.
    pub fn start_with<T: Real, R, V: Into<Evaluation<R>>, E>(
        &self,
        mut moments: Moments<T>,
        x: &mut Vec<T>,
        mut objective: impl FnMut(&[T], &mut [T]) -> Result<V, E>,
    ) -> Result<AdamState<T, R>, Error<E>> {
        self.validate()?;
        let n = x.len();
        let fitting = [&moments.mean, &moments.square].iter().all(|moment| moment.len() == n);
        require(fitting, "moments", "of as many variables as x", moments.mean.len() as f64)?;
        if let Some(bounds) = self.bounds_of() {
            x.par_chunks_mut(BLOCK).for_each(|block| clamp(block, bounds));
        }
        let mut gradient = vec![T::ZERO; n];
        let found = objective(x, &mut gradient).map_err(Error::Objective)?.into();
        let record = Record::start(found, vector::norm(&gradient));
        self.absorb(&gradient, &mut moments);
        let average = (self.average_decay > 0.0).then(|| x.clone());
        let x = std::mem::take(x);
        Ok(AdamState { record, x, moments, best: None, average, trial: Vec::new(), gradient })
    }

    /// The memory that a run holds beside x of `n` numbers, in bytes: gradient, two moments, the next x, and the mean or from
    /// the first time that the loss rises the best x.
    pub fn bytes<T: Real>(&self, n: usize) -> u64 {
        5u64.saturating_mul(n as u64).saturating_mul(size_of::<T>() as u64)
    }

    /// The first two equations.
    fn absorb<T: Real>(&self, g: &[T], of: &mut Moments<T>) {
        let [beta1, beta2] = [self.beta1, self.beta2].map(T::from_f64);
        let [rest1, rest2] = [1.0 - self.beta1, 1.0 - self.beta2].map(T::from_f64);
        let moments = of.mean.par_chunks_mut(BLOCK).zip(of.square.par_chunks_mut(BLOCK));
        moments.zip(g.par_chunks(BLOCK)).for_each(|((m, v), g)| {
            for ((m, v), &g) in m.iter_mut().zip(v).zip(g) {
                *m = beta1 * *m + rest1 * g;
                *v = beta2 * *v + rest2 * g * g;
            }
        });
        of.gradients += 1;
    }

    /// The third equation, from x to the trial.
    fn try_next<T: Real, R>(&self, state: &mut AdamState<T, R>) {
        let k = state.moments.gradients as f64;
        let rate = T::from_f64(self.learning_rate / (1.0 - self.beta1.powf(k)));
        let scale = T::from_f64((1.0 - self.beta2.powf(k)).sqrt());
        let epsilon = T::from_f64(self.epsilon);
        let bounds = self.bounds_of();
        let Moments { mean, square, .. } = &state.moments;
        let moments = mean.par_chunks(BLOCK).zip(square.par_chunks(BLOCK));
        let points = state.trial.par_chunks_mut(BLOCK).zip(state.x.par_chunks(BLOCK));
        points.zip(moments).for_each(|((trial, x), (m, v))| {
            for (((trial, &x), &m), &v) in trial.iter_mut().zip(x).zip(m).zip(v) {
                *trial = x - rate * m / (v.sqrt() / scale + epsilon);
            }
            if let Some(bounds) = bounds {
                clamp(trial, bounds);
            }
        });
    }

    /// The bounds as numbers of a type.
    fn bounds_of<T: Real>(&self) -> Option<(T, T)> {
        self.bounds.map(|(least, most)| (T::from_f64(least), T::from_f64(most)))
    }

    /// The share that the point of an iteration has in the mean: (1 - d) / (1 - d^(k+1)).
    fn share_of_average(&self, iteration: usize) -> f64 {
        let d = self.average_decay;
        (1.0 - d) / (1.0 - d.powf((iteration + 1) as f64))
    }

    fn stop_reason<R>(&self, record: &Record<R>) -> Option<StopReason> {
        if !record.is_finite() {
            Some(StopReason::NotFinite)
        } else if record.gradient_norm == 0.0 {
            Some(StopReason::GradientSmall)
        } else if record.iterations >= self.max_iterations {
            Some(StopReason::Iterations)
        } else {
            None
        }
    }

    fn validate<E>(&self) -> Result<(), Error<E>> {
        let valid = |value: f64| value.is_finite() && value > 0.0;
        require(valid(self.learning_rate), "learning_rate", "finite and above 0", self.learning_rate)?;
        require((0.0..1.0).contains(&self.beta1), "beta1", "in [0, 1)", self.beta1)?;
        require((0.0..1.0).contains(&self.beta2), "beta2", "in [0, 1)", self.beta2)?;
        require(valid(self.epsilon), "epsilon", "finite and above 0", self.epsilon)?;
        require((0.0..1.0).contains(&self.average_decay), "average_decay", "in [0, 1)", self.average_decay)?;
        let (least, most) = self.bounds.unwrap_or_default();
        require(least.is_finite(), "bounds", "finite", least)?;
        require(most.is_finite() && most >= least, "bounds", "finite, the least first", most)
    }
}

/// Brings numbers within bounds.
fn clamp<T: Real>(numbers: &mut [T], bounds: (T, T)) {
    for x in numbers {
        *x = x.within(bounds);
    }
}

impl<T: Real, R> AdamState<T, R> {
    /// The trial becomes x, and has its share in the mean. Without one, x is kept where it was the best point and the trial is not.
    fn accept(&mut self, share: f64, record: Record<R>) {
        if let Some(average) = &mut self.average {
            std::mem::swap(&mut self.x, &mut self.trial);
            self.record = record;
            let share = T::from_f64(share);
            average.par_chunks_mut(BLOCK).zip(self.x.par_chunks(BLOCK)).for_each(|(average, x)| {
                for (average, &x) in average.iter_mut().zip(x) {
                    *average = *average + share * (x - *average);
                }
            });
            return;
        }
        let lowest = self.best.as_ref().map_or(self.record.loss, |best| best.loss);
        std::mem::swap(&mut self.x, &mut self.trial);
        let Record { loss, report, .. } = std::mem::replace(&mut self.record, record);
        if self.record.loss < lowest {
            self.best = None;
        } else if self.best.is_none() {
            self.best = Some(Best { x: std::mem::take(&mut self.trial), loss, report });
        }
    }
}

/// The letter of Adam in the bytes of a state.
const METHOD: u8 = b'A';
/// In place of the number of best points, which is 0 or 1: what runs have that average or go on from others stands before it.
const MORE: usize = 2;

impl<T: Real, R> State<T, R> for AdamState<T, R> {
    fn iteration(&self) -> Iteration<'_, T, R> {
        Iteration {
            averaged: self.average.is_some(),
            ..self.record.iteration(self.average.as_ref().unwrap_or(&self.x))
        }
    }

    fn kept(&self, reason: StopReason) -> (&[T], Outcome<&R>) {
        let record = self.record.borrowed();
        match &self.best {
            None => (self.average.as_ref().unwrap_or(&self.x), record.outcome(reason)),
            Some(Best { x, loss, report }) => (x, Record { loss: *loss, report, ..record }.outcome(reason)),
        }
    }

    fn finish(self, reason: StopReason) -> (Vec<T>, Outcome<R>) {
        match self.best {
            None => (self.average.unwrap_or(self.x), self.record.outcome(reason)),
            Some(Best { x, loss, report }) => (x, Record { loss, report, ..self.record }.outcome(reason)),
        }
    }

    /// The last gradient is in them.
    fn take_moments(&mut self) -> Option<Moments<T>> {
        Some(std::mem::replace(&mut self.moments, Moments::none(0)))
    }

    fn write<W: Write>(
        &mut self,
        to: &mut W,
        mut report: impl FnMut(&R, &mut W) -> io::Result<()>,
    ) -> io::Result<()> {
        bytes::write_header(to, METHOD, size_of::<T>(), self.x.len())?;
        self.record.write(to, &mut report)?;
        for vector in [&self.x, &self.moments.mean, &self.moments.square] {
            bytes::write_vector(to, vector)?;
        }
        if self.average.is_some() || self.moments.gradients != self.record.iterations + 1 {
            bytes::write_count(to, MORE)?;
            bytes::write_count(to, self.moments.gradients)?;
            bytes::write_count(to, usize::from(self.average.is_some()))?;
            self.average.iter().try_for_each(|average| bytes::write_vector(to, average))?;
        }
        bytes::write_count(to, usize::from(self.best.is_some()))?;
        if let Some(best) = &self.best {
            bytes::write_f64(to, best.loss)?;
            report(&best.report, to)?;
            bytes::write_vector(to, &best.x)?;
        }
        Ok(())
    }

    fn read<F: Read>(
        from: &mut F,
        mut report: impl FnMut(&mut F) -> io::Result<R>,
    ) -> Result<Self, StateError> {
        let n = bytes::read_header(from, METHOD, size_of::<T>())?;
        let record = Record::read(from, &mut report)?;
        let x = bytes::read_vector(from, n)?;
        let (mean, square) = (bytes::read_vector(from, n)?, bytes::read_vector(from, n)?);
        let mut moments = Moments { mean, square, gradients: record.iterations + 1 };
        let (mut average, mut count) = (None, bytes::read_count(from, "the number of best points")?);
        if count == MORE {
            moments.gradients = bytes::read_capacity(from, "the number of gradients")?;
            average = match bytes::read_count(from, "the number of means")? {
                0 => None,
                1 => Some(bytes::read_vector(from, n)?),
                _ => return Err(StateError::OutOfRange("the number of means")),
            };
            count = bytes::read_count(from, "the number of best points")?;
        }
        let best = match count {
            0 => None,
            1 => Some(Best {
                loss: bytes::read_f64(from)?,
                report: report(from)?,
                x: bytes::read_vector(from, n)?,
            }),
            _ => return Err(StateError::OutOfRange("the number of best points")),
        };
        Ok(Self { record, x, moments, best, average, trial: Vec::new(), gradient: Vec::new() })
    }
}
