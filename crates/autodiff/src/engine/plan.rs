//! The plan of an evaluation: cuts, algorithms, bytes.

use std::sync::Arc;

use impasto_tensor::Shape;
use impasto_tensor::conv::{Algorithm, Extent};

use super::cost::{Direction, Kernels};
use super::layout::{Layout, Purpose};
use super::network::PreparedChain;
use crate::losses::LossKind;
use crate::terms::Tap;
use crate::{AutodiffError, Guide};

/// The most bands that a picture is cut into.
const MOST_BANDS: usize = 256;

/// How an evaluator may use the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EvaluatorOptions {
    /// The most bytes that the evaluator may hold, packed weights and targets included; none is no limit.
    pub memory_limit: Option<u64>,
}

/// How a picture is cut, where it is not the memory limit that decides it. The bits of losses, gradients and targets do not depend
/// on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cuts {
    /// The rows of the picture at which it is cut into bands, in any order; rows that it has not, and its first, are passed over.
    pub rows: Vec<usize>,
    /// Which kernels are kept.
    pub kernels: Kernels,
}

/// How the work is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// As little as a memory limit allows.
    Within(EvaluatorOptions),
    /// As said.
    Cut(Cuts),
}

impl From<EvaluatorOptions> for Work {
    fn from(options: EvaluatorOptions) -> Self {
        Self::Within(options)
    }
}

impl From<Cuts> for Work {
    fn from(cuts: Cuts) -> Self {
        Self::Cut(cuts)
    }
}

/// What an evaluation of pictures of one size does and holds.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) purpose: Purpose,
    /// Without stages if there is no loss at a layer.
    pub(crate) layout: Arc<Layout>,
    pub(crate) bands: usize,
    /// Down to the deepest one with a loss.
    pub(crate) layers: Vec<LayerPlan>,
    pub(crate) bytes: PlanBytes,
}

/// How one layer is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPlan {
    /// The layer's name.
    pub name: String,
    /// H x W of its response.
    pub extent: Extent,
    /// Its input channels.
    pub in_channels: usize,
    /// Its output channels.
    pub out_channels: usize,
    /// The algorithm of the forward pass.
    pub forward: Algorithm,
    /// The algorithm of the backward pass; none for the first layer, which has its own, and where targets are measured.
    pub backward: Option<Algorithm>,
    /// Whether a loss looks at its response.
    pub tapped: bool,
    /// Whether a guide says where a loss of its Gram matrix acts.
    pub guided: bool,
    /// Whether a loss looks at the mean of its response.
    pub means: bool,
    /// Bytes of its packed kernels, of both directions.
    pub kernel_bytes: u64,
    /// Bytes of its responses, gradients and mask. Layers that need theirs at different times share memory.
    pub tensor_bytes: u64,
}

/// Where a plan's memory goes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanBytes {
    /// The network's plain kernels.
    pub weights: u64,
    /// The packed kernels, both directions.
    pub packed: u64,
    /// Intermediate tensors.
    pub arena: u64,
    /// ReLU and pooling masks.
    pub masks: u64,
    /// The targets, such as P of a content layer and A of a style layer, and the guides.
    pub targets: u64,
    /// Scratch of tasks and of square roots, sums of Gram matrices and the maps that they lead to: for each guide of a layer its own.
    pub scratch: u64,
}

impl PlanBytes {
    /// The sum.
    pub const fn total(&self) -> u64 {
        self.weights + self.packed + self.arena + self.masks + self.targets + self.scratch
    }
}

impl Plan {
    /// The layers, first to last.
    pub fn layers(&self) -> &[LayerPlan] {
        &self.layers
    }

    /// The number of horizontal bands; with more than one the forward pass runs twice.
    pub const fn bands(&self) -> usize {
        self.bands
    }

    /// Where the memory goes.
    pub const fn bytes(&self) -> PlanBytes {
        self.bytes
    }
}

/// A tap with its layer found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StagedTap {
    pub(crate) stage: usize,
    pub(crate) kind: LossKind,
    /// Which guide of the stage's; none for none.
    pub(crate) guide: Option<usize>,
}

/// A tap with its layer found, and its guide.
#[derive(Clone, Copy)]
pub(crate) struct GuidedTap<'a> {
    pub(crate) stage: usize,
    pub(crate) kind: LossKind,
    pub(crate) guide: Option<&'a Guide>,
}

/// Numbers the guides. Where one comes again at its stage it has the number of the first time.
pub(crate) fn staged(taps: &[GuidedTap<'_>]) -> Vec<StagedTap> {
    let tap = |&GuidedTap { stage, kind, guide }: &GuidedTap<'_>| {
        let same = |other: &GuidedTap<'_>| {
            other.stage == stage && guide.zip(other.guide).is_some_and(|(guide, other)| guide.is(other))
        };
        StagedTap { stage, kind, guide: taps.iter().position(same) }
    };
    taps.iter().map(tap).collect()
}

/// What a plan is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task<'a> {
    /// H and W of the picture.
    pub(crate) size: (usize, usize),
    pub(crate) taps: &'a [StagedTap],
    pub(crate) purpose: Purpose,
}

