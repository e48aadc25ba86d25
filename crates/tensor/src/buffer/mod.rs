//! Memory that starts on a cache line, so that no vector of a packed panel straddles two.

#[cfg(any(target_family = "wasm", test))]
mod allocated;
#[cfg(not(target_family = "wasm"))]
mod mapped;

use std::fmt;
use std::ops::{Deref, DerefMut};

#[cfg(target_family = "wasm")]
use allocated::Memory;
#[cfg(not(target_family = "wasm"))]
use mapped::Memory;

use crate::TensorError;

/// 16, the numbers in a cache line, which are also those of the widest vector: channels come in multiples of it, and a tensor
/// that begins at a multiple of it begins on a line.
pub const GRANULE: usize = 16;

/// A slice of `f32` that starts as zeros on a page boundary. Where the system has huge pages it asks for them: the
/// Winograd transforms write to up to 64 places far apart at once, which small pages would make the address
/// translation miss. The memory counts only once it is touched.
///
/// In WebAssembly, which maps no memory, it is allocated, starts on a cache line, and counts at once.
#[derive(Default)]
pub struct AlignedBuffer {
    memory: Option<Memory>,
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
        let memory = if bytes == 0 { None } else { Some(Memory::zeros(bytes)?) };
        Ok(Self { memory, len })
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.memory.as_ref().map_or(&[], |memory| &memory.numbers()[..self.len])
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        self.memory.as_mut().map_or(&mut [], |memory| &mut memory.numbers_mut()[..self.len])
    }
}

impl fmt::Debug for AlignedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AlignedBuffer({} numbers)", self.len)
    }
}
