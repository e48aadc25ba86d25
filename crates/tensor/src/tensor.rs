//! The tensor: a shape and its numbers.

use std::fmt;

use crate::{Element, TensorError};

/// Height x width x channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// H, the number of rows.
    pub height: usize,
    /// W, the number of columns.
    pub width: usize,
    /// N, the number of channels (filters), fastest in memory.
    pub channels: usize,
}

impl Shape {
    /// H x W x C.
    pub const fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// M = H W, the number of positions.
    pub const fn positions(&self) -> usize {
        self.height * self.width
    }

    /// H W C, the number of elements.
    pub const fn len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether there are no elements.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

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

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} x {}", self.height, self.width, self.channels)
    }
}

/// A dense H x W x C array, channels fastest: element (y, x, c) is at `(y * W + x) * C + c`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<T> {
    shape: Shape,
    data: Vec<T>,
}

impl<T: Element> Tensor<T> {
    /// A tensor of zeros.
    ///
    /// # Errors
    /// [`TensorError::Unusable`] if a side is zero or the whole too large to address.
    pub fn zeros(shape: Shape) -> Result<Self, TensorError> {
        let shape = shape.checked()?;
        Ok(Self { shape, data: vec![T::ZERO; shape.len()] })
    }

    /// A tensor of the given numbers.
    ///
    /// # Errors
    /// [`TensorError::Length`] if their number is not that of the shape, [`TensorError::Unusable`] for an empty shape.
    pub fn from_vec(shape: Shape, data: Vec<T>) -> Result<Self, TensorError> {
        let shape = shape.checked()?;
        if data.len() != shape.len() {
            return Err(TensorError::Length { shape, length: data.len() });
        }
        Ok(Self { shape, data })
    }

    /// The shape.
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The numbers, channels fastest.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// The numbers, to be changed.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// The numbers, without the shape.
    pub fn into_vec(self) -> Vec<T> {
        self.data
    }

    /// The same numbers in another precision.
    pub fn cast<U: Element>(&self) -> Tensor<U> {
        Tensor {
            shape: self.shape,
            data: self.data.iter().map(|value| U::from_f64(value.to_f64())).collect(),
        }
    }
}
