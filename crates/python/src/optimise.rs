//! Runs of L-BFGS and Adam on a function of the caller's: what `_optimise.py` is a face of.

use std::sync::{Mutex, MutexGuard, OnceLock};

use impasto_lbfgs::{Error, Groups, Optimiser, State, Step, StopReason};
use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::{PyMemoryError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit};

use crate::array::has_room;
use crate::function::{Function, Number, array, numbers, required};
use crate::settings;

/// A run that is started, and can be stepped. None once the garbage collector has cleared it.
#[pyclass(frozen, module = "impasto._impasto")]
pub(crate) struct Run(Mutex<Option<Box<dyn Steps>>>);

/// iteration, evaluations, x, loss, |g|, step, averaged.
type Iteration<'py> = (usize, usize, Bound<'py, PyAny>, f64, f64, f64, bool);
/// x, loss, loss at the start, |g|, iterations, evaluations, the reason and its sentence.
type Outcome<'py> = (Bound<'py, PyAny>, f64, f64, f64, usize, usize, &'static str, String);

#[pymethods]
impl Run {
    /// A run of L-BFGS from x0 on.
    #[staticmethod]
    fn lbfgs(
        function: Bound<'_, PyAny>,
        x0: &Bound<'_, PyAny>,
        groups: Option<&Bound<'_, PyAny>>,
        places: Option<Vec<f32>>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let lbfgs = settings::lbfgs(options)?;
        // Pairs s and y, and x, g, the direction and the points of a line search.
        let vectors = lbfgs.history.min(lbfgs.max_iterations).saturating_mul(2).saturating_add(6);
        start(lbfgs, function, x0, vectors, |shape| settings::groups(groups, places, shape))
    }

    /// A run of Adam from x0 on.
    #[staticmethod]
    fn adam(
        function: Bound<'_, PyAny>,
        x0: &Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        start(settings::adam(options)?, function, x0, 6, |_| Ok(Groups::default()))
    }

    /// Every option of L-BFGS and what it is by default.
    #[staticmethod]
    fn lbfgs_defaults(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        settings::lbfgs_defaults(py)
    }

    /// Every option of Adam and what it is by default.
    #[staticmethod]
    fn adam_defaults(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        settings::adam_defaults(py)
    }

    /// Goes on by one accepted iteration, or says why not.
    fn step(&self, py: Python<'_>) -> PyResult<Option<&'static str>> {
        check_process()?;
        let mut run = self.idle()?;
        Ok(match steps(&mut run)?.step(py)? {
            Step::Accepted => None,
            Step::Ended(reason) => Some(word(reason)),
        })
    }

    /// The accepted point.
    fn iteration<'py>(&self, py: Python<'py>) -> PyResult<Iteration<'py>> {
        let mut run = self.idle()?;
        steps(&mut run)?.iteration(py)
    }

    /// The point to keep, and how the run went, if it ends now: for the reason of the last step, or because the caller wants it.
    fn outcome<'py>(&self, py: Python<'py>) -> PyResult<Outcome<'py>> {
        let mut run = self.idle()?;
        steps(&mut run)?.outcome(py)
    }

    /// A function that holds its own run, as a method of an object with both does, is a cycle. A run that is at work is in use.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_lock().as_deref() {
            Ok(Some(steps)) => visit.call(steps.function().object()),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        if let Ok(mut run) = self.0.try_lock() {
            *run = None;
        }
    }
}

impl Run {
    fn new(steps: impl Steps + 'static) -> Self {
        Self(Mutex::new(Some(Box::new(steps))))
    }

    /// The run, if nobody else is stepping it.
    fn idle(&self) -> PyResult<MutexGuard<'_, Option<Box<dyn Steps>>>> {
        self.0.try_lock().map_err(|_| {
            PyRuntimeError::new_err(
                "this run is in the middle of a step, that of another thread or one whose function asks for the next",
            )
        })
    }
}

/// What an idle run has.
fn steps(run: &mut Option<Box<dyn Steps>>) -> PyResult<&mut Box<dyn Steps>> {
    run.as_mut().ok_or_else(|| PyRuntimeError::new_err("this run was cleared"))
}

/// A run of any method and type of numbers.
trait Steps: Send + Sync {
    fn function(&self) -> &Function;
    fn step(&mut self, py: Python<'_>) -> PyResult<Step>;
    fn iteration<'py>(&self, py: Python<'py>) -> PyResult<Iteration<'py>>;
    fn outcome<'py>(&self, py: Python<'py>) -> PyResult<Outcome<'py>>;
}

struct RunOf<O: Optimiser, T: Number> {
    optimiser: O,
    function: Function,
    shape: Vec<usize>,
    state: O::State<T, ()>,
    /// The lowest loss so far, and |g| there: where a mean is shown, those of the last point.
    lowest: (f64, f64),
    ended: StopReason,
}

