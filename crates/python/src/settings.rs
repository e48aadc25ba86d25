//! The options of optimisers, from Python's names and numbers.

use impasto_lbfgs::{Adam, Groups, Lbfgs};
use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::function::{required, shape_text};

/// An option and its value.
struct Setting<'py> {
    name: String,
    value: Bound<'py, PyAny>,
}

impl Setting<'_> {
    fn wrong<E: pyo3::type_object::PyTypeInfo>(&self, requirement: &str) -> PyErr {
        PyErr::new::<E, _>(format!("the option {} must be {requirement}, not {}", self.name, self.value))
    }

    fn number(&self) -> PyResult<f64> {
        self.value.extract().map_err(|_| self.wrong::<PyTypeError>("a number"))
    }

    fn count(&self) -> PyResult<usize> {
        self.value.extract().map_err(|error: PyErr| {
            let requirement = "a whole number from 0 on";
            if error.is_instance_of::<PyOverflowError>(self.value.py()) {
                self.wrong::<PyValueError>(requirement)
            } else {
                self.wrong::<PyTypeError>(requirement)
            }
        })
    }

    /// None is no limit.
    fn limit(&self) -> PyResult<usize> {
        if self.value.is_none() { Ok(usize::MAX) } else { self.count() }
    }

    fn bounds(&self) -> PyResult<Option<(f64, f64)>> {
        self.value.extract().map_err(|_| self.wrong::<PyTypeError>("None or (least, most)"))
    }

    fn unknown(&self) -> PyErr {
        PyTypeError::new_err(format!("there is no option {}", self.name))
    }
}

/// The settings of a dictionary.
fn settings<'py>(options: &Bound<'py, PyDict>) -> impl Iterator<Item = PyResult<Setting<'py>>> {
    options.iter().map(|(name, value)| Ok(Setting { name: name.extract()?, value }))
}

/// L-BFGS with these options, the others as they are by default.
pub(crate) fn lbfgs(options: &Bound<'_, PyDict>) -> PyResult<Lbfgs> {
    let mut lbfgs = Lbfgs::default();
    for setting in settings(options) {
        let setting = setting?;
        match &*setting.name {
            "history" => lbfgs.history = setting.count()?,
            "scale_pairs" => lbfgs.scale_pairs = setting.count()?,
            "max_iterations" => lbfgs.max_iterations = setting.count()?,
            "max_evaluations" => lbfgs.max_evaluations = setting.limit()?,
            "gradient_tolerance" => lbfgs.gradient_tolerance = setting.number()?,
            "loss_tolerance" => lbfgs.loss_tolerance = setting.number()?,
            "first_step" => lbfgs.first_step = setting.number()?,
            "sufficient_decrease" => lbfgs.sufficient_decrease = setting.number()?,
            "curvature" => lbfgs.curvature = setting.number()?,
            "max_trials" => lbfgs.max_trials = setting.count()?,
            _ => return Err(setting.unknown()),
        }
    }
    Ok(lbfgs)
}

/// Adam with these options, the others as they are by default.
pub(crate) fn adam(options: &Bound<'_, PyDict>) -> PyResult<Adam> {
    let mut adam = Adam::default();
    for setting in settings(options) {
        let setting = setting?;
        match &*setting.name {
            "max_iterations" => adam.max_iterations = setting.count()?,
            "learning_rate" => adam.learning_rate = setting.number()?,
            "beta1" => adam.beta1 = setting.number()?,
            "beta2" => adam.beta2 = setting.number()?,
            "epsilon" => adam.epsilon = setting.number()?,
            "bounds" => adam.bounds = setting.bounds()?,
            "average_decay" => adam.average_decay = setting.number()?,
            _ => return Err(setting.unknown()),
        }
    }
    Ok(adam)
}

/// Every option of L-BFGS as it is by default.
pub(crate) fn lbfgs_defaults(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let lbfgs = Lbfgs::default();
    let options = PyDict::new(py);
    options.set_item("history", lbfgs.history)?;
    options.set_item("scale_pairs", lbfgs.scale_pairs)?;
    options.set_item("max_iterations", lbfgs.max_iterations)?;
    let limit = Some(lbfgs.max_evaluations).filter(|&limit| limit != usize::MAX);
    options.set_item("max_evaluations", limit)?;
    options.set_item("gradient_tolerance", lbfgs.gradient_tolerance)?;
    options.set_item("loss_tolerance", lbfgs.loss_tolerance)?;
    options.set_item("first_step", lbfgs.first_step)?;
    options.set_item("sufficient_decrease", lbfgs.sufficient_decrease)?;
    options.set_item("curvature", lbfgs.curvature)?;
    options.set_item("max_trials", lbfgs.max_trials)?;
    Ok(options)
}

/// Every option of Adam as it is by default.
pub(crate) fn adam_defaults(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let adam = Adam::default();
    let options = PyDict::new(py);
    options.set_item("max_iterations", adam.max_iterations)?;
    options.set_item("learning_rate", adam.learning_rate)?;
    options.set_item("beta1", adam.beta1)?;
    options.set_item("beta2", adam.beta2)?;
    options.set_item("epsilon", adam.epsilon)?;
    options.set_item("bounds", adam.bounds)?;
    options.set_item("average_decay", adam.average_decay)?;
    Ok(options)
}

/// The group of each variable, of an array of uint8 in the shape of x, and the places of groups.
pub(crate) fn groups(
    groups: Option<&Bound<'_, PyAny>>,
    places: Option<Vec<f32>>,
    shape: &[usize],
) -> PyResult<Groups> {
    let Some(groups) = groups else {
        return match places {
            None => Ok(Groups::default()),
            Some(_) => Err(PyValueError::new_err("places belong to groups, of which there are none")),
        };
    };
    let groups = required(groups)?;
    let Ok(of) = groups.extract::<PyReadonlyArrayDyn<'_, u8>>() else {
        let problem = format!("groups must be an array of uint8, not of {}", groups.dtype());
        return Err(PyValueError::new_err(problem));
    };
    let of = of.as_array();
    if of.shape() != shape {
        let problem = shape_text(of.shape());
        return Err(PyValueError::new_err(format!("groups must have the shape of x0, not {problem}")));
    }
    Ok(Groups { of: of.iter().copied().collect(), places: places.unwrap_or_default() })
}
