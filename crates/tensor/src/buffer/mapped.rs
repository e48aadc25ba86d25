//! Memory that the system maps.

use memmap2::MmapMut;

use crate::TensorError;

/// Zeros from a page boundary on.
pub(super) struct Memory(MmapMut);

impl Memory {
    /// At least so many bytes.
    pub(super) fn zeros(bytes: usize) -> Result<Self, TensorError> {
        let map = MmapMut::map_anon(bytes).map_err(|_| TensorError::OutOfMemory { bytes })?;
        // Only a hint: without huge pages the buffer works the same.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self(map))
    }

    pub(super) fn numbers(&self) -> &[f32] {
        bytemuck::cast_slice(&self.0)
    }

    pub(super) fn numbers_mut(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}
