//! A plan with its memory: the forward and the backward sweep over one band.

use std::sync::Arc;

use impasto_tensor::conv::{PackedConv, Sink, Source};
use impasto_tensor::{AlignedBuffer, PackedMatrix, Scratch};

use super::arena::Slot;
use super::cost::Direction;
use super::first_layer::{self, FirstLayer};
use super::layout::{BandLayout, FIRST_LAYER_ROWS, Purpose, StageLayout};
use super::network::{PreparedChain, Stage};
use super::plan::Plan;
use super::taps::{self, StageTap, TapGradient};
use crate::terms::Term;
use crate::{AutodiffError, Cancel};

/// A stage's packed kernels and mask.
#[derive(Debug)]
struct ProgramStage {
    forward: Arc<PackedConv>,
    /// None for the first stage, which has its own step, and where targets are measured.
    backward: Option<Arc<PackedConv>>,
    /// One bit for each number of the response, of the band at work.
    mask: Vec<u8>,
}

/// The losses in the backward sweep: the list of terms, and what each stage of the plan keeps for its own.
#[derive(Clone, Copy)]
pub(crate) struct Taps<'a> {
    pub(crate) terms: &'a [Term],
    pub(crate) stages: &'a [StageTap],
}

#[derive(Debug)]
pub(crate) struct Program {
    network: Arc<PreparedChain>,
    pub(crate) plan: Plan,
    stages: Vec<ProgramStage>,
    /// The first layer's kernel for the backward sweep; none where targets are measured.
    first_layer: Option<PackedMatrix>,
    arena: AlignedBuffer,
    scratch: Scratch,
    /// Asked before every stage.
    pub(crate) cancel: Cancel,
}

impl Program {
    pub(crate) fn new(network: Arc<PreparedChain>, plan: Plan) -> Result<Self, AutodiffError> {
        let stage = |at: usize| {
            let layer = &plan.layers[at];
            let backward = layer.backward.map(|backward| network.packed(at, Direction::Backward, backward));
            Ok::<_, AutodiffError>(ProgramStage {
                forward: network.packed(at, Direction::Forward, layer.forward)?,
                backward: backward.transpose()?,
                mask: vec![0; plan.mask_len(at)],
            })
        };
        let stages = (0..plan.layers.len()).map(stage).collect::<Result<_, _>>()?;
        network.drop_unused();
        let scratch = Scratch::default();
        scratch.reserve(
            rayon::current_num_threads(),
            network.scratch_len(&plan),
            network.shared_len(&plan),
        )?;
        let evaluates = plan.purpose == Purpose::Evaluate;
        Ok(Self {
            first_layer: evaluates.then(|| first_layer::pack(&network)).transpose()?,
            arena: AlignedBuffer::zeros(plan.arena_len())?,
            network,
            plan,
            stages,
            scratch,
            cancel: Cancel::default(),
        })
    }

    /// Computes the responses of a band of `image`, and hands each tapped stage's core rows to `tap`.
    pub(crate) fn forward(
        &mut self,
        band: usize,
        image: &[f32],
        mut tap: impl FnMut(usize, &[f32], &Scratch) -> Result<(), AutodiffError>,
    ) -> Result<(), AutodiffError> {
        let layout = &self.plan.bands[band];
        let input = self.crop(layout, image);
        for (at, slots) in layout.stages.iter().enumerate() {
            self.cancel.check()?;
            let stage = &self.network.stages[at];
            let before = at.checked_sub(1).map(|before| layout.output_slot(before));
            let [source, response, pooled] =
                disjoint(&mut self.arena, [before, slots.response.clone(), slots.pooled.clone()]);
            let source = if at == 0 { input } else { &*source };
            let own = &mut self.stages[at];
            let mask = &mut own.mask[..slots.mask];
            let sink = Sink::Response {
                bias: &stage.bias,
                response: slots.response.is_some().then_some(&mut *response),
                pooled: slots.pooled.is_some().then_some((self.network.pool_kind, pooled)),
                mask: (!mask.is_empty()).then_some(mask),
            };
            own.forward.run(slots.extent, Source::Plain(source), sink, &self.scratch);
            if self.plan.layers[at].tapped {
                tap(at, core(layout, stage, at, response), &self.scratch)?;
            }
        }
        Ok(())
    }

    /// Adds the gradient of the losses `taps` to `gradient`, that of the whole picture. The band's forward sweep must have
    /// been the last one.
    pub(crate) fn backward(
        &mut self,
        band: usize,
        image: &[f32],
        taps: Taps<'_>,
        gradient: &mut [f32],
    ) -> Result<(), AutodiffError> {
        for at in (1..self.plan.layers.len()).rev() {
            self.cancel.check()?;
            self.seed(band, at, taps);
            self.convolve_back(band, at);
        }
        self.cancel.check()?;
        self.backward_first(band, image, taps, gradient);
        Ok(())
    }

