//! The numbers of a run, for whoever wants to compute with them: a folder of `.npy` arrays and a `manifest.json`.
//!
//! | file | holds | shape |
//! |---|---|---|
//! | `picture.x.npy` | x, the picture that the network sees, unclipped, 0..255 and beyond | H x W x 3 |
//! | `picture.dL_dx.npy` | dL/dx | H x W x 3 |
//! | `LAYER.F.npy` | F, the response after its ReLU | H_l x W_l x N |
//! | `LAYER.dL_dF.npy` | dL/dF of the whole L: of the layer's own losses and of all that lie deeper | as F |
//! | `LAYER.dL_dZ.npy` | the same by Z, before the ReLU: 0 where F is 0 | as F |
//! | `LAYER.paintingS.F.npy`, `.A.npy` | the response of painting S, and its Gram matrix over its own number of positions | |
//! | `LAYER.content.P.npy` | P, the photo's response | as F |
//! | `LAYER.style.G.npy`, `.A.npy` | G/M of the picture, and A/M_a that it is compared with (a blend, where there are several paintings) | N x N |
//! | `LAYER.style.mu.npy`, `.mu_a.npy` | the means, where the style loss compares them | N |
//! | `LAYER.content.dl_dF.npy`, `LAYER.style.dl_dF.npy` | the gradient of that one loss alone, without its weight and without what lies deeper | as F |
//! | `LAYER.content.t.npy`, `LAYER.style.t.npy` | what each position counts, where a mask says so | H_l x W_l |
//! | `picture.tv.dl_dx.npy` | the gradient of the total variation alone, without its weight | H x W x 3 |
//!
//! LAYER is every layer that a loss of the run looks at. With regions the terms are `LAYER.style.1`, `LAYER.style.2` and so on.
//! The picture, P and what is of paintings are what the transfer itself uses, in `f32`; everything that depends on the picture is computed
//! from it operation by operation in `f64` ([`PlainObjective`]), and rounded to `f32` when it is written. So the numbers are exact to
//! about 1e-7, whichever algorithm the fast path takes; what that says is beside them in the manifest.
//!
//! `examples/check_the_paper.py` recomputes the equations of docs/math.md from such a folder.

mod folder;
mod manifest;
mod terms;

use std::path::{Path, PathBuf};

use impasto_autodiff::reference::By;
use impasto_autodiff::{AutodiffError, LossKind, Tap};
use impasto_files::FileError;
use impasto_style::{
    Colours, Loss, Network, Objective, Picture, PlainObjective, PreparedNetwork, Record, Source, Subject,
    Targets, TransferError, TransferOptions, View,
};
use impasto_tensor::Tensor;

pub use manifest::{ArrayEntry, Manifest, Share, TermEntry};

use crate::Origin;
use folder::{About, Folder, Of};
use terms::Terms;

const RESPONSE: &str = "response: grey levels through the network's own scale";

