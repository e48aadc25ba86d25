//! Work that takes long: it is done on threads of its own while the one that called lets other Python threads run, hears what the
//! work says, and looks for Ctrl-C.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use impasto_style::Cancel;
use impasto_style::machine::processors;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Failure, Result};

/// The time from one look for signals to the next.
const LOOK: Duration = Duration::from_millis(20);

/// After Ctrl-C the work has this long to end. Then it is left to end by itself, unseen.
const PATIENCE: Duration = Duration::from_millis(300);

/// A pool of that many threads, by default one for each processor that the process may use.
pub(crate) fn pool(threads: Option<usize>) -> Result<ThreadPool> {
    let threads = threads.unwrap_or_else(processors);
    ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| {
        PyRuntimeError::new_err(format!(
            "the system refuses to start {threads} threads: {error}; use fewer `threads`"
        ))
        .into()
    })
}

/// What comes from the thread that works.
enum Message<W, T> {
    Word(W),
    /// The time of its limit begins.
    Begun,
    Done(thread::Result<Result<T>>),
}

/// How a run can end before its time.
pub(crate) struct Limits {
    /// What ends it.
    pub(crate) cancel: Cancel,
    /// The time that it has from [`Words::begin`] on.
    pub(crate) time: Option<Duration>,
    /// Whether it is waited for after Ctrl-C, however long it takes to end: it has something to keep. A second one is not.
    pub(crate) keeps: bool,
}

/// Where a worker says something.
pub(crate) struct Words<W, T>(Sender<Message<W, T>>);

impl<W, T> Words<W, T> {
    /// Says something. Nobody listens any more after Ctrl-C.
    pub(crate) fn say(&self, word: W) {
        let _ = self.0.send(Message::Word(word));
    }

    /// The time of the limit begins.
    pub(crate) fn begin(&self) {
        let _ = self.0.send(Message::Begun);
    }
}

/// Does the work on a thread of its own; `hear` is called with what it says on this one. An error of `hear`, Ctrl-C and the time
/// limit cancel the work.
pub(crate) fn attended<W: Send + 'static, T: Send + 'static>(
    py: Python<'_>,
    limits: &Limits,
    work: impl FnOnce(&Words<W, T>) -> Result<T> + Send + 'static,
    mut hear: impl FnMut(Python<'_>, W) -> Result<()>,
) -> Result<T> {
    let (words, mut heard) = mpsc::channel();
    thread::Builder::new().name("impasto".to_owned()).spawn(move || {
        let words = Words(words);
        let done = catch_unwind(AssertUnwindSafe(|| work(&words)));
        let _ = words.0.send(Message::Done(done));
    })?;
    let (mut failure, mut deadline, mut left_at) = (None, None::<Instant>, None::<Instant>);
    let mut timed_out = false;
    loop {
        let (message, again) = py.detach(move || (heard.recv_timeout(LOOK), heard));
        heard = again;
        match message {
            Ok(Message::Word(word)) if failure.is_none() => {
                if let Err(error) = hear(py, word) {
                    limits.cancel.cancel();
                    failure = Some(error);
                }
            }
            // Whoever waits for an answer sees that there is none.
            Ok(Message::Word(_)) => {}
            Ok(Message::Begun) => deadline = limits.time.and_then(|time| Instant::now().checked_add(time)),
            Ok(Message::Done(done)) => {
                let result = done.unwrap_or_else(|panic| resume_unwind(panic));
                return match (failure, result) {
                    (Some(failure), _) => Err(failure),
                    (None, Err(Failure::Cancelled)) if timed_out => Err(Failure::time_is_up(
                        "stopped by `time_limit` before the first iteration was done; there is no picture",
                    )),
                    (None, result) => result,
                };
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err("the thread that paints is gone").into());
            }
        }
        if let Err(signal) = py.check_signals() {
            limits.cancel.cancel();
            if limits.keeps && failure.is_some() {
                return Err(signal.into());
            }
            if !limits.keeps {
                left_at = left_at.or_else(|| Instant::now().checked_add(PATIENCE));
            }
            failure.get_or_insert(signal.into());
        }
        let now = Instant::now();
        if left_at.is_some_and(|at| now >= at)
            && let Some(failure) = failure
        {
            return Err(failure);
        }
        if deadline.is_some_and(|at| now >= at) {
            timed_out = true;
            limits.cancel.cancel();
        }
    }
}

/// [`attended`] of work that says nothing, has no limit of time and nothing to keep.
pub(crate) fn watched<T: Send + 'static>(
    py: Python<'_>,
    cancel: &Cancel,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let limits = Limits { cancel: cancel.clone(), time: None, keeps: false };
    attended(py, &limits, |_: &Words<(), T>| work(), |_, ()| Ok(()))
}
