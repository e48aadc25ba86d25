//! The transfer: from a photo and paintings to a picture, coarse to fine.

use std::ops::ControlFlow;
use std::time::Duration;

use impasto_autodiff::AutodiffError;
use impasto_lbfgs::{Optimiser as Method, Step, StopReason};

use crate::carried::Carried;
use crate::checkpoint::{Keeper, Place};
use crate::clock::Instant;
use crate::coordinates::Coordinates;
use crate::finish::Finish;
use crate::optimise::{Accepted, Descent};
use crate::run::Measure;
use crate::stage::{Stage, Start};
use crate::summary::{checkpoint_bytes, schedule, summarise};
use crate::{
    Breakdown, Event, Measuring, Objective, Optimiser, Picture, PreparedNetwork, Resume, Run, Scale, Scene,
    Subject, Targets, TransferError, TransferOptions, lbfgs,
};

/// A finished transfer.
#[derive(Debug, Clone, PartialEq)]
pub struct Painting {
    /// The accepted picture with the lowest loss, or the mean of all if Adam takes one, at the last scale that an iteration was accepted at.
    pub picture: Picture,
    /// The share of its pixels whose chroma had to shrink, visibly, to fit 0..=255, 0 to 1: only where the photo's colours stay
    /// ([`Colours::Photo`](crate::Colours::Photo)).
    pub chroma_shrunk: f64,
    /// Why the last scale ended.
    pub reason: StopReason,
    /// The loss at the start of the last scale.
    pub initial_loss: f64,
    /// The loss of the picture.
    pub loss: f64,
    /// That loss by its terms; of a mean of pictures, the last one's.
    pub losses: Breakdown,
    /// Accepted iterations of all scales.
    pub iterations: usize,
    /// Evaluations of all scales.
    pub evaluations: usize,
}

