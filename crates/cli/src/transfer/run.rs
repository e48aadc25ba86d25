//! What happens beside the optimisation: the log, intermediate pictures, checkpoints, signals, and what is said at the end.

use std::ops::ControlFlow;
use std::path::Path;

use impasto_files::{probe, probe_replaceable};
use impasto_style::{Event, Painting, Progress, Said, StopReason, Summary, TransferError};

use super::Arguments;
use crate::checkpoint::{Job, how_to_go_on};
use crate::failure::Failure;
use crate::inputs::Inputs;
use crate::intermediate::Intermediate;
use crate::interrupt::{Cause, Interrupt};
use crate::log::Log;
use crate::output::Output;
use crate::place::is_standard;
use crate::progress::{Display, painted};
use crate::sources::counted;

/// As many names of intermediate pictures are checked before the start. Of the others each is when its turn comes.
const CHECKED: usize = 100;

/// What happens beside the optimisation.
pub(super) struct Run<'a> {
    interrupt: &'a Interrupt,
    pub(super) display: Display,
    inputs: Inputs,
    pub(super) output: Output,
    /// What is said of the pictures when all has been checked.
    pub(super) notices: Vec<String>,
    /// What pictures say of themselves.
    said: Option<Said>,
    log: Option<Log>,
    /// They replace neither the inputs nor the log nor the checkpoint.
    intermediate: Option<Intermediate>,
    /// What is said of the places that a checkpoint has chosen.
    chosen: Option<String>,
    /// The checkpoint that the run goes on from.
    resumed: Option<&'a Path>,
    checkpoint: Option<&'a Path>,
    /// Whether the last checkpoint was written.
    kept: bool,
    /// (H, W) of the last scale.
    size: (usize, usize),
    iterations: usize,
    /// (H, W) of the picture that the run ended with.
    ended: Option<(usize, usize)>,
    /// What became of that picture.
    written: Result<(), Failure>,
    /// The first thing that went wrong with the log or an intermediate picture. The picture is painted all the same.
    failure: Option<Failure>,
}

impl<'a> Run<'a> {
    /// Checks the places of all that will be written, before anything is read. `chosen` is what is said of those that a
    /// checkpoint has chosen.
    pub(super) fn new(
        arguments: &'a Arguments,
        job: &Job,
        chosen: Option<String>,
        interrupt: &'a Interrupt,
    ) -> Result<Self, Failure> {
        let output = Output::new(&job.output, &job.written)?;
        let display = Display::new(arguments.volume, &output.name());
        let intermediate = job.save_every.map(|every| Intermediate::beside(&output, every)).transpose()?;
        let checkpoint = arguments.checkpoint.path();
        let (inputs, taken) = files(job, arguments)?;
        let log = job.log.as_deref().map(Log::new).transpose()?;
        checkpoint.map_or(Ok(()), |path| probe_replaceable(path, 0))?;
        Ok(Self {
            interrupt,
            display,
            inputs,
            output,
            notices: Vec::new(),
            said: None,
            log,
            intermediate: intermediate.map(|intermediate| intermediate.apart_from(taken)),
            chosen,
            resumed: arguments.checkpoint.resumed(),
            checkpoint,
            kept: false,
            size: (0, 0),
            iterations: 0,
            ended: None,
            written: Ok(()),
            failure: None,
        })
    }

    /// What its pictures say of themselves, unless their files cannot hold as much.
    pub(super) fn says(&mut self, said: Said) {
        match said.too_long(self.output.writing().encoding) {
            Some(problem) => self.notices.push(format!("Warning: {}: {problem}", self.output.name())),
            None => self.said = Some(said),
        }
    }

    /// Checks that there is room for a picture of that size (H, W).
    pub(super) fn reserve(&self, size: (usize, usize)) -> Result<(), Failure> {
        self.output.reserve(size, self.said.as_ref().map(Said::longest))
    }

