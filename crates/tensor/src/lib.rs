//! The tensor of impasto: height x width x channels, channels fastest, in `f32` or `f64`; and the operations on it.
//!
//! # The layout
//! Element (y, x, c) lies at (y W + x) C + c. So a layer's response with N filters at M = H W positions is, as it lies in
//! memory, an M x N row-major matrix F (the paper writes its transpose), and what a style transfer does with it are
//! matrix products without a copy:
//!
//! ```text
//! G = F^T F                      the Gram matrix, N x N
//! F (G - A)                      the style loss's gradient, up to a factor, M x N
//! ```
//!
//! # The operations
//! ```text
//! conv3x3        O[p, j]  = b[j] + sum over dy, dx in {-1, 0, 1} and i of I[p + (dy, dx), i] K[dy + 1, dx + 1, i, j]
//! its adjoint    dI[q, i] = sum over dy, dx, j of dO[q - (dy, dx), j] K[dy + 1, dx + 1, i, j]
//! average_pool   O[p, c]  = mean of the 2 x 2 window of p;   to each of the four:  dI = dO / 4
//! max_pool       O[p, c]  = largest of the window;           to the first largest: dI = dO
//! pad            O[p, c]  = I[r(p), c], one pixel more on each side;               dI[q] = sum of dO[p] with r(p) = q
//! ```
//!
//! Outside of the picture I is 0, unless a [`Border`] says otherwise. The second line is what backpropagation needs, because the kernels are frozen: the
//! gradient with respect to the input. It is again a 3x3 convolution, with the kernel that [`rotate_kernel`] makes, and
//! "adjoint" says that it moves from one side of a dot product to the other:
//!
//! ```
//! use impasto_tensor::{Shape, Tensor, conv3x3, reduce::dot, rotate_kernel};
//!
//! let numbers = |count: usize, frequency: f64| (0..count).map(|i| (i as f64 * frequency).sin()).collect::<Vec<_>>();
//! let kernel = numbers(9 * 2 * 3, 0.7); // from 2 channels to 3
//! let input = Tensor::from_vec(Shape::new(5, 4, 2), numbers(5 * 4 * 2, 1.1))?;
//! let gradient = Tensor::from_vec(Shape::new(5, 4, 3), numbers(5 * 4 * 3, 1.3))?;
//!
//! let output = conv3x3(&input, &kernel, None)?;
//! let back = conv3x3(&gradient, &rotate_kernel(&kernel, 2, 3), None)?;
//! let (left, right) = (dot(output.data(), gradient.data()), dot(input.data(), back.data()));
//! assert!((left - right).abs() < 1e-12); // <K * I, dO> = <I, K' * dO>
//! # Ok::<(), impasto_tensor::TensorError>(())
//! ```
//!
//! # Plain and fast
//! Each operation is there twice. The plain one works on whole tensors in either precision, so that finite differences
//! can check it in `f64`; the fast one is `f32`, with operands packed beforehand and vectors chosen at run time ([`Isa`]),
//! and is held to the plain one by property tests.
//!
//! | what | plain | fast |
//! |---|---|---|
//! | matrix product | [`gemm`], `plain/gemm.rs` | [`PackedMatrix`], `packed/` |
//! | Gram matrix | [`gemm`] with [`Matrix::transposed`] | [`Gram`], `gram/` |
//! | square root of a matrix | [`square_root`], [`root_trace`], `plain/square_root.rs` | [`SquareRoots`], `square_root/` |
//! | convolution | [`conv3x3`], `plain/conv.rs` | [`conv`], by im2col or `winograd/` |
//! | a border around a picture | [`pad`], `plain/pad.rs` | inside [`conv`], where patches are read |
//! | pooling | `plain/pool.rs` | inside [`conv`], while results are in registers |
//! | sums, dot products | [`reduce`], `reduce.rs` | the same |
//! | the tensor, its number types, matrices | `tensor.rs`, `element.rs`, `matrix.rs` | `f32` slices |
//! | vectors and micro-kernels | | `simd/` |
//! | scratch | | `scratch.rs`, `buffer.rs` |
//!
//! Sums run over blocks whose sizes depend on the operands alone, in a fixed order: the bits do not depend on the number of
//! threads. This is the only crate of impasto with `unsafe`: in the loads and stores of kernels, and around
//! `matrixmultiply`.

mod border;
mod buffer;
pub mod conv;
mod element;
mod error;
mod gram;
mod matrix;
mod packed;
mod plain;
mod prefetch;
pub mod reduce;
mod scratch;
mod shape;
mod simd;
mod square_root;
mod tensor;
mod winograd;

pub use border::Border;
pub use buffer::{AlignedBuffer, GRANULE};
pub use element::Element;
pub use error::TensorError;
pub use gram::Gram;
pub use matrix::Matrix;
pub use packed::PackedMatrix;
pub use plain::{
    NEWTON_SCHULZ_STEPS, RootTrace, average_pool, average_pool_gradient, conv3x3, gemm, max_pool,
    max_pool_gradient, pad, pad_gradient, pooled_shape, root_trace, rotate_kernel, square_root,
};
pub use scratch::Scratch;
pub use shape::Shape;
pub use simd::Isa;
pub use square_root::SquareRoots;
pub use tensor::Tensor;
