//! The readable twin of every fast kernel: whole tensors, in `f32` and, for finite differences, in `f64`.

mod conv;
mod gemm;
mod pad;
mod pool;
mod square_root;

pub use conv::{conv3x3, rotate_kernel};
pub use gemm::gemm;
pub use pad::{pad, pad_gradient};
pub use pool::{average_pool, average_pool_gradient, max_pool, max_pool_gradient, pooled_shape};
pub use square_root::{NEWTON_SCHULZ_STEPS, RootTrace, root_trace, square_root};
pub(crate) use square_root::{diagonal_root, leads_somewhere};
