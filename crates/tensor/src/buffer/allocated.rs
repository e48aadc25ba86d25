//! Memory of a vector, where the system maps none.

use super::GRANULE;
use crate::TensorError;

/// Zeros from a cache line on.
pub(super) struct Memory {
    numbers: Vec<f32>,
    /// The first number that lies on a cache line.
    first: usize,
}

impl Memory {
    /// So many bytes, in whole numbers.
    pub(super) fn zeros(bytes: usize) -> Result<Self, TensorError> {
        let len = (bytes / size_of::<f32>()).saturating_add(GRANULE - 1);
        let mut numbers: Vec<f32> = Vec::new();
        numbers.try_reserve_exact(len).map_err(|_| TensorError::OutOfMemory { bytes })?;
        numbers.resize(len, 0.0);
        // Where it cannot be told, any place will do.
        let first = numbers.as_ptr().align_offset(GRANULE * size_of::<f32>());
        let first = if first < GRANULE { first } else { 0 };
        Ok(Self { numbers, first })
    }

    pub(super) fn numbers(&self) -> &[f32] {
        &self.numbers[self.first..]
    }

    pub(super) fn numbers_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[self.first..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocated_memory_is_zeros_from_a_cache_line_on() {
        for len in [1, 15, 16, 1000, 4097] {
            let mut memory = Memory::zeros(len * size_of::<f32>()).unwrap();
            assert!(memory.numbers().len() >= len && memory.numbers().iter().all(|&number| number == 0.0));
            assert_eq!(memory.numbers().as_ptr() as usize % 64, 0);
            memory.numbers_mut()[len - 1] = 1.0;
            assert_eq!(memory.numbers()[len - 1], 1.0);
        }
    }

    #[test]
    fn too_much_is_an_error() {
        assert!(matches!(Memory::zeros(usize::MAX), Err(TensorError::OutOfMemory { .. })));
    }
}
