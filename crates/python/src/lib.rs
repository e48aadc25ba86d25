//! The Python package impasto: what the crates compute, as calls on numpy arrays. `python/impasto/_impasto.pyi` has the types.
//!
//! | what | where |
//! |---|---|
//! | `transfer`, what it tells and what it returns | `transfer.rs`, `progress.rs`, `painting.rs` |
//! | `Network`, `Objective`, `Term` | `network.rs`, `objective.rs`, `term.rs` |
//! | keywords: the options of the table, as texts | `asked.rs`, `text.rs` |
//! | pictures and masks: arrays, files, a subject | `array.rs`, `sources.rs`, `subject.rs` |
//! | weights | `weights.rs` |
//! | all of it read and checked, for a run | `job.rs` |
//! | optimisers, the check of gradients, functions of Python | `optimise.rs`, `settings.rs`, `check.rs`, `function.rs` |
//! | work beside the interpreter, Ctrl-C | `watched.rs` |
//! | exceptions | `error.rs` |
#![forbid(unsafe_code)]

mod array;
mod asked;
mod check;
mod error;
mod function;
mod job;
mod network;
mod objective;
mod optimise;
mod painting;
mod progress;
mod settings;
mod sources;
mod subject;
mod term;
mod text;
mod transfer;
mod watched;
mod weights;

use pyo3::prelude::*;

/// The compiled part of the package.
#[pymodule]
mod _impasto {
    #[pymodule_export]
    use crate::asked::options;
    #[pymodule_export]
    use crate::check::check_gradient;
    #[pymodule_export]
    use crate::network::Network;
    #[pymodule_export]
    use crate::objective::Objective;
    #[pymodule_export]
    use crate::optimise::Run;
    #[pymodule_export]
    use crate::painting::Painting;
    #[pymodule_export]
    use crate::progress::Progress;
    #[pymodule_export]
    use crate::term::Term;
    #[pymodule_export]
    use crate::transfer::transfer;
}
