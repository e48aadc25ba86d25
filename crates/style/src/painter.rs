//! A transfer that its caller moves on, one iteration at a time: for pages and other places where nothing may run for long.

use std::time::Duration;

use impasto_lbfgs::{Adam, Lbfgs, Step, StopReason};

use crate::carried::Carried;
use crate::clock::Instant;
use crate::coordinates::{Composed, Pixels, Spectrum};
use crate::finish::Finish;
use crate::optimise::{Accepted, Descent, Kept};
use crate::stage::{Stage, Start};
use crate::summary::{schedule, summarise};
use crate::{
    Objective, Optimiser, Painting, PreparedNetwork, Progress, Scale, Subject, Summary, TransferError,
    TransferOptions, lbfgs,
};

/// A transfer, coarse to fine, that goes on when [`Self::step`] is called: it makes the same pictures as
/// [`transfer`](crate::transfer), to the bit, and holds what it needs.
///
/// ```no_run
/// use impasto_style::{Network, Painter, Picture, PreparedNetwork, Preset, Subject};
/// # fn subject() -> Subject { unimplemented!() }
///
/// let options = Preset::Default.options();
/// let network = PreparedNetwork::new(Network::embedded()?, &options)?;
/// let mut painter = Painter::new(network, subject(), options)?;
/// while let Some(progress) = painter.step()? {
///     println!("{}: {}", progress.iteration, progress.losses.total);
/// }
/// let picture = painter.painting()?.picture;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Painter {
    network: PreparedNetwork,
    subject: Subject,
    options: TransferOptions,
    schedule: Vec<Scale>,
    summary: Summary,
    /// The number of the next scale.
    next: usize,
    running: Option<Running>,
    /// What the next scale begins with.
    carried: Option<Carried>,
    /// Of the last scale that is over.
    painting: Option<Painting>,
    started: Instant,
}

/// A scale that is being painted.
struct Running {
    stage: Stage,
    objective: Objective,
    finish: Finish<'static>,
    method: Method,
}

/// Its optimisation.
enum Method {
    Lbfgs(Box<Descent<Lbfgs, Composed<Spectrum, Pixels>>>),
    Adam(Box<Descent<Adam, Pixels>>),
}

impl Painter {
    /// A transfer that has not begun; [`Self::summary`] says what it is going to do.
    ///
    /// # Errors
    /// [`TransferError`] if an option makes no sense, or a picture is too small or takes more memory than the limit.
    pub fn new(
        network: PreparedNetwork,
        subject: Subject,
        options: TransferOptions,
    ) -> Result<Self, TransferError> {
        options.validate()?;
        subject.check(&options)?;
        let schedule = schedule(&network, &subject, &options, &options.iterations);
        let summary = summarise(&network, &subject, &options, &schedule)?;
        Ok(Self {
            network,
            subject,
            options,
            schedule,
            summary,
            next: 0,
            running: None,
            carried: None,
            painting: None,
            started: Instant::now(),
        })
    }

