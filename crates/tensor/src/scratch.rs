//! Scratch: memory that tasks borrow and give back, allocated once and reused by every later call.

use std::sync::{Mutex, PoisonError};

use crate::{AlignedBuffer, TensorError};

/// A pool of buffers, one for every thread, and one buffer that the tasks of a computation share.
#[derive(Debug, Default)]
pub struct Scratch {
    tasks: Mutex<Vec<AlignedBuffer>>,
    shared: Mutex<AlignedBuffer>,
}

impl Scratch {
    /// Makes sure that the pool has `count` buffers of at least `len` numbers, and that the shared one has `shared`.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`] if the system has not that much.
    pub fn reserve(&self, count: usize, len: usize, shared: usize) -> Result<(), TensorError> {
        let mut buffer = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.len() < shared {
            *buffer = AlignedBuffer::zeros(shared)?;
        }
        let mut pool = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        pool.retain(|buffer| buffer.len() >= len);
        while pool.len() < count {
            pool.push(AlignedBuffer::zeros(len)?);
        }
        Ok(())
    }

    /// Runs `task` with a buffer of at least `len` numbers of any value.
    ///
    /// # Panics
    /// If the pool has no such buffer left and the system has not the memory for another one.
    pub fn with<R>(&self, len: usize, task: impl FnOnce(&mut [f32]) -> R) -> R {
        let pool = || self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = {
            let mut pool = pool();
            let index = pool.iter().position(|buffer| buffer.len() >= len);
            index.map(|index| pool.swap_remove(index))
        };
        let mut buffer = fitting.unwrap_or_else(|| AlignedBuffer::zeros(len).expect("memory for a task"));
        let result = task(&mut buffer);
        pool().push(buffer);
        result
    }

    /// Runs `computation` with the shared buffer, of at least `len` numbers of any value. Its tasks may use [`Self::with`].
    ///
    /// # Panics
    /// If the buffer must grow and the system has not the memory.
    pub fn with_shared<R>(&self, len: usize, computation: impl FnOnce(&mut [f32]) -> R) -> R {
        let mut buffer = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.len() < len {
            *buffer = AlignedBuffer::zeros(len).expect("memory for a computation");
        }
        computation(&mut buffer)
    }
}
