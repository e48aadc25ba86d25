//! A run explained: one HTML page with the pictures, the losses, what the layers saw, where the gradient acted.
//!
//! The page is one file without scripts and without anything from the network.

mod charts;
mod images;
mod layers;
mod page;

use std::ops::ControlFlow;
use std::time::Duration;

use impasto_autodiff::{Loss, LossKind, Tap};

use crate::plot::PlotError;
use impasto_style::{
    Breakdown, Cancel, Event, Objective, Painting, Picture, PreparedNetwork, Scene, Source, Subject, Summary,
    TransferError, TransferOptions, View, first_picture, transfer,
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
}

/// Everything that the page shows.
struct Run<'a> {
    network: &'a PreparedNetwork,
    options: &'a TransferOptions,
    summary: Summary,
    steps: Vec<Step>,
    painting: Painting,
    /// The photo and the paintings at the size of the last scale.
    scene: Scene<'a>,
    start: Picture,
}

/// Runs a transfer, and returns its painting together with the page that explains it.
///
/// `on_event` hears of everything that [`transfer`] tells, and can stop the run: the page then explains it as far as it came.
///
/// # Errors
/// [`ExplainError`].
pub fn explain(
    network: &PreparedNetwork,
    subject: &Subject,
    options: &TransferOptions,
    mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<(Painting, String), ExplainError> {
    let (mut summary, mut steps) = (None, Vec::new());
    let painting = transfer(network, subject, options, |event| {
        match event {
            Event::Started(started) => summary = Some(started.clone()),
            Event::Iteration(progress) => steps.push(Step {
                iteration: progress.iteration,
                elapsed: progress.elapsed,
                losses: progress.losses.clone(),
                gradient_norm: progress.gradient_norm,
                length: progress.step,
            }),
            Event::Measured(..) | Event::Checkpoint(_) | Event::NoCheckpoint(_) | Event::Ended(_) => {}
        }
        on_event(event)
    })?;
    let summary = summary.ok_or(TransferError::Cancelled)?;
    let longest = painting.picture.height().max(painting.picture.width());
    let scene = subject.at(longest, options).map_err(TransferError::from)?;
    let start = first_picture(&scene, network, options)?;
    // A run that was given up is explained all the same.
    let network = &network.with_cancel(Cancel::default());
    let run = Run { network, options, summary, steps, painting, scene, start };
    let html = page::write(&run)?;
    Ok((run.painting, html))
}

impl Run<'_> {
    /// The layers of a kind's terms.
    fn layers(&self, kind: LossKind) -> Vec<String> {
        let terms = self.scene.subject().terms(self.options).into_iter().filter(|term| term.kind == kind);
        terms.filter_map(|term| term.layer).collect()
    }

    /// The pictures that the network saw, with their names: the photo, the paintings and last the result.
    fn pictures_seen(&self) -> Vec<(&'static str, &Picture)> {
        let mut pictures = vec![("photo", self.scene.photo())];
        pictures.extend(self.scene.paintings().map(|painting| ("painting", painting)));
        pictures.push(("result", &self.painting.picture));
        pictures
    }

    /// What a picture has at some layers: a loss of that kind each, whose target it is.
    fn measure(
        &self,
        picture: &Picture,
        kind: LossKind,
        layers: &[String],
    ) -> Result<Vec<Loss>, TransferError> {
        let taps: Vec<Tap> = layers.iter().map(|layer| Tap::new(layer, kind)).collect();
        let evaluator = self.options.evaluator_options(picture.height(), picture.width());
        let view = View { source: Source::Photo, picture, taps: &taps, guides: &[] };
        self.network.measure(view, evaluator)
    }

    /// |dL/dx|, summed over the channels, of each pixel of pictures of the result's size.
    fn gradient_strengths(&self, pictures: [&Picture; 2]) -> Result<Vec<Vec<f32>>, TransferError> {
        let targets = self.scene.measure(self.network, self.options)?;
        let size = (self.scene.photo().height(), self.scene.photo().width());
        let mut objective = Objective::new(self.network, targets, size, self.options)?;
        let strength = |picture: &Picture| {
            let mut gradient = vec![0.0; picture.data().len()];
            objective.evaluate(picture.data(), &mut gradient)?;
            Ok(gradient.chunks_exact(3).map(|rgb| rgb.iter().map(|g| g.abs()).sum()).collect())
        };
        pictures.into_iter().map(strength).collect()
    }
}