    pub(super) fn on_event(&mut self, event: Event<'_>) -> ControlFlow<()> {
        self.interrupt.heed(event);
        self.notices.drain(..).for_each(|line| self.display.say(&line));
        self.display.show(event);
        match event {
            Event::Started(summary) => {
                (self.size, self.iterations) = (summary.size, summary.iterations);
                if let Some(said) = &mut self.said {
                    said.start(summary);
                }
                if let Err(failure) = self.start(summary) {
                    self.failure = Some(failure);
                    return ControlFlow::Break(());
                }
            }
            Event::Iteration(progress) => {
                self.record(progress);
                self.save(progress);
                if self.interrupt.takes_picture() {
                    self.write_as_it_is(progress);
                }
            }
            Event::Checkpoint(_) => self.kept = true,
            Event::NoCheckpoint(error) => {
                self.kept = false;
                self.display.goes_on_without(&error);
            }
            // Before the last checkpoint, which may take long.
            Event::Ended(painting) => {
                let text = self.said.as_ref().map(|said| said.of_painting(painting));
                self.ended = Some((painting.picture.height(), painting.picture.width()));
                self.written = self.output.write_or_keep(&painting.picture, text);
            }
            // What is only shown.
            _ => {}
        }
        self.interrupt.flow()
    }

    /// Says where outputs go, and checks the names of the first intermediate pictures, which depend on the number of iterations,
    /// and the room for checkpoints; then opens the log.
    fn start(&mut self, summary: &Summary) -> Result<(), Failure> {
        if let Some(chosen) = &self.chosen {
            self.display.say(chosen);
        }
        let pictures = self.first_saved(summary.done);
        let names = pictures.iter().filter_map(Output::path).map(|path| ("--save-every", path));
        let log = self.log.iter().filter_map(|log| Some(("--log", log.path()?)));
        let checkpoint = self.checkpoint.iter().map(|&path| ("--checkpoint", path));
        self.inputs.keep_apart(&names.chain(log).chain(checkpoint).collect::<Vec<_>>())?;
        let longest = self.said.as_ref().map(Said::longest);
        pictures.first().map_or(Ok(()), |picture| picture.reserve(summary.size, longest))?;
        if let (Some(path), Some(bytes)) = (self.checkpoint, summary.checkpoint_bytes)
            && let Err(error) = probe(path, bytes)
        {
            self.display.goes_on_without(&error);
        }
        self.log.as_mut().map_or(Ok(()), |log| log.start(summary.done))
    }

    /// The places of the first intermediate pictures after `done` iterations.
    fn first_saved(&self, done: usize) -> Vec<Output> {
        self.intermediate.as_ref().map_or_else(Vec::new, |intermediate| {
            intermediate.first(&self.output, done, self.iterations, CHECKED)
        })
    }

    /// The log line of an iteration; nothing more after one that could not be written.
    fn record(&mut self, progress: &Progress<'_>) {
        if let Some(mut log) = self.log.take() {
            match log.write(progress) {
                Ok(()) => self.log = Some(log),
                Err(failure) => self.remember(failure),
            }
        }
    }

    /// The intermediate picture of an iteration.
    fn save(&mut self, progress: &Progress<'_>) {
        let Some(intermediate) = &self.intermediate else { return };
        let place = intermediate.due(&self.output, progress.iteration, self.iterations);
        let saved = place.and_then(|place| place.map_or(Ok(()), |place| self.write(progress, &place)));
        if let Err(failure) = saved {
            self.remember(failure);
        }
    }

    /// The picture of an iteration.
    fn write(&self, progress: &Progress<'_>, output: &Output) -> Result<(), Failure> {
        output
            .write(&progress.picture()?, self.said.as_ref().map(|said| said.of_iteration(progress.iteration)))
    }

    /// The picture that SIGUSR1 asks for.
    fn write_as_it_is(&self, progress: &Progress<'_>) {
        let (name, iteration) = (self.output.name(), progress.iteration);
        let said = if self.output.path().is_none() {
            "Warning: standard output takes one picture, at the end".to_owned()
        } else {
            match self.write(progress, &self.output) {
                Ok(()) => {
                    let all = counted(self.iterations, "iteration");
                    format!("Wrote {name} as it is after {iteration} of {all}")
                }
                Err(failure) => format!("Warning: {failure}; painting goes on"),
            }
        };
        self.display.say(&said);
    }

