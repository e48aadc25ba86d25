//! The planned evaluation in f32: what [`crate::reference`] computes, in a fraction of its time and memory.
//!
//! * `network`: the stages and their packed kernels; `plain_kernel`: what those are made from; `cost`: which algorithm for which size.
//! * `plan`: bands, algorithms and bytes; `layout`: the tensors of a band and how long each lives; `arena`: where.
//! * `program`: the forward and backward sweep; `taps`: the losses' gradients; `first_layer`: the step to the picture.
//!
//! Only layers that carry a loss keep F for the backward sweep; of the others one bit an element remains. The first
//! layer's F, the largest, is computed again instead.
//!
//! Bands: pictures whose tensors do not fit the memory limit are cut into horizontal bands. Each band is computed with
//! as many rows around it as its losses can see (the receptive field's radius), but counts its own core rows only. By
//! linearity the sum of the bands' gradients is the whole gradient. A first pass over the bands sums the Gram matrices, a
//! second one the gradient.

mod arena;
mod cost;
mod first_layer;
mod layout;
mod network;
mod plain_kernel;
mod plan;
mod program;
mod taps;

use std::sync::Arc;

use impasto_tensor::{Gram, Matrix, PackedMatrix, Shape, Tensor};

pub use network::{ConvMode, PreparedChain};
pub use plan::{LayerPlan, Plan, PlanBytes};

use crate::AutodiffError;
use crate::losses::{ContentTerm, Losses, StyleTerm};
use crate::ops::content;
use crate::ops::style::{self, GramMatrix};
use crate::reference::check_target;
use plan::TapCounts;
use program::{Program, TapGradient};

/// How an evaluator may use the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EvaluatorOptions {
    /// The most bytes that the evaluator may hold, packed weights and targets included; none is no limit.
    pub memory_limit: Option<u64>,
}

/// Computes losses and gradients of pictures of one size.
#[derive(Debug)]
pub struct Evaluator {
    network: Arc<PreparedChain>,
    shape: Shape,
    options: EvaluatorOptions,
    content: Vec<ContentTerm>,
    style: Vec<StyleTerm>,
    ready: Option<Ready>,
}

/// What the terms need: the program, and for each stage with style terms the running Gram matrix and D.
#[derive(Debug)]
struct Ready {
    program: Program,
    grams: Vec<Option<Gram>>,
    differences: Vec<Option<PackedMatrix>>,
}

impl Evaluator {
    /// An evaluator for pictures of `height` x `width`, with no loss terms yet.
    ///
    /// # Errors
    /// [`AutodiffError::Tensor`] if the size is none.
    pub fn new(
        network: Arc<PreparedChain>,
        height: usize,
        width: usize,
        options: EvaluatorOptions,
    ) -> Result<Self, AutodiffError> {
        let shape = Shape::new(height, width, network.input_channels()).checked()?;
        Ok(Self { network, shape, options, content: Vec::new(), style: Vec::new(), ready: None })
    }

    /// The responses at `content_layers` and the Gram matrices (each divided by its M) at `style_layers` of a picture:
    /// the targets of later evaluations.
    ///
    /// # Errors
    /// [`AutodiffError`] for an unknown layer, a slice of the wrong length, a picture too small for the layers, or one
    /// that does not fit the memory limit.
    pub fn measure(
        &mut self,
        image: &[f32],
        content_layers: &[String],
        style_layers: &[String],
    ) -> Result<(Vec<Tensor<f32>>, Vec<GramMatrix>), AutodiffError> {
        self.check_length(image.len())?;
        let Shape { height, width, .. } = self.shape;
        let network = Arc::clone(&self.network);
        let counts = TapCounts::new(&network, content_layers, style_layers)?;
        let plan = network.plan_taps(height, width, &counts, self.options, false)?;
        if plan.bands.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut program = Program::new(Arc::clone(&network), plan, false)?;
        let mut grams = make_grams(&network, &counts, &program.plan)?;
        let mut responses: Vec<Vec<f32>> = vec![Vec::new(); network.stages.len()];
        for band in 0..program.plan.bands.len() {
            program.forward(band, image, |at, f, scratch| {
                if let Some(gram) = &mut grams[at] {
                    gram.add(f, scratch);
                }
                if counts.content[at] > 0 {
                    responses[at].extend_from_slice(f);
                }
                Ok(())
            })?;
        }
        let mut features = Vec::new();
        for name in content_layers {
            let at = network.position(name)?;
            let stage = &network.stages[at];
            let shape = Shape::new(height >> stage.level, width >> stage.level, stage.out_channels);
            features.push(Tensor::from_vec(shape, responses[at].clone())?);
        }
        let style = style_layers
            .iter()
            .map(|name| {
                let at = network.position(name)?;
                Ok(grams[at].as_ref().map(|gram| self.gram_matrix(at, gram)))
            })
            .filter_map(Result::transpose)
            .collect::<Result<_, AutodiffError>>()?;
        Ok((features, style))
    }

