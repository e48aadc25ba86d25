//! What a run of L-BFGS carries from step to step.

use crate::bytes::{self, StateError};
use crate::history::{Forgotten, History};
use crate::line_search::Point;
use crate::record::Record;
use crate::scaling::Scaling;
use crate::{Groups, Iteration, Outcome, Real, State, StopReason};
use std::io::{self, Read, Write};

/// A run of [`Lbfgs`](crate::Lbfgs).
///
/// The pair of the last step is not made before the next one is asked for, or the state is written: a run that ends has no use
/// for it.
#[derive(Debug)]
pub struct LbfgsState<T: Real, R = ()> {
    pub(crate) record: Record<R>,
    /// The loss before the last step; NaN at the start.
    pub(crate) loss_before: f64,
    pub(crate) x: Vec<T>,
    pub(crate) gradient: Vec<T>,
    /// d; any contents between steps.
    pub(crate) direction: Vec<T>,
    pub(crate) history: History<T>,
    pub(crate) due: Due,
}

/// What the last step left for the next to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// The pair, from the x_k and g_k that the history still has.
    Pair,
    /// The gradient at x, then the pair: evaluations ran out before the search could go back to its best step.
    Gradient,
}

impl<T: Real, R> LbfgsState<T, R> {
    /// At the start, with room for `history` pairs and `scale_pairs` of H0.
    pub(crate) fn start(
        record: Record<R>,
        x: Vec<T>,
        gradient: Vec<T>,
        groups: Groups,
        (history, scale_pairs): (usize, usize),
    ) -> Self {
        let direction = vec![T::ZERO; x.len()];
        let history = History::new(history, Scaling::new(groups, scale_pairs));
        Self { record, loss_before: f64::NAN, x, gradient, direction, history, due: Due::Nothing }
    }

    /// Makes the pair of the last step, if that is all that is due.
    pub(crate) fn learn(&mut self) {
        if self.due == Due::Pair {
            self.history.update(&self.x, &self.gradient);
            self.due = Due::Nothing;
        }
    }

    /// direction := -H g; -g, and the pairs go to `forgotten`, if rounding left -H g without descent. Returns the slope.
    pub(crate) fn descend(&mut self, forgotten: &mut Option<Forgotten<T>>) -> f64 {
        let slope = self.history.direction(&self.gradient, &mut self.direction);
        if slope < 0.0 && slope.is_finite() {
            return slope;
        }
        if !self.history.is_empty() {
            *forgotten = Some(self.history.forget());
        }
        self.history.direction(&self.gradient, &mut self.direction)
    }

    /// x, which a search moved to, is the accepted point.
    pub(crate) fn accept(&mut self, point: Point, report: R) {
        let Point { step, loss, gradient_norm, .. } = point;
        self.loss_before = self.record.loss;
        self.record.iterations += 1;
        (self.record.step, self.record.loss, self.record.gradient_norm) = (step, loss, gradient_norm);
        self.record.report = report;
    }
}

/// The letter of L-BFGS in the bytes of a state.
const METHOD: u8 = b'L';

impl<T: Real, R> State<T, R> for LbfgsState<T, R> {
    fn iteration(&self) -> Iteration<'_, T, R> {
        self.record.iteration(&self.x)
    }

    fn kept(&self, reason: StopReason) -> (&[T], Outcome<&R>) {
        (&self.x, self.record.borrowed().outcome(reason))
    }

    fn finish(self, reason: StopReason) -> (Vec<T>, Outcome<R>) {
        (self.x, self.record.outcome(reason))
    }

    fn write<W: Write>(
        &mut self,
        to: &mut W,
        report: impl FnMut(&R, &mut W) -> io::Result<()>,
    ) -> io::Result<()> {
        self.learn();
        bytes::write_header(to, METHOD, size_of::<T>(), self.x.len())?;
        self.record.write(to, report)?;
        bytes::write_f64(to, self.loss_before)?;
        self.history.write(to)?;
        bytes::write_vector(to, &self.x)?;
        if self.due == Due::Gradient {
            bytes::write_count(to, 0)?;
            self.history.write_origin(to)
        } else {
            bytes::write_count(to, 1)?;
            bytes::write_vector(to, &self.gradient)
        }
    }

    fn read<F: Read>(from: &mut F, report: impl FnMut(&mut F) -> io::Result<R>) -> Result<Self, StateError> {
        let n = bytes::read_header(from, METHOD, size_of::<T>())?;
        let record = Record::read(from, report)?;
        let loss_before = bytes::read_f64(from)?;
        let mut history = History::read(from, n)?;
        let x = bytes::read_vector(from, n)?;
        let (due, gradient) = match bytes::read_count(from, "the number of gradients")? {
            0 => {
                history.read_origin(from, n)?;
                (Due::Gradient, vec![T::ZERO; n])
            }
            1 => (Due::Nothing, bytes::read_vector(from, n)?),
            _ => return Err(StateError::OutOfRange("the number of gradients")),
        };
        Ok(Self { record, loss_before, x, gradient, direction: vec![T::ZERO; n], history, due })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Evaluation;

    /// Rounding can leave -H g without descent; here a gradient that is not finite does.
    #[test]
    fn without_descent_the_pairs_are_set_aside_for_the_gradient() {
        let record = Record::start(Evaluation { loss: 9.0, report: () }, 5.0);
        let mut state = LbfgsState::start(record, vec![0.0; 2], vec![1.0, 0.0], Groups::default(), (3, 1));
        state.history.depart(&mut state.x, &mut state.gradient);
        (state.x, state.gradient) = (vec![1.0, 0.0], vec![3.0, 0.0]);
        state.due = Due::Pair;
        state.learn();
        let mut before = Vec::new();
        state.history.write(&mut before).unwrap();

        let mut forgotten = None;
        assert_eq!(state.descend(&mut forgotten), -4.5); // H = 1/2 along s
        assert!(forgotten.is_none() && !state.history.is_empty());
        // Nor is there descent where the slope is 0, rises, or has no size that could be compared with.
        for (gradient, slope) in [([0.0, 0.0], 0.0), ([-1.0, 0.0], -1.0), ([0.0, 1e200], f64::NEG_INFINITY)] {
            state.gradient = gradient.to_vec();
            assert_eq!(state.descend(&mut forgotten), slope);
            assert!(state.history.is_empty() && state.direction == gradient.map(|g| -g));
            state.history.remember(forgotten.take().unwrap());
        }
        state.gradient = vec![0.0, f64::NAN];
        assert!(state.descend(&mut forgotten).is_nan());
        assert!(state.history.is_empty());
        assert_eq!(state.direction[0], 0.0);

        state.history.remember(forgotten.unwrap());
        let mut after = Vec::new();
        state.history.write(&mut after).unwrap();
        assert_eq!(before, after);
    }
}