/// Paints the subject's photo in the style of its paintings.
///
/// Pictures are resized as the options say. `on_event` hears of every accepted iteration and can stop the run; the picture is
/// then the best one so far. A run that converges early ends with its picture too.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use std::path::Path;
/// use impasto_style::picture::Encoding;
/// use impasto_style::{Picture, PreparedNetwork, Preset, Subject, transfer};
///
/// let options = Preset::Default.options();
/// let photo = Picture::read(Path::new("photo.jpg"), &options.reading_photo(0))?;
/// let reading = options.reading_painting(0, &photo.picture, photo.picture.bytes());
/// let painting = Picture::read(Path::new("painting.jpg"), &reading)?;
/// let network = PreparedNetwork::new(impasto_vgg::Network::embedded()?, &options)?;
/// let subject = Subject::new(photo.picture, painting.picture);
/// let painting = transfer(&network, &subject, &options, |_| ControlFlow::Continue(()))?;
/// painting.picture.write(Path::new("out.png"), Encoding::Png)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`TransferError`].
pub fn transfer(
    network: &PreparedNetwork,
    subject: &Subject,
    options: &TransferOptions,
    on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Painting, TransferError> {
    transfer_with(network, subject, options, Run::default(), on_event)
}

/// [`transfer`] with what belongs to one run: where it goes on from, where it is kept, and targets that were measured before.
///
/// A run that goes on from a checkpoint is, to the bit, the one that was never stopped. It must be given the options of the
/// checkpoint's record, but for the number of iterations, and the same subject; what was done already is not reported again.
///
/// # Errors
/// [`TransferError`], and whatever [`Run::measure`] returns. The picture of the last scale that was finished before is told by
/// [`Event::Ended`].
pub fn transfer_with(
    network: &PreparedNetwork,
    subject: &Subject,
    options: &TransferOptions,
    run: Run<'_>,
    mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Painting, TransferError> {
    let started = Instant::now();
    let Run { resume, checkpoints, measure } = run;
    options.validate()?;
    subject.check(options)?;
    let coarse_iterations = match &resume {
        Some(resume) => resume.header().coarse_iterations.clone(),
        None => options.iterations.clone(),
    };
    let schedule = schedule(network, subject, options, &coarse_iterations);
    let mut summary = summarise(network, subject, options, &schedule)?;
    if let Some(resume) = &resume {
        check_place(resume, subject, &schedule)?;
        summary.done = resume.header().iterations_before + resume.header().iterations;
        // Fewer than are done may be asked for.
        summary.iterations = summary.iterations.max(summary.done);
    }
    if checkpoints.is_some() {
        summary.checkpoint_bytes = Some(checkpoint_bytes(subject, options, &schedule));
    }
    if on_event(Event::Started(&summary)).is_break() {
        return Err(TransferError::Cancelled);
    }
    let mut transfer = Transfer {
        inputs: (network, subject, options),
        measure,
        keeper: checkpoints.map(|checkpoints| Keeper::new(checkpoints, coarse_iterations)),
        carried: None,
        started,
        earlier: resume.as_ref().map_or(Duration::ZERO, |resume| resume.header().elapsed()),
        on_event: &mut on_event,
    };
    transfer.paint(&schedule, resume)
}

/// Checks that a checkpoint is of a scale of this schedule.
fn check_place(resume: &Resume, subject: &Subject, schedule: &[Scale]) -> Result<(), TransferError> {
    let header = resume.header();
    let size = schedule.get(header.scale).map(|scale| subject.size(scale.size));
    if size == Some((header.height, header.width)) {
        return Ok(());
    }
    Err(resume.damaged("this run has no scale of its size").into())
}

/// A transfer that is under way.
struct Transfer<'a> {
    inputs: (&'a PreparedNetwork, &'a Subject, &'a TransferOptions),
    measure: Option<Measure<'a>>,
    keeper: Option<Keeper>,
    /// What the next scale begins with.
    carried: Option<Carried>,
    started: Instant,
    /// The time of the runs that this one goes on from.
    earlier: Duration,
    on_event: &'a mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
}

impl Transfer<'_> {
    /// All scales, from that of the checkpoint on.
    fn paint(&mut self, schedule: &[Scale], mut resume: Option<Resume>) -> Result<Painting, TransferError> {
        let (first, mut before) = resume.as_ref().map_or((0, (0, 0)), |resume| {
            let header = resume.header();
            (header.scale, (header.iterations_before, header.evaluations_before))
        });
        let mut painting: Option<Painting> = None;
        for (index, &scale) in schedule.iter().enumerate().skip(first) {
            let (_, subject, options) = self.inputs;
            let (last, size) = (index + 1 == schedule.len(), subject.size(scale.size));
            let stage = Stage { index, last, scale, size, variables: options.variables(size), before };
            match self.paint_scale(&stage, painting.as_ref(), resume.take()) {
                Ok(reached) => {
                    before = (reached.iterations, reached.evaluations);
                    let cancelled = reached.reason == StopReason::Cancelled;
                    if (cancelled || last) && self.keeper.is_none() {
                        let _ = (self.on_event)(Event::Ended(&reached));
                    }
                    painting = Some(reached);
                    if cancelled {
                        break;
                    }
                }
                // This scale has no iteration yet: the picture is that of the scale before.
                Err(TransferError::Cancelled | TransferError::Autodiff(AutodiffError::Cancelled)) => {
                    let mut coarser = painting.ok_or(TransferError::Cancelled)?;
                    coarser.reason = StopReason::Cancelled;
                    let _ = (self.on_event)(Event::Ended(&coarser));
                    return Ok(coarser);
                }
                Err(error) => {
                    if let Some(coarser) = &painting {
                        let _ = (self.on_event)(Event::Ended(coarser));
                    }
                    return Err(error);
                }
            }
        }
        painting.ok_or(TransferError::Cancelled)
    }

    /// One scale, from the picture of the coarser one on, or from where the checkpoint is.
    fn paint_scale(
        &mut self,
        stage: &Stage,
        coarser: Option<&Painting>,
        resume: Option<Resume>,
    ) -> Result<Painting, TransferError> {
        let (network, subject, options) = self.inputs;
        let scene = subject.at(stage.scale.size, options)?;
        let start = match resume {
            Some(resume) => Start::at_checkpoint(resume, &scene, options)?,
            None => Start::after(coarser, &scene, network, options)?,
        };
        let measuring = Instant::now();
        let targets = self.targets(&scene, stage.size)?;
        if (self.on_event)(Event::Measured(stage.size, measuring.elapsed())).is_break() {
            return Err(TransferError::Cancelled);
        }
        // What was resized for this scale is not needed any more, but for the photo's colours and alpha.
        let finish = Finish::of(scene);
        let mut objective = Objective::new(network, targets, stage.size, options)?;
        match options.optimiser {
            Optimiser::Lbfgs { history } => {
                let method = lbfgs(history, stage.scale.iterations, stage.variables);
                let descent = start.by_lbfgs(method, stage, &mut objective)?;
                self.descend(descent, &mut objective, stage, &finish)
            }
            Optimiser::Adam(adam) => {
                let moments = self.carried.take().map(|carried| carried.at(stage.size)).transpose()?;
                let method = adam.method(stage.scale.iterations);
                let descent = start.by_adam(method, moments, stage, &mut objective)?;
                self.descend(descent, &mut objective, stage, &finish)
            }
        }
    }

    /// The targets of a scene, picture by picture, each told of before it is measured.
    fn targets(&mut self, scene: &Scene<'_>, size: (usize, usize)) -> Result<Targets, TransferError> {
        let mut tell = |source| match (self.on_event)(Event::Measuring(Measuring { size, source })) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(TransferError::Cancelled),
        };
        if let Some(measure) = &mut self.measure {
            tell(None)?;
            return measure(scene);
        }
        let (network, _, options) = self.inputs;
        scene.measure_with(network, options, |view| {
            tell(Some(view.source))?;
            network.measure_for(view, options)
        })
    }

    /// Steps until the scale ends, reports, and writes checkpoints.
    fn descend<M: Method, C: Coordinates>(
        &mut self,
        mut descent: Descent<M, C>,
        objective: &mut Objective,
        stage: &Stage,
        finish: &Finish<'_>,
    ) -> Result<Painting, TransferError> {
        let reason = loop {
            match descent.step(objective) {
                Ok(Step::Accepted) => {}
                Ok(Step::Ended(reason)) => break reason,
                Err(TransferError::Autodiff(AutodiffError::Cancelled)) => break StopReason::Cancelled,
                Err(error) => return Err(error),
            }
            let mut flow = self.report(descent.accepted(), stage, finish);
            let elapsed = self.elapsed();
            if flow.is_continue() && self.keeper.as_ref().is_some_and(|keeper| keeper.is_due(elapsed)) {
                flow = self.save(&mut descent, stage);
            }
            // Who stops it after the last iteration has the picture of the whole run: the next step tells why it ended.
            let is_complete = stage.last && descent.iterations() >= stage.scale.iterations;
            if flow.is_break() && !is_complete {
                break StopReason::Cancelled;
            }
        };
        let cancelled = reason == StopReason::Cancelled;
        if cancelled && descent.iterations() == 0 {
            return Err(TransferError::Cancelled);
        }
        if self.keeper.is_none() {
            self.carry(&mut descent, stage);
            // The picture is told of when all else is out of memory.
            return stage.painting(descent.finish(reason), finish);
        }
        let painting = stage.painting(descent.kept(reason), finish)?;
        if cancelled || stage.last {
            let _ = (self.on_event)(Event::Ended(&painting));
        }
        let is_done = stage.last && !cancelled;
        if !is_done || self.keeper.as_ref().is_some_and(Keeper::keeps_finished) {
            let _ = self.save(&mut descent, stage);
        }
        self.carry(&mut descent, stage);
        Ok(painting)
    }

    /// Keeps what the next scale is to begin with, if it is to begin with something.
    fn carry<M: Method, C: Coordinates>(&mut self, descent: &mut Descent<M, C>, stage: &Stage) {
        self.carried = stage.carried(descent, self.inputs.2);
    }

    fn elapsed(&self) -> Duration {
        self.earlier + self.started.elapsed()
    }

    /// Tells of an accepted iteration.
    fn report(&mut self, accepted: Accepted<'_>, stage: &Stage, finish: &Finish<'_>) -> ControlFlow<()> {
        let elapsed = self.elapsed();
        (self.on_event)(Event::Iteration(&stage.progress(accepted, elapsed, finish)))
    }

    /// Writes a checkpoint, unless there are to be none, this iteration has one or none is done, and tells of it.
    fn save<M: Method, C: Coordinates>(
        &mut self,
        descent: &mut Descent<M, C>,
        stage: &Stage,
    ) -> ControlFlow<()> {
        let (iterations, elapsed) = (descent.iterations(), self.elapsed());
        let Some(keeper) = &mut self.keeper else { return ControlFlow::Continue(()) };
        if keeper.has(stage.index, iterations) || stage.before.0 + iterations == 0 {
            return ControlFlow::Continue(());
        }
        let Stage { index: scale, size, before, .. } = *stage;
        match keeper.save(Place { scale, size, before, iterations, elapsed }, |to| descent.write(to)) {
            Ok(saved) => (self.on_event)(Event::Checkpoint(&saved)),
            Err(error) => (self.on_event)(Event::NoCheckpoint(&error)),
        }
    }
}
