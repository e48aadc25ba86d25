//! Giving up an evaluation from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::AutodiffError;

/// A flag that belongs to a run: whoever holds a clone of it can end the run's evaluation, from any thread or signal handler.
///
/// An evaluation asks before each layer, in either direction, so it ends within the time of one layer: at 1024 x 1024 pixels
/// a fraction of a second. What it has computed so far is lost.
///
/// ```
/// use impasto_autodiff::Cancel;
///
/// let cancel = Cancel::default();
/// let elsewhere = cancel.clone();
/// elsewhere.cancel();
/// assert!(cancel.is_cancelled());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends what asks this flag. It stays so.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`Self::cancel`] was called on this flag or a clone of it.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error once it was cancelled.
    ///
    /// # Errors
    /// [`AutodiffError::Cancelled`].
    pub fn check(&self) -> Result<(), AutodiffError> {
        if self.is_cancelled() { Err(AutodiffError::Cancelled) } else { Ok(()) }
    }
}

/// The same flag, not only the same value.
impl PartialEq for Cancel {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Cancel {}

/// A flag that others hold as well, such as a handler of signals.
impl From<Arc<AtomicBool>> for Cancel {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }
}
