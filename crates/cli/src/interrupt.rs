//! What ends a run before its time: a signal, or its time limit. A run has one value of it, which the thread that listens to
//! signals holds too.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use impasto_style::{Cancel, Event, TransferError};

use crate::failure::Failure;

/// Why a run ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The number of a signal.
    Signal(i32),
    /// `--time-limit`.
    TimeLimit,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Signal(number) => match signal_hook::low_level::signal_name(number) {
                Some(name) => f.write_str(name),
                None => write!(f, "signal {number}"),
            },
            Self::TimeLimit => f.write_str("--time-limit"),
        }
    }
}

/// What others ask of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<Requests>);

#[derive(Debug, Default)]
struct Requests {
    cancel: Cancel,
    cause: OnceLock<Cause>,
    /// Whether the command has something to keep when it is stopped.
    keeps: AtomicBool,
    /// The picture as it is was asked for.
    picture: AtomicBool,
}

impl Interrupt {
    /// The flag of the run's network.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.0.cancel
    }

    /// Hears what a transfer tells. From its first accepted picture on the command has something to keep: a first signal no longer
    /// ends the process, but sets the flag.
    pub(crate) fn heed(&self, event: Event<'_>) {
        let has_picture = match event {
            Event::Started(summary) => summary.done > 0,
            Event::Iteration(_) | Event::Checkpoint(_) | Event::NoCheckpoint(_) | Event::Ended(_) => true,
            // No picture comes of what is told between two of them.
            _ => false,
        };
        self.0.keeps.fetch_or(has_picture, Ordering::SeqCst);
    }

    /// There is something to keep from now on, whatever a transfer tells.
    pub(crate) fn keep(&self) {
        self.0.keeps.store(true, Ordering::SeqCst);
    }

    /// Whether there is something to keep.
    pub(crate) fn keeps(&self) -> bool {
        self.0.keeps.load(Ordering::SeqCst)
    }

    /// Ends the run. The first cause is the one that counts.
    pub(crate) fn stop(&self, cause: Cause) {
        // That it has a cause must be known to whoever sees the flag.
        let _ = self.0.cause.set(cause);
        self.0.cancel.cancel();
    }

    /// Ends the run in that time from now.
    pub(crate) fn stop_in(&self, limit: Duration) -> Result<(), Failure> {
        let run = self.clone();
        let wait = move || {
            thread::sleep(limit);
            run.stop(Cause::TimeLimit);
        };
        thread::Builder::new()
            .spawn(wait)
            .map(drop)
            .map_err(|error| Failure::failed(format!("cannot start a thread for --time-limit: {error}")))
    }

    /// What ended the run, if something did.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.0.cause.get().copied()
    }

    /// Whether the run goes on.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.cause().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Asks for the picture as it is.
    pub(crate) fn ask_for_picture(&self) {
        self.0.picture.store(true, Ordering::Relaxed);
    }

    /// Whether the picture was asked for since this was called before.
    pub(crate) fn takes_picture(&self) -> bool {
        self.0.picture.swap(false, Ordering::Relaxed)
    }

    /// Why there is no picture: it was stopped by its cause and what is said after that, or the error itself.
    pub(crate) fn failure(&self, error: TransferError, what: impl fmt::Display) -> Failure {
        match (error, self.cause()) {
            (TransferError::Cancelled, Some(cause)) => {
                Failure::stopped(cause, format!("stopped by {cause} {what}"))
            }
            (error, _) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use signal_hook::consts::{SIGHUP, SIGTERM};

    use super::*;

    #[test]
    fn the_first_cause_counts_and_sets_the_flag_of_the_run_alone() {
        let (run, other) = (Interrupt::default(), Interrupt::default());
        assert!(!run.cancel().is_cancelled() && run.flow().is_continue());
        run.stop(Cause::Signal(SIGTERM));
        run.stop(Cause::TimeLimit);
        run.stop(Cause::Signal(SIGHUP));
        assert_eq!(run.cause(), Some(Cause::Signal(SIGTERM)));
        assert!(run.cancel().is_cancelled() && run.flow().is_break());
        assert!(!other.cancel().is_cancelled() && other.flow().is_continue());
    }

    #[test]
    fn a_picture_is_taken_once_for_each_time_that_it_was_asked_for() {
        let run = Interrupt::default();
        assert!(!run.takes_picture());
        run.ask_for_picture();
        run.ask_for_picture();
        assert!(run.takes_picture() && !run.takes_picture());
    }

    #[test]
    fn a_failure_names_the_signal_only_if_the_run_was_stopped() {
        let run = Interrupt::default();
        let message = |error| run.failure(error, "before its end").to_string();
        assert!(!message(TransferError::Cancelled).contains("before its end"));
        run.stop(Cause::Signal(SIGTERM));
        assert_eq!(message(TransferError::Cancelled), "stopped by SIGTERM before its end");
        assert_eq!(message(TransferError::NotFinite), TransferError::NotFinite.to_string());
    }
}