    /// The gradient of the input of stage `at` from that of its response.
    fn convolve_back(&mut self, band: usize, at: usize) {
        let layout = &self.plan.bands[band];
        let slots = &layout.stages[at];
        let stages = &self.network.stages;
        let unpooled = at + 1 < layout.stages.len() && stages[at].pool_after && slots.seed.is_none();
        let [source, result] =
            disjoint(&mut self.arena, [Some(layout.gradient_slot(at)), slots.input_gradient.clone()]);
        let source = if unpooled {
            let mask = &self.stages[at].mask[..slots.mask];
            Source::Unpooled { gradient: source, mask, share: self.network.share() }
        } else {
            Source::Plain(source)
        };
        // A tapped layer's mask comes with its losses' gradient, a pooled one's with its unpooling.
        let masked = !stages[at - 1].pool_after && !self.plan.layers[at - 1].tapped;
        let mask = masked.then(|| &self.stages[at - 1].mask[..layout.stages[at - 1].mask]);
        let sink = Sink::Gradient { gradient: result, mask };
        if let Some(backward) = &self.stages[at].backward {
            backward.run(slots.extent, source, sink, &self.scratch);
        }
    }

    /// Brings dL/dZ of stage `at` to its place, unless the convolution reads it on the fly.
    fn seed(&mut self, band: usize, at: usize, taps: Taps<'_>) {
        self.unpool_seed(band, at);
        let layout = &self.plan.bands[band];
        let stage = &self.network.stages[at];
        if !self.plan.layers[at].tapped {
            return;
        }
        let slots = [layout.stages[at].response.clone(), Some(layout.gradient_slot(at))];
        let [response, gradient] = disjoint(&mut self.arena, slots);
        apply_tap(layout, (at, stage), taps, response, gradient, &self.scratch);
    }

    /// Fills the seed of stage `at`, if it has one: with zeros at the deepest stage, else from behind its pooling.
    fn unpool_seed(&mut self, band: usize, at: usize) {
        let layout = &self.plan.bands[band];
        let Some(seed) = layout.stages[at].seed.clone() else { return };
        if at + 1 == layout.stages.len() {
            self.arena[seed].fill(0.0);
            return;
        }
        let share = self.network.share();
        let [pooled, seed] =
            disjoint(&mut self.arena, [layout.stages[at + 1].input_gradient.clone(), Some(seed)]);
        let StageLayout { extent, mask, .. } = layout.stages[at];
        let mask = &self.stages[at].mask[..mask];
        taps::unpool(extent, self.network.stages[at].out_channels, pooled, mask, share, seed);
    }

    /// The first stage, strip by strip.
    fn backward_first(&mut self, band: usize, image: &[f32], taps: Taps<'_>, gradient: &mut [f32]) {
        self.unpool_seed(band, 0);
        let Some(kernel) = &self.first_layer else { return };
        let layout = &self.plan.bands[band];
        let stage = &self.network.stages[0];
        let extent = layout.stages[0].extent;
        let input = self.crop(layout, image);
        let image_row = extent.width * stage.in_channels;
        let picture = &mut gradient[layout.crop.start * image_row..layout.crop.end * image_row];
        let slots = [Some(layout.gradient_slot(0)), layout.first_layer.clone()];
        let [incoming, products] = disjoint(&mut self.arena, slots);
        let first_layer = FirstLayer {
            stage,
            forward: &self.stages[0].forward,
            kernel,
            extent,
            input,
            core: &layout.core_rows(0),
            tap: self.plan.layers[0].tapped.then(|| taps.at(layout, (0, stage))),
        };
        for first in (0..extent.height).step_by(FIRST_LAYER_ROWS) {
            let rows = first..extent.height.min(first + FIRST_LAYER_ROWS);
            first_layer.backward(rows, incoming, products, picture, &self.scratch);
        }
    }

    /// The band's rows of a picture of the network's input.
    fn crop<'a>(&self, layout: &BandLayout, image: &'a [f32]) -> &'a [f32] {
        let row = layout.stages[0].extent.width * self.network.input_channels();
        &image[layout.crop.start * row..layout.crop.end * row]
    }
}

impl<'a> Taps<'a> {
    /// Those of stage `at`, for the core of a band.
    fn at(self, layout: &BandLayout, (at, stage): (usize, &Stage)) -> TapGradient<'a> {
        TapGradient {
            terms: self.terms,
            tap: &self.stages[at],
            channels: stage.out_channels,
            first: layout.first_position(at, stage.level),
        }
    }
}

