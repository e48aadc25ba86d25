//! Every test of the crate that needs no program of its own, in one program: it is linked once.

mod chain_gradient;
mod checker;
mod common;
mod discrepancy;
mod engine;
mod gradients;
mod guides;
mod paper_table;
