//! The readable twin of every fast kernel: whole tensors, in `f32` and, for finite differences, in `f64`.

mod conv;
mod gemm;
mod pad;
mod pool;

pub use conv::{conv3x3, rotate_kernel};
pub use gemm::gemm;
pub use pad::{pad, pad_gradient};
pub use pool::{average_pool, average_pool_gradient, max_pool, max_pool_gradient, pooled_shape};
