//! What to draw: each shrinks to the smallest case that one can read, to zeros, to one number, to a single step.
//!
//! Numbers are thousandths, such as 0.137, so that a failing case can be read and copied.

mod chains;
mod masks;
mod matrices;
mod numbers;
mod pictures;
mod tensors;

pub use chains::{chains, chains_off_kinks};
pub use masks::masks;
pub use matrices::{SquareMatrix, positive_semidefinite};
pub use numbers::{apart, extremes, numbers, off_zero, ties, wide, with_zeros};
pub use pictures::pictures;
pub use tensors::{dimensions, kernels, shapes, tensors};
