//! When checkpoints are written, and where.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use impasto_files::write_atomically;
use impasto_tensor::Isa;

use super::{CheckpointError, Header, format};
use crate::clock::Instant;
use crate::{Iterations, Record};

/// After a checkpoint comes a pause of this many times what it took, so that they take 5 % of the time at most.
const PAUSES: u32 = 19;

/// Where a run is kept, and how often.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoints {
    /// The file. Each checkpoint takes the place of the one before when it is whole.
    pub path: PathBuf,
    /// The least time from one to the next; there is more between them where writing one takes more than a twentieth of it.
    /// Beside those there is one after the first iteration, and one at the end of each scale and of the run.
    pub every: Duration,
    /// Whether a run that is done is kept too, so that it can go on for longer.
    pub finished: bool,
    /// What the run is of. Its number of `iterations` is that of the options.
    pub record: Record,
    /// What the caller wants to find again, such as where the picture goes.
    pub notes: BTreeMap<String, String>,
}

impl Checkpoints {
    /// [`Checkpoints::every`], unless it is told otherwise.
    pub const EVERY: Duration = Duration::from_secs(10);

    /// Every ten seconds, without notes.
    pub fn new(path: &Path, record: Record) -> Self {
        Self { path: path.into(), every: Self::EVERY, finished: true, record, notes: BTreeMap::new() }
    }
}

/// A checkpoint that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    /// Its iteration, over all scales.
    pub iteration: usize,
    /// The bytes of the file.
    pub bytes: u64,
    /// The time that it took.
    pub took: Duration,
}

/// How far a run has come when it is saved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The scale, from 0 on.
    pub(crate) scale: usize,
    /// (H, W) at this scale.
    pub(crate) size: (usize, usize),
    /// Iterations and evaluations of all scales before.
    pub(crate) before: (usize, usize),
    /// Iterations of this scale.
    pub(crate) iterations: usize,
    /// Since the run began.
    pub(crate) elapsed: Duration,
}

/// Writes a run's checkpoints when they are due.
#[derive(Debug)]
pub(crate) struct Keeper {
    checkpoints: Checkpoints,
    coarse_iterations: Iterations,
    pace: Pace,
    /// Scale and iteration of the last one.
    saved: Option<(usize, usize)>,
}

impl Keeper {
    pub(crate) fn new(checkpoints: Checkpoints, coarse_iterations: Iterations) -> Self {
        let pace = Pace { every: checkpoints.every, next: Duration::ZERO };
        Self { checkpoints, coarse_iterations, pace, saved: None }
    }

    /// Whether it is time for one.
    pub(crate) fn is_due(&self, elapsed: Duration) -> bool {
        elapsed >= self.pace.next
    }

    /// Whether a run that is done is kept.
    pub(crate) const fn keeps_finished(&self) -> bool {
        self.checkpoints.finished
    }

    /// Whether the last one is of this iteration.
    pub(crate) fn has(&self, scale: usize, iterations: usize) -> bool {
        self.saved == Some((scale, iterations))
    }

    /// Writes one; `body` writes coordinates and state.
    pub(crate) fn save(
        &mut self,
        place: Place,
        body: impl FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Saved, CheckpointError> {
        let started = Instant::now();
        let header = self.header(place);
        let (body, bytes) = (RefCell::new(body), Cell::new(0));
        let written = write_atomically(&self.checkpoints.path, |to| {
            bytes.set(format::write(to, &header, &mut *body.borrow_mut())?);
            Ok(())
        });
        let took = started.elapsed();
        self.pace.wrote(place.elapsed + took, took);
        written?;
        self.saved = Some((place.scale, place.iterations));
        Ok(Saved { iteration: place.before.0 + place.iterations, bytes: bytes.get(), took })
    }

    fn header(&self, place: Place) -> Header {
        Header {
            record: self.checkpoints.record.clone(),
            instruction_set: Isa::current().name().to_owned(),
            coarse_iterations: self.coarse_iterations.clone(),
            scale: place.scale,
            height: place.size.0,
            width: place.size.1,
            iterations_before: place.before.0,
            evaluations_before: place.before.1,
            iterations: place.iterations,
            seconds: place.elapsed.as_secs_f64(),
            notes: self.checkpoints.notes.clone(),
        }
    }
}

/// When the next checkpoint is due.
#[derive(Debug)]
struct Pace {
    every: Duration,
    /// In time of the run.
    next: Duration,
}

impl Pace {
    /// One was written until `at`, or was to be, and took this long.
    fn wrote(&mut self, at: Duration, took: Duration) {
        self.next = at.saturating_add(self.every.max(took.saturating_mul(PAUSES)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever they take, and however often they are asked for.
        #[test]
        fn checkpoints_take_a_twentieth_of_the_time_at_most(
            every in 0u64..30_000, takes in prop::collection::vec(0u64..9_000, 1..20), iteration in 1u64..5_000,
        ) {
            let milliseconds = Duration::from_millis;
            let mut pace = Pace { every: milliseconds(every), next: Duration::ZERO };
            let (mut now, mut writing, mut last) = (0, 0, None);
            for took in takes {
                while milliseconds(now) < pace.next {
                    now += iteration;
                }
                prop_assert!(last.is_none_or(|last| now - last >= every));
                // Every one is followed by its pause.
                prop_assert!(20 * writing <= now);
                now += took;
                writing += took;
                pace.wrote(milliseconds(now), milliseconds(took));
                last = Some(now);
            }
        }
    }
}
