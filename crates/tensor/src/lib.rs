//! The tensor of impasto: height x width x channels, channels fastest, in `f32` or `f64`.
//!
//! A layer of the network with N filters at M = H W positions is, in this layout, an M x N row-major matrix F.
//! So the Gram matrix is the plain product F^T F, and pooling works on whole runs of channels.

mod element;
mod error;
mod tensor;

pub use element::Element;
pub use error::TensorError;
pub use tensor::{Shape, Tensor};
