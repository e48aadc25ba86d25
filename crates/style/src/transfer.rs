//! The transfer: from two pictures to a third, coarse to fine.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::time::Instant;

use impasto_autodiff::{AutodiffError, EvaluatorOptions, Plan};
use impasto_lbfgs::{Adam, Error as MinimiseError, Groups, Iteration, Lbfgs, Outcome, StopReason};

use crate::picture::PIXEL_LIMIT;
use crate::spectrum::Spectrum;
use crate::{
    Breakdown, Event, Init, Objective, Optimiser, Picture, PreparedNetwork, Progress, Scale, Scales, Summary,
    Targets, TransferError, TransferOptions, default_history, white_noise,
};

/// A finished transfer.
#[derive(Debug, Clone, PartialEq)]
pub struct Painting {
    /// The accepted picture with the lowest loss, at the last scale that was reached.
    pub picture: Picture,
    /// Why the last scale ended.
    pub reason: StopReason,
    /// The loss at the start of the last scale.
    pub initial_loss: f64,
    /// The loss of the picture.
    pub loss: f64,
    /// Accepted iterations of all scales.
    pub iterations: usize,
    /// Evaluations of all scales.
    pub evaluations: usize,
}

/// Paints `content` in the style of `style`.
///
/// Pictures are resized as the options say. `on_event` hears of every accepted iteration and can stop the run; the picture is
/// then the best one so far. A run that converges early ends with its picture too.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use std::path::Path;
/// use impasto_style::picture::{Encoding, PIXEL_LIMIT};
/// use impasto_style::{Picture, PreparedNetwork, Preset, transfer};
///
/// let (content, _) = Picture::read(Path::new("photo.jpg"), PIXEL_LIMIT)?;
/// let (style, _) = Picture::read(Path::new("painting.jpg"), PIXEL_LIMIT)?;
/// let options = Preset::Default.options();
/// let network = PreparedNetwork::new(impasto_vgg::Network::embedded()?, &options)?;
/// let painting = transfer(&network, &content, &style, &options, |_| ControlFlow::Continue(()))?;
/// painting.picture.write(Path::new("out.png"), Encoding::Png)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`TransferError`].
pub fn transfer(
    network: &PreparedNetwork,
    content: &Picture,
    style: &Picture,
    options: &TransferOptions,
    on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Painting, TransferError> {
    let targets = |content: &Picture, style: &Picture| Targets::measure(network, content, style, options);
    transfer_with(network, content, style, options, targets, on_event)
}

/// [`transfer`] with P and A from `targets`, which is given the photo and the painting at the size of each scale: for callers
/// that have measured them before.
///
/// # Errors
/// [`TransferError`], and whatever `targets` returns.
pub fn transfer_with(
    network: &PreparedNetwork,
    content: &Picture,
    style: &Picture,
    options: &TransferOptions,
    mut targets: impl FnMut(&Picture, &Picture) -> Result<Targets, TransferError>,
    mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Painting, TransferError> {
    let start = Instant::now();
    let summary = summarise(network, content, style, options)?;
    if on_event(Event::Started(&summary)).is_break() {
        return Err(TransferError::Cancelled);
    }
    let mut painting: Option<Painting> = None;
    for (index, scale) in schedule(network, content, style, options).into_iter().enumerate() {
        let (height, width) = content.size_with_longest_side(scale.size);
        let (style_height, style_width) = options.style_size(style, scale.size);
        let content = content.resized(height, width)?;
        let style = style.resized(style_height, style_width)?;
        let mut x = match &painting {
            Some(coarser) => coarser.picture.resized(height, width)?,
            None => first_picture(&content, options)?,
        };
        let targets = targets(&content, &style)?;
        let mut objective = Objective::new(network, targets, (height, width), options)?;
        let (before, evaluations) =
            painting.as_ref().map_or((0, 0), |coarser| (coarser.iterations, coarser.evaluations));
        let report = |iteration: &Iteration<'_, f32>, losses: &Breakdown| {
            on_event(Event::Iteration(&Progress {
                iteration: before + iteration.iteration,
                scale: index,
                size: (height, width),
                evaluations: evaluations + iteration.evaluations,
                elapsed: start.elapsed(),
                losses,
                gradient_norm: iteration.gradient_norm,
                step: iteration.step,
                pixels: iteration.x,
            }))
        };
        let outcome = minimise(&mut objective, &mut x, options, scale.iterations, report)?;
        if !outcome.loss.is_finite() {
            return Err(TransferError::NotFinite);
        }
        painting = Some(Painting {
            picture: x,
            reason: outcome.reason,
            initial_loss: outcome.initial_loss,
            loss: outcome.loss,
            iterations: before + outcome.iterations,
            evaluations: evaluations + outcome.evaluations,
        });
        if outcome.reason == StopReason::Cancelled {
            break;
        }
    }
    painting.ok_or(TransferError::Cancelled)
}

/// Checks sizes and memory, and says what will be done.
fn summarise(
    network: &PreparedNetwork,
    content: &Picture,
    style: &Picture,
    options: &TransferOptions,
) -> Result<Summary, TransferError> {
    options.validate()?;
    network.check_size("the content picture", content.height(), content.width())?;
    network.check_size("the style picture", style.height(), style.width())?;
    let schedule = schedule(network, content, style, options);
    let scales: Vec<_> = schedule.iter().map(|scale| content.size_with_longest_side(scale.size)).collect();
    for (scale, &(height, width)) in schedule.iter().zip(&scales) {
        network.check_size("the resized content picture", height, width)?;
        let (height, width) = options.style_size(style, scale.size);
        network.check_size("the resized style picture", height, width)?;
    }
    let size = content.size_with_longest_side(options.size);
    let plan = plan(network, size, options).map_err(|error| match error {
        AutodiffError::Memory { needed, limit } => {
            let others = options.working_bytes(size.0, size.1);
            let largest = largest_fitting(network, content, options);
            let limit = options.memory_limit.unwrap_or(limit);
            TransferError::Memory { size, needed: needed + others, limit, largest }
        }
        error => error.into(),
    })?;
    Ok(Summary {
        size,
        style_size: options.style_size(style, options.size),
        scales,
        iterations: schedule.iter().map(|scale| scale.iterations).sum(),
        arch: network.arch(),
        threads: rayon::current_num_threads(),
        bytes: plan.bytes().total() + options.working_bytes(size.0, size.1),
        bands: plan.bands(),
    })
}

/// The sizes from coarse to fine. [`Scales::Auto`] leaves out coarse ones at which a picture would have no position at the
/// deepest layer.
fn schedule(
    network: &PreparedNetwork,
    content: &Picture,
    style: &Picture,
    options: &TransferOptions,
) -> Vec<Scale> {
    let mut schedule = options.schedule();
    if options.scales == Scales::Auto {
        let fits = |scale: &Scale| {
            network.sees(content.size_with_longest_side(scale.size))
                && network.sees(options.style_size(style, scale.size))
        };
        schedule.retain(|scale| scale.size == options.size || fits(scale));
    }
    schedule
}

/// The plan of evaluations at a size (H, W), within the options' memory limit.
///
/// # Errors
/// [`AutodiffError`] if the picture is too small for the options' layers, or does not fit the limit.
pub fn plan(
    network: &PreparedNetwork,
    (height, width): (usize, usize),
    options: &TransferOptions,
) -> Result<Plan, AutodiffError> {
    let (content, style) = (options.active_content_layers(), options.active_style_layers());
    network.chain.plan(height, width, &content, &style, options.evaluator_options(height, width))
}

/// The largest longest side below the wanted one, in steps of 16, that the memory limit has room for.
fn largest_fitting(network: &PreparedNetwork, content: &Picture, options: &TransferOptions) -> Option<usize> {
    const STEP: usize = 16;
    let fits = |side: usize| plan(network, content.size_with_longest_side(side), options).is_ok();
    let (mut low, mut high) = (0, options.size.div_ceil(STEP));
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if fits(middle * STEP) { low = middle } else { high = middle }
    }
    (low > 0).then_some(low * STEP)
}