/// Adds the gradient of the losses at a stage in the core's rows, and masks all of them.
fn apply_tap(
    layout: &BandLayout,
    (at, stage): (usize, &Stage),
    taps: Taps<'_>,
    response: &[f32],
    gradient: &mut [f32],
    scratch: &Scratch,
) {
    let core = layout.core_rows(stage.level);
    let row = layout.stages[at].extent.width * stage.out_channels;
    let (start, end) = (core.start * row, core.end * row);
    taps::mask(&response[..start], &mut gradient[..start]);
    taps::mask(&response[end..], &mut gradient[end..]);
    let (response, gradient) = (&response[start..end], &mut gradient[start..end]);
    taps.at(layout, (at, stage)).add_and_mask(response, gradient, scratch);
}

/// The core's rows of a stage's response.
fn core<'a>(layout: &BandLayout, stage: &Stage, at: usize, response: &'a [f32]) -> &'a [f32] {
    let rows = layout.core_rows(stage.level);
    let row = layout.stages[at].extent.width * stage.out_channels;
    &response[rows.start * row..rows.end * row]
}

/// The tensors at some places of the arena, empty for none.
fn disjoint<const N: usize>(arena: &mut [f32], slots: [Option<Slot>; N]) -> [&mut [f32]; N] {
    arena.get_disjoint_mut(slots.map(Option::unwrap_or_default)).expect("planned places do not overlap")
}

#[cfg(test)]
mod tests {
    use impasto_tensor::{Gram, Isa, Shape, Tensor};

    use super::super::network::ConvMode;
    use super::super::plan::{EvaluatorOptions, StagedTap, Task};
    use super::*;
    use crate::losses::{Content, GramMatrix, Loss, LossKind, Style};
    use crate::terms::Weight;
    use crate::{Chain, ConvLayer, Layer, Pooling};

    /// Convolutions with these outputs, and a pooling after the second.
    fn network(widths: &[usize], mode: ConvMode) -> Arc<PreparedChain> {
        let conv = |at: usize| {
            let (inputs, outputs) = (if at == 0 { 3 } else { widths[at - 1] }, widths[at]);
            let kernel = (0..9 * inputs * outputs).map(|i| 0.1 * (i as f32).sin()).collect();
            let (name, bias) = (format!("conv{at}"), vec![0.1; outputs]);
            Layer::Conv(ConvLayer { name, in_channels: inputs, out_channels: outputs, kernel, bias })
        };
        let mut layers: Vec<_> = (0..widths.len()).map(conv).collect();
        layers.insert(2, Layer::Pool);
        Arc::new(PreparedChain::new(Chain { input: None, layers, pooling: Pooling::Max }, mode).unwrap())
    }

    /// A content loss in the middle and a style loss at either end.
    const TAPS: &[StagedTap] = &[(0, LossKind::Gram), (1, LossKind::Content), (2, LossKind::Gram)];

    fn terms(network: &PreparedChain, Task { size, taps, .. }: Task<'_>) -> Vec<Term> {
        let term = |&(at, kind): &StagedTap| {
            let (stage, shape) = (&network.stages[at], network.stages[at].response_shape(size));
            let (channels, zeros) = (shape.channels, vec![0.0; shape.channels * shape.channels]);
            let loss = match kind {
                LossKind::Gram => Loss::Gram(Style { target: GramMatrix { channels, data: zeros } }),
                _ => Loss::Content(Content { target: Tensor::zeros(shape).unwrap() }),
            };
            Term::at(stage.name.clone(), Weight::alone(1.0), loss)
        };
        taps.iter().map(term).collect()
    }

