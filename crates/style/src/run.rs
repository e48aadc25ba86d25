//! What belongs to one run beside its inputs and options.

use crate::{Checkpoints, Resume, Scene, Targets, TransferError};

/// Targets that a caller has measured, for the subject at the size of a scale.
pub type Measure<'a> = Box<dyn FnMut(&Scene<'_>) -> Result<Targets, TransferError> + 'a>;

/// What belongs to one run of a transfer, beside its inputs and options: by default nothing. A flag that ends it belongs to its
/// network ([`PreparedNetwork::with_cancel`](crate::PreparedNetwork::with_cancel)), its threads are those of the pool that it is
/// called in.
#[derive(Default)]
pub struct Run<'a> {
    /// Where it goes on from, in place of the options' start.
    ///
    /// The number of `iterations` may then be another one than that of the run that is continued: it is that of the last scale
    /// alone. Scales before keep the number that the first run was asked for.
    pub resume: Option<Resume>,
    /// Where it is kept, so that it can go on.
    pub checkpoints: Option<Checkpoints>,
    /// Targets in place of those that it would measure itself.
    pub measure: Option<Measure<'a>>,
}
