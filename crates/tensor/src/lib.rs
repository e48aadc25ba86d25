//! The tensor of impasto: height x width x channels, channels fastest, in `f32` or `f64`.
//!
//! A layer of the network with N filters at M = H W positions is, in this layout, an M x N row-major matrix F.
//! So the Gram matrix is the plain product F^T F, and pooling works on whole runs of channels.

mod buffer;
pub mod conv;
mod element;
mod error;
mod gemm;
mod gram;
mod im2col;
mod packed;
mod pool;
pub mod reduce;
mod scratch;
mod simd;
mod tensor;
mod winograd;

pub use buffer::AlignedBuffer;
pub use element::Element;
pub use error::TensorError;
pub use gemm::{Matrix, gemm};
pub use gram::Gram;
pub use im2col::{conv3x3, rotate_kernel};
pub use packed::PackedMatrix;
pub use pool::{average_pool, average_pool_gradient, max_pool, max_pool_gradient, pooled_shape};
pub use scratch::Scratch;
pub use simd::Isa;
pub use tensor::{Shape, Tensor};