    /// Runs a program on one thread, and compares what it then holds with what was counted.
    fn assert_counted(network: &Arc<PreparedChain>, task: Task<'_>, memory_limit: Option<u64>) {
        let plan = network.plan_task(task, EvaluatorOptions { memory_limit }).unwrap();
        let (bytes, isa, terms) = (plan.bytes(), Isa::current(), terms(network, task));
        let (scratch_len, shared_len) = (network.scratch_len(&plan), network.shared_len(&plan));
        let Task { size, taps: staged, purpose } = task;
        let bands = plan.bands();
        let own = |at: usize| staged.iter().enumerate().filter(move |(_, tap)| tap.0 == at);
        let mut taps: Vec<StageTap> = (0..plan.layers.len())
            .map(|at| {
                let own = own(at).map(|(index, tap)| (index, tap.1.is_of_sums()));
                StageTap::new(isa, network.stages[at].out_channels, plan.most_positions(at), own).unwrap()
            })
            .collect();
        let mut program = Program::new(Arc::clone(network), plan).unwrap();
        let image = vec![0.5; Shape::new(size.0, size.1, 3).len()];
        let mut gradient = image.clone();
        for band in 0..bands {
            let add = |at: usize, f: &[f32], scratch: &Scratch| {
                if let Some((gram, _)) = &mut taps[at].sums {
                    gram.add(f, scratch);
                }
                Ok(())
            };
            program.forward(band, &image, add).unwrap();
            if purpose == Purpose::Evaluate {
                program.backward(band, &image, Taps { terms: &terms, stages: &taps }, &mut gradient).unwrap();
            }
        }
        let kernels = program.stages.iter().zip(&program.plan.layers).map(|(stage, layer)| {
            let convs = std::iter::once(&stage.forward).chain(&stage.backward);
            convs.map(|conv| conv.at(layer.extent).packed_bytes()).sum::<usize>()
        });
        assert_eq!(bytes.packed, kernels.sum::<usize>() as u64);
        assert_eq!(bytes.arena, size_of_val(&program.arena[..]) as u64);
        assert_eq!(bytes.masks, program.stages.iter().map(|stage| stage.mask.len()).sum::<usize>() as u64);
        // One buffer was enough, and none had to grow.
        let scratch = &program.scratch;
        let (first, second) = scratch.with(0, |first| (first.len(), scratch.with(0, |second| second.len())));
        let shared = scratch.with_shared(0, |shared| shared.len());
        assert_eq!((first, second, shared), (scratch_len, 0, shared_len));
        let sums = staged.iter().filter(|tap| tap.1.is_of_sums()).map(|&(at, _)| {
            let shape = network.stages[at].response_shape(size);
            let maps = if purpose == Purpose::Evaluate { 2 * 4 * shape.channels * shape.channels } else { 0 };
            Gram::bytes(isa, shape.channels, shape.positions()) + maps
        });
        assert_eq!(bytes.scratch, (sums.sum::<usize>() + 4 * (first + shared)) as u64);
    }

    #[test]
    fn what_is_counted_is_what_is_held() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let (exact, fast) = (ConvMode::Exact, ConvMode::Fast);
        for (network, taps, size) in [
            (network(&[16, 32, 48], exact), TAPS, (70, 33)),
            (network(&[16, 32, 48], fast), TAPS, (70, 33)),
            // Kernels so large that the backward pass transforms them as it goes.
            (network(&[16, 512, 512], fast), TAPS, (75, 72)),
            // The step to the picture takes the most scratch.
            (network(&[64, 16, 16], fast), &TAPS[..1], (20, 20)),
        ] {
            for purpose in [Purpose::Measure, Purpose::Evaluate] {
                let task = Task { size, taps, purpose };
                pool.install(|| {
                    assert_counted(&network, task, None);
                    let refused = network.plan_task(task, EvaluatorOptions { memory_limit: Some(1) });
                    let Err(AutodiffError::Memory { needed, .. }) = refused else { panic!("{refused:?}") };
                    assert_counted(&network, task, Some(needed));
                });
            }
        }
    }

    /// And not the first, whose response is computed again. A layer with a loss needs no mask, its response has it.
    #[test]
    fn only_layers_with_a_loss_keep_their_response() {
        let network = network(&[16, 16, 128, 128, 128], ConvMode::Exact);
        let arena_and_masks = |purpose, taps: &[StagedTap]| {
            let task = Task { size: (64, 64), taps, purpose };
            let bytes = network.plan_task(task, EvaluatorOptions::default()).unwrap().bytes();
            (bytes.arena, bytes.masks)
        };
        let (evaluate, measure, deepest) = (Purpose::Evaluate, Purpose::Measure, (4, LossKind::Gram));
        let with = |purpose, at| arena_and_masks(purpose, &[(at, LossKind::Content), deepest]);
        let [shallow, deep] = [64 * 64 * 16, 32 * 32 * 128];
        let (arena, masks) = arena_and_masks(evaluate, &[deepest]);
        assert_eq!(masks, 2 * (shallow + deep) / 8);
        assert_eq!(with(evaluate, 0), (arena, masks - shallow / 8));
        assert_eq!(with(evaluate, 2), (arena + 4 * deep, masks - deep / 8));
        // A measurement holds what a layer reads and what it writes.
        assert_eq!([0, 2].map(|at| with(measure, at)), [(4 * 2 * deep, 0); 2]);
        assert_eq!(arena_and_masks(measure, &[(0, LossKind::Gram)]), (4 * shallow, 0));
    }
}
