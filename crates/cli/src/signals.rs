//! Signals: HUP, INT, TERM and XCPU end the run, USR1 asks for the picture as it is.
//!
//! The first signal lets a command that has something to keep write it; before that, and when a second one comes, the process
//! ends at once. Signals that were ignored when the program was started stay ignored: HUP under `nohup`, INT in the background
//! of a script. XFSZ is caught so that a write beyond the limit on file sizes is an error like any other.

use std::fs;
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use impasto_files::remove_temporary_files;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXCPU, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::failure::{Failure, signal_exit_code};
use crate::interrupt::{Cause, Interrupt};
use crate::streams::tell;

/// Signals within this time of the first one are the same request: `timeout` sends its own twice, to the program and to its
/// group, and so do terminals that are closed.
const SAME: Duration = Duration::from_millis(250);

/// For as long a dying process waits for a standard error that takes nothing.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Listens to signals for the run, from now on until the process ends.
pub(crate) fn listen(run: Interrupt) -> Result<(), Failure> {
    let cannot = |error: io::Error| Failure::failed(format!("cannot listen to signals: {error}"));
    let ignored = ignored();
    let ends =
        [SIGHUP, SIGINT, SIGTERM, SIGXCPU].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = Signals::new(ends.chain([SIGUSR1, SIGXFSZ])).map_err(cannot)?;
    let answer = move || {
        let mut first = None;
        for signal in signals.forever() {
            match signal {
                SIGUSR1 => run.ask_for_picture(),
                SIGXFSZ => {}
                signal => first = Some(end(&run, signal, first)),
            }
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(answer).map(drop).map_err(|error| {
        Failure::failed(format!(
            "the system refuses to start a thread: {error}; raise its limit on processes (ulimit -u)"
        ))
    })
}

/// Answers a signal that ends the run, and returns the first one and when it came.
fn end(run: &Interrupt, signal: i32, first: Option<(i32, Instant)>) -> (i32, Instant) {
    let (first, since) = match first {
        // No words: standard error may be what the program hangs at.
        Some((first, since)) if since.elapsed() > SAME => exit(signal_exit_code(first).into()),
        Some(known) => known,
        None => (signal, Instant::now()),
    };
    run.stop(Cause::Signal(first));
    if !run.keeps() {
        last_words(format!("Error: stopped by {}; nothing was there to keep yet", Cause::Signal(first)));
        exit(signal_exit_code(first).into());
    }
    (first, since)
}

/// Ends the process at once. No destructor runs, so temporary files that have names are removed here.
fn exit(code: i32) -> ! {
    remove_temporary_files();
    signal_hook::low_level::exit(code)
}

/// Says it from a thread of its own: nobody may read what comes from standard error.
fn last_words(line: String) {
    let (said, heard) = mpsc::channel();
    let say = move || {
        tell(&line);
        let _ = said.send(());
    };
    if thread::Builder::new().spawn(say).is_ok() {
        let _ = heard.recv_timeout(LAST_WORDS);
    }
}

/// A bit for each signal that was ignored when the program was started, the lowest for signal 1; none where the system does
/// not tell.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
