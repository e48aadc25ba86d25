//! How a run looks while it runs: a bar on a terminal, now and then a line elsewhere, nothing with `--quiet`. All of it goes
//! to standard error.

use std::fmt;
use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::Args;
use impasto_style::{Event, LossKind, Painting, Progress, Summary, Vanished};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::duration::spoken;
use crate::pace::{Pace, Work};
use crate::plan_table::plan_table;
use crate::sources::counted;
use crate::streams::tell;
use crate::times::{Times, elapsed};

/// How much a command says.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Volume {
    /// Say nothing but errors
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,

    /// Say also how each layer is computed, what memory it takes, and where the time went
    #[arg(short, long, conflicts_with = "quiet", help_heading = "Output")]
    pub(crate) verbose: bool,
}

/// What a command shows of what it does.
pub(crate) struct Display {
    way: Way,
    verbose: bool,
    /// What lines are about: the output, or the cell of a study.
    name: String,
    /// For a study, the number of the cell at work and how many there are.
    cell: Option<(usize, usize)>,
    /// Iterations of the transfer at work.
    iterations: usize,
    pace: Pace,
    times: Times,
}

/// The three ways of showing progress.
enum Way {
    Bar(ProgressBar),
    Lines,
    Quiet,
}

impl Display {
    /// That of a command that begins, whose output is called `name`.
    pub(crate) fn new(volume: Volume, name: &str) -> Self {
        let way = match volume {
            Volume { quiet: true, .. } => Way::Quiet,
            _ if io::stderr().is_terminal() => Way::Bar(ProgressBar::no_length().with_style(bar_style())),
            _ => Way::Lines,
        };
        let (pace, times) = (Pace::default(), Times::of_reading());
        Self { way, verbose: volume.verbose, name: name.to_owned(), cell: None, iterations: 0, pace, times }
    }

    /// There will be that many transfers.
    pub(crate) fn expect(&mut self, works: Vec<Work>) {
        self.cell = Some((0, works.len()));
        self.pace = Pace::of_all(works);
    }

    /// The next one of them comes to work, of that name, or is there already.
    pub(crate) fn next(&mut self, name: &str, is_there: bool) {
        let (number, cells) = self.cell.map_or((1, 1), |(number, cells)| (number + 1, cells));
        self.cell = Some((number, cells));
        self.pace.next();
        name.clone_into(&mut self.name);
        let there = if is_there { " is there already" } else { "" };
        self.say(&format!("{number}/{cells}: {name}{there}"));
    }

    /// Shows what a run tells.
    pub(crate) fn show(&mut self, event: Event<'_>) {
        self.times.heed(event);
        match event {
            Event::Started(summary) => self.start(summary),
            Event::Measured((height, width), took) if self.verbose => {
                let seconds = took.as_secs_f64();
                self.say(&format!("Measured the targets at {width} x {height} in {seconds:.2} s"));
            }
            Event::Iteration(progress) => self.step(progress),
            // The rest is shown by who runs the transfer, or takes no time that is worth a line.
            _ => {}
        }
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: &str) {
        match &self.way {
            Way::Bar(bar) if bar.length().is_some() => bar.suspend(|| tell(line)),
            Way::Bar(_) | Way::Lines => tell(line),
            Way::Quiet => {}
        }
    }

    /// Warns of what went wrong beside a run, which goes on without it.
    pub(crate) fn goes_on_without(&self, problem: &dyn fmt::Display) {
        self.say(&format!("Warning: {problem}; painting goes on"));
    }

    /// What is said before the work starts.
    fn start(&mut self, summary: &Summary) {
        self.say(&start_line(summary));
        for line in Vanished::sentences(&summary.vanished) {
            self.say(&line);
        }
        if self.verbose {
            for line in plan_table(summary) {
                self.say(&line);
            }
        }
        self.iterations = summary.iterations;
        self.pace.start(Work::of(summary));
        if let Way::Bar(bar) = &self.way {
            if let Some((number, cells)) = self.cell {
                bar.set_prefix(format!("{number}/{cells}  "));
            }
            bar.set_length(self.pace.iterations() as u64);
            bar.set_position(self.pace.done(summary.done) as u64);
            bar.enable_steady_tick(Duration::from_secs(1));
        }
    }

