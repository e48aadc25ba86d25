//! Every test of the crate that needs no program of its own, in one program: it is linked once.

mod messages;
mod operations;
mod probes;
mod strategies;
