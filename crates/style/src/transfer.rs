//! The transfer: from a photo and paintings to a picture, coarse to fine.

use std::ops::ControlFlow;
use std::time::Instant;

use impasto_lbfgs::StopReason;

use crate::memory::plan_or_advise;
use crate::optimise::{Accepted, optimise};
use crate::{
    Event, Init, Objective, Picture, PreparedNetwork, Progress, Scale, Scales, Scene, Source, Subject,
    Summary, Targets, TransferError, TransferOptions, white_noise,
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
/// let painting = Picture::read(Path::new("painting.jpg"), &options.reading_painting(photo.picture.bytes()))?;
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
    transfer_with(network, subject, options, |scene| scene.measure(network, options), on_event)
}

/// [`transfer`] with targets from `measure`, which is given the subject at the size of each scale: for callers that have
/// measured it before.
///
/// # Errors
/// [`TransferError`], and whatever `measure` returns.
pub fn transfer_with(
    network: &PreparedNetwork,
    subject: &Subject,
    options: &TransferOptions,
    mut measure: impl FnMut(&Scene<'_>) -> Result<Targets, TransferError>,
    mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Painting, TransferError> {
    let started = Instant::now();
    let summary = summarise(network, subject, options)?;
    if on_event(Event::Started(&summary)).is_break() {
        return Err(TransferError::Cancelled);
    }
    let mut painting: Option<Painting> = None;
    for (index, scale) in schedule(network, subject, options).into_iter().enumerate() {
        let size = subject.size(scale.size);
        let scene = subject.at(scale.size, options)?;
        let start = match &painting {
            Some(coarser) => coarser.picture.resized(size.0, size.1)?,
            None => first_picture(scene.photo(), options)?,
        };
        let targets = measure(&scene)?;
        // What was resized for this scale is not needed any more.
        drop(scene);
        let mut objective = Objective::new(network, targets, size, options)?;
        let (before, evaluations) =
            painting.as_ref().map_or((0, 0), |coarser| (coarser.iterations, coarser.evaluations));
        let report = |Accepted { iteration, pixels }: Accepted<'_>| {
            on_event(Event::Iteration(&Progress {
                iteration: before + iteration.iteration,
                scale: index,
                size,
                evaluations: evaluations + iteration.evaluations,
                elapsed: started.elapsed(),
                losses: &iteration.report.losses,
                gradient_norm: iteration.gradient_norm,
                step: iteration.step,
                pixels,
            }))
        };
        let method = (options.optimiser, scale.iterations);
        let (picture, outcome) = optimise(&mut objective, start, method, report)?;
        if !outcome.loss.is_finite() {
            return Err(TransferError::NotFinite);
        }
        painting = Some(Painting {
            picture,
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
    subject: &Subject,
    options: &TransferOptions,
) -> Result<Summary, TransferError> {
    options.validate()?;
    let size = |picture: &Picture| (picture.height(), picture.width());
    let (taps, of_paintings) = (options.taps(), options.taps_of(Source::Painting(0)));
    network.check_size("the content picture", size(subject.photo()), &taps)?;
    for painting in subject.paintings() {
        network.check_size("the style picture", size(painting), &of_paintings)?;
    }
    let schedule = schedule(network, subject, options);
    for scale in &schedule {
        network.check_size("the resized content picture", subject.size(scale.size), &taps)?;
        for size in subject.painting_sizes(scale.size, options) {
            network.check_size("the resized style picture", size, &of_paintings)?;
        }
    }
    let size = subject.size(options.size);
    let plan = plan_or_advise(network, subject, options)?;
    Ok(Summary {
        size,
        style_sizes: subject.painting_sizes(options.size, options),
        scales: schedule.iter().map(|scale| subject.size(scale.size)).collect(),
        iterations: schedule.iter().map(|scale| scale.iterations).sum(),
        arch: network.arch(),
        threads: rayon::current_num_threads(),
        bytes: options.peak(subject, plan.bytes().total()),
        bands: plan.bands(),
    })
}

/// The sizes from coarse to fine. [`Scales::Auto`] leaves out coarse ones at which a picture would have no position at the
/// deepest layer.
fn schedule(network: &PreparedNetwork, subject: &Subject, options: &TransferOptions) -> Vec<Scale> {
    let mut schedule = options.schedule();
    if options.scales == Scales::Auto {
        let (taps, of_paintings) = (options.taps(), options.taps_of(Source::Painting(0)));
        let fits = |scale: &Scale| {
            let mut paintings = subject.painting_sizes(scale.size, options).into_iter();
            network.sees(subject.size(scale.size), &taps)
                && paintings.all(|size| network.sees(size, &of_paintings))
        };
        schedule.retain(|scale| scale.size == options.size || fits(scale));
    }
    schedule
}

/// The start of a transfer at the size of `photo`, as [`Init`] says.
///
/// # Errors
/// [`TransferError::Picture`] if a file cannot be read, or there is not the memory.
pub fn first_picture(photo: &Picture, options: &TransferOptions) -> Result<Picture, TransferError> {
    let (height, width) = (photo.height(), photo.width());
    Ok(match &options.init {
        Init::Content => photo.clone(),
        Init::Noise => white_noise(height, width, options.seed)?,
        Init::File(path) => Picture::read(path, &options.reading(0))?.picture.resized(height, width)?,
        Init::Picture(picture) => picture.resized(height, width)?,
    })
}
