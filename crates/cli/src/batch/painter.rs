//! A job that was read becomes a picture.

use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use impasto_batch::{Figures, State, Status};
use impasto_files::probe;
use impasto_style::{
    Checkpoint, Checkpoints, Event, LossKind, Painting, Resume, Run, Summary, TransferError, Vanished,
    transfer_with,
};

use super::display::{Teller, What};
use super::jobs::Planned;
use super::material::Material;
use super::reader::Ready;
use super::strip;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::log::job_line;
use crate::sources::counted;

/// How a painting ended that has not failed.
pub(super) enum Ended {
    /// Its picture is written.
    Painted(Figures),
    /// It was there, made of the same.
    There,
    /// It was stopped, and goes on from its checkpoint another time.
    Stopped,
}

/// What painters have in common.
#[derive(Clone, Copy)]
pub(super) struct Workshop<'a> {
    pub(super) material: &'a Material,
    pub(super) state: &'a State,
    pub(super) interrupt: &'a Interrupt,
    /// Whether iterations are logged.
    pub(super) logs: bool,
}

impl Workshop<'_> {
    /// Paints a job within a limit of memory, in the threads of the pool that it is called in.
    pub(super) fn paint(
        self,
        planned: &Planned,
        ready: &mut Ready,
        memory: Option<u64>,
        teller: &Teller,
    ) -> Result<Ended, Failure> {
        let (job, name) = (&planned.job, &planned.asked.name);
        let mut options = job.options.clone();
        options.init = ready.init.clone();
        options.memory_limit = memory;
        options.make_room_for(&ready.subject);
        let checkpoint = self.state.checkpoint(name);
        let resume = self.resume(planned, ready, teller);
        let checkpoints =
            Checkpoints { finished: false, ..Checkpoints::new(&checkpoint, ready.record.clone()) };
        let (material, shared) = (self.material, ready.shared.clone());
        let measured = options.clone();
        let measure = move |scene: &impasto_style::Scene<'_>| {
            material.targets.measure(scene, (&shared.network, &shared.input), &measured)
        };
        let run = Run { resume, checkpoints: Some(checkpoints), measure: Some(Box::new(measure)) };
        let mut easel = Easel {
            workshop: self,
            planned,
            teller,
            started: Instant::now(),
            elapsed: Duration::ZERO,
            size: (0, 0),
            notices: std::mem::take(&mut ready.notices),
            written: None,
        };
        let (subject, network) = (&ready.subject, &ready.shared.network);
        let (output, said) = (&ready.output, &mut ready.said);
        let painting = transfer_with(network, subject, &options, run, |event| {
            if let (Event::Started(summary), Some(said)) = (event, said.as_mut()) {
                said.start(summary);
            }
            let write = |picture: &Painting| {
                output.write(&picture.picture, said.as_ref().map(|said| said.of_painting(picture)))
            };
            easel.hear(event, write)
        });
        match (painting, easel.written) {
            (Ok(painting), Some(written)) => {
                written?;
                strip::write(&self.state.strip(name), subject, &painting.picture);
                fs::remove_file(&checkpoint).ok();
                Ok(Ended::Painted(figures(&painting, easel.elapsed)))
            }
            (Ok(_) | Err(TransferError::Cancelled), _) => Ok(Ended::Stopped),
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Where a job goes on from, if it was stopped before and is still the same.
    fn resume(self, planned: &Planned, ready: &Ready, teller: &Teller) -> Option<Resume> {
        let path = self.state.checkpoint(&planned.asked.name);
        if !path.exists() {
            return None;
        }
        match Checkpoint::open(&path).and_then(|checkpoint| checkpoint.fitting(&ready.record)) {
            Ok(resume) => Some(resume),
            Err(error) => {
                teller.line(format!("{}: starts anew: {error}", planned.name));
                fs::remove_file(&path).ok();
                None
            }
        }
    }

    /// Whether the picture of a job is there although nothing says that the job is done. One that was done, and is another one since, is painted
    /// again.
    pub(super) fn is_there(self, planned: &Planned, ready: &Ready) -> bool {
        let name = &planned.asked.name;
        if self.state.job(name).is_some_and(|file| file.status == Status::Done) {
            return false;
        }
        let Some(picture) = ready.there(planned) else { return false };
        strip::write(&self.state.strip(name), &ready.subject, &picture);
        fs::remove_file(self.state.checkpoint(name)).ok();
        true
    }
}

/// What happens beside the optimisation of one job.
struct Easel<'a> {
    workshop: Workshop<'a>,
    planned: &'a Planned,
    teller: &'a Teller,
    started: Instant,
    /// Time that was spent on it.
    elapsed: Duration,
    /// (H, W) of the last scale.
    size: (usize, usize),
    notices: Vec<String>,
    /// What became of the picture, if it was painted to its end.
    written: Option<Result<(), Failure>>,
}

impl Easel<'_> {
    fn hear(
        &mut self,
        event: Event<'_>,
        write: impl FnOnce(&Painting) -> Result<(), Failure>,
    ) -> ControlFlow<()> {
        self.workshop.interrupt.heed(event);
        match event {
            Event::Started(summary) => self.start(summary),
            Event::Iteration(progress) => {
                self.elapsed = progress.elapsed;
                let log = self
                    .workshop
                    .logs
                    .then(|| job_line(progress, &self.planned.asked.name, &self.planned.name));
                self.teller.tell(What::Step {
                    iteration: progress.iteration,
                    loss: progress.losses.total,
                    log,
                });
            }
            Event::NoCheckpoint(error) => {
                self.teller.line(format!("Warning: {}: {error}; painting goes on", self.planned.name));
            }
            Event::Ended(painting) => {
                let size = (painting.picture.height(), painting.picture.width());
                let is_whole = painting.reason != impasto_style::StopReason::Cancelled && size == self.size;
                self.written = is_whole.then(|| write(painting));
            }
            // What is only of interest to who waits for one picture.
            _ => {}
        }
        self.workshop.interrupt.flow()
    }

    fn start(&mut self, summary: &Summary) {
        self.size = summary.size;
        let name = &self.planned.name;
        for line in self.notices.drain(..).chain(Vanished::sentences(&summary.vanished)) {
            self.teller.line(format!("{name}: {line}"));
        }
        let place = self.workshop.state.checkpoint(&self.planned.asked.name);
        if let Some(Err(error)) = summary.checkpoint_bytes.map(|bytes| probe(&place, bytes)) {
            self.teller.line(format!("Warning: {name}: {error}; painting goes on"));
        }
        let (height, width) = summary.size;
        let mib = summary.bytes.div_ceil(1 << 20);
        let reading = self.started.elapsed();
        self.teller.tell(What::Started { iterations: summary.iterations, done: summary.done });
        self.teller.verbose(|| {
            let threads = counted(summary.threads, "thread");
            format!(
                "{name}: {width} x {height}, {} iterations, {threads}, {mib} MiB, prepared in {reading:.2?}",
                summary.iterations
            )
        });
    }
}

/// What is known of a painting.
fn figures(painting: &Painting, elapsed: Duration) -> Figures {
    let losses = &painting.losses;
    let kinds = LossKind::ALL.into_iter().filter(|&kind| losses.has(kind));
    Figures {
        width: painting.picture.width(),
        height: painting.picture.height(),
        iterations: painting.iterations,
        seconds: elapsed.as_secs_f64(),
        loss: painting.loss,
        losses: kinds.map(|kind| (kind.name().to_owned(), losses.sum(kind))).collect(),
    }
}
