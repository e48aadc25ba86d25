//! The Python package impasto: what the crates compute, as calls on numpy arrays. `python/impasto/_impasto.pyi` has the types.
#![forbid(unsafe_code)]

use pyo3::prelude::*;

/// The compiled part of the package.
#[pymodule]
mod _impasto {}