    /// An iteration is done.
    fn step(&mut self, progress: &Progress<'_>) {
        self.pace.step(progress.iteration, (progress.scale, progress.size), elapsed());
        let left = self.pace.left().filter(|_| self.pace.done(progress.iteration) < self.pace.iterations());
        let left = left.map_or_else(String::new, |left| format!(", {} left", spoken(left)));
        match &self.way {
            Way::Bar(bar) => {
                bar.set_position(self.pace.done(progress.iteration) as u64);
                bar.set_message(format!(", loss {:.4e}{left}", progress.losses.total));
            }
            Way::Lines => {
                let every = (self.iterations / 20).max(1);
                if progress.iteration == 1 || progress.iteration.is_multiple_of(every) {
                    let of_all = if self.cell.is_some() && !left.is_empty() { " of all" } else { "" };
                    tell(&format!("{}{left}{of_all}", self.line(progress)));
                }
            }
            Way::Quiet => {}
        }
    }

    /// `out.png: iteration 40/300: loss 1.2e4, content 3.4e3, style 8.6e3, 12.0 s`, and of all for a study.
    fn line(&self, progress: &Progress<'_>) -> String {
        let losses = progress.losses;
        let part = |kind: LossKind| format!(", {} {:.4e}", kind.name(), losses.sum(kind));
        let parts: String = LossKind::ALL.into_iter().filter(|&kind| losses.has(kind)).map(part).collect();
        let of_all = self.cell.map_or_else(String::new, |_| {
            format!(", {}/{} of all", self.pace.done(progress.iteration), self.pace.iterations())
        });
        format!(
            "{}: iteration {}/{}{of_all}: loss {:.4e}{parts}, {:.1} s",
            self.name,
            progress.iteration,
            self.iterations,
            losses.total,
            progress.elapsed.as_secs_f64(),
        )
    }

    /// No more iterations.
    pub(crate) fn finish(&self) {
        if let Way::Bar(bar) = &self.way {
            bar.finish_and_clear();
        }
    }

    /// The last line, and with `--verbose` where the time went.
    pub(crate) fn conclude(&mut self, line: &str) {
        self.say(line);
        if self.verbose {
            let times = self.times.line();
            self.say(&times);
        }
    }
}

/// The end of the last line: what was painted, and how long the command took.
pub(crate) fn painted(painting: &Painting) -> String {
    let (height, width) = (painting.picture.height(), painting.picture.width());
    let shrunk = match painting.chroma_shrunk * 100.0 {
        0.0 => String::new(),
        share => format!(", colours of {share:.2} % of the pixels paler than the photo's, to fit"),
    };
    format!("{width} x {height} pixels, loss {:.4e}{shrunk}, in {}", painting.loss, spoken(elapsed()))
}

/// `3/16  ####----  120/800  40 s, loss 1.2e4, 3 min left`.
fn bar_style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{prefix}{bar:32} {pos}/{len}  {spent}{msg}");
    let spent = |state: &ProgressState, to: &mut dyn std::fmt::Write| {
        // A terminal that takes no text has nothing to be told.
        let _ = to.write_str(&spoken(state.elapsed()));
    };
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).with_key("spent", spent)
}

/// The line of a transfer that starts.
fn start_line(summary: &Summary) -> String {
    let (height, width) = summary.size;
    let paintings: Vec<String> =
        summary.style_sizes.iter().map(|(height, width)| format!("{width} x {height}")).collect();
    let style = if paintings.is_empty() {
        String::new()
    } else {
        format!(" in the style of {}", paintings.join(" and "))
    };
    let sides = summary.scales.iter().map(|&(height, width)| height.max(width));
    let each = &summary.scale_iterations;
    let scales = if each.len() == 1 {
        String::new()
    } else if each.iter().all(|iterations| *iterations == each[0]) {
        format!(" at {} pixels", sides.map(|side| side.to_string()).collect::<Vec<_>>().join(", "))
    } else {
        let of_side = |(side, iterations): (usize, &usize)| format!("{iterations} at {side}");
        format!(" ({} pixels)", sides.zip(each).map(of_side).collect::<Vec<_>>().join(", "))
    };
    let bands = if summary.bands > 1 { format!(" in {} bands", summary.bands) } else { String::new() };
    let done = if summary.done > 0 { format!(", {} of them done", summary.done) } else { String::new() };
    let checkpoints = summary
        .checkpoint_bytes
        .map_or_else(String::new, |bytes| format!(", checkpoints of up to {} MiB", bytes.div_ceil(1 << 20)));
    format!(
        "Painting {width} x {height}{style}: {}, {}{scales}{done}, {}, {} MiB of memory{bands}{checkpoints}",
        summary.arch,
        counted(summary.iterations, "iteration"),
        counted(summary.threads, "thread"),
        summary.bytes.div_ceil(1 << 20),
    )
}
