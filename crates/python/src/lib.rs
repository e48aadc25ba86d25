//! The Python package impasto: what the crates compute, as calls on numpy arrays. `python/impasto/_impasto.pyi` has the types.
#![forbid(unsafe_code)]

mod check;
mod function;
mod optimise;
mod settings;

use pyo3::prelude::*;

/// The compiled part of the package.
#[pymodule]
mod _impasto {
    #[pymodule_export]
    use crate::check::check_gradient;
    #[pymodule_export]
    use crate::optimise::Run;
}