    /// Sets the terms of the total loss and allocates what their evaluation needs.
    ///
    /// # Errors
    /// [`AutodiffError`] for an unknown layer, a target of another size than its layer, a picture too small for the
    /// layers, or one that does not fit the memory limit.
    pub fn set_terms(
        &mut self,
        content: Vec<ContentTerm>,
        style: Vec<StyleTerm>,
    ) -> Result<(), AutodiffError> {
        self.ready = None;
        let Shape { height, width, .. } = self.shape;
        let network = Arc::clone(&self.network);
        for term in &content {
            let stage = &network.stages[network.position(&term.layer)?];
            let shape = Shape::new(height >> stage.level, width >> stage.level, stage.out_channels);
            check_target(&term.layer, &shape, &term.target.shape())?;
        }
        for term in &style {
            let stage = &network.stages[network.position(&term.layer)?];
            check_target(&term.layer, &stage.out_channels, &term.target.channels)?;
            check_target(&term.layer, &term.target.channels.pow(2), &term.target.data.len())?;
        }
        let content_layers: Vec<String> = content.iter().map(|term| term.layer.clone()).collect();
        let style_layers: Vec<String> = style.iter().map(|term| term.layer.clone()).collect();
        let counts = TapCounts::new(&network, &content_layers, &style_layers)?;
        let plan = network.plan_taps(height, width, &counts, self.options, true)?;
        (self.content, self.style) = (content, style);
        if plan.bands.is_empty() {
            return Ok(());
        }
        let grams = make_grams(&network, &counts, &plan)?;
        let differences = (0..plan.layers.len())
            .map(|at| {
                let channels = network.stages[at].out_channels;
                let zeros = vec![0.0; channels * channels];
                let pack = || PackedMatrix::new(network.isa, Matrix::new(&zeros, channels, channels)?);
                (counts.style[at] > 0).then(pack).transpose()
            })
            .collect::<Result<_, _>>()?;
        let program = Program::new(network, plan, true)?;
        self.ready = Some(Ready { program, grams, differences });
        Ok(())
    }

    /// The losses of a picture; writes the gradient of their total into `gradient`.
    ///
    /// # Errors
    /// [`AutodiffError::Pixels`] if a slice does not have the picture's length.
    pub fn evaluate(&mut self, image: &[f32], gradient: &mut [f32]) -> Result<Losses, AutodiffError> {
        self.check_length(image.len())?;
        self.check_length(gradient.len())?;
        gradient.fill(0.0);
        let Some(mut ready) = self.ready.take() else { return Ok(Losses::default()) };
        let result = self.evaluate_with(&mut ready, image, gradient);
        self.ready = Some(ready);
        result
    }

    fn evaluate_with(
        &self,
        ready: &mut Ready,
        image: &[f32],
        gradient: &mut [f32],
    ) -> Result<Losses, AutodiffError> {
        let Ready { program, grams, differences } = ready;
        let bands = program.plan.bands.len();
        let content_at = self.positions(self.content.iter().map(|term| &term.layer))?;
        let style_at = self.positions(self.style.iter().map(|term| &term.layer))?;

        let mut losses = Losses { content: vec![0.0; self.content.len()], ..Losses::default() };
        grams.iter_mut().flatten().for_each(Gram::clear);
        for band in 0..bands {
            let targets = self.core_targets(&program.plan, band, &content_at);
            program.forward(band, image, |at, f, scratch| {
                if let Some(gram) = &mut grams[at] {
                    gram.add(f, scratch);
                }
                for (loss, target) in
                    losses.content.iter_mut().zip(&targets).filter(|(_, target)| target.0 == at)
                {
                    *loss += content::loss(f, target.1);
                }
                Ok(())
            })?;
        }

        let measured: Vec<Option<GramMatrix>> = grams
            .iter()
            .enumerate()
            .map(|(at, gram)| gram.as_ref().map(|gram| self.gram_matrix(at, gram)))
            .collect();
        let style_loss =
            |(term, &at): (&StyleTerm, &usize)| Some(style::loss(measured[at].as_ref()?, &term.target));
        losses.style = self.style.iter().zip(&style_at).filter_map(style_loss).collect();
        losses.total =
            self.content.iter().zip(&losses.content).map(|(term, loss)| term.weight * loss).sum::<f64>()
                + self.style.iter().zip(&losses.style).map(|(term, loss)| term.weight * loss).sum::<f64>();

        for (at, difference) in differences.iter_mut().enumerate() {
            if let (Some(difference), Some(gram)) = (difference, &measured[at]) {
                let terms =
                    self.style.iter().zip(&style_at).filter(|(_, tap)| **tap == at).map(|(term, _)| term);
                let n = gram.channels;
                let scaled = scaled_difference(gram, terms, self.positions_at(at));
                difference.repack(Matrix::new(&scaled, n, n)?);
            }
        }
        for band in 0..bands {
            if bands > 1 {
                program.forward(band, image, |_, _, _| Ok(()))?;
            }
            let targets = self.core_targets(&program.plan, band, &content_at);
            let taps: Vec<TapGradient<'_>> = (0..program.plan.layers.len())
                .map(|at| TapGradient {
                    style: differences[at].as_ref(),
                    content: self
                        .content
                        .iter()
                        .zip(&targets)
                        .filter(|(_, target)| target.0 == at)
                        .map(|(term, target)| (term.weight as f32, target.1))
                        .collect(),
                })
                .collect();
            program.backward(band, image, &taps, gradient);
        }
        Ok(losses)
    }

