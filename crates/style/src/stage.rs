//! One scale of a run, and what its optimisation starts from: a picture, or a checkpoint.

use impasto_lbfgs::{Adam, Lbfgs, Optimiser as Method};

use crate::coordinates::{Coordinates, Pixels, Spectrum};
use crate::optimise::{Descent, Kept};
use crate::{Objective, Painting, Picture, Resume, Scale, TransferError};

/// One scale of a run.
pub(crate) struct Stage {
    /// Its number, from 0 on.
    pub(crate) index: usize,
    /// Whether it is the last one.
    pub(crate) last: bool,
    pub(crate) scale: Scale,
    /// (H, W).
    pub(crate) size: (usize, usize),
    /// Iterations and evaluations of all scales before.
    pub(crate) before: (usize, usize),
}

impl Stage {
    /// H W 3.
    pub(crate) const fn numbers(&self) -> usize {
        3 * self.size.0 * self.size.1
    }

    /// What is returned if the run ends here.
    pub(crate) fn painting(&self, (pixels, outcome): Kept) -> Result<Painting, TransferError> {
        if !outcome.loss.is_finite() {
            return Err(TransferError::NotFinite);
        }
        Ok(Painting {
            picture: Picture::new(self.size.0, self.size.1, pixels)?,
            reason: outcome.reason,
            initial_loss: outcome.initial_loss,
            loss: outcome.loss,
            iterations: self.before.0 + outcome.iterations,
            evaluations: self.before.1 + outcome.evaluations,
        })
    }
}

/// What a scale's optimisation starts from.
pub(crate) enum Start {
    Picture(Picture),
    Checkpoint(Box<Resume>),
}

impl Start {
    /// The descent from here on by L-BFGS, in waves around the picture.
    pub(crate) fn by_lbfgs(
        self,
        method: Lbfgs,
        objective: &mut Objective,
    ) -> Result<Descent<Lbfgs, Spectrum>, TransferError> {
        match self {
            Self::Picture(start) => Descent::start(method, Spectrum::around(start), objective),
            Self::Checkpoint(mut resume) => {
                let waves = Spectrum::around(resume.read_picture()?);
                resumed(method, waves, objective, *resume)
            }
        }
    }

    /// The descent from here on by Adam, in pixels.
    pub(crate) fn by_adam(
        self,
        method: Adam,
        objective: &mut Objective,
    ) -> Result<Descent<Adam, Pixels>, TransferError> {
        match self {
            Self::Picture(start) => Descent::start(method, Pixels::of(start.into_data()), objective),
            Self::Checkpoint(resume) => resumed(method, Pixels::of(Vec::new()), objective, *resume),
        }
    }
}

/// The descent of a checkpoint.
fn resumed<M: Method, C: Coordinates>(
    method: M,
    coordinates: C,
    objective: &Objective,
    mut resume: Resume,
) -> Result<Descent<M, C>, TransferError> {
    let descent = resume.read_state(|from| Descent::read(method, coordinates, objective, from))?;
    let header = resume.header();
    if descent.variables() != 3 * header.height * header.width {
        return Err(resume.damaged("its state is of another size").into());
    }
    if descent.iterations() != header.iterations {
        return Err(resume.damaged("its state is of another iteration").into());
    }
    Ok(descent)
}
