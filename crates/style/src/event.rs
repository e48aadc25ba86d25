//! What a transfer tells while it runs.

use std::time::Duration;

use impasto_autodiff::{LayerPlan, PlanBytes};
use impasto_lbfgs::Search;
use impasto_vgg::Arch;

use crate::finish::Finish;
use crate::{Breakdown, CheckpointError, Painting, Picture, PictureError, Saved, Source, Vanished};

/// Something happened, or is about to. Answer with `ControlFlow::Break(())` to stop after this iteration.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Everything fits together; the optimisation is about to start.
    Started(&'a Summary),
    /// A picture is about to be measured for the targets of a scale.
    Measuring(Measuring),
    /// The targets of a scale of this size (H, W) are measured, which took that time.
    Measured((usize, usize), Duration),
    /// An iteration was accepted.
    Iteration(&'a Progress<'a>),
    /// A checkpoint was written.
    Checkpoint(&'a Saved),
    /// A checkpoint could not be written. Painting goes on, and another one is tried when it is due.
    NoCheckpoint(&'a CheckpointError),
    /// This is what the transfer is about to return, or, if that is an error, the picture of the last scale that was finished;
    /// the answer changes nothing any more. A last checkpoint may take its time after this: who may be stopped at once writes
    /// the picture here.
    Ended(&'a Painting),
}

/// What is about to be measured. Who stops there has the picture of the scale before, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Measuring {
    /// (H, W) of the scale.
    pub size: (usize, usize),
    /// The picture that is next: paintings first, then the photo, each told of where something of it is a target. None where the
    /// caller measures all of them at once ([`Run::measure`](crate::Run::measure)).
    pub source: Option<Source>,
}

/// What is going to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// (H, W) of the result.
    pub size: (usize, usize),
    /// (H, W) of each painting at the last scale; none where no style is compared.
    pub style_sizes: Vec<(usize, usize)>,
    /// What a mask leaves no position of, at some layer and scale: it drops out there.
    pub vanished: Vec<Vanished>,
    /// (H, W) of every scale, the last being `size`.
    pub scales: Vec<(usize, usize)>,
    /// The most iterations at each of the scales.
    pub scale_iterations: Vec<usize>,
    /// Iterations of all scales.
    pub iterations: usize,
    /// Those of them that are done already: 0, unless a run goes on from a checkpoint.
    pub done: usize,
    /// The most bytes that a checkpoint will have, if there will be any.
    pub checkpoint_bytes: Option<u64>,
    /// The network.
    pub arch: Arch,
    /// Threads that take part.
    pub threads: usize,
    /// Bytes that the last and largest scale holds: network, evaluation, optimiser, pictures.
    pub bytes: u64,
    /// Horizontal bands that the evaluation of the last scale is cut into; 1 if the memory limit allows.
    pub bands: usize,
    /// How each layer is computed at the last scale, the first one first.
    pub layers: Vec<LayerPlan>,
    /// Where the memory of that evaluation goes.
    pub plan: PlanBytes,
}

/// An accepted iteration.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// The number of this iteration, from 1 on, over all scales.
    pub iteration: usize,
    /// The scale that it belongs to, from 0 on.
    pub scale: usize,
    /// (H, W) at this scale.
    pub size: (usize, usize),
    /// Evaluations so far, over all scales.
    pub evaluations: usize,
    /// Time since the transfer was called, and that of the run that it goes on with.
    pub elapsed: Duration,
    /// The losses of this picture.
    pub losses: &'a Breakdown,
    /// The 2-norm of the gradient in the variables that move: of dL/dx, or of the light's and of what is not kept.
    pub gradient_norm: f64,
    /// L-BFGS: the step along the direction; Adam: the learning rate.
    pub step: f64,
    /// L-BFGS: how the line search came to this picture; none for Adam.
    pub search: Option<&'a Search>,
    /// The pixels as they are painted, H x W x 3: (Y, Y, Y) where only light is.
    pub pixels: &'a [f32],
    /// What becomes of them.
    pub(crate) finish: &'a Finish<'a>,
}

impl Progress<'_> {
    /// The picture as it would be written, in a copy of the pixels: with the photo's chroma where only light is painted, and
    /// its alpha.
    ///
    /// # Errors
    /// [`PictureError`] never happens for the library's own events.
    pub fn picture(&self) -> Result<Picture, PictureError> {
        Ok(self.finish.picture(self.pixels.to_vec())?.picture)
    }
}
