//! A plan with its memory: the forward and the backward sweep, step by step.

use std::ops::Range;
use std::sync::Arc;

use impasto_tensor::conv::{PackedConv, Section, Sink, Source};
use impasto_tensor::{AlignedBuffer, PackedMatrix, Scratch};

use super::arena::Slot;
use super::cost::Direction;
use super::first_layer::{self, FirstLayer};
use super::layout::{FIRST_LAYER_ROWS, Purpose, Tensors, Window};
use super::network::PreparedChain;
use super::plan::Plan;
use super::schedule::{StageStep, Step};
use super::taps::{self, StageTap, TapGradient};
use crate::terms::Term;
use crate::{AutodiffError, Cancel};

/// A stage's packed kernels and mask.
#[derive(Debug)]
struct ProgramStage {
    forward: Arc<PackedConv>,
    /// None for the first stage, which has its own step, and where targets are measured.
    backward: Option<Arc<PackedConv>>,
    /// One bit for each number of the response, in the rows that its window holds.
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
                mask: vec![0; plan.layout.stages[at].windows.mask.len()],
            })
        };
        // Before any is packed, so that those of an earlier program are not in memory beside them.
        network.drop_unused(&plan.layers);
        let stages = (0..plan.layers.len()).map(stage).collect::<Result<_, _>>()?;
        let scratch = Scratch::default();
        scratch.reserve(
            rayon::current_num_threads(),
            network.scratch_len(&plan),
            network.shared_len(&plan),
        )?;
        let evaluates = plan.purpose == Purpose::Evaluate;
        Ok(Self {
            first_layer: evaluates.then(|| first_layer::pack(&network)).transpose()?,
            arena: AlignedBuffer::zeros(plan.layout.arena_len)?,
            network,
            plan,
            stages,
            scratch,
            cancel: Cancel::default(),
        })
    }

    /// Computes a step's rows of the responses to `image`, the whole picture, and hands each tapped stage's to `tap`: the stage, the
    /// first position in its whole response, F, scratch. The steps of a sweep come in their order.
    pub(crate) fn forward(
        &mut self,
        step: &Step,
        image: &[f32],
        mut tap: impl FnMut(usize, usize, &[f32], &Scratch) -> Result<(), AutodiffError>,
    ) -> Result<(), AutodiffError> {
        let layout = Arc::clone(&self.plan.layout);
        self.move_windows(step);
        for (at, rows) in step.stages.iter().map(|stage| &stage.response).enumerate() {
            if rows.is_empty() {
                continue;
            }
            self.cancel.check()?;
            let (stage, StageStep { first, .. }) = (&self.network.stages[at], &step.stages[at]);
            let (extent, windows) = (layout.stages[at].extent, &layout.stages[at].windows);
            let section = Section::new(extent, rows);
            let before = at.checked_sub(1).map(|before| layout.output(step, before, &section.input_rows()));
            let response = windows.response.place(first.response, rows);
            let pooled = windows.pooled.place(first.pooled, &section.pooled_rows());
            let [source, response, pooled] =
                disjoint(&mut self.arena, [before.unwrap_or_default(), response, pooled]);
            let source = if at == 0 {
                let input = rows_of(image, &section.input_rows(), extent.width * stage.in_channels);
                Source::Bordered { input, border: self.network.border }
            } else {
                Source::Plain(source)
            };
            let own = &mut self.stages[at];
            let mask = &mut own.mask[windows.mask.place(first.mask, rows)];
            let sink = Sink::Response {
                bias: &stage.bias,
                response: windows.response.is_held().then_some(&mut *response),
                pooled: windows.pooled.is_held().then_some((self.network.pool_kind, pooled)),
                mask: windows.mask.is_held().then_some(mask),
            };
            own.forward.run(section, source, sink, &self.scratch);
            if self.plan.layers[at].tapped {
                tap(at, rows.start * extent.width, response, &self.scratch)?;
            }
        }
        Ok(())
    }

    /// Moves what a step and later ones need to the front of its window. (A ring stays as it is.)
    fn move_windows(&mut self, step: &Step) {
        for ((stage, layout), own) in step.stages.iter().zip(&self.plan.layout.stages).zip(&mut self.stages) {
            let (added, windows) = (stage.added(), layout.windows.each());
            let rows = stage.before.each().into_iter().zip(stage.first.each()).zip(added.each());
            for (index, (window, ((&before, &first), added))) in windows.into_iter().zip(rows).enumerate() {
                let moves = window.is_held() && index != Tensors::<Window>::KEPT;
                if !moves || first == before || first >= added.start {
                    continue;
                }
                let kept = window.place(before, &(first..added.start));
                if index == Tensors::<Window>::MASK {
                    own.mask.copy_within(kept, window.slot.start);
                } else {
                    self.arena.copy_within(kept, window.slot.start);
                }
            }
        }
    }

    /// Adds a step's rows of the gradient of the losses `taps` to `gradient`, that of the whole picture. The step's forward sweep must
    /// have been the last one.
    pub(crate) fn backward(
        &mut self,
        step: &Step,
        image: &[f32],
        taps: Taps<'_>,
        gradient: &mut [f32],
    ) -> Result<(), AutodiffError> {
        self.keep_responses(step);
        for (at, stage) in step.stages.iter().enumerate().rev() {
            self.cancel.check()?;
            if !stage.gradient.is_empty() {
                self.seed(step, at, taps);
            }
            if at > 0 && !stage.input_gradient.is_empty() {
                self.convolve_back(step, at);
            }
        }
        self.backward_first(step, image, taps, gradient);
        Ok(())
    }

    /// Brings a step's rows of F to the rings from which the backward sweep reads them.
    fn keep_responses(&mut self, step: &Step) {
        for (stage, layout) in step.stages.iter().zip(&self.plan.layout.stages) {
            let Tensors { response, kept, .. } = &layout.windows;
            for (rows, place) in kept.ring(&stage.response) {
                self.arena.copy_within(response.place(stage.first.response, &rows), place.start);
            }
        }
    }

    /// The gradient of the input of stage `at` from that of its response.
    fn convolve_back(&mut self, step: &Step, at: usize) {
        let layout = &*self.plan.layout;
        let (stage, rows) = (&layout.stages[at], &step.stages[at].input_gradient);
        let section = Section::new(stage.extent, rows);
        let unpooled = stage.pools() && !stage.windows.seed.is_held();
        let source = if unpooled {
            layout.behind(step, at, &section.pooled_input_rows())
        } else {
            layout.gradient(step, at, &section.input_rows())
        };
        let result = stage.windows.input_gradient.place(step.stages[at].first.input_gradient, rows);
        let [source, result] = disjoint(&mut self.arena, [source, result]);
        let mask = |at: usize, rows: &Range<usize>| {
            &self.stages[at].mask[layout.stages[at].windows.mask.place(step.stages[at].first.mask, rows)]
        };
        let source = if unpooled {
            let mask = mask(at, &section.input_rows());
            Source::Unpooled { gradient: source, mask, share: self.network.share() }
        } else {
            Source::Plain(source)
        };
        // A tapped layer's mask comes with its losses' gradient, a pooled one's with its unpooling.
        let masked = !layout.stages[at - 1].pools() && !self.plan.layers[at - 1].tapped;
        let sink = Sink::Gradient { gradient: result, mask: masked.then(|| mask(at - 1, rows)) };
        if let Some(backward) = &self.stages[at].backward {
            backward.run(section, source, sink, &self.scratch);
        }
    }

    /// Brings a step's rows of dL/dZ of stage `at` to their place, unless the convolution reads them on the fly. At the first stage
    /// the losses follow later, block by block.
    fn seed(&mut self, step: &Step, at: usize, taps: Taps<'_>) {
        self.unpool_seed(step, at);
        let (layout, rows) = (&*self.plan.layout, &step.stages[at].gradient);
        if !self.plan.layers[at].tapped || at == 0 {
            return;
        }
        let stage = &layout.stages[at];
        let Tensors { response, kept, .. } = &stage.windows;
        let pieces: Vec<(Range<usize>, Slot)> = if kept.is_held() {
            kept.ring(rows).collect()
        } else {
            vec![(rows.clone(), response.place(step.stages[at].first.response, rows))]
        };
        for (rows, response) in pieces {
            let slots = [response, layout.gradient(step, at, &rows)];
            let [response, gradient] = disjoint(&mut self.arena, slots);
            let first = rows.start * stage.extent.width;
            let taps = taps.at(at, self.network.stages[at].out_channels, first);
            taps.add_and_mask(response, gradient, &self.scratch);
        }
    }

    /// Fills a step's rows of the seed of stage `at`, if it has one: with zeros at the deepest stage, else from behind its pooling.
    fn unpool_seed(&mut self, step: &Step, at: usize) {
        let layout = &*self.plan.layout;
        let (stage, StageStep { gradient: rows, first, .. }) = (&layout.stages[at], &step.stages[at]);
        if !stage.windows.seed.is_held() {
            return;
        }
        let seed = stage.windows.seed.place(first.seed, rows);
        if at + 1 == layout.stages.len() {
            self.arena[seed].fill(0.0);
            return;
        }
        let pooled =
            layout.behind(step, at, &(rows.start / 2..rows.end.div_ceil(2).min(stage.extent.height / 2)));
        let [pooled, seed] = disjoint(&mut self.arena, [pooled, seed]);
        let mask = &self.stages[at].mask[stage.windows.mask.place(first.mask, rows)];
        let channels = self.network.stages[at].out_channels;
        taps::unpool(stage.extent.width, channels, pooled, mask, self.network.share(), seed);
    }

    /// The first stage, strip by strip.
    fn backward_first(&mut self, step: &Step, image: &[f32], taps: Taps<'_>, gradient: &mut [f32]) {
        let rows = &step.stages[0].input_gradient;
        let (Some(kernel), false) = (&self.first_layer, rows.is_empty()) else { return };
        let layout = &*self.plan.layout;
        let slots = [layout.gradient(step, 0, rows), layout.first_layer.clone().unwrap_or_default()];
        let [incoming, products] = disjoint(&mut self.arena, slots);
        let stage = &self.network.stages[0];
        let first_layer = FirstLayer {
            stage,
            forward: &self.stages[0].forward,
            kernel,
            extent: layout.stages[0].extent,
            input: image,
            border: self.network.border,
            first: rows.start,
            tap: self.plan.layers[0].tapped.then(|| taps.at(0, stage.out_channels, 0)),
        };
        for first in rows.clone().step_by(FIRST_LAYER_ROWS) {
            let rows = first..rows.end.min(first + FIRST_LAYER_ROWS);
            first_layer.backward(rows, incoming, products, gradient, &self.scratch);
        }
    }
}