/// The start of a transfer at the size of `content`, as [`Init`] says.
///
/// # Errors
/// [`TransferError::Picture`] if a file cannot be read, or there is not the memory.
pub fn first_picture(content: &Picture, options: &TransferOptions) -> Result<Picture, TransferError> {
    let (height, width) = (content.height(), content.width());
    Ok(match &options.init {
        Init::Content => content.clone(),
        Init::Noise => white_noise(height, width, options.seed)?,
        Init::File(path) => Picture::read(path, PIXEL_LIMIT)?.0.resized(height, width)?,
        Init::Picture(picture) => picture.resized(height, width)?,
    })
}

/// Bytes of the program in memory: its embedded weights, and what threads and libraries take.
const PROGRAM: u64 = 48 << 20;

impl TransferOptions {
    /// The bytes that a transfer at a size takes beside the evaluator: the optimiser and its coordinates, four pictures (the
    /// result, the photo as it was read and as it is compared, the network's input) and the program with its weights.
    fn working_bytes(&self, height: usize, width: usize) -> u64 {
        let numbers = 3 * height * width;
        let optimiser = match self.optimiser {
            Optimiser::Lbfgs { history } => {
                lbfgs(history, self.iterations, numbers).bytes::<f32>(numbers) + Spectrum::bytes(numbers)
            }
            Optimiser::Adam { .. } => Adam::default().bytes::<f32>(numbers),
        };
        optimiser + 4 * (numbers * size_of::<f32>()) as u64 + PROGRAM
    }

