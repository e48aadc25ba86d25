//! The crate from outside: convergence, the promises about every accepted step, failures, threads.

mod adam;
mod convergence;
mod failures;
mod functions;
mod threads;
