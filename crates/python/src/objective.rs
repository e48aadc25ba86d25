//! `Objective`: the total loss of a picture and its gradient, for optimisers of any make.

use std::sync::{Arc, Mutex, MutexGuard};

use impasto_style::{
    Breakdown, Cancel, Network, Objective as Fast, PlainObjective, PreparedNetwork, Subject, Targets,
    TermLoss, TransferOptions, Weight, first_picture,
};
use numpy::{Element, PyArray3, PyArrayDyn, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyIndexError, PyKeyError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use rayon::ThreadPool;

use crate::array::{array, array_of, warn};
use crate::asked::Asked;
use crate::error::{Failure, Result};
use crate::job::Job;
use crate::term::{Term, name, terms};
use crate::watched::{Limits, Words, attended, pool, watched};

/// L(x), the total loss of a picture x of H x W x 3, and its gradient dL/dx.
///
///     L(x) = alpha sum_l w_l s_l L_content,l + beta sum_r sum_l W_lr t_l lambda_lr E_lr + gamma TV(x)
///
/// Arguments and options are those of `transfer`, but for those of a run. The size is that of the result; there are no coarser ones.
///
///     objective = Objective("photo.jpg", "painting.jpg", size=256, preset="paper")
///     loss, gradient = objective(objective.start())
///
/// x is float32 or float64, H x W x 3 or flat, from 0 to 255; the gradient has its type and shape. In float32 it is what a transfer
/// computes. In float64 it is the plain path, operation by operation, some hundred times slower and for small pictures: as a check, and
/// for optimisers that need more digits than 7. Where x has a NaN, both are NaN. Targets are measured in float32 for both.
///
/// `keep` and `colours="photo"` limit what a transfer may change of x, not L: whoever moves x heeds them.
#[pyclass(frozen, module = "impasto")]
pub(crate) struct Objective {
    size: (usize, usize),
    /// How many terms L has.
    terms: usize,
    evaluator: Mutex<Evaluator>,
}

#[pymethods]
impl Objective {
    #[new]
    #[pyo3(signature = (content=None, *styles, **options))]
    fn new(
        py: Python<'_>,
        content: Option<Bound<'_, PyAny>>,
        styles: Vec<Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> Result<Self> {
        let asked = Asked::new("Objective", content.as_ref(), &styles, options)?;
        let cancel = Cancel::default();
        let limits = Limits { cancel: cancel.clone(), time: None, keeps: false };
        let work = move |words: &Words<String, Self>| {
            let pool = pool(asked.threads)?;
            let measured = pool.install(|| Measured::new(asked, &cancel, words))?;
            let evaluator = measured.into_evaluator(pool, cancel);
            Ok(Self { size: evaluator.size, terms: evaluator.terms.len(), evaluator: Mutex::new(evaluator) })
        };
        attended(py, &limits, work, |py, warning| warn(py, &warning))
    }

    /// (H, W, 3): the shape of x.
    #[getter]
    fn shape(&self) -> (usize, usize, usize) {
        (self.size.0, self.size.1, 3)
    }

    /// The terms of L in their order, each with its weight and the loss of the last x (0 before there was one).
    #[getter]
    fn terms(&self) -> Result<Vec<Term>> {
        Ok(terms(&self.idle()?.terms))
    }

    /// Gives a term another weight, from the next call on.
    ///
    /// term: its name, such as "style conv1_1", or its number in `terms`.
    /// weight: what its loss is multiplied with in L, instead of what the options said.
    ///
    /// Raises KeyError or IndexError if there is no such term, ValueError for a weight that is not finite.
    fn set_weight(&self, term: &Bound<'_, PyAny>, weight: f64) -> Result<()> {
        self.idle()?.set_weight(term, weight)
    }

    /// The picture that a transfer starts from, as `init` says: float32, H x W x 3.
    fn start<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyArray3<f32>>> {
        let evaluator = self.idle()?;
        let (subject, options) = (Arc::clone(&evaluator.subject), evaluator.options.clone());
        let (prepared, pool) = (evaluator.prepared.clone(), Arc::clone(&evaluator.pool));
        drop(evaluator);
        let start = watched(py, &Cancel::default(), move || {
            pool.install(|| {
                let scene = subject.at(subject.longest_side(&options), &options)?;
                Ok(first_picture(&scene, &prepared, &options)?)
            })
        })?;
        array_of(py, &start)
    }

    /// (L(x), dL/dx), as the class says.
    fn __call__<'py>(&self, py: Python<'py>, x: &Bound<'py, PyAny>) -> Result<(f64, Bound<'py, PyAny>)> {
        let mut evaluator = self.idle()?;
        if evaluator.process != std::process::id() {
            let problem = "this Objective belongs to another process, whose threads are not here: make another one here, or start \
                processes by spawn instead of fork";
            return Err(PyRuntimeError::new_err(problem).into());
        }
        if let Ok(x) = x.extract::<PyReadonlyArrayDyn<'py, f32>>() {
            let shape = self.check(x.shape())?;
            let (losses, gradient) = evaluator.evaluate(py, in_order(&x))?;
            return Ok((evaluator.heed(losses), as_x(py, shape, gradient)?.into_any()));
        }
        if let Ok(x) = x.extract::<PyReadonlyArrayDyn<'py, f64>>() {
            let shape = self.check(x.shape())?;
            let (losses, gradient) = evaluator.evaluate_plain(py, in_order(&x))?;
            return Ok((evaluator.heed(losses), as_x(py, shape, gradient)?.into_any()));
        }
        let what = match x.cast::<PyUntypedArray>() {
            Ok(x) => format!("numbers of {}", x.dtype()),
            Err(_) => x.get_type().name()?.to_string(),
        };
        Err(Failure::wrong_type(format!("x must be an array of float32 or float64, not {what}")))
    }

    fn __repr__(&self) -> String {
        let (height, width) = self.size;
        format!("Objective({height} x {width} x 3, {} terms)", self.terms)
    }
}

