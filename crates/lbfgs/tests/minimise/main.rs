//! The crate from outside: convergence, the promises about every accepted step, failures, threads, states.

mod adam;
mod convergence;
mod failures;
mod functions;
mod golden;
mod hostile;
mod search;
mod standard;
mod steps;
mod threads;