impl<'a> Taps<'a> {
    /// Those of stage `at`, for responses from position `first` on.
    fn at(self, at: usize, channels: usize, first: usize) -> TapGradient<'a> {
        TapGradient { terms: self.terms, tap: &self.stages[at], channels, first }
    }
}

/// Some rows of `row` numbers each.
fn rows_of<'a>(numbers: &'a [f32], rows: &Range<usize>, row: usize) -> &'a [f32] {
    &numbers[rows.start * row..rows.end * row]
}

/// The tensors at some places of the arena, empty for none.
fn disjoint<const N: usize>(arena: &mut [f32], slots: [Slot; N]) -> [&mut [f32]; N] {
    arena.get_disjoint_mut(slots).expect("planned places do not overlap")
}

#[cfg(test)]
mod tests {
    use impasto_tensor::{Border, Gram, Isa, Shape, SquareRoots, Tensor};

    use super::super::cost::Kernels;
    use super::super::network::ConvMode;
    use super::super::plan::{Cuts, EvaluatorOptions, StagedTap, Task, Work};
    use super::*;
    use crate::losses::{Content, GramMatrix, Loss, LossKind, Moments, Style, Wasserstein};
    use crate::terms::Weight;
    use crate::{Chain, ConvLayer, Coverage, Guide, Layer, Pooling};

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
        Arc::new(
            PreparedChain::new(
                Chain { input: None, layers, pooling: Pooling::Max, border: Border::Zero },
                mode,
            )
            .unwrap(),
        )
    }

    const fn tap(stage: usize, kind: LossKind, guide: Option<usize>) -> StagedTap {
        StagedTap { stage, kind, guide }
    }

    const CONTENT: LossKind = LossKind::Content;
    const STYLE: LossKind = LossKind::Gram;
    const GAUSSIAN: LossKind = LossKind::Wasserstein;

    /// A content loss in the middle and a style loss at either end.
    const TAPS: &[StagedTap] = &[tap(0, STYLE, None), tap(1, CONTENT, None), tap(2, STYLE, None)];

    /// The same with guides, some of which are shared.
    const GUIDED: &[StagedTap] = &[
        tap(0, STYLE, Some(0)),
        tap(0, STYLE, None),
        tap(1, CONTENT, Some(2)),
        tap(2, STYLE, Some(3)),
        tap(2, STYLE, Some(4)),
        tap(2, CONTENT, Some(4)),
        tap(2, STYLE, Some(4)),
    ];

    /// Distances of Gaussians, one beside a Gram matrix of the same sums.
    const GAUSSIANS: &[StagedTap] = &[
        tap(0, GAUSSIAN, None),
        tap(2, GAUSSIAN, Some(1)),
        tap(2, STYLE, Some(1)),
        tap(2, GAUSSIAN, None),
        tap(2, CONTENT, None),
    ];

    fn terms(network: &PreparedChain, Task { size, taps, .. }: Task<'_>) -> Vec<Term> {
        let guide = |positions: usize| Coverage::of(vec![0.5; positions]).guide().cloned();
        let guides: Vec<_> = taps
            .iter()
            .map(|tap| guide(network.stages[tap.stage].response_shape(size).positions()))
            .collect();
        let term = |tap: &StagedTap| {
            let stage = &network.stages[tap.stage];
            let (shape, guide) = (stage.response_shape(size), tap.guide.and_then(|at| guides[at].clone()));
            let (channels, zeros) = (shape.channels, vec![0.0; shape.channels * shape.channels]);
            let loss = match tap.kind {
                LossKind::Gram => Loss::Gram(Style { target: GramMatrix { channels, data: zeros }, guide }),
                LossKind::Wasserstein => {
                    let second = GramMatrix { channels, data: zeros };
                    let moments = Moments { mean: vec![0.0; channels], second };
                    Loss::Wasserstein(Wasserstein::new(moments)).guided(guide)
                }
                _ => Loss::Content(Content { target: Tensor::zeros(shape).unwrap(), guide }),
            };
            Term::at(stage.name.clone(), Weight::alone(1.0), loss)
        };
        taps.iter().map(term).collect()
    }

    /// Runs a program on one thread, and compares what it then holds with what was counted.
    fn assert_counted(network: &Arc<PreparedChain>, task: Task<'_>, work: &Work) {
        let plan = network.plan_task(task, work).unwrap();
        let (bytes, isa, terms) = (plan.bytes(), Isa::current(), terms(network, task));
        let (scratch_len, shared_len) = (network.scratch_len(&plan), network.shared_len(&plan));
        let Task { size, taps: staged, purpose } = task;
        let layout = Arc::clone(&plan.layout);
        let mut taps: Vec<StageTap> = (0..plan.layers.len())
            .map(|at| {
                let own = (0..staged.len()).filter(|&index| staged[index].stage == at);
                let sizes = (isa, network.stages[at].out_channels);
                StageTap::new(sizes, &terms, own, |guide| network.gram(&plan, at, guide)).unwrap()
            })
            .collect();
        let mut program = Program::new(Arc::clone(network), plan).unwrap();
        let image = vec![0.5; Shape::new(size.0, size.1, 3).len()];
        let mut gradient = image.clone();
        for step in &layout.sums {
            let add = |at: usize, _: usize, f: &[f32], scratch: &Scratch| {
                for sums in &mut taps[at].sums {
                    sums.gram.add(f, scratch);
                }
                Ok(())
            };
            program.forward(step, &image, add).unwrap();
        }
        for step in &layout.gradient {
            if layout.is_cut() {
                program.forward(step, &image, |_, _, _, _| Ok(())).unwrap();
            }
            program.backward(step, &image, Taps { terms: &terms, stages: &taps }, &mut gradient).unwrap();
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
        let sums = taps.iter().enumerate().flat_map(|(at, tap)| tap.sums.iter().map(move |_| at)).map(|at| {
            let shape = network.stages[at].response_shape(size);
            let maps = if purpose == Purpose::Evaluate { 2 * 4 * shape.channels * shape.channels } else { 0 };
            let waiting = if layout.is_cut() { Gram::waiting_bytes(shape.channels) } else { 0 };
            let is_of_means = staged.iter().any(|tap| tap.stage == at && tap.kind.is_of_means());
            let means =
                if is_of_means { Gram::mean_bytes(isa, shape.channels, shape.positions()) } else { 0 };
            Gram::bytes(isa, shape.channels, shape.positions()) + waiting + maps + means
        });
        let of_means = staged.iter().filter(|tap| tap.kind.is_of_means() && purpose == Purpose::Evaluate);
        let roots: Vec<usize> = of_means.map(|tap| network.stages[tap.stage].out_channels).collect();
        let of_roots = roots.iter().map(|n| 4 * n * n).sum::<usize>()
            + SquareRoots::bytes(isa, roots.iter().copied().max().unwrap_or(0));
        assert_eq!(bytes.scratch, (sums.sum::<usize>() + of_roots + 4 * (first + shared)) as u64);
        let targets = staged
            .iter()
            .map(|tap| 4 * tap.kind.target_len(network.stages[tap.stage].response_shape(size)) as u64);
        let mut guides: Vec<&Guide> = terms.iter().filter_map(|term| term.loss.guide()).collect();
        guides.sort_by_key(|guide| guide.weights().as_ptr());
        guides.dedup_by(|one, other| one.is(other));
        let guides = guides.into_iter().map(Guide::bytes);
        assert_eq!(bytes.targets, targets.chain(guides).sum::<u64>());
    }

    #[test]
    fn what_is_counted_is_what_is_held() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let (exact, fast) = (ConvMode::Exact, ConvMode::Fast);
        for (network, taps, size) in [
            (network(&[16, 32, 48], exact), TAPS, (70, 33)),
            (network(&[16, 32, 48], fast), TAPS, (70, 33)),
            (network(&[16, 32, 48], fast), GUIDED, (70, 33)),
            (network(&[16, 32, 48], fast), GAUSSIANS, (70, 33)),
            // Kernels so large that the backward pass transforms them as it goes.
            (network(&[16, 512, 512], fast), TAPS, (75, 72)),
            // The step to the picture takes the most scratch.
            (network(&[64, 16, 16], fast), &TAPS[..1], (20, 20)),
            (network(&[64, 16, 16], fast), &GUIDED[..1], (20, 20)),
        ] {
            for purpose in [Purpose::Measure, Purpose::Evaluate] {
                let task = Task { size, taps, purpose };
                pool.install(|| {
                    let within = |memory_limit| Work::Within(EvaluatorOptions { memory_limit });
                    assert_counted(&network, task, &within(None));
                    let refused = network.plan_task(task, &within(Some(1)));
                    let Err(AutodiffError::Memory { needed, .. }) = refused else { panic!("{refused:?}") };
                    assert_counted(&network, task, &within(Some(needed)));
                    for (rows, kernels) in
                        [(vec![3], Kernels::Streamed), (vec![5, 6, 17, 18, 19], Kernels::Kept)]
                    {
                        assert_counted(&network, task, &Work::Cut(Cuts { rows, kernels }));
                    }
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
            let bytes = network.plan_task(task, &EvaluatorOptions::default().into()).unwrap().bytes();
            (bytes.arena, bytes.masks)
        };
        let (evaluate, measure, deepest) = (Purpose::Evaluate, Purpose::Measure, tap(4, STYLE, None));
        let with = |purpose, at| arena_and_masks(purpose, &[tap(at, CONTENT, None), deepest]);
        let [shallow, deep] = [64 * 64 * 16, 32 * 32 * 128];
        let (arena, masks) = arena_and_masks(evaluate, &[deepest]);
        assert_eq!(masks, 2 * (shallow + deep) / 8);
        assert_eq!(with(evaluate, 0), (arena, masks - shallow / 8));
        assert_eq!(with(evaluate, 2), (arena + 4 * deep, masks - deep / 8));
        // A measurement holds what a layer reads and what it writes.
        assert_eq!([0, 2].map(|at| with(measure, at)), [(4 * 2 * deep, 0); 2]);
        assert_eq!(arena_and_masks(measure, &[tap(0, STYLE, None)]), (4 * shallow, 0));
    }
}