    /// What is going to be done.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// One accepted iteration; the first one of a scale also measures its targets and evaluates its start. None once the last
    /// scale is over.
    ///
    /// # Errors
    /// [`TransferError`] as of [`transfer`](crate::transfer), also if [`Cancel`](crate::Cancel) has ended an evaluation. The picture
    /// so far is kept.
    pub fn step(&mut self) -> Result<Option<Progress<'_>>, TransferError> {
        loop {
            let mut running = match self.running.take() {
                Some(running) => running,
                None if self.next == self.schedule.len() => return Ok(None),
                None => self.begin()?,
            };
            let step = running.method.step(&mut running.objective);
            if let Ok(Step::Ended(reason)) = step {
                self.end(running, reason)?;
                continue;
            }
            let elapsed = self.started.elapsed();
            let running = self.running.insert(running);
            return step.map(|_| Some(running.progress(elapsed)));
        }
    }

    /// What [`transfer`](crate::transfer) would return if it were stopped now, or at the end.
    ///
    /// # Errors
    /// [`TransferError::Cancelled`] if no iteration was done yet.
    pub fn painting(&mut self) -> Result<Painting, TransferError> {
        let reason = StopReason::Cancelled;
        match (&mut self.running, &self.painting) {
            (Some(running), _) if running.method.iterations() > 0 => running.painting(reason),
            (None, Some(painting)) if self.next == self.schedule.len() => Ok(painting.clone()),
            (_, Some(coarser)) => Ok(Painting { reason, ..coarser.clone() }),
            _ => Err(TransferError::Cancelled),
        }
    }

    /// Begins the next scale, from the picture of the one before on.
    fn begin(&mut self) -> Result<Running, TransferError> {
        let (network, subject, options) = (&self.network, &self.subject, &self.options);
        let (index, scale) = (self.next, self.schedule[self.next]);
        let size = subject.size(scale.size);
        let before = self.painting.as_ref().map_or((0, 0), |done| (done.iterations, done.evaluations));
        let last = index + 1 == self.schedule.len();
        let stage = Stage { index, last, scale, size, variables: options.variables(size), before };
        let scene = subject.at(scale.size, options)?;
        let start = Start::after(self.painting.as_ref(), &scene, network, options)?;
        let targets = scene.measure(network, options)?;
        let finish = Finish::of(scene).into_owned();
        let mut objective = Objective::new(network, targets, size, options)?;
        let method = match options.optimiser {
            Optimiser::Lbfgs { history } => {
                let method = lbfgs(history, scale.iterations, stage.variables);
                Method::Lbfgs(Box::new(start.by_lbfgs(method, &stage, &mut objective)?))
            }
            Optimiser::Adam(adam) => {
                let moments = self.carried.take().map(|carried| carried.at(size)).transpose()?;
                let method = adam.method(scale.iterations);
                Method::Adam(Box::new(start.by_adam(method, moments, &stage, &mut objective)?))
            }
        };
        self.next += 1;
        Ok(Running { stage, objective, finish, method })
    }

    /// Ends a scale: what the next one begins with.
    fn end(&mut self, mut running: Running, reason: StopReason) -> Result<(), TransferError> {
        if let Method::Adam(descent) = &mut running.method {
            self.carried = running.stage.carried(descent, &self.options);
        }
        self.painting = Some(running.stage.painting(running.method.finish(reason), &running.finish)?);
        Ok(())
    }
}

impl Running {
    /// The iteration that was accepted last.
    fn progress(&mut self, elapsed: Duration) -> Progress<'_> {
        self.stage.progress(self.method.accepted(), elapsed, &self.finish)
    }

    /// The best picture of this scale so far.
    fn painting(&mut self, reason: StopReason) -> Result<Painting, TransferError> {
        self.stage.painting(self.method.kept(reason), &self.finish)
    }
}

impl Method {
    fn step(&mut self, objective: &mut Objective) -> Result<Step, TransferError> {
        match self {
            Self::Lbfgs(descent) => descent.step(objective),
            Self::Adam(descent) => descent.step(objective),
        }
    }

    fn accepted(&mut self) -> Accepted<'_> {
        match self {
            Self::Lbfgs(descent) => descent.accepted(),
            Self::Adam(descent) => descent.accepted(),
        }
    }

    fn iterations(&self) -> usize {
        match self {
            Self::Lbfgs(descent) => descent.iterations(),
            Self::Adam(descent) => descent.iterations(),
        }
    }

    fn kept(&mut self, reason: StopReason) -> Kept {
        match self {
            Self::Lbfgs(descent) => descent.kept(reason),
            Self::Adam(descent) => descent.kept(reason),
        }
    }

    fn finish(self, reason: StopReason) -> Kept {
        match self {
            Self::Lbfgs(descent) => descent.finish(reason),
            Self::Adam(descent) => descent.finish(reason),
        }
    }
}
