//! Masks: how much each pixel of a picture counts.

use std::fmt;

use super::PictureError;

/// H x W numbers from 0 (not here) to 1 (here).
#[derive(Clone, PartialEq)]
pub struct Mask {
    height: usize,
    width: usize,
    values: Vec<f32>,
}

/// Without the numbers.
impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask")
            .field("height", &self.height)
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

impl Mask {
    /// A mask from its numbers, row by row, each brought into 0..=1 (what is no number counts as 0).
    ///
    /// # Errors
    /// [`PictureError::Length`] if `values` does not have H W numbers, or the mask has none.
    pub fn new(height: usize, width: usize, mut values: Vec<f32>) -> Result<Self, PictureError> {
        if height.checked_mul(width) != Some(values.len()) || values.is_empty() {
            return Err(PictureError::Length { height, width, length: values.len() });
        }
        values.iter_mut().for_each(|value| *value = value.max(0.0).min(1.0));
        Ok(Self { height, width, values })
    }

    /// Rows.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// The numbers, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The bytes of the numbers in memory.
    pub fn bytes(&self) -> u64 {
        size_of_val::<[f32]>(&self.values) as u64
    }

    /// Whether no pixel counts.
    pub fn is_empty(&self) -> bool {
        self.values.iter().all(|&value| value <= 0.0)
    }
}
