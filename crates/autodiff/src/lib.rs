//! Manual reverse-mode differentiation of a VGG chain, and the losses of Gatys, Ecker and Bethge (2015).
//!
//! * [`ops`]: one file per operation, the equation above, forward beside backward.
//! * [`mod@reference`]: the whole network, operation by operation, in `f32` or `f64`.
//! * [`check`]: any function's gradient against central differences in `f64`.
//! * [`Evaluator`]: the same losses and gradient in `f32`, planned for speed and memory.
#![forbid(unsafe_code)]

mod chain;
pub mod check;
mod engine;
mod error;
mod losses;
pub mod ops;
pub mod reference;

pub use chain::{Chain, ConvLayer, Layer, Pooling};
pub use engine::{ConvMode, Evaluator, EvaluatorOptions, LayerPlan, Plan, PlanBytes, PreparedChain};
pub use error::AutodiffError;
pub use losses::{ContentTerm, Losses, StyleTerm};
pub use ops::style::GramMatrix;
pub use ops::tv;
