//! Memory that starts on a cache line, so that no vector of a packed panel straddles two.

use std::fmt;
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

use crate::TensorError;

/// 16, the numbers in a cache line, which are also those of the widest vector: channels come in multiples of it, and a tensor
/// that begins at a multiple of it begins on a line.
pub const GRANULE: usize = 16;

/// A slice of `f32` that starts as zeros on a page boundary. Where the system has huge pages it asks for them: the
/// Winograd transforms write to up to 64 places far apart at once, which small pages would make the address
/// translation miss. The memory counts only once it is touched.
#[derive(Default)]
pub struct AlignedBuffer {
    map: Option<MmapMut>,
    len: usize,
}

impl AlignedBuffer {
    /// `len` zeros.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`] if the system has not that much.
    pub fn zeros(len: usize) -> Result<Self, TensorError> {
        let bytes =
            len.checked_mul(size_of::<f32>()).ok_or(TensorError::OutOfMemory { bytes: usize::MAX })?;
        if bytes == 0 {
            return Ok(Self { map: None, len });
        }
        let map = MmapMut::map_anon(bytes).map_err(|_| TensorError::OutOfMemory { bytes })?;
        // Only a hint: without huge pages the buffer works the same.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self { map: Some(map), len })
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.map.as_ref().map_or(&[], |map| &bytemuck::cast_slice(map)[..self.len])
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        self.map.as_mut().map_or(&mut [], |map| &mut bytemuck::cast_slice_mut(map)[..self.len])
    }
}

impl fmt::Debug for AlignedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedBuffer({} numbers)", self.len)
    }
}
