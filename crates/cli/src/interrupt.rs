//! Ctrl-C: the first one asks the run to finish its iteration, the second one ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on the first Ctrl-C only sets the flag that [`interrupted`] reads.
pub(crate) fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nStopping after this iteration; press Ctrl-C again to stop at once, without a picture.");
    })
    .map_err(|error| Failure::failed(format!("cannot listen to Ctrl-C: {error}")))
}

/// Whether Ctrl-C was pressed.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
