//! A run explained: one HTML page with the pictures, the losses, what the layers saw, where the gradient acted.
//!
//! The page is one file without scripts and without anything from the network.

mod charts;
mod eigenvalues;
mod fields;
mod gradients;
mod images;
mod inputs;
mod layers;
mod lbfgs;
mod masks;
mod page;
mod pulls;

use std::ops::ControlFlow;
use std::time::Duration;

use impasto_autodiff::{Loss, LossKind, Tap};

use crate::plot::PlotError;
use images::breakable;
pub(crate) use images::in_grey;

use crate::Origin;
use impasto_style::coordinates::{Coordinates, Pixels};
use impasto_style::{
    Breakdown, Cancel, Colours, Event, Guide, Mask, Objective, Painting, Picture, PictureError,
    PreparedNetwork, Progress, Scene, Search, Source, Subject, Summary, Targets, TransferError,
    TransferOptions, View, first_picture, transfer,
};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The transfer itself failed.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// A chart could not be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// A picture could not be encoded.
    #[error("a picture of the report cannot be encoded: {0}")]
    Encode(#[from] std::io::Error),
}

/// One accepted iteration, without its pixels.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    iteration: usize,
    elapsed: Duration,
    losses: Breakdown,
    gradient_norm: f64,
    /// t of the line search.
    length: f64,
    /// What the line search saw; none for Adam.
    search: Option<Search>,
}

/// Everything that the page shows.
struct Run<'a> {
    network: &'a PreparedNetwork,
    options: &'a TransferOptions,
    origin: &'a Origin,
    summary: Summary,
    steps: Vec<Step>,
    painting: Painting,
    /// Some of the pictures that the network saw at the last scale, H x W x 3, with their iterations.
    kept: Vec<(usize, Vec<f32>)>,
    /// The photo and the paintings at the size of the last scale.
    scene: Scene<'a>,
    targets: Targets,
    /// Where the photo stays what it is, at the size of the scene.
    keep: Option<Mask>,
    /// What the network saw first.
    start: Picture,
    /// What the network sees of the result: its light alone, where only light is painted.
    result: Picture,
}

