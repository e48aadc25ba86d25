//! One scale of a run, and what its optimisation starts from: a picture, or a checkpoint.

use std::time::Duration;

use impasto_lbfgs::{Adam, Lbfgs, Moments, Optimiser as Method};

use crate::carried::Carried;
use crate::colour::lights;
use crate::coordinates::{Composed, Coordinates, Pixels, Spectrum};
use crate::finish::{Finish, Finished};
use crate::optimise::{Accepted, Descent, Kept};
use crate::{
    Colours, Objective, Painting, Picture, PictureError, PreparedNetwork, Progress, Resume, Scale, Scene,
    TransferError, TransferOptions, first_picture,
};

/// One scale of a run.
pub(crate) struct Stage {
    /// Its number, from 0 on.
    pub(crate) index: usize,
    /// Whether it is the last one.
    pub(crate) last: bool,
    pub(crate) scale: Scale,
    /// (H, W).
    pub(crate) size: (usize, usize),
    /// The variables that move.
    pub(crate) variables: usize,
    /// Iterations and evaluations of all scales before.
    pub(crate) before: (usize, usize),
}

impl Stage {
    /// What is told of an accepted iteration.
    pub(crate) fn progress<'a>(
        &self,
        Accepted { iteration, pixels }: Accepted<'a>,
        elapsed: Duration,
        finish: &'a Finish<'a>,
    ) -> Progress<'a> {
        Progress {
            iteration: self.before.0 + iteration.iteration,
            scale: self.index,
            size: self.size,
            evaluations: self.before.1 + iteration.evaluations,
            elapsed,
            losses: &iteration.report.losses,
            gradient_norm: iteration.gradient_norm,
            step: iteration.step,
            search: iteration.search,
            pixels,
            finish,
        }
    }

    /// What the next scale is to begin with, if it is to begin with something.
    pub(crate) fn carried<M: Method, C: Coordinates>(
        &self,
        descent: &mut Descent<M, C>,
        options: &TransferOptions,
    ) -> Option<Carried> {
        let carries = !self.last && options.optimiser.adam().is_some_and(|adam| adam.carried);
        let moments = carries.then(|| descent.take_moments())??;
        Some(Carried { moments, size: self.size })
    }

    /// What is returned if the run ends here.
    pub(crate) fn painting(
        &self,
        (pixels, outcome): Kept,
        finish: &Finish<'_>,
    ) -> Result<Painting, TransferError> {
        if !outcome.loss.is_finite() {
            return Err(TransferError::NotFinite);
        }
        let Finished { picture, shrunk } = finish.picture(pixels)?;
        Ok(Painting {
            picture,
            chroma_shrunk: shrunk,
            reason: outcome.reason,
            initial_loss: outcome.initial_loss,
            loss: outcome.loss,
            losses: outcome.report,
            iterations: self.before.0 + outcome.iterations,
            evaluations: self.before.1 + outcome.evaluations,
        })
    }
}

/// What a scale's optimisation starts from.
pub(crate) struct Start {
    /// With the numbers of the picture to start from; without any of a checkpoint, which has its own.
    pixels: Pixels,
    checkpoint: Option<Resume>,
}

impl Start {
    /// From the picture of the scale before, brought to the scene's size; the first scale from what the options say.
    pub(crate) fn after(
        coarser: Option<&Painting>,
        scene: &Scene<'_>,
        network: &PreparedNetwork,
        options: &TransferOptions,
    ) -> Result<Self, TransferError> {
        let picture = match coarser {
            Some(coarser) => coarser.picture.resized(scene.photo().height(), scene.photo().width())?,
            None => first_picture(scene, network, options)?,
        };
        Ok(Self::at_picture(picture, scene, options)?)
    }

    /// From a picture of the scene's size.
    fn at_picture(
        picture: Picture,
        scene: &Scene<'_>,
        options: &TransferOptions,
    ) -> Result<Self, PictureError> {
        let numbers = match options.colours {
            Colours::Photo => lights(picture.data()),
            _ => picture.into_data(),
        };
        Ok(Self { pixels: pixels(numbers, scene, options)?, checkpoint: None })
    }

    /// From where a checkpoint of the scene's size is.
    pub(crate) fn at_checkpoint(
        resume: Resume,
        scene: &Scene<'_>,
        options: &TransferOptions,
    ) -> Result<Self, PictureError> {
        Ok(Self { pixels: pixels(Vec::new(), scene, options)?, checkpoint: Some(resume) })
    }

    /// The descent from here on by L-BFGS, in waves around the start.
    pub(crate) fn by_lbfgs(
        self,
        method: Lbfgs,
        stage: &Stage,
        objective: &mut Objective,
    ) -> Result<Descent<Lbfgs, Composed<Spectrum, Pixels>>, TransferError> {
        let Self { pixels: mut inner, checkpoint } = self;
        let waves = |start, inner| Composed { outer: Spectrum::of(stage.size, start), inner };
        match checkpoint {
            None => {
                let start = inner.start();
                Descent::start(method, waves(start, inner), objective)
            }
            Some(mut resume) => {
                let start = resume.read_numbers(stage.variables)?;
                resumed(method, waves(start, inner), stage, objective, resume)
            }
        }
    }

    /// The descent from here on by Adam, in pixels, with the moments of the scale before if there are any.
    pub(crate) fn by_adam(
        self,
        method: Adam,
        moments: Option<Moments<f32>>,
        stage: &Stage,
        objective: &mut Objective,
    ) -> Result<Descent<Adam, Pixels>, TransferError> {
        match (self.checkpoint, moments) {
            (None, None) => Descent::start(method, self.pixels, objective),
            (None, Some(moments)) => Descent::start_with(method, self.pixels, moments, objective),
            (Some(resume), _) => resumed(method, self.pixels, stage, objective, resume),
        }
    }
}

/// The numbers that move: all of the picture's or its light, but for what of the photo is kept.
fn pixels(numbers: Vec<f32>, scene: &Scene<'_>, options: &TransferOptions) -> Result<Pixels, PictureError> {
    let pixels = match options.colours {
        Colours::Photo => Pixels::of_light(numbers),
        _ => Pixels::of(numbers),
    };
    let photo = scene.photo();
    match scene.subject().keep() {
        Some(mask) => pixels.keeping(photo, mask.resized(photo.height(), photo.width())?),
        None => Ok(pixels),
    }
}

/// The descent of a checkpoint.
fn resumed<M: Method, C: Coordinates>(
    method: M,
    coordinates: C,
    stage: &Stage,
    objective: &Objective,
    mut resume: Resume,
) -> Result<Descent<M, C>, TransferError> {
    let descent = resume.read_state(|from| Descent::read(method, coordinates, objective, from))?;
    if descent.variables() != stage.variables {
        return Err(resume.damaged("its state is of another size").into());
    }
    if descent.iterations() != resume.header().iterations {
        return Err(resume.damaged("its state is of another iteration").into());
    }
    Ok(descent)
}
