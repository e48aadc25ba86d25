//! Where the time of a command went, for `--verbose`.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use impasto_style::Event;

use crate::duration::spoken;

/// When the program began.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The program begins.
pub(crate) fn begin() {
    LazyLock::force(&BEGUN);
}

/// Since the program began.
pub(crate) fn elapsed() -> Duration {
    BEGUN.elapsed()
}

/// What a command does one after the other; a study paints and writes again and again.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Reading,
    Painting,
    Writing,
}

/// The time of each phase.
#[derive(Debug)]
pub(crate) struct Times {
    phase: Phase,
    since: Instant,
    spent: [Duration; 3],
    /// Part of the painting.
    measuring: Duration,
}

impl Times {
    /// Those of a program that has only read so far.
    pub(crate) fn of_reading() -> Self {
        Self { phase: Phase::Reading, since: *BEGUN, spent: [Duration::ZERO; 3], measuring: Duration::ZERO }
    }

    /// Hears what a transfer tells.
    pub(crate) fn heed(&mut self, event: Event<'_>) {
        match event {
            Event::Started(_) => self.enter(Phase::Painting),
            Event::Measured(_, elapsed) => self.measuring += elapsed,
            Event::Ended(_) => self.enter(Phase::Writing),
            // Within a phase.
            _ => {}
        }
    }

    fn enter(&mut self, phase: Phase) {
        let now = Instant::now();
        self.spent[self.phase as usize] += now - self.since;
        (self.phase, self.since) = (phase, now);
    }

    /// The line that tells all of them.
    pub(crate) fn line(&mut self) -> String {
        self.enter(self.phase);
        let [reading, painting, writing] = self.spent;
        let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
        format!(
            "Reading took {}, measuring {}, painting {}, writing {}; {} in all",
            seconds(reading),
            seconds(self.measuring),
            seconds(painting.saturating_sub(self.measuring)),
            seconds(writing),
            spoken(elapsed()),
        )
    }
}