impl Objective {
    /// What evaluates, if it is not at work.
    fn idle(&self) -> Result<MutexGuard<'_, Evaluator>> {
        let busy = "this Objective is at work in another thread: make one for each thread";
        Ok(self.evaluator.try_lock().map_err(|_| PyRuntimeError::new_err(busy))?)
    }

    /// Checks that a shape is that of x, or flat.
    fn check(&self, shape: &[usize]) -> Result<Vec<usize>> {
        let (height, width) = self.size;
        if shape == [height, width, 3] || shape == [3 * height * width] {
            return Ok(shape.to_vec());
        }
        let numbers = 3 * height * width;
        Err(Failure::value(format!(
            "x has the shape {shape:?}: it must be ({height}, {width}, 3) or ({numbers},)"
        )))
    }
}

/// What is measured before there is an objective.
struct Measured {
    network: Arc<Network>,
    prepared: PreparedNetwork,
    subject: Subject,
    options: TransferOptions,
    targets: Targets,
    size: (usize, usize),
    fast: Fast,
}

impl Measured {
    fn new(asked: Asked, cancel: &Cancel, words: &Words<String, Objective>) -> Result<Self> {
        let Job { subject, options, network, warnings, .. } = Job::read(asked)?;
        warnings.into_iter().for_each(|warning| words.say(warning));
        cancel.check()?;
        let prepared = PreparedNetwork::new((*network).clone(), &options)?.with_cancel(cancel.clone());
        let size = (subject.photo().height(), subject.photo().width());
        let scene = subject.at(options.check_size(size)?, &options)?;
        let size = (scene.photo().height(), scene.photo().width());
        let targets = scene.measure(&prepared, &options)?;
        let fast = Fast::new(&prepared, targets.clone(), size, &options)?;
        drop(scene);
        Ok(Self { network, prepared, subject, options, targets, size, fast })
    }

    fn into_evaluator(self, pool: ThreadPool, cancel: Cancel) -> Evaluator {
        let Self { network, prepared, subject, options, targets, size, fast } = self;
        let (terms, plain, changed) = (fast.terms().to_vec(), None, Vec::new());
        let (fast, subject, pool) = (Some(fast), Arc::new(subject), Arc::new(pool));
        Evaluator {
            network,
            prepared,
            subject,
            options,
            targets,
            size,
            pool,
            fast,
            plain,
            terms,
            changed,
            cancel,
            process: std::process::id(),
        }
    }
}

/// What evaluates L.
struct Evaluator {
    network: Arc<Network>,
    prepared: PreparedNetwork,
    subject: Arc<Subject>,
    options: TransferOptions,
    targets: Targets,
    size: (usize, usize),
    pool: Arc<ThreadPool>,
    /// None after an evaluation that was cancelled.
    fast: Option<Fast>,
    /// None before it is asked for.
    plain: Option<Arc<PlainObjective>>,
    /// The terms, with the losses of the last picture.
    terms: Vec<TermLoss>,
    /// The weights that were changed.
    changed: Vec<(usize, f64)>,
    /// What ends an evaluation of `fast`.
    cancel: Cancel,
    /// The process that has the threads of `pool`.
    process: u32,
}

