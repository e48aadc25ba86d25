//! Work memory that tasks borrow and give back: allocated once, reused by every later call.

use std::sync::{Mutex, PoisonError};

use crate::{AlignedBuffer, TensorError};

/// A pool of buffers. One task at a time owns a buffer, so the pool holds at most one for every thread.
#[derive(Debug, Default)]
pub struct Scratch(Mutex<Vec<AlignedBuffer>>);

impl Scratch {
    /// Makes sure that the pool has `count` buffers of at least `len` numbers.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`] if the system has not that much.
    pub fn reserve(&self, count: usize, len: usize) -> Result<(), TensorError> {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let pool = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
}
