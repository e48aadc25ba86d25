//! Style transfer as a library: pictures, the objective, presets and the optimisation loop.
#![forbid(unsafe_code)]

pub mod gradcheck;
pub mod plot;
