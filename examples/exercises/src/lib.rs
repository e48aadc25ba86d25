//! Ten exercises: write the parts of a style transfer by hand. `README.md` says how.
#![forbid(unsafe_code)]

pub mod checks;
pub mod counted;
pub mod exercises;
pub mod solutions;