    /// What of the memory limit is left for the evaluator of pictures of that size.
    pub fn evaluator_options(&self, height: usize, width: usize) -> EvaluatorOptions {
        let left = |limit: u64| limit.saturating_sub(self.working_bytes(height, width));
        EvaluatorOptions { memory_limit: self.memory_limit.map(left) }
    }
}

/// The pairs that the scales of L-BFGS are learnt from. 5 to 20 do equally well.
const SCALE_PAIRS: usize = 10;

/// L-BFGS for `numbers` variables in 0..=255: the first step changes each by about 1.
pub(crate) fn lbfgs(history: Option<usize>, iterations: usize, numbers: usize) -> Lbfgs {
    let first_step = (numbers as f64).sqrt();
    let history = history.unwrap_or_else(|| default_history(numbers));
    Lbfgs { history, scale_pairs: SCALE_PAIRS, max_iterations: iterations, first_step, ..Lbfgs::default() }
}

/// Minimises the objective from `picture` on; `report` gets each accepted iteration together with its losses.
fn minimise(
    objective: &mut Objective,
    picture: &mut Picture,
    options: &TransferOptions,
    iterations: usize,
    mut report: impl FnMut(&Iteration<'_, f32>, &Breakdown) -> ControlFlow<()>,
) -> Result<Outcome, TransferError> {
    // A line search may try several points and accept any of them: the losses of all are kept until it has.
    let tried: RefCell<Vec<Breakdown>> = RefCell::default();
    let evaluate = |x: &[f32], gradient: &mut [f32]| {
        let losses = objective.evaluate(x, gradient)?;
        let total = losses.total;
        tried.borrow_mut().push(losses);
        Ok(total)
    };
    let on_iteration = |iteration: &Iteration<'_, f32>| {
        let tried: Vec<Breakdown> = tried.take();
        let accepted = tried.iter().rev().find(|losses| losses.total == iteration.loss);
        report(iteration, accepted.expect("an accepted point was evaluated since the one before"))
    };
    let numbers = picture.data().len();
    match options.optimiser {
        Optimiser::Lbfgs { history } => {
            let lbfgs = lbfgs(history, iterations, numbers);
            minimise_spectrum(&lbfgs, picture, evaluate, on_iteration)
        }
        Optimiser::Adam { learning_rate } => {
            let adam = Adam { learning_rate, max_iterations: iterations, ..Adam::default() };
            adam.minimise(picture.data_mut(), evaluate, on_iteration)
        }
    }
    .map_err(|error| match error {
        MinimiseError::Objective(error) => TransferError::Autodiff(error),
        MinimiseError::InvalidOption { option, requirement, value } => crate::OptionsError::Value {
            option,
            requirement: requirement.to_owned(),
            value: value.to_string(),
        }
        .into(),
    })
}

/// L-BFGS from `picture` on in the coordinates of [`Spectrum`], with a scale for each octave of each colour; the functions
/// are given pixels.
pub(crate) fn minimise_spectrum<E>(
    lbfgs: &Lbfgs,
    picture: &mut Picture,
    mut evaluate: impl FnMut(&[f32], &mut [f32]) -> Result<f64, E>,
    mut on_iteration: impl FnMut(&Iteration<'_, f32>) -> ControlFlow<()>,
) -> Result<Outcome, MinimiseError<E>> {
    let spectrum = Spectrum::around(picture);
    let mut u = vec![0.0; picture.data().len()];
    let mut pixel_gradient = vec![0.0; u.len()];
    // The last point that was evaluated before an iteration is reported is the one that it accepted.
    let pixels = RefCell::new(picture.data_mut());
    let outcome = lbfgs.minimise_in_groups(
        Groups { of: &spectrum.groups(), places: &Spectrum::places() },
        &mut u,
        |u, gradient| {
            let mut pixels = pixels.borrow_mut();
            spectrum.synthesise(u, &mut pixel_gradient, &mut pixels);
            let loss = evaluate(&pixels, &mut pixel_gradient)?;
            spectrum.analyse(&mut pixel_gradient, gradient);
            Ok(loss)
        },
        |iteration| on_iteration(&Iteration { x: &pixels.borrow(), ..*iteration }),
    );
    spectrum.synthesise(&u, &mut pixel_gradient, &mut pixels.borrow_mut());
    outcome
}