    /// Goes on without what failed; the first failure is told again at the end.
    fn remember(&mut self, failure: Failure) {
        if self.failure.is_none() {
            self.display.goes_on_without(&failure);
            self.failure = Some(failure);
        }
    }

    /// Why there is no picture of the whole run, and what there is all the same.
    pub(super) fn no_painting(self, error: TransferError) -> Failure {
        let Some((height, width)) = self.ended else {
            return match (self.failure, self.resumed.map(how_to_go_on)) {
                // It has cancelled the run.
                (Some(failure), _) if matches!(error, TransferError::Cancelled) => failure,
                (Some(failure), _) => Failure::failed(format!("{}; {failure}", Failure::from(error))),
                (None, Some(on)) => {
                    let what = format!("before it went on; the checkpoint is as it was{on}");
                    self.interrupt.failure(error, what)
                }
                (None, None) => {
                    self.interrupt.failure(error, "before the first iteration was done; there is no picture")
                }
            };
        };
        let place = match self.written {
            Ok(()) => format!("is in {}", self.output.name()),
            Err(failure) => format!("is not where it should be: {failure}"),
        };
        let beside = self.failure.map_or_else(String::new, |failure| format!("; {failure}"));
        let on = self.checkpoint.filter(|_| self.kept).map_or_else(String::new, how_to_go_on);
        let error = Failure::from(error);
        Failure::failed(format!("{error}; the picture of {width} x {height} pixels {place}{beside}{on}"))
    }

    /// Says what ended a run that has a picture, whatever that was.
    pub(super) fn conclude(mut self, painting: &Painting) -> Result<(), Failure> {
        self.written?;
        let name = self.output.name();
        let painted = painted(painting);
        let done = format!("{} of {}", painting.iterations, counted(self.iterations, "iteration"));
        let cause = self.interrupt.cause().filter(|_| painting.reason == StopReason::Cancelled);
        let beside = self.failure.as_ref().map_or_else(String::new, |failure| format!("; {failure}"));
        let on = self.checkpoint.filter(|_| self.kept).map_or_else(String::new, how_to_go_on);
        if let Some(cause @ Cause::Signal(_)) = cause {
            let message = format!(
                "stopped after {done} by {cause}; the picture so far is in {name}: {painted}{beside}{on}"
            );
            return Err(Failure::stopped(cause, message));
        }
        if let Some(failure) = self.failure {
            return Err(Failure::failed(format!("{failure}; the picture is in {name} all the same")));
        }
        self.display.conclude(&match (cause, painting.reason) {
            (Some(cause), _) => format!("Wrote {name}: {cause} ended it after {done}, {painted}{on}"),
            (None, StopReason::Iterations) => {
                format!("Wrote {name} after {}: {painted}", counted(painting.iterations, "iteration"))
            }
            (None, reason) => format!("Wrote {name}: ended after {done} because {reason}, {painted}"),
        });
        Ok(())
    }
}

/// The files that are read, kept apart from those that are written; and with the log and the checkpoint, what intermediate
/// pictures may not replace.
fn files(job: &Job, arguments: &Arguments) -> Result<(Inputs, Inputs), Failure> {
    let mut read = job.sources.files();
    read.extend(arguments.subject.scene.as_deref().map(|path| ("--scene", path)));
    read.extend(arguments.checkpoint.source().map(|path| ("--resume", path)));
    read.extend(arguments.options.settings.as_deref().map(|path| ("--config", path)));
    let inputs = Inputs::new(&read, &job.options.init, &job.network);
    let written = [("--log", job.log.as_deref()), ("--checkpoint", arguments.checkpoint.path())];
    let written = written.into_iter().filter_map(|(name, path)| Some((name, path?)));
    let picture = ("-o", &*job.output);
    inputs.keep_apart(&std::iter::once(picture).chain(written.clone()).collect::<Vec<_>>())?;
    read.extend(written.filter(|(_, path)| !is_standard(path)));
    Ok((inputs, Inputs::new(&read, &job.options.init, &job.network)))
}