/// Why there is no dump.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// Something of the transfer cannot be had.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder cannot be made or read.
    #[error("cannot make the folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder has files in it, and no manifest of a dump.
    #[error("{} holds other files than a dump's: name a folder that is new or empty", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// The plain path does not fit the memory limit.
    #[error(
        "the numbers of a picture of {} x {} pixels take {} MiB in double precision, and {} MiB are free or allowed; use a smaller \
         `size`, or raise `memory-limit`",
        size.1, size.0, needed.div_ceil(1 << 20), limit >> 20
    )]
    Memory {
        /// (H, W).
        size: (usize, usize),
        /// The bytes that it takes.
        needed: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

impl From<AutodiffError> for DumpError {
    fn from(error: AutodiffError) -> Self {
        Self::Transfer(error.into())
    }
}

/// What a dump is made from.
#[derive(Clone, Copy)]
pub struct Dump<'a> {
    /// The network.
    pub network: &'a Network,
    /// The same, prepared for the options.
    pub prepared: &'a PreparedNetwork,
    /// The photo, the paintings and the masks.
    pub subject: &'a Subject,
    /// The options of the run.
    pub options: &'a TransferOptions,
    /// The command and its inputs, for the manifest.
    pub origin: &'a Origin,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dumped {
    /// The number of arrays.
    pub arrays: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Dump<'_> {
    /// Checks before a run that its numbers can be written: that the folder is free for them, and that they fit the memory and the disk.
    ///
    /// # Errors
    /// [`DumpError`].
    pub fn check(&self, folder: &Path) -> Result<(), DumpError> {
        let (height, width) = self.subject.size(self.subject.longest_side(self.options));
        let bytes = PlainObjective::bytes(self.network, (height, width), self.options)?;
        if let Some(limit) = self.options.memory_limit.filter(|&limit| bytes > limit) {
            return Err(DumpError::Memory { size: (height, width), needed: bytes, limit });
        }
        // The responses of the layers with a loss, four times each, and of paintings: no more than all responses twice.
        folder::prepare(folder, 2 * bytes)
    }

    /// Writes the numbers of a picture that a run of these options painted in so many iterations; only light counts of it where only
    /// light is painted.
    ///
    /// # Errors
    /// [`DumpError`].
    pub fn write(&self, folder: &Path, picture: &Picture, iterations: usize) -> Result<Dumped, DumpError> {
        let x = seen(picture, self.options);
        let size = (x.height(), x.width());
        let mut folder = Folder::new(folder)?;
        let targets = self.targets(&mut folder, size)?;
        let layers: Vec<&str> =
            targets.terms.iter().filter_map(|target| target.spec.layer.as_deref()).collect();
        let terms = Terms::new(&targets, self.options, self.prepared, size)?;
        let shape = [size.0, size.1, 3];
        let about = About { symbol: "x", unit: "grey levels", equation: "x, the picture, R G B" };
        folder.put(Of::default(), &about, &shape, x.data())?;

        let mut engine_gradient = vec![0.0; x.data().len()];
        let engine = Objective::new(self.prepared, targets.clone(), size, self.options)?
            .evaluate(x.data(), &mut engine_gradient)?;
        let plain = PlainObjective::new(self.network, targets.clone(), size, self.options)?;
        let pixels: Vec<f64> = x.data().iter().map(|&value| f64::from(value)).collect();
        let (mut gradient, mut problem) = (vec![0.0; pixels.len()], None);
        let losses = plain.evaluate_looking(&pixels, &mut gradient, |swept| {
            if problem.is_some() || !layers.contains(&swept.layer) {
                return;
            }
            let written = match swept.by {
                By::F => terms.put(&mut folder, swept.layer, swept.response).and_then(|()| {
                    put_response(&mut folder, swept.layer, swept.response)?;
                    put_gradient(&mut folder, swept.layer, swept.by, swept.gradient)
                }),
                By::Z => put_gradient(&mut folder, swept.layer, swept.by, swept.gradient),
            };
            problem = written.err();
        })?;
        if let Some(problem) = problem {
            return Err(problem);
        }
        terms.put_of_picture(&mut folder, &pixels, size)?;
        let about = About { symbol: "dL_dx", unit: "loss per grey level", equation: "dL/dx" };
        folder.put(Of::default(), &about, &shape, &gradient)?;

        let manifest = Manifest {
            format: manifest::FORMAT,
            format_version: manifest::VERSION,
            command: self.origin.command.clone(),
            record: Record::new(self.options, self.origin.inputs.clone()),
            network: self.prepared.arch().name().to_owned(),
            height: size.0,
            width: size.1,
            iterations,
            precision: "f64",
            loss: losses.total,
            loss_of_engine: engine.total,
            gradient_difference_of_engine: difference(&engine_gradient, &gradient),
            terms: terms.entries(&losses.terms, &engine.terms),
            arrays: folder.arrays.clone(),
        };
        folder.finish(&manifest)
    }

    /// P and A of the run, and on the way what paintings have at the layers that are compared.
    fn targets(&self, folder: &mut Folder, size: (usize, usize)) -> Result<Targets, DumpError> {
        let longest = size.0.max(size.1);
        let scene = self.subject.at(longest, self.options).map_err(TransferError::from)?;
        let mut problem = None;
        let targets = scene.measure_with(self.prepared, self.options, |view| {
            let evaluator = self.options.evaluator_options(view.picture.height(), view.picture.width());
            let losses = self.prepared.measure(view, evaluator)?;
            if let Source::Painting(number) = view.source {
                let put = self.put_painting(folder, number + 1, view, &losses);
                problem = problem.take().or(put.err());
            }
            Ok(losses)
        })?;
        match problem {
            Some(problem) => Err(problem),
            None => Ok(targets),
        }
    }

    /// The responses of a painting, and what they sum up to.
    fn put_painting(
        &self,
        folder: &mut Folder,
        number: usize,
        view: View<'_>,
        losses: &[Loss],
    ) -> Result<(), DumpError> {
        let taps: Vec<Tap> = view.taps.iter().map(|tap| Tap::new(&*tap.layer, LossKind::Content)).collect();
        let evaluator = self.options.evaluator_options(view.picture.height(), view.picture.width());
        let responses = self.prepared.measure(View { taps: &taps, guides: &[], ..view }, evaluator)?;
        for (index, (tap, response)) in taps.iter().zip(responses).enumerate() {
            let of = Of { layer: Some(&tap.layer), painting: Some(number), ..Of::default() };
            let Loss::Content(response) = response else { continue };
            let shape = response.target.shape();
            let about = About { symbol: "F", unit: RESPONSE, equation: "F_s of the painting" };
            folder.put(of, &about, &[shape.height, shape.width, shape.channels], response.target.data())?;
            if let Some(guide) = view.guides.get(index).and_then(Option::as_ref) {
                let about = About {
                    symbol: "t",
                    unit: "1",
                    equation: "t_p, what each position of the painting counts",
                };
                folder.put(of, &about, &[shape.height, shape.width], guide.weights())?;
            }
            let n = shape.channels;
            let second = match &losses[index] {
                Loss::Gram(style) => Some(&style.target),
                Loss::Wasserstein(wasserstein) => Some(&wasserstein.target.second),
                _ => None,
            };
            if let Some(second) = second {
                let equation = "A_s = F_s^T F_s / M_s, or sum_p t_p F_p^T F_p / sum_p t_p";
                let about = About { symbol: "A", unit: "response^2", equation };
                folder.put(of, &about, &[n, n], &second.data)?;
            }
            if let Loss::Wasserstein(wasserstein) = &losses[index] {
                let about = About { symbol: "mu_a", unit: "response", equation: "the mean of F_s" };
                folder.put(of, &about, &[n], &wasserstein.target.mean)?;
            }
        }
        Ok(())
    }
}

