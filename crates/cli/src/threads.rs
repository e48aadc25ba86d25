//! The threads of a run: a pool of its own, built before anything else is done.

use impasto_style::machine::processors;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::failure::Failure;
use crate::streams::warn;

/// More threads than any machine has processors for.
const MOST: u16 = 1024;

/// A pool of that many threads, by default one for each processor that the process may use.
pub(crate) fn pool(threads: Option<u16>, quiet: bool) -> Result<ThreadPool, Failure> {
    let processors = processors();
    if let Some(threads) = threads {
        if threads > MOST {
            return Err(Failure::wrong_use(format!("--threads must be from 1 to {MOST}, not {threads}")));
        }
        if usize::from(threads) > processors {
            warn(
                quiet,
                &format!(
                    "{threads} threads share {processors} processors: more than one each only makes it slower"
                ),
            );
        }
    }
    let threads = threads.map_or(processors, usize::from);
    ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| {
        Failure::failed(format!(
            "the system refuses to start {threads} threads: {error}; use a smaller --threads, or raise the limits on \
             processes and memory (ulimit -u, ulimit -v)"
        ))
    })
}
