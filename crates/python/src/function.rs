//! A function of the caller's, from an array to its loss and gradient: `function(x) -> (loss, gradient)`.

use impasto_lbfgs::Real;
use numpy::ndarray::{ArrayD, IxDyn};
use numpy::{Element, IntoPyArray, PyArrayDyn, PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyValueError};
use pyo3::prelude::*;

/// The numbers of an array that can be optimised.
pub(crate) trait Number: Real + Element {
    /// numpy's name of the type.
    const NAME: &'static str;
}

impl Number for f32 {
    const NAME: &'static str = "float32";
}

impl Number for f64 {
    const NAME: &'static str = "float64";
}

/// The function, and the shape of what it is given.
pub(crate) struct Function {
    function: Py<PyAny>,
    shape: Vec<usize>,
}

impl Function {
    pub(crate) fn new(function: Bound<'_, PyAny>, shape: &[usize]) -> PyResult<Self> {
        if !function.is_callable() {
            return Err(PyValueError::new_err(
                "the function cannot be called: give one from x to (loss, gradient)",
            ));
        }
        Ok(Self { function: function.unbind(), shape: shape.to_vec() })
    }

    /// What is called.
    pub(crate) fn object(&self) -> &Py<PyAny> {
        &self.function
    }

    /// The loss at x, whose gradient is written to `gradient`. The array that the function is given is made anew each time, and
    /// the one that it returns is copied: both are the function's, to keep or to write to.
    pub(crate) fn evaluate<T: Number>(&self, py: Python<'_>, x: &[T], gradient: &mut [T]) -> PyResult<f64> {
        let x = array(py, &self.shape, x.to_vec())?;
        let returned = self.function.bind(py).call1((x,)).map_err(|raised| no_end(py, raised))?;
        let Ok((loss, returned)) = returned.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() else {
            let kind = returned.get_type().name()?;
            return Err(PyValueError::new_err(format!(
                "the function must return (loss, gradient), not {kind}"
            )));
        };
        self.copy_gradient(&returned, gradient)?;
        // What runs no Python of its own does not look for Ctrl-C.
        py.check_signals()?;
        if let Ok(loss) = loss.extract() {
            return Ok(loss);
        }
        let problem = match loss.cast::<PyUntypedArray>() {
            Ok(array) => format!("an array of the shape {}", shape_text(array.shape())),
            Err(_) => loss.get_type().name()?.to_string(),
        };
        Err(PyValueError::new_err(format!("the loss must be one number, not {problem}")))
    }

    fn copy_gradient<T: Number>(&self, returned: &Bound<'_, PyAny>, gradient: &mut [T]) -> PyResult<()> {
        let returned = required(returned)?;
        let Ok(numbers) = returned.extract::<PyReadonlyArrayDyn<'_, T>>() else {
            let (name, dtype) = (T::NAME, returned.dtype());
            return Err(PyValueError::new_err(format!("the gradient must be {name}, as x is, not {dtype}")));
        };
        if numbers.shape() != self.shape {
            let (own, wanted) = (shape_text(numbers.shape()), shape_text(&self.shape));
            return Err(PyValueError::new_err(format!(
                "the gradient must have the shape of x, {wanted}, not {own}"
            )));
        }
        copy(&numbers, gradient);
        Ok(())
    }
}

/// What the function raised, as it is; but a `StopIteration` would end a loop over the steps as if the run were done.
fn no_end(py: Python<'_>, raised: PyErr) -> PyErr {
    if !raised.is_instance_of::<PyStopIteration>(py) {
        return raised;
    }
    let error = PyRuntimeError::new_err("the function raised StopIteration");
    error.set_cause(py, Some(raised));
    error
}

/// The array that an object is, or that numpy makes of it, in the order of its indices and at addresses of whole numbers.
pub(crate) fn required<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyUntypedArray>> {
    let numpy = object.py().import("numpy")?;
    let array = numpy.call_method1("require", (object, object.py().None(), ["C", "A"]))?;
    Ok(array.cast_into()?)
}

/// The numbers of an array in the order of their indices.
fn copy<T: Number>(numbers: &PyReadonlyArrayDyn<'_, T>, to: &mut [T]) {
    let numbers = numbers.as_array();
    match numbers.as_slice() {
        Some(numbers) => to.copy_from_slice(numbers),
        None => to.iter_mut().zip(numbers).for_each(|(to, number)| *to = *number),
    }
}

/// The numbers of an array that [`required`] gave.
pub(crate) fn numbers<T: Number>(array: &PyReadonlyArrayDyn<'_, T>) -> Vec<T> {
    let mut numbers = vec![T::from_f64(0.0); array.len()];
    copy(array, &mut numbers);
    numbers
}

/// The array that numbers are.
pub(crate) fn array<'py, T: Element>(
    py: Python<'py>,
    shape: &[usize],
    numbers: Vec<T>,
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let array = ArrayD::from_shape_vec(IxDyn(shape), numbers);
    let array = array.map_err(|problem| PyValueError::new_err(problem.to_string()))?;
    Ok(array.into_pyarray(py))
}

/// `(3, 64, 64)`, as Python writes it.
pub(crate) fn shape_text(shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    if let [side] = &sides[..] { format!("({side},)") } else { format!("({})", sides.join(", ")) }
}
