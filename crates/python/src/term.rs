//! The losses of a picture by their terms.

use impasto_style::{Breakdown, TermLoss};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::Result;

/// One term of the total loss: a loss at a layer, or of the picture itself, with its weight.
///
/// L(x) is the sum of weight * loss over the terms.
#[pyclass(frozen, module = "impasto")]
#[derive(Debug)]
pub(crate) struct Term(TermLoss);

#[pymethods]
impl Term {
    /// Its name, such as "content conv4_2", "style conv1_1", "style conv1_1 in sky.png" or "tv".
    #[getter]
    fn name(&self) -> String {
        name(&self.0)
    }

    /// "content", "style" or "tv" (total variation).
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.name()
    }

    /// The layer, such as "conv4_2"; None for a loss of the picture itself.
    #[getter]
    fn layer(&self) -> Option<&str> {
        self.0.layer.as_deref()
    }

    /// The name of the region that it acts in; None where there are no regions.
    #[getter]
    fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// What the loss is multiplied with in L: alpha, beta or gamma times w_l, the factor of `loss_scale` and the share of its region.
    #[getter]
    fn weight(&self) -> f64 {
        self.0.weight.product()
    }

    /// The loss itself, not weighted: 1/2 sum (F - P)^2, 1/(4 N^2 M^2) sum (G - A)^2, ...
    #[getter]
    fn loss(&self) -> f64 {
        self.0.loss
    }

    fn __repr__(&self) -> String {
        format!("Term({:?}, weight={:e}, loss={:e})", self.name(), self.weight(), self.loss())
    }
}

/// What a term is called: its kind, layer and region.
pub(crate) fn name(term: &TermLoss) -> String {
    let layer = term.layer.as_ref().map_or_else(String::new, |layer| format!(" {layer}"));
    let region = term.region.as_ref().map_or_else(String::new, |region| format!(" in {region}"));
    format!("{}{layer}{region}", term.kind.name())
}

/// The terms of a picture's losses.
pub(crate) fn terms(losses: &[TermLoss]) -> Vec<Term> {
    losses.iter().cloned().map(Term).collect()
}

/// The losses by the names of their terms.
pub(crate) fn by_name<'py>(py: Python<'py>, losses: &Breakdown) -> Result<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for term in &losses.terms {
        dict.set_item(name(term), term.loss)?;
    }
    Ok(dict)
}
