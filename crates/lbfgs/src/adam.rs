//! Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, Algorithm 1).

use crate::outcome::require;
use crate::vector::{self, BLOCK};
use crate::{Error, Iteration, Outcome, Real, StopReason};
use rayon::prelude::*;
use std::ops::ControlFlow;

/// Adam: steps of about the learning rate in each element, whatever the gradient's size.
///
/// ```text
/// m := beta1 m + (1 - beta1) g            mean of the gradient
/// v := beta2 v + (1 - beta2) g^2          mean of its square, by element
/// x := x - lr (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + epsilon)        in iteration k = 1, 2, ...
/// ```
///
/// Every iteration is accepted and costs one evaluation, so the loss may rise on the way.
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

impl Adam {
    /// Minimises `objective` from `x` on; arguments and what `x` holds on return as in [`crate::Lbfgs::minimise`].
    ///
    /// Ends with [`StopReason::Iterations`], [`StopReason::Cancelled`], [`StopReason::GradientSmall`] where g is
    /// exactly zero, or [`StopReason::NotFinite`]: Adam has no line search that could turn back.
    ///
    /// ```
    /// use impasto_lbfgs::Adam;
    /// use std::{convert::Infallible, ops::ControlFlow};
    ///
    /// let mut x = [3.0f32];
    /// let square = |x: &[f32], g: &mut [f32]| {
    ///     g[0] = 2.0 * x[0];
    ///     Ok::<_, Infallible>(f64::from(x[0] * x[0]))
    /// };
    /// let adam = Adam { learning_rate: 0.1, ..Adam::default() };
    /// let outcome = adam.minimise(&mut x, square, |_| ControlFlow::Continue(())).unwrap();
    /// assert!(outcome.loss < 1e-6);
    /// ```
    ///
    /// # Errors
    /// [`Error::Objective`] with the objective's own error, and [`Error::InvalidOption`].
    pub fn minimise<T: Real, E>(
        &self,
        x: &mut [T],
        mut objective: impl FnMut(&[T], &mut [T]) -> Result<f64, E>,
        mut on_iteration: impl FnMut(&Iteration<T>) -> ControlFlow<()>,
    ) -> Result<Outcome, Error<E>> {
        self.validate()?;
        let mut gradient = vec![T::ZERO; x.len()];
        let loss = objective(x, &mut gradient).map_err(Error::Objective)?;
        let mut outcome = Outcome {
            reason: StopReason::NotFinite,
            initial_loss: loss,
            loss,
            iterations: 0,
            evaluations: 1,
        };
        if !loss.is_finite() {
            return Ok(outcome);
        }
        let mut moments = Moments { mean: vec![T::ZERO; x.len()], square: vec![T::ZERO; x.len()] };
        let mut best = x.to_vec();
        let mut gradient_norm = vector::norm(&gradient);

        let result = loop {
            if !gradient_norm.is_finite() {
                break Ok(StopReason::NotFinite);
            }
            if gradient_norm == 0.0 {
                break Ok(StopReason::GradientSmall);
            }
            if outcome.iterations == self.max_iterations {
                break Ok(StopReason::Iterations);
            }
            self.step(outcome.iterations + 1, x, &gradient, &mut moments);
            outcome.evaluations += 1;
            let loss = match objective(x, &mut gradient) {
                Ok(loss) => loss,
                Err(error) => break Err(Error::Objective(error)),
            };
            gradient_norm = vector::norm(&gradient);
            if !(loss.is_finite() && gradient_norm.is_finite()) {
                break Ok(StopReason::NotFinite);
            }
            outcome.iterations += 1;
            if loss < outcome.loss {
                outcome.loss = loss;
                vector::copy(&mut best, x);
            }
            let (iteration, evaluations) = (outcome.iterations, outcome.evaluations);
            let step = self.learning_rate;
            if on_iteration(&Iteration { iteration, evaluations, x, loss, gradient_norm, step }).is_break() {
                break Ok(StopReason::Cancelled);
            }
        };
        vector::copy(x, &best);
        outcome.reason = result?;
        Ok(outcome)
    }

    /// The memory that [`Self::minimise`] holds for `x` of `n` numbers, in bytes: gradient, two moments, best x.
    pub fn bytes<T: Real>(&self, n: usize) -> u64 {
        4u64.saturating_mul(n as u64).saturating_mul(size_of::<T>() as u64)
    }

    /// The three equations, in one sweep, for iteration `k`.
    fn step<T: Real>(&self, k: usize, x: &mut [T], g: &[T], moments: &mut Moments<T>) {
        let k = k as f64;
        let [beta1, beta2] = [self.beta1, self.beta2].map(T::from_f64);
        let [rest1, rest2] = [1.0 - self.beta1, 1.0 - self.beta2].map(T::from_f64);
        let rate = T::from_f64(self.learning_rate / (1.0 - self.beta1.powf(k)));
        let scale = T::from_f64((1.0 - self.beta2.powf(k)).sqrt());
        let epsilon = T::from_f64(self.epsilon);
        let moments = moments.mean.par_chunks_mut(BLOCK).zip(moments.square.par_chunks_mut(BLOCK));
        x.par_chunks_mut(BLOCK).zip(g.par_chunks(BLOCK)).zip(moments).for_each(|((x, g), (m, v))| {
            for (((x, &g), m), v) in x.iter_mut().zip(g).zip(m).zip(v) {
                *m = beta1 * *m + rest1 * g;
                *v = beta2 * *v + rest2 * g * g;
                *x = *x - rate * *m / (v.sqrt() / scale + epsilon);
            }
        });
    }

    fn validate<E>(&self) -> Result<(), Error<E>> {
        let valid = |value: f64| value.is_finite() && value > 0.0;
        require(valid(self.learning_rate), "learning_rate", "finite and above 0", self.learning_rate)?;
        require((0.0..1.0).contains(&self.beta1), "beta1", "in [0, 1)", self.beta1)?;
        require((0.0..1.0).contains(&self.beta2), "beta2", "in [0, 1)", self.beta2)?;
        require(valid(self.epsilon), "epsilon", "finite and above 0", self.epsilon)
    }
}

/// m and v.
struct Moments<T> {
    mean: Vec<T>,
    square: Vec<T>,
}