fn put_response(folder: &mut Folder, layer: &str, response: &Tensor<f64>) -> Result<(), DumpError> {
    let shape = response.shape();
    let of = Of { layer: Some(layer), ..Of::default() };
    let about = About { symbol: "F", unit: RESPONSE, equation: "F = max(0, Z)" };
    folder.put(of, &about, &[shape.height, shape.width, shape.channels], response.data())
}

fn put_gradient(folder: &mut Folder, layer: &str, by: By, gradient: &Tensor<f64>) -> Result<(), DumpError> {
    let shape = gradient.shape();
    let of = Of { layer: Some(layer), ..Of::default() };
    let (symbol, equation) = match by {
        By::F => (
            "dL_dF",
            "dL/dF of the whole L: the weighted dl/dF of this layer's terms, and what deeper layers send back",
        ),
        By::Z => ("dL_dZ", "dL/dZ = dL/dF where F > 0, else 0"),
    };
    let about = About { symbol, unit: "loss per response", equation };
    folder.put(of, &about, &[shape.height, shape.width, shape.channels], gradient.data())
}

/// What the network sees of a picture: its light alone, where only light is painted.
fn seen(picture: &Picture, options: &TransferOptions) -> Picture {
    let picture = picture.clone();
    if options.colours == Colours::Photo { crate::explain::in_grey(picture) } else { picture }
}

/// |a - b| / |b|, 2-norms.
fn difference(a: &[f32], b: &[f64]) -> f64 {
    let square = |value: f64| value * value;
    let difference: f64 = a.iter().zip(b).map(|(a, b)| square(f64::from(*a) - b)).sum();
    let size: f64 = b.iter().map(|b| square(*b)).sum();
    if size > 0.0 { (difference / size).sqrt() } else { 0.0 }
}