impl<O: Optimiser, T: Number> RunOf<O, T>
where
    O: Send + Sync,
    O::State<T, ()>: Send + Sync,
{
    fn start(
        optimiser: O,
        function: Bound<'_, PyAny>,
        x0: &PyReadonlyArrayDyn<'_, T>,
        groups: Groups,
    ) -> PyResult<Self> {
        let (py, shape) = (function.py(), x0.shape().to_vec());
        let mut x = numbers(x0);
        if !x.iter().all(|x| x.to_f64().is_finite()) {
            return Err(PyValueError::new_err("x0 has numbers that are NaN or infinite"));
        }
        let function = Function::new(function, &shape)?;
        let state = optimiser.start(&mut x, groups, |x, g| function.evaluate(py, x, g)).map_err(raised)?;
        let (loss, length) = (state.iteration().loss, state.iteration().gradient_norm);
        if !loss.is_finite() {
            return Err(PyValueError::new_err(format!("the loss at x0 must be finite, not {loss}")));
        }
        if !length.is_finite() {
            return Err(PyValueError::new_err(format!(
                "the gradient at x0 must be finite, and its length is {length}"
            )));
        }
        Ok(Self { optimiser, function, shape, lowest: (loss, length), state, ended: StopReason::Cancelled })
    }
}

impl<O: Optimiser, T: Number> Steps for RunOf<O, T>
where
    O: Send + Sync,
    O::State<T, ()>: Send + Sync,
{
    fn function(&self) -> &Function {
        &self.function
    }

    fn step(&mut self, py: Python<'_>) -> PyResult<Step> {
        let Self { optimiser, function, state, .. } = self;
        let step =
            py.detach(|| optimiser.step(state, |x, g| Python::attach(|py| function.evaluate(py, x, g))));
        let step = step.map_err(raised)?;
        match step {
            Step::Ended(reason) => self.ended = reason,
            Step::Accepted => {
                let point = self.state.iteration();
                if point.averaged || point.loss < self.lowest.0 {
                    self.lowest = (point.loss, point.gradient_norm);
                }
            }
        }
        Ok(step)
    }

    fn iteration<'py>(&self, py: Python<'py>) -> PyResult<Iteration<'py>> {
        let point = self.state.iteration();
        let x = array(py, &self.shape, point.x.to_vec())?.into_any();
        let (loss, length) = (point.loss, point.gradient_norm);
        Ok((point.iteration, point.evaluations, x, loss, length, point.step, point.averaged))
    }

    fn outcome<'py>(&self, py: Python<'py>) -> PyResult<Outcome<'py>> {
        let (x, kept) = self.state.kept(self.ended);
        let x = array(py, &self.shape, x.to_vec())?.into_any();
        let reason = (word(kept.reason), kept.reason.to_string());
        let (iterations, evaluations) = (kept.iterations, kept.evaluations);
        Ok((x, kept.loss, kept.initial_loss, self.lowest.1, iterations, evaluations, reason.0, reason.1))
    }
}

/// The process that has the threads which runs share.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// Checks that the threads are of this process: after a fork they are not, and would be waited for without end.
fn check_process() -> PyResult<()> {
    if *PROCESS.get_or_init(std::process::id) == std::process::id() {
        return Ok(());
    }
    Err(PyRuntimeError::new_err(
        "this process was forked from one that has used an optimiser of impasto, whose threads are not here: start processes by spawn \
         instead of fork",
    ))
}

/// Checks that there is memory for so many vectors of so many numbers.
fn check_room<T>(vectors: usize, numbers: usize) -> PyResult<()> {
    if has_room::<T>(vectors.checked_mul(numbers)) {
        return Ok(());
    }
    let problem = format!("there is no memory for the {vectors} vectors of {numbers} numbers that a run has");
    Err(PyMemoryError::new_err(problem))
}

/// A run from an array of either type of numbers on, which keeps so many vectors.
fn start<O: Optimiser + Send + Sync + 'static>(
    optimiser: O,
    function: Bound<'_, PyAny>,
    x0: &Bound<'_, PyAny>,
    vectors: usize,
    groups: impl FnOnce(&[usize]) -> PyResult<Groups>,
) -> PyResult<Run>
where
    O::State<f32, ()>: Send + Sync,
    O::State<f64, ()>: Send + Sync,
{
    check_process()?;
    let x0 = required(x0)?;
    let groups = groups(x0.shape())?;
    if let Ok(x0) = x0.extract::<PyReadonlyArrayDyn<'_, f32>>() {
        check_room::<f32>(vectors, x0.len())?;
        return Ok(Run::new(RunOf::start(optimiser, function, &x0, groups)?));
    }
    if let Ok(x0) = x0.extract::<PyReadonlyArrayDyn<'_, f64>>() {
        check_room::<f64>(vectors, x0.len())?;
        return Ok(Run::new(RunOf::start(optimiser, function, &x0, groups)?));
    }
    Err(PyValueError::new_err(format!("x0 must be float32 or float64, not {}", x0.dtype())))
}

/// What the function raised, or the sentence about an option.
fn raised(error: Error<PyErr>) -> PyErr {
    match error {
        Error::Objective(raised) => raised,
        Error::InvalidOption { .. } => PyValueError::new_err(error.to_string()),
    }
}

/// The name that a reason has in Python.
fn word(reason: StopReason) -> &'static str {
    match reason {
        StopReason::GradientSmall => "gradient_small",
        StopReason::LossFlat => "loss_flat",
        StopReason::Iterations => "iterations",
        StopReason::Evaluations => "evaluations",
        StopReason::Cancelled => "cancelled",
        StopReason::LineSearchFailed => "line_search_failed",
        StopReason::NotFinite => "not_finite",
        // None of today's.
        _ => "another",
    }
}
