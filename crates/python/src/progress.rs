//! What an iteration tells.

use std::ops::ControlFlow;
use std::sync::mpsc::{self, Sender};

use impasto_style::{Breakdown, Cancel, Picture, PictureError};
use numpy::PyArray3;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::array::array_of;
use crate::error::{Failure, Result};
use crate::term::{Term, by_name, terms};

/// What the thread that paints is asked while it waits.
enum Asked {
    Picture(Sender<std::result::Result<Picture, PictureError>>),
    Flow(ControlFlow<()>),
}

/// An accepted iteration, as `on_iteration` is told of it.
///
/// Its numbers stay; `image()` is for the time of the call.
#[pyclass(frozen, module = "impasto")]
#[derive(Debug)]
pub(crate) struct Progress {
    numbers: Numbers,
    ask: Sender<Asked>,
}

/// The numbers of an iteration.
#[derive(Debug)]
struct Numbers {
    iteration: usize,
    iterations: usize,
    scale: usize,
    scales: usize,
    size: (usize, usize),
    evaluations: usize,
    seconds: f64,
    gradient_norm: f64,
    step: f64,
    losses: Breakdown,
}

/// Hands an iteration to `hear`, which passes it on to the thread that called, and answers until that one says whether to go on.
pub(crate) fn tell(
    progress: &impasto_style::Progress<'_>,
    (iterations, scales): (usize, usize),
    cancel: &Cancel,
    hear: impl FnOnce(Progress),
) -> ControlFlow<()> {
    let (ask, asked) = mpsc::channel();
    let numbers = Numbers {
        iteration: progress.iteration,
        iterations,
        scale: progress.scale + 1,
        scales,
        size: progress.size,
        evaluations: progress.evaluations,
        seconds: progress.elapsed.as_secs_f64(),
        gradient_norm: progress.gradient_norm,
        step: progress.step,
        losses: progress.losses.clone(),
    };
    hear(Progress { numbers, ask });
    loop {
        match asked.recv() {
            Ok(Asked::Picture(answer)) => {
                // Who asked has gone: it does not want to know.
                let _ = answer.send(progress.picture());
            }
            Ok(Asked::Flow(flow)) => return flow,
            Err(_) if cancel.is_cancelled() => return ControlFlow::Break(()),
            Err(_) => return ControlFlow::Continue(()),
        }
    }
}

impl Progress {
    /// Lets the thread that paints go on, or end. Pictures cannot be asked for after that.
    pub(crate) fn answer(&self, flow: ControlFlow<()>) {
        // It has gone: nothing is there to go on.
        let _ = self.ask.send(Asked::Flow(flow));
    }
}

#[pymethods]
impl Progress {
    /// The number of this iteration, from 1 on, over all scales.
    #[getter]
    fn iteration(&self) -> usize {
        self.numbers.iteration
    }

    /// The most iterations that there will be, of all scales.
    #[getter]
    fn iterations(&self) -> usize {
        self.numbers.iterations
    }

    /// The number of the size that is painted at, from 1 (the smallest) to `scales`.
    #[getter]
    fn scale(&self) -> usize {
        self.numbers.scale
    }

    /// How many sizes are painted at.
    #[getter]
    fn scales(&self) -> usize {
        self.numbers.scales
    }

    /// (H, W) of the picture at this scale.
    #[getter]
    fn size(&self) -> (usize, usize) {
        self.numbers.size
    }

    /// Evaluations of loss and gradient so far, of all scales.
    #[getter]
    fn evaluations(&self) -> usize {
        self.numbers.evaluations
    }

    /// Seconds of painting so far, with those of the run that this one goes on from.
    #[getter]
    fn seconds(&self) -> f64 {
        self.numbers.seconds
    }

    /// The 2-norm of the gradient in the variables that move.
    #[getter]
    fn gradient_norm(&self) -> f64 {
        self.numbers.gradient_norm
    }

    /// L-BFGS: the step along the direction; Adam: the learning rate.
    #[getter]
    fn step(&self) -> f64 {
        self.numbers.step
    }

    /// L(x).
    #[getter]
    fn loss(&self) -> f64 {
        self.numbers.losses.total
    }

    /// The loss of each term, not weighted, by its name.
    #[getter]
    fn losses<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyDict>> {
        by_name(py, &self.numbers.losses)
    }

    /// The terms with their weights and losses.
    #[getter]
    fn terms(&self) -> Vec<Term> {
        terms(&self.numbers.losses.terms)
    }

    /// The picture of this iteration: float32, H x W x 3 or, where it has alpha, H x W x 4, from 0 to 255 and a little beyond.
    ///
    /// Only while `on_iteration` is called: a ValueError afterwards.
    fn image<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyArray3<f32>>> {
        let (answer, answered) = mpsc::channel();
        let picture = match self.ask.send(Asked::Picture(answer)) {
            Ok(()) => py.detach(move || answered.recv()).ok(),
            Err(_) => None,
        };
        let gone = || {
            Failure::value(
                "the picture of an iteration can be had while on_iteration is called, not afterwards",
            )
        };
        array_of(py, &picture.ok_or_else(gone)??)
    }

    fn __repr__(&self) -> String {
        let Numbers { iteration, iterations, size: (height, width), losses, .. } = &self.numbers;
        format!("Progress(iteration {iteration}/{iterations} at {height} x {width}, loss={:e})", losses.total)
    }
}
