//! How a run looks while it runs: a bar on a terminal, now and then a line elsewhere, nothing with `--quiet`. All of it goes
//! to standard error.

use std::cell::Cell;
use std::io::{self, IsTerminal};

use impasto_style::{Event, LossKind, Progress, Summary};
use indicatif::{ProgressBar, ProgressStyle};

use crate::streams::tell;

/// The three ways of showing progress.
pub(crate) enum Display {
    Bar(ProgressBar),
    /// With the iterations of the run.
    Lines(Cell<usize>),
    Quiet,
}

impl Display {
    pub(crate) fn new(quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:32} {pos}/{len}  {msg}  {eta} left");
            return Self::Bar(
                ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())),
            );
        }
        Self::Lines(Cell::new(0))
    }

    /// Shows what a run tells.
    pub(crate) fn show(&self, event: Event<'_>) {
        match event {
            Event::Started(summary) => self.start(summary),
            Event::Iteration(progress) => self.step(progress),
            Event::Measured(..) | Event::Checkpoint(_) | Event::NoCheckpoint(_) | Event::Ended(_) => {}
        }
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| tell(line)),
            Self::Lines(_) => tell(line),
            Self::Quiet => {}
        }
    }

    /// The one line before the work starts.
    fn start(&self, summary: &Summary) {
        let (height, width) = summary.size;
        let paintings: Vec<String> =
            summary.style_sizes.iter().map(|(height, width)| format!("{width} x {height}")).collect();
        let scales = if summary.scales.len() == 1 {
            String::new()
        } else {
            let sides = summary.scales.iter().map(|&(height, width)| height.max(width).to_string());
            format!(" at {} pixels", sides.collect::<Vec<_>>().join(", "))
        };
        let bands = if summary.bands > 1 { format!(" in {} bands", summary.bands) } else { String::new() };
        let done = if summary.done > 0 { format!(", {} of them done", summary.done) } else { String::new() };
        let checkpoints = summary.checkpoint_bytes.map_or_else(String::new, |bytes| {
            format!(", checkpoints of up to {} MiB", bytes.div_ceil(1 << 20))
        });
        self.say(&format!(
            "Painting {width} x {height} in the style of {}: {}, {} iterations{scales}{done}, {} {}, \
             {} MiB of memory{bands}{checkpoints}",
            paintings.join(" and "),
            summary.arch,
            summary.iterations,
            summary.threads,
            if summary.threads == 1 { "thread" } else { "threads" },
            summary.bytes.div_ceil(1 << 20),
        ));
        match self {
            Self::Bar(bar) => {
                bar.set_length(summary.iterations as u64);
                bar.set_position(summary.done as u64);
                bar.reset_eta();
            }
            Self::Lines(iterations) => iterations.set(summary.iterations),
            Self::Quiet => {}
        }
    }

    /// An iteration is done.
    fn step(&self, progress: &Progress<'_>) {
        match self {
            Self::Bar(bar) => {
                bar.set_message(format!("loss {:.4e}", progress.losses.total));
                bar.set_position(progress.iteration as u64);
            }
            Self::Lines(iterations) => {
                let iterations = iterations.get();
                let every = (iterations / 20).max(1);
                if progress.iteration == 1 || progress.iteration.is_multiple_of(every) {
                    let losses = progress.losses;
                    let counts = |kind: &LossKind| losses.terms.iter().any(|term| term.kind == *kind);
                    let part = |kind: LossKind| format!(", {} {:.4e}", kind.name(), losses.sum(kind));
                    let parts: String = LossKind::ALL.into_iter().filter(counts).map(part).collect();
                    tell(&format!(
                        "iteration {}/{iterations}: loss {:.4e}{parts}, {:.1} s",
                        progress.iteration,
                        losses.total,
                        progress.elapsed.as_secs_f64(),
                    ));
                }
            }
            Self::Quiet => {}
        }
    }

    /// No more iterations.
    pub(crate) fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
