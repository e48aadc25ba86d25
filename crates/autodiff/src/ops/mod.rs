//! One file per operation: the equation, forward, backward.

pub mod conv;
pub mod pool;
pub mod preprocessing;
pub mod relu;
