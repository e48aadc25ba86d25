//! What a run knows of itself beside its vectors.

use crate::bytes::{self, StateError};
use crate::{Evaluation, Iteration, Outcome, Search, StopReason};
use std::io::{self, Read, Write};

/// Counters, and the accepted point without its x.
#[derive(Debug)]
pub(crate) struct Record<R> {
    pub(crate) iterations: usize,
    pub(crate) evaluations: usize,
    pub(crate) initial_loss: f64,
    pub(crate) loss: f64,
    /// |g|.
    pub(crate) gradient_norm: f64,
    /// The step that led here; 0 at the start.
    pub(crate) step: f64,
    /// How the search came here. It is not written: the next step has its own.
    pub(crate) search: Option<Search>,
    pub(crate) report: R,
}

impl<R> Record<R> {
    /// At the start, after its evaluation.
    pub(crate) fn start(Evaluation { loss, report }: Evaluation<R>, gradient_norm: f64) -> Self {
        Self {
            iterations: 0,
            evaluations: 1,
            initial_loss: loss,
            loss,
            gradient_norm,
            step: 0.0,
            search: None,
            report,
        }
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.loss.is_finite() && self.gradient_norm.is_finite()
    }

    pub(crate) fn iteration<'a, T>(&'a self, x: &'a [T]) -> Iteration<'a, T, R> {
        Iteration {
            iteration: self.iterations,
            evaluations: self.evaluations,
            x,
            loss: self.loss,
            gradient_norm: self.gradient_norm,
            step: self.step,
            search: self.search.as_ref(),
            averaged: false,
            report: &self.report,
        }
    }

    /// The same with the report borrowed.
    pub(crate) fn borrowed(&self) -> Record<&R> {
        Record {
            iterations: self.iterations,
            evaluations: self.evaluations,
            initial_loss: self.initial_loss,
            loss: self.loss,
            gradient_norm: self.gradient_norm,
            step: self.step,
            search: None,
            report: &self.report,
        }
    }

    /// The outcome of a run that keeps the accepted point.
    pub(crate) fn outcome(self, reason: StopReason) -> Outcome<R> {
        Outcome {
            reason,
            initial_loss: self.initial_loss,
            loss: self.loss,
            iterations: self.iterations,
            evaluations: self.evaluations,
            report: self.report,
        }
    }

    /// Two counts, four numbers and the report.
    pub(crate) fn write<W: Write>(
        &self,
        to: &mut W,
        report: impl FnOnce(&R, &mut W) -> io::Result<()>,
    ) -> io::Result<()> {
        bytes::write_count(to, self.iterations)?;
        bytes::write_count(to, self.evaluations)?;
        for value in [self.initial_loss, self.loss, self.gradient_norm, self.step] {
            bytes::write_f64(to, value)?;
        }
        report(&self.report, to)
    }

    pub(crate) fn read<F: Read>(
        from: &mut F,
        report: impl FnOnce(&mut F) -> io::Result<R>,
    ) -> Result<Self, StateError> {
        Ok(Self {
            iterations: bytes::read_count(from, "the number of iterations")?,
            evaluations: bytes::read_count(from, "the number of evaluations")?,
            initial_loss: bytes::read_f64(from)?,
            loss: bytes::read_f64(from)?,
            gradient_norm: bytes::read_f64(from)?,
            step: bytes::read_f64(from)?,
            search: None,
            report: report(from)?,
        })
    }
}