    /// The plan of the evaluations with the terms that were set; none without terms.
    pub fn plan(&self) -> Option<&Plan> {
        self.ready.as_ref().map(|ready| &ready.program.plan)
    }

    /// The bytes that the evaluator holds with the terms that were set, weights and targets included.
    pub fn bytes(&self) -> u64 {
        self.plan().map_or(0, |plan| plan.bytes().total())
    }

    /// For each content term, its stage and its P cut to the band's core.
    fn core_targets(&self, plan: &Plan, band: usize, content_at: &[usize]) -> Vec<(usize, &[f32])> {
        let layout = &plan.bands[band];
        let cut = |(term, &at): (&'_ ContentTerm, &usize)| {
            let level = self.network.stages[at].level;
            let row = term.target.shape().width * term.target.shape().channels;
            (at, (layout.core.start >> level) * row..(layout.core.end >> level) * row)
        };
        let ranges: Vec<_> = self.content.iter().zip(content_at).map(cut).collect();
        self.content.iter().zip(ranges).map(|(term, (at, range))| (at, &term.target.data()[range])).collect()
    }

    fn gram_matrix(&self, at: usize, gram: &Gram) -> GramMatrix {
        GramMatrix {
            channels: self.network.stages[at].out_channels,
            data: gram.normalised(self.positions_at(at)),
        }
    }

    /// M of a stage.
    fn positions_at(&self, at: usize) -> usize {
        let level = self.network.stages[at].level;
        (self.shape.height >> level) * (self.shape.width >> level)
    }

    fn positions<'a>(&self, layers: impl Iterator<Item = &'a String>) -> Result<Vec<usize>, AutodiffError> {
        layers.map(|layer| self.network.position(layer)).collect()
    }

    fn check_length(&self, got: usize) -> Result<(), AutodiffError> {
        let Shape { height, width, channels } = self.shape;
        if got == self.shape.len() {
            Ok(())
        } else {
            Err(AutodiffError::Pixels { height, width, channels, got })
        }
    }
}

/// The Gram sums of the stages with style terms.
fn make_grams(
    network: &PreparedChain,
    counts: &TapCounts,
    plan: &Plan,
) -> Result<Vec<Option<Gram>>, AutodiffError> {
    (0..network.stages.len())
        .map(|at| {
            let wanted = counts.style[at] > 0;
            let positions = || plan.bands.iter().map(|band| band.extents[at].positions()).max().unwrap_or(0);
            let make = || Gram::new(network.isa, network.stages[at].out_channels, positions());
            Ok(wanted.then(make).transpose()?)
        })
        .collect()
}

/// D = sum over the terms of weight (G' - A') / (N^2 M).
fn scaled_difference<'a>(
    gram: &GramMatrix,
    terms: impl Iterator<Item = &'a StyleTerm>,
    positions: usize,
) -> Vec<f32> {
    let mut difference = vec![0.0; gram.data.len()];
    for term in terms {
        let scale = term.weight / ((gram.channels * gram.channels) as f64 * positions as f64);
        for ((d, &g), &a) in difference.iter_mut().zip(&gram.data).zip(&term.target.data) {
            *d += (scale * f64::from(g - a)) as f32;
        }
    }
    difference
}
