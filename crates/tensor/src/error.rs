//! What can go wrong with shapes.

use crate::Shape;

/// An operation was given tensors whose shapes do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The data does not have as many elements as the shape says.
    #[error("a tensor of {shape} has {} elements, not {length}", shape.len())]
    Length {
        /// The shape asked for.
        shape: Shape,
        /// The number of elements given.
        length: usize,
    },
    /// A shape with no positions or channels, or with more elements than memory can address.
    #[error(
        "{shape} is not a usable shape: sides and channels must be positive and the whole fit into memory"
    )]
    Unusable {
        /// The shape asked for.
        shape: Shape,
    },
    /// The system has not the memory.
    #[error("the system has no {bytes} bytes of memory left")]
    OutOfMemory {
        /// The bytes asked for.
        bytes: usize,
    },
    /// Two shapes that must agree do not.
    #[error("{operation}: expected {expected}, got {got}")]
    Mismatch {
        /// The operation that refused.
        operation: &'static str,
        /// What would fit, in words.
        expected: String,
        /// What was given, in words.
        got: String,
    },
}

impl Shape {
    /// The shape, if it has elements and their number and bytes fit into memory's addresses.
    ///
    /// # Errors
    /// [`TensorError::Unusable`] otherwise.
    pub fn checked(self) -> Result<Self, TensorError> {
        self.height
            .checked_mul(self.width)
            .and_then(|positions| positions.checked_mul(self.channels))
            .filter(|&len| len > 0 && len <= isize::MAX as usize / 8)
            .map(|_| self)
            .ok_or(TensorError::Unusable { shape: self })
    }
}