impl PreparedChain {
    /// The plan of evaluations of `height` x `width` pictures with losses at `taps`, within a memory limit or cut as [`Cuts`] say:
    /// nothing is allocated. Every tap that is guided is taken to have a guide of its own.
    ///
    /// # Errors
    /// [`AutodiffError::UnknownLayer`], [`AutodiffError::TooSmall`], or [`AutodiffError::Memory`] if not even the
    /// smallest bands fit the limit.
    pub fn plan(
        &self,
        height: usize,
        width: usize,
        taps: &[Tap],
        work: impl Into<Work>,
    ) -> Result<Plan, AutodiffError> {
        Shape::new(height, width, self.input_channels()).checked()?;
        let stages = self.stages_of(taps)?.into_iter().zip(taps).enumerate();
        let tap = |(index, (stage, tap)): (usize, (usize, &Tap))| StagedTap {
            stage,
            kind: tap.kind,
            guide: tap.guided.then_some(index),
        };
        let taps: Vec<StagedTap> = stages.map(tap).collect();
        self.plan_task(Task { size: (height, width), taps: &taps, purpose: Purpose::Evaluate }, &work.into())
    }

    /// The stage of each tap.
    pub(crate) fn stages_of(&self, taps: &[Tap]) -> Result<Vec<usize>, AutodiffError> {
        let stage = |tap: &Tap| {
            if !tap.kind.is_of_a_layer() {
                return Err(AutodiffError::Place { loss: tap.kind.name(), needs: "the picture itself" });
            }
            self.position(&tap.layer)
        };
        taps.iter().map(stage).collect()
    }

    /// As [`Self::plan`], for any purpose.
    pub(crate) fn plan_task(&self, task: Task<'_>, work: &Work) -> Result<Plan, AutodiffError> {
        let Task { size: (height, width), taps, purpose } = task;
        let Some(deepest) = taps.iter().map(|tap| tap.stage).max() else {
            let (layout, layers, bytes) = (Arc::default(), Vec::new(), PlanBytes::default());
            return Ok(Plan { purpose, layout, bands: 0, layers, bytes });
        };
        self.check_size((height, width), deepest)?;
        let options = match work {
            Work::Within(options) => options,
            Work::Cut(cuts) => return Ok(self.plan_cut(task, deepest, cuts)),
        };
        let mut smallest = u64::MAX;
        for cuts in candidates(height, 1 << self.stages[deepest].level) {
            let plan = self.plan_cut(task, deepest, &cuts);
            let needed = plan.bytes.total();
            smallest = smallest.min(needed);
            if options.memory_limit.is_none_or(|limit| needed <= limit) {
                return Ok(plan);
            }
        }
        Err(AutodiffError::Memory { needed: smallest, limit: options.memory_limit.unwrap_or(u64::MAX) })
    }

    fn plan_cut(&self, task: Task<'_>, deepest: usize, cuts: &Cuts) -> Plan {
        let Task { size: (height, width), taps, purpose } = task;
        let layer = |at: usize| {
            let stage = &self.stages[at];
            let extent = Extent { height: height >> stage.level, width: width >> stage.level };
            let algorithm = |direction| self.algorithm(at, direction, extent, cuts.kernels);
            let backward = purpose == Purpose::Evaluate && at > 0;
            LayerPlan {
                name: stage.name.clone(),
                extent,
                in_channels: stage.in_channels,
                out_channels: stage.out_channels,
                forward: algorithm(Direction::Forward),
                backward: backward.then(|| algorithm(Direction::Backward)),
                tapped: taps.iter().any(|tap| tap.stage == at),
                guided: taps
                    .iter()
                    .any(|tap| tap.stage == at && tap.kind.is_of_sums() && tap.guide.is_some()),
                means: taps.iter().any(|tap| tap.stage == at && tap.kind.is_of_means()),
                kernel_bytes: 0,
                tensor_bytes: 0,
            }
        };
        let mut layers: Vec<LayerPlan> = (0..=deepest).map(layer).collect();
        let mut rows: Vec<usize> =
            cuts.rows.iter().copied().filter(|row| (1..height).contains(row)).collect();
        rows.sort_unstable();
        rows.dedup();
        let layout = Arc::new(Layout::new(self, &layers, (height, &rows), purpose));
        for (layer, stage) in layers.iter_mut().zip(&layout.stages) {
            (layer.kernel_bytes, layer.tensor_bytes) = (self.kernel_bytes(layer), stage.bytes());
        }
        let mut plan = Plan { purpose, layout, bands: rows.len() + 1, layers, bytes: PlanBytes::default() };
        plan.bytes = self.count_bytes(&plan, task);
        plan
    }
}

/// Ways to cut a picture: what costs least time comes first. Kernels transformed as they are used, then bands, ever smaller ones,
/// whose rows are whole positions of the deepest layer.
fn candidates(height: usize, unit: usize) -> impl Iterator<Item = Cuts> {
    let whole = [Kernels::Kept, Kernels::LargeStreamed, Kernels::Streamed];
    let whole = whole.map(|kernels| Cuts { rows: Vec::new(), kernels });
    let most = height.div_ceil(unit).min(MOST_BANDS);
    let mut bands: Vec<usize> =
        (2..=most).map(|count| height.div_ceil(count).next_multiple_of(unit)).collect();
    bands.dedup();
    let cut = move |kernels: Kernels| {
        let cut = move |rows: usize| Cuts { rows: (rows..height).step_by(rows).collect(), kernels };
        bands.clone().into_iter().map(cut)
    };
    whole.into_iter().chain([Kernels::LargeStreamed, Kernels::Streamed].into_iter().flat_map(cut))
}