/// Runs a transfer, and returns its painting together with the page that explains it.
///
/// `origin` is what the page says of the command and its inputs. `on_event` hears of everything that [`transfer`] tells, and can stop the run: the page then explains it as far as it came.
///
/// # Errors
/// [`ExplainError`].
pub fn explain(
    network: &PreparedNetwork,
    subject: &Subject,
    options: &TransferOptions,
    origin: &Origin,
    mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<(Painting, String), ExplainError> {
    let (mut summary, mut steps, mut kept) = (None, Vec::new(), Kept::default());
    let painting = transfer(network, subject, options, |event| {
        match event {
            Event::Started(started) => {
                kept.iterations = started.scale_iterations.last().copied().unwrap_or(0);
                kept.scale = started.scales.len().saturating_sub(1);
                summary = Some(started.clone());
            }
            Event::Iteration(progress) => {
                kept.look(progress);
                steps.push(Step {
                    iteration: progress.iteration,
                    elapsed: progress.elapsed,
                    losses: progress.losses.clone(),
                    gradient_norm: progress.gradient_norm,
                    length: progress.step,
                    search: progress.search.cloned(),
                });
            }
            // The page tells of what was painted.
            _ => {}
        }
        on_event(event)
    })?;
    let summary = summary.ok_or(TransferError::Cancelled)?;
    let longest = painting.picture.height().max(painting.picture.width());
    let scene = subject.at(longest, options).map_err(TransferError::from)?;
    let keep = subject.keep().map(|keep| keep.resized(scene.photo().height(), scene.photo().width()));
    let keep = keep.transpose().map_err(TransferError::from)?;
    let start = seen(first_picture(&scene, network, options)?, options);
    let start = keeping(start, &scene, keep.as_ref()).map_err(TransferError::from)?;
    let result = seen(painting.picture.clone(), options);
    // A run that was given up is explained all the same.
    let network = &network.with_cancel(Cancel::default());
    let targets = scene.measure(network, options)?;
    let kept = kept.pictures;
    let run =
        Run { network, options, origin, summary, steps, painting, kept, scene, targets, keep, start, result };
    let html = page::write(&run)?;
    Ok((run.painting, html))
}

/// Pictures of the last scale that are kept while it is painted.
#[derive(Default)]
struct Kept {
    /// The number of the last scale, and its iterations.
    scale: usize,
    iterations: usize,
    /// The iteration before its first.
    before: Option<usize>,
    pictures: Vec<(usize, Vec<f32>)>,
}

impl Kept {
    fn look(&mut self, progress: &Progress<'_>) {
        if progress.scale != self.scale {
            return;
        }
        let before = *self.before.get_or_insert(progress.iteration - 1);
        if gradients::is_kept(progress.iteration - before, self.iterations, progress.pixels.len()) {
            self.pictures.push((progress.iteration, progress.pixels.to_vec()));
        }
    }
}

/// What the network sees of a picture: its light alone, where only light is painted.
fn seen(picture: Picture, options: &TransferOptions) -> Picture {
    if options.colours == Colours::Photo { images::in_grey(picture) } else { picture }
}

/// x = m photo + (1 - m) y: what is painted first of a start y.
fn keeping(start: Picture, scene: &Scene<'_>, keep: Option<&Mask>) -> Result<Picture, PictureError> {
    let (Some(keep), (height, width)) = (keep, (start.height(), start.width())) else { return Ok(start) };
    let mut pixels = Pixels::of(start.into_data()).keeping(scene.photo(), keep.resized(height, width)?)?;
    let y = pixels.start();
    Picture::new(height, width, pixels.into_pixels(y))
}

impl Run<'_> {
    /// The layers of a kind's terms.
    fn layers(&self, kind: LossKind) -> Vec<String> {
        let terms = self.targets.terms.iter().filter(|target| target.spec.kind == kind);
        terms.filter_map(|target| target.spec.layer.clone()).collect()
    }

    /// The paintings, each once, with what the page calls them.
    fn paintings(&self) -> Vec<(String, &Picture)> {
        let mut different: Vec<(Vec<String>, &Picture)> = Vec::new();
        for (number, picture) in (1..).zip(self.scene.paintings()) {
            let number = format!("{number}");
            match different.iter_mut().find(|(_, known)| std::ptr::eq(*known, picture)) {
                Some((numbers, _)) => numbers.push(number),
                None => different.push((vec![number], picture)),
            }
        }
        let is_alone = different.len() == 1;
        let name = |numbers: &[String]| match numbers {
            _ if is_alone => "the painting".to_owned(),
            [number] => format!("painting {number}"),
            numbers => format!("paintings {}", numbers.join(", ")),
        };
        different.into_iter().map(|(numbers, picture)| (name(&numbers), picture)).collect()
    }

    /// The pictures that the network saw, with their names: the photo, the paintings and last the result.
    fn pictures_seen(&self) -> Vec<(String, &Picture)> {
        let mut pictures = vec![("the photo".to_owned(), self.scene.photo())];
        pictures.extend(self.paintings());
        pictures.push(("the result".to_owned(), &self.result));
        pictures
    }

    /// What a picture has at some taps, where guides say: a loss each, whose target it is.
    fn measure(
        &self,
        picture: &Picture,
        taps: &[Tap],
        guides: &[Option<Guide>],
    ) -> Result<Vec<Loss>, TransferError> {
        let evaluator = self.options.evaluator_options(picture.height(), picture.width());
        let view = View { source: Source::Photo, picture, taps, guides };
        self.network.measure(view, evaluator)
    }

    /// How strongly the loss pulls at each pixel of pictures of the result's size: |dL/dx| summed over the channels; of a pixel whose
    /// light alone is painted the light's; times 1 - m where the photo is kept.
    fn gradient_strengths(&self, pictures: [&Picture; 2]) -> Result<Vec<Vec<f32>>, TransferError> {
        let size = (self.scene.photo().height(), self.scene.photo().width());
        let mut objective = Objective::new(self.network, self.targets.clone(), size, self.options)?;
        let is_light = self.options.colours == Colours::Photo;
        let strength = |picture: &Picture| {
            let mut gradient = vec![0.0; picture.data().len()];
            objective.evaluate(picture.data(), &mut gradient)?;
            let of_light = |rgb: &[f32]| rgb.iter().sum::<f32>().abs();
            let of_colours = |rgb: &[f32]| rgb.iter().map(|g| g.abs()).sum();
            let of_pixel = |rgb: &[f32]| if is_light { of_light(rgb) } else { of_colours(rgb) };
            let mut strengths: Vec<f32> = gradient.chunks_exact(3).map(of_pixel).collect();
            if let Some(keep) = &self.keep {
                strengths.iter_mut().zip(keep.values()).for_each(|(strength, m)| *strength *= 1.0 - m);
            }
            Ok(strengths)
        };
        pictures.into_iter().map(strength).collect()
    }
}
