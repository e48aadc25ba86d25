//! A transfer that its caller moves on, one iteration at a time: for pages and other places where nothing may run for long.

use std::time::Duration;

use impasto_autodiff::{LossKind, Weight};
use impasto_lbfgs::{Adam, Lbfgs, Step, StopReason};

use crate::carried::Carried;
use crate::clock::Instant;
use crate::coordinates::{Composed, Pixels, Spectrum};
use crate::finish::Finish;
use crate::optimise::{Accepted, Descent, Kept};
use crate::stage::{Stage, Start};
use crate::summary::{schedule, summarise};
use crate::{
    Objective, Optimiser, Painting, PictureError, PreparedNetwork, Progress, Scale, Scene, Subject, Summary,
    TermSpec, TransferError, TransferOptions, lbfgs,
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
    /// What losses are multiplied with beside their weights, where that is not 1.
    factors: Vec<Factor>,
    started: Instant,
}

/// A scale that is being painted.
struct Running {
    stage: Stage,
    objective: Objective,
    /// What the terms weigh as the options have it.
    weights: Vec<Weight>,
    /// Whether the objective has become another function since the last step.
    reweighed: bool,
    finish: Finish<'static>,
    method: Method,
}

/// What the terms of a loss at a layer are multiplied with beside their weights.
struct Factor {
    kind: LossKind,
    layer: Option<String>,
    by: f64,
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
            factors: Vec::new(),
            started: Instant::now(),
        })
    }

    /// What is going to be done.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The losses that can be weighed, as the options and the subject have them.
    pub fn terms(&self) -> Vec<TermSpec> {
        self.subject.terms(&self.options)
    }

    /// Photo and paintings at the size of the last iteration; before the first one, at that of the first.
    ///
    /// # Errors
    /// [`PictureError`] if there is not the memory.
    pub fn scene(&self) -> Result<Scene<'_>, PictureError> {
        self.subject.at(self.schedule[self.next.saturating_sub(1)].size, &self.options)
    }

    /// What each loss of the last iteration weighs as the options have it, whatever [`Self::weigh`] has made of it; none between
    /// two sizes.
    pub fn weights(&self) -> &[Weight] {
        self.running.as_ref().map_or(&[], |running| &running.weights)
    }

    /// Multiplies the weight that the options give to a loss at a layer, or to a loss of the picture itself, with `factor` from the
    /// next iteration on, at this size and all that follow: 0 switches it off, 1 on again. The other losses weigh what they did.
    ///
    /// L(x) is another function then. So the optimiser goes on from the picture that there is, one evaluation later, and forgets
    /// what it has learnt: pairs of L-BFGS, moments of Adam.
    ///
    /// ```no_run
    /// # use impasto_style::{LossKind, Painter};
    /// # fn painter() -> Painter { unimplemented!() }
    /// let mut painter = painter();
    /// painter.step()?;
    /// painter.weigh(LossKind::Content, Some("conv4_2"), 0.0)?;
    /// // Nothing holds the scene from here on.
    /// painter.step()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TransferError::NoTerm`] if it is none of [`Self::terms`], [`TransferError::Factor`] if the factor is negative or not finite.
    pub fn weigh(&mut self, kind: LossKind, layer: Option<&str>, factor: f64) -> Result<(), TransferError> {
        if !self.terms().iter().any(|term| term.kind == kind && term.layer.as_deref() == layer) {
            return Err(TransferError::NoTerm { kind, layer: layer.map(str::to_owned) });
        }
        if !(factor.is_finite() && factor >= 0.0) {
            return Err(TransferError::Factor { factor });
        }
        let known = |own: &&mut Factor| own.kind == kind && own.layer.as_deref() == layer;
        match self.factors.iter_mut().find(known) {
            // It is the same function.
            Some(own) if own.by == factor => return Ok(()),
            Some(own) => own.by = factor,
            None => self.factors.push(Factor { kind, layer: layer.map(str::to_owned), by: factor }),
        }
        match &mut self.running {
            Some(running) => running.weigh(&self.factors),
            None => Ok(()),
        }
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
            let step = match running.begin_again(&self.options) {
                Ok(()) => running.method.step(&mut running.objective),
                Err(error) => Err(error),
            };
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
        let coarser = self.painting.as_ref().map_or(0, |painting| painting.iterations);
        match (&mut self.running, &self.painting) {
            (Some(running), _) if running.iterations() > coarser => running.painting(reason),
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
        let weights: Vec<_> = objective.terms().iter().map(|term| term.weight).collect();
        reweigh(&mut objective, &weights, &self.factors)?;
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
        Ok(Running { stage, objective, weights, reweighed: false, finish, method })
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

/// Gives each term the weight of the options times its factor.
fn reweigh(objective: &mut Objective, weights: &[Weight], factors: &[Factor]) -> Result<(), TransferError> {
    for (index, weight) in weights.iter().enumerate() {
        let term = &objective.terms()[index];
        let own = factors.iter().find(|own| own.kind == term.kind && own.layer == term.layer);
        let share = weight.share * own.map_or(1.0, |own| own.by);
        objective.set_weight(index, Weight { share, ..*weight })?;
    }
    Ok(())
}

impl Running {
    /// Weighs the terms anew; the next step begins again.
    fn weigh(&mut self, factors: &[Factor]) -> Result<(), TransferError> {
        reweigh(&mut self.objective, &self.weights, factors)?;
        self.reweighed = true;
        Ok(())
    }

    /// Begins again from the picture that there is, with the iterations that are left, if the objective is another one.
    fn begin_again(&mut self, options: &TransferOptions) -> Result<(), TransferError> {
        if !self.reweighed {
            return Ok(());
        }
        let done = self.method.iterations();
        let evaluations = self.method.evaluations();
        let left = self.stage.scale.iterations.saturating_sub(done);
        self.method.begin_again(left, self.stage.variables, options, &mut self.objective)?;
        self.stage.scale.iterations = left;
        self.stage.before = (self.stage.before.0 + done, self.stage.before.1 + evaluations);
        self.reweighed = false;
        Ok(())
    }

    /// Iterations of this scale and all before.
    fn iterations(&self) -> usize {
        self.stage.before.0 + self.method.iterations()
    }

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

    fn evaluations(&self) -> usize {
        match self {
            Self::Lbfgs(descent) => descent.evaluations(),
            Self::Adam(descent) => descent.evaluations(),
        }
    }

    /// At the picture that there is, for an objective that has become another function.
    fn begin_again(
        &mut self,
        iterations: usize,
        variables: usize,
        options: &TransferOptions,
        objective: &mut Objective,
    ) -> Result<(), TransferError> {
        match (self, options.optimiser) {
            (Self::Lbfgs(descent), Optimiser::Lbfgs { history }) => {
                descent.begin_again(lbfgs(history, iterations, variables), objective)
            }
            (Self::Adam(descent), Optimiser::Adam(adam)) => {
                descent.begin_again(adam.method(iterations), objective)
            }
            // A descent is by the method of the options.
            _ => Ok(()),
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
