//! The planned evaluation in f32: what [`crate::reference`] computes, in a fraction of its time and memory.
//!
//! * `network`: the stages and their packed kernels; `plain_kernel`: what those are made from; `cost`: which algorithm for which size.
//! * `plan`: bands, algorithms; `bytes`: what they take; `layout`: the tensors of a band and how long each lives; `arena`: where.
//! * `program`: the forward and backward sweep; `taps`: the losses' gradients; `first_layer`: the step to the picture.
//! * `evaluator`: losses and gradient in three phases, sums, combine, gradient; `measure`: the targets.
//!
//! Only layers that carry a loss keep F for the backward sweep; of the others one bit an element remains. The first
//! layer's F, the largest, is computed again instead.
//!
//! Bands: pictures whose tensors do not fit the memory limit are cut into horizontal bands. Each band is computed with
//! as many rows around it as its losses can see (the receptive field's radius), but counts its own core rows only. By
//! linearity the sum of the bands' gradients is the whole gradient. A first pass over the bands sums the Gram matrices, a
//! second one the gradient.

mod arena;
mod bytes;
mod cost;
mod evaluator;
mod first_layer;
mod layout;
mod measure;
mod network;
mod plain_kernel;
mod plan;
mod program;
mod schedule;
mod taps;

pub use evaluator::Evaluator;
pub use network::{ConvMode, PreparedChain};
pub use plan::{Cuts, EvaluatorOptions, LayerPlan, Plan, PlanBytes, Work};
