//! The planned evaluation in f32: what [`crate::reference`] computes, in a fraction of its time and memory.
//!
//! * `network`: the stages and their packed kernels; `plain_kernel`: what those are made from; `cost`: which algorithm for which size.
//! * `plan`: cuts, algorithms; `bytes`: what they take; `schedule`: which rows are computed in which step; `layout`: the tensors, how
//!   many rows of each are held and how long each lives; `arena`: where.
//! * `program`: the forward and backward sweep; `taps`: the losses' gradients, `packed_map`: those of sums; `first_layer`: the step to the picture.
//! * `evaluator`: losses and gradient in three phases, sums, combine, gradient; `measure`: the targets.
//!
//! Only layers that carry a loss keep F for the backward sweep; of the others one bit an element remains. The first
//! layer's F, the largest, is computed again instead.
//!
//! Pictures whose tensors do not fit the memory limit are cut into horizontal bands. Then both sweeps roll over the picture, band by
//! band, each stage as far as the one before it allows, and of every tensor only a window of rows is held. A first pass makes the
//! sums, a second one, forward and behind it backward, the gradient. The bits are those of the picture as a whole.

mod arena;
mod bytes;
mod cost;
mod evaluator;
mod first_layer;
mod layout;
mod measure;
mod network;
mod packed_map;
mod plain_kernel;
mod plan;
mod program;
mod schedule;
mod taps;

pub use cost::Kernels;
pub use evaluator::Evaluator;
pub use network::{ConvMode, PreparedChain};
pub use plan::{Cuts, EvaluatorOptions, LayerPlan, Plan, PlanBytes, Work};
