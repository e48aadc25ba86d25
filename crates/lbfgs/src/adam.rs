//! Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, Algorithm 1).

use crate::bytes::{self, StateError};
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
}

impl Default for Adam {
    fn default() -> Self {
        Self { max_iterations: 500, learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// A run of [`Adam`].
#[derive(Debug)]
pub struct AdamState<T, R = ()> {
    record: Record<R>,
    x: Vec<T>,
    /// m and v, with the gradient at x in them.
    moments: Moments<T>,
    /// The accepted point of lowest loss, where that is not x.
    best: Option<Best<T, R>>,
    /// Where the next x is tried, and its gradient: any contents between steps.
    trial: Vec<T>,
    gradient: Vec<T>,
}

/// m and v.
#[derive(Debug)]
struct Moments<T> {
    mean: Vec<T>,
    square: Vec<T>,
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
        mut objective: impl FnMut(&[T], &mut [T]) -> Result<V, E>,
    ) -> Result<AdamState<T, R>, Error<E>> {
        self.validate()?;
        groups.validate(x.len())?;
        let n = x.len();
        let mut gradient = vec![T::ZERO; n];
        let found = objective(x, &mut gradient).map_err(Error::Objective)?.into();
        let record = Record::start(found, vector::norm(&gradient));
        let mut moments = Moments { mean: vec![T::ZERO; n], square: vec![T::ZERO; n] };
        self.absorb(&gradient, &mut moments);
        Ok(AdamState { record, x: std::mem::take(x), moments, best: None, trial: Vec::new(), gradient })
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
        state.accept(Record {
            iterations: state.record.iterations + 1,
            loss,
            gradient_norm,
            step: self.learning_rate,
            report,
            ..state.record
        });
        Ok(Step::Accepted)
    }
}

impl Adam {
    /// The memory that a run holds beside x of `n` numbers, in bytes: gradient, two moments, the next x, and from the first
    /// time that the loss rises the best x.
    pub fn bytes<T: Real>(&self, n: usize) -> u64 {
        5u64.saturating_mul(n as u64).saturating_mul(size_of::<T>() as u64)
    }

    /// The first two equations.
    fn absorb<T: Real>(&self, g: &[T], moments: &mut Moments<T>) {
        let [beta1, beta2] = [self.beta1, self.beta2].map(T::from_f64);
        let [rest1, rest2] = [1.0 - self.beta1, 1.0 - self.beta2].map(T::from_f64);
        let moments = moments.mean.par_chunks_mut(BLOCK).zip(moments.square.par_chunks_mut(BLOCK));
        moments.zip(g.par_chunks(BLOCK)).for_each(|((m, v), g)| {
            for ((m, v), &g) in m.iter_mut().zip(v).zip(g) {
                *m = beta1 * *m + rest1 * g;
                *v = beta2 * *v + rest2 * g * g;
            }
        });
    }

    /// The third equation, from x to the trial.
    fn try_next<T: Real, R>(&self, state: &mut AdamState<T, R>) {
        let k = (state.record.iterations + 1) as f64;
        let rate = T::from_f64(self.learning_rate / (1.0 - self.beta1.powf(k)));
        let scale = T::from_f64((1.0 - self.beta2.powf(k)).sqrt());
        let epsilon = T::from_f64(self.epsilon);
        let Moments { mean, square } = &state.moments;
        let moments = mean.par_chunks(BLOCK).zip(square.par_chunks(BLOCK));
        let points = state.trial.par_chunks_mut(BLOCK).zip(state.x.par_chunks(BLOCK));
        points.zip(moments).for_each(|((trial, x), (m, v))| {
            for (((trial, &x), &m), &v) in trial.iter_mut().zip(x).zip(m).zip(v) {
                *trial = x - rate * m / (v.sqrt() / scale + epsilon);
            }
        });
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
        require(valid(self.epsilon), "epsilon", "finite and above 0", self.epsilon)
    }
}

impl<T, R> AdamState<T, R> {
    /// The trial becomes x. Where x was the best point and the trial is not, x is kept.
    fn accept(&mut self, record: Record<R>) {
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

impl<T: Real, R> State<T, R> for AdamState<T, R> {
    fn iteration(&self) -> Iteration<'_, T, R> {
        self.record.iteration(&self.x)
    }

    fn kept(&self, reason: StopReason) -> (&[T], Outcome<&R>) {
        let record = self.record.borrowed();
        match &self.best {
            None => (&self.x, record.outcome(reason)),
            Some(Best { x, loss, report }) => (x, Record { loss: *loss, report, ..record }.outcome(reason)),
        }
    }

    fn finish(self, reason: StopReason) -> (Vec<T>, Outcome<R>) {
        match self.best {
            None => (self.x, self.record.outcome(reason)),
            Some(Best { x, loss, report }) => (x, Record { loss, report, ..self.record }.outcome(reason)),
        }
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
        let moments = Moments { mean: bytes::read_vector(from, n)?, square: bytes::read_vector(from, n)? };
        let best = match bytes::read_count(from, "the number of best points")? {
            0 => None,
            1 => Some(Best {
                loss: bytes::read_f64(from)?,
                report: report(from)?,
                x: bytes::read_vector(from, n)?,
            }),
            _ => return Err(StateError::OutOfRange("the number of best points")),
        };
        Ok(Self { record, x, moments, best, trial: Vec::new(), gradient: Vec::new() })
    }
}
