//! The tensor: a shape and its numbers.

use crate::{Element, Shape, TensorError};

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
