//! How a batch looks while it runs: one bar for all and a line for each picture at work on a terminal, a line a picture elsewhere.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use impasto_batch::Figures;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::jobs::Planned;
use crate::duration::spoken;
use crate::progress::Volume;
use crate::streams::tell;

/// What happens to a job, or beside all of them.
pub(super) enum What {
    Line(String),
    Started {
        iterations: usize,
        done: usize,
    },
    Step {
        iteration: usize,
        loss: f64,
        log: Option<Vec<u8>>,
    },
    Painted(Figures),
    /// Its picture was there, or another process has painted it.
    There,
    /// It failed with that sentence, and is tried again or not.
    Failed {
        failure: String,
        again: bool,
    },
    /// It was read; these options have no effect on it.
    Read {
        idle: Vec<String>,
    },
    /// It is left for another time.
    Left,
}

/// Something that happened to the job of that number.
pub(super) struct Told {
    pub(super) job: usize,
    pub(super) what: What,
}

/// Tells of one job.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) job: usize,
    pub(super) to: Sender<Told>,
    pub(super) is_verbose: bool,
}

impl Teller {
    /// Nobody hears it any more when the batch ends with an error.
    pub(super) fn tell(&self, what: What) {
        let _ = self.to.send(Told { job: self.job, what });
    }

    pub(super) fn line(&self, line: String) {
        self.tell(What::Line(line));
    }

    /// A line with `--verbose`.
    pub(super) fn verbose(&self, line: impl FnOnce() -> String) {
        if self.is_verbose {
            self.line(line());
        }
    }
}

/// What is shown.
pub(super) struct Display<'a> {
    jobs: &'a [Planned],
    way: Way,
    begun: Instant,
    /// Jobs that are over, of those that were not when the call began.
    over: usize,
    /// How many there were.
    pending: usize,
    /// What is done of the costs, and of how much.
    done: f64,
    cost: f64,
    /// The bars of the jobs at work, on a terminal.
    bars: HashMap<usize, ProgressBar>,
}

enum Way {
    Bars(MultiProgress, ProgressBar),
    Lines,
    Quiet,
}

impl<'a> Display<'a> {
    /// That of some jobs, of which these are pending.
    pub(super) fn new(volume: Volume, jobs: &'a [Planned], pending: &[usize]) -> Self {
        let way = match volume {
            Volume { quiet: true, .. } => Way::Quiet,
            _ if io::stderr().is_terminal() => {
                let bars = MultiProgress::new();
                let style = style("{bar:32} {pos}/{len} pictures{msg}");
                let all = bars.add(ProgressBar::new(pending.len() as u64).with_style(style));
                all.enable_steady_tick(Duration::from_secs(1));
                Way::Bars(bars, all)
            }
            _ => Way::Lines,
        };
        let cost = pending.iter().map(|&job| jobs[job].cost()).sum();
        let (begun, pending) = (Instant::now(), pending.len());
        Self { jobs, way, begun, over: 0, pending, done: 0.0, cost, bars: HashMap::new() }
    }

    /// A line that stays.
    pub(super) fn say(&self, line: &str) {
        match &self.way {
            Way::Bars(bars, _) => bars.suspend(|| tell(line)),
            Way::Lines => tell(line),
            Way::Quiet => {}
        }
    }

    /// A line that stays, quiet or not.
    pub(super) fn insist(&self, line: &str) {
        match &self.way {
            Way::Bars(bars, _) => bars.suspend(|| tell(line)),
            Way::Lines | Way::Quiet => tell(line),
        }
    }

    pub(super) fn show(&mut self, Told { job, what }: Told) {
        let name = &self.jobs[job].name;
        match what {
            What::Line(line) => self.say(&line),
            What::Started { iterations, done } => self.start(job, iterations, done),
            What::Step { iteration, loss, .. } => self.step(job, iteration, loss),
            What::Painted(figures) => {
                self.end(job);
                let Figures { width, height, iterations, seconds, loss, .. } = figures;
                let took = in_seconds(seconds);
                let line = format!(
                    "{name}: {width} x {height} pixels after {iterations} iterations, loss {loss:.4e}, in {took}"
                );
                self.say(&format!("{}{line}{}", self.number(), self.left()));
            }
            What::There => {
                self.end(job);
                self.say(&format!("{}{name}: is there already", self.number()));
            }
            What::Failed { failure, again } => {
                if again {
                    self.leave(job);
                    self.say(&format!("{name}: failed, and will be tried again: {failure}"));
                } else {
                    self.end(job);
                    self.say(&format!("{}{name}: failed: {failure}", self.number()));
                }
            }
            What::Read { .. } => {}
            What::Left => self.leave(job),
        }
    }

    /// No more of it.
    pub(super) fn finish(&self) {
        if let Way::Bars(bars, all) = &self.way {
            all.finish_and_clear();
            bars.clear().ok();
        }
    }

    fn start(&mut self, job: usize, iterations: usize, done: usize) {
        let Way::Bars(bars, _) = &self.way else { return };
        let bar = ProgressBar::new(iterations as u64).with_style(style("  {bar:16} {pos}/{len}  {msg}"));
        let bar = bars.add(bar);
        bar.set_message(self.jobs[job].name.clone());
        bar.set_position(done as u64);
        self.bars.insert(job, bar);
    }

    fn step(&mut self, job: usize, iteration: usize, loss: f64) {
        let Some(bar) = self.bars.get(&job) else { return };
        bar.set_position(iteration as u64);
        bar.set_message(format!("{}, loss {loss:.4e}", self.jobs[job].name));
        if let Way::Bars(_, all) = &self.way {
            all.set_message(self.left());
        }
    }

    /// A job is not at work any more.
    fn leave(&mut self, job: usize) {
        if let (Some(bar), Way::Bars(bars, _)) = (self.bars.remove(&job), &self.way) {
            bar.finish_and_clear();
            bars.remove(&bar);
        }
    }

    fn end(&mut self, job: usize) {
        self.leave(job);
        self.over += 1;
        self.done += self.jobs[job].cost();
        if let Way::Bars(_, all) = &self.way {
            all.set_position(self.over as u64);
            all.set_message(self.left());
        }
    }

    /// `3/60: `.
    fn number(&self) -> String {
        format!("{}/{}: ", self.over, self.pending)
    }

    /// `, 12 min left`, by what the jobs took that are over.
    fn left(&self) -> String {
        let seconds = self.begun.elapsed().as_secs_f64() * (self.cost - self.done) / self.done;
        match Duration::try_from_secs_f64(seconds) {
            Ok(left) if self.over < self.pending && self.done > 0.0 => format!(", {} left", spoken(left)),
            _ => String::new(),
        }
    }
}

/// `6.2 s`, or as people say it.
pub(super) fn in_seconds(seconds: f64) -> String {
    if seconds < 99.5 { format!("{seconds:.1} s") } else { spoken(Duration::from_secs_f64(seconds)) }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
