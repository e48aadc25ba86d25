//! One file per operation: the equation, forward, backward.

pub mod content;
pub mod conv;
pub mod pool;
pub mod relu;
pub mod style;
pub mod tv;