impl Evaluator {
    fn set_weight(&mut self, term: &Bound<'_, PyAny>, weight: f64) -> Result<()> {
        let index = self.index(term)?;
        if !weight.is_finite() {
            return Err(Failure::value(format!("a weight must be a finite number, not {weight}")));
        }
        if let Some(fast) = &mut self.fast {
            fast.set_weight(index, weight)?;
        }
        if let Some(plain) = &mut self.plain {
            Arc::make_mut(plain).set_weight(index, weight)?;
        }
        self.terms[index].weight = Weight::alone(weight);
        self.changed.push((index, weight));
        Ok(())
    }

    /// The number of a term.
    fn index(&self, term: &Bound<'_, PyAny>) -> Result<usize> {
        if let Ok(asked) = term.cast::<PyString>() {
            let asked = asked.to_str()?;
            let names: Vec<String> = self.terms.iter().map(name).collect();
            let found = names.iter().position(|name| name == asked);
            return found.ok_or_else(|| {
                let meant = impasto_style::did_you_mean(asked, names.iter().map(String::as_str));
                PyKeyError::new_err(format!("there is no term {asked}{meant}")).into()
            });
        }
        let (index, terms) = (term.extract::<isize>()?, self.terms.len());
        let index = usize::try_from(if index < 0 { index + terms as isize } else { index });
        let index = index.ok().filter(|&index| index < terms);
        Ok(index.ok_or_else(|| PyIndexError::new_err(format!("there are {terms} terms")))?)
    }

    fn heed(&mut self, losses: Breakdown) -> f64 {
        self.terms = losses.terms;
        losses.total
    }

    /// In `f32`, as a transfer. The evaluator goes to the thread that works, and comes back if it was not cancelled.
    fn evaluate(&mut self, py: Python<'_>, x: Vec<f32>) -> Result<(Breakdown, Vec<f32>)> {
        let mut fast = self.fast.take().map_or_else(|| self.another(py), Ok)?;
        let pool = Arc::clone(&self.pool);
        let evaluated = watched(py, &self.cancel, move || {
            let mut gradient = vec![0.0; x.len()];
            let losses = pool.install(|| fast.evaluate(&x, &mut gradient))?;
            Ok((losses, gradient, fast))
        });
        let (losses, gradient, fast) = evaluated?;
        self.fast = Some(fast);
        Ok((losses, gradient))
    }

    /// Another evaluator in place of one that was cancelled.
    fn another(&mut self, py: Python<'_>) -> Result<Fast> {
        self.cancel = Cancel::default();
        self.prepared = self.prepared.with_cancel(self.cancel.clone());
        let Self { prepared, targets, size, options, .. } = &*self;
        let mut fast = py.detach(|| Fast::new(prepared, targets.clone(), *size, options))?;
        for &(index, weight) in &self.changed {
            fast.set_weight(index, weight)?;
        }
        Ok(fast)
    }

    /// In `f64`, by the plain path. It cannot be cancelled: after Ctrl-C it is left to end by itself.
    fn evaluate_plain(&mut self, py: Python<'_>, x: Vec<f64>) -> Result<(Breakdown, Vec<f64>)> {
        let plain = match &self.plain {
            Some(plain) => Arc::clone(plain),
            None => {
                let Self { network, targets, size, options, .. } = &*self;
                let mut plain =
                    py.detach(|| PlainObjective::new(network, targets.clone(), *size, options))?;
                for &(index, weight) in &self.changed {
                    plain.set_weight(index, weight)?;
                }
                Arc::clone(self.plain.insert(Arc::new(plain)))
            }
        };
        watched(py, &Cancel::default(), move || {
            let mut gradient = vec![0.0; x.len()];
            let losses = plain.evaluate(&x, &mut gradient)?;
            Ok((losses, gradient))
        })
    }
}

/// The numbers in the order of their indices.
fn in_order<T: Element + Copy>(x: &PyReadonlyArrayDyn<'_, T>) -> Vec<T> {
    match x.as_slice() {
        // Of another order numpy's slice is that of the memory.
        Ok(numbers) if x.is_c_contiguous() => numbers.to_vec(),
        _ => x.as_array().iter().copied().collect(),
    }
}

/// A gradient in the shape of x.
fn as_x<T: Element>(py: Python<'_>, shape: Vec<usize>, gradient: Vec<T>) -> Result<Bound<'_, PyArrayDyn<T>>> {
    array(py, shape, gradient)
}
