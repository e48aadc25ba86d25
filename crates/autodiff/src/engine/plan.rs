//! The plan of an evaluation: bands, algorithms, bytes.

use impasto_tensor::Shape;
use impasto_tensor::conv::{Algorithm, Extent};

use super::cost::{Direction, Kernels};
use super::layout::{BandLayout, Purpose};
use super::network::PreparedChain;
use crate::AutodiffError;
use crate::losses::LossKind;
use crate::terms::Tap;

/// The most bands that a picture is cut into.
const MOST_BANDS: usize = 64;

/// How an evaluator may use the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EvaluatorOptions {
    /// The most bytes that the evaluator may hold, packed weights and targets included; none is no limit.
    pub memory_limit: Option<u64>,
}

/// What an evaluation of pictures of one size does and holds.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) purpose: Purpose,
    /// None without a loss at a layer.
    pub(crate) bands: Vec<BandLayout>,
    /// Down to the deepest one with a loss.
    pub(crate) layers: Vec<LayerPlan>,
    pub(crate) bytes: PlanBytes,
}

/// How one layer is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPlan {
    /// The layer's name.
    pub name: String,
    /// H x W of its response (in the largest band).
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
    /// The targets, such as P of a content layer and A of a style layer.
    pub targets: u64,
    /// Scratch of tasks, sums of Gram matrices and the maps that they lead to.
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
    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    /// Where the memory goes.
    pub const fn bytes(&self) -> PlanBytes {
        self.bytes
    }

    /// The length of the arena: that of the largest band.
    pub(crate) fn arena_len(&self) -> usize {
        self.bands.iter().map(|band| band.arena_len).max().unwrap_or(0)
    }

    /// The positions of a stage's response: those of the largest band, what is around its core included.
    pub(crate) fn most_positions(&self, stage: usize) -> usize {
        self.bands.iter().map(|band| band.stages[stage].extent.positions()).max().unwrap_or(0)
    }

    /// The bytes of a stage's mask: those of the largest band.
    pub(crate) fn mask_len(&self, stage: usize) -> usize {
        self.bands.iter().map(|band| band.stages[stage].mask).max().unwrap_or(0)
    }
}

/// A tap with its layer found: the stage and the loss.
pub(crate) type StagedTap = (usize, LossKind);

/// What a plan is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task<'a> {
    /// H and W of the picture.
    pub(crate) size: (usize, usize),
    pub(crate) taps: &'a [StagedTap],
    pub(crate) purpose: Purpose,
}

impl PreparedChain {
    /// The plan of evaluations of `height` x `width` pictures with losses at `taps`: nothing is allocated.
    ///
    /// # Errors
    /// [`AutodiffError::UnknownLayer`], [`AutodiffError::TooSmall`], or [`AutodiffError::Memory`] if not even the
    /// smallest bands fit the limit.
    pub fn plan(
        &self,
        height: usize,
        width: usize,
        taps: &[Tap],
        options: EvaluatorOptions,
    ) -> Result<Plan, AutodiffError> {
        Shape::new(height, width, self.input_channels()).checked()?;
        let taps = self.stages_of(taps)?;
        self.plan_task(Task { size: (height, width), taps: &taps, purpose: Purpose::Evaluate }, options)
    }

    /// The stage of each tap.
    pub(crate) fn stages_of(&self, taps: &[Tap]) -> Result<Vec<StagedTap>, AutodiffError> {
        let stage = |tap: &Tap| {
            if !tap.kind.is_of_a_layer() {
                return Err(AutodiffError::Place { loss: tap.kind.name(), needs: "the picture itself" });
            }
            Ok((self.position(&tap.layer)?, tap.kind))
        };
        taps.iter().map(stage).collect()
    }

    /// As [`Self::plan`], for any purpose.
    pub(crate) fn plan_task(&self, task: Task<'_>, options: EvaluatorOptions) -> Result<Plan, AutodiffError> {
        let Task { size: (height, width), taps, purpose } = task;
        let Some(deepest) = taps.iter().map(|&(stage, _)| stage).max() else {
            return Ok(Plan { purpose, bands: Vec::new(), layers: Vec::new(), bytes: PlanBytes::default() });
        };
        let unit = 1 << self.stages[deepest].level;
        if height < unit || width < unit {
            let layer = self.stages[deepest].name.clone();
            return Err(AutodiffError::TooSmall { height, width, layer, minimum: unit });
        }
        // What costs least time comes first: kernels transformed as they are used, then bands, ever smaller ones.
        let whole = [(Kernels::Balanced, 1), (Kernels::Streamed, 1)];
        let most = height.div_ceil(unit).min(MOST_BANDS);
        let mut smallest = u64::MAX;
        for (kernels, count) in whole.into_iter().chain((2..=most).map(|count| (Kernels::Streamed, count))) {
            let plan = self.plan_bands(task, deepest, kernels, count);
            let needed = plan.bytes.total();
            smallest = smallest.min(needed);
            if options.memory_limit.is_none_or(|limit| needed <= limit) {
                return Ok(plan);
            }
        }
        Err(AutodiffError::Memory { needed: smallest, limit: options.memory_limit.unwrap_or(u64::MAX) })
    }

    fn plan_bands(&self, task: Task<'_>, deepest: usize, kernels: Kernels, count: usize) -> Plan {
        let Task { size: (height, width), taps, purpose } = task;
        let tapped: Vec<bool> = (0..=deepest).map(|at| taps.iter().any(|&(stage, _)| stage == at)).collect();
        let unit = 1 << self.stages[deepest].level;
        // Every convolution reaches one position further at its level, so 2^level pixels.
        let radius: usize = self.stages[..=deepest].iter().map(|stage| 1 << stage.level).sum();
        let halo = radius.next_multiple_of(unit);
        let rows = height.div_ceil(count).next_multiple_of(unit);
        let bands: Vec<BandLayout> = (0..height.div_ceil(rows))
            .map(|band| {
                let core = band * rows..((band + 1) * rows).min(height);
                let crop = core.start.saturating_sub(halo)..(core.end + halo).min(height);
                BandLayout::new(self, width, (core, crop), &tapped, purpose)
            })
            .collect();
        let largest = bands.iter().max_by_key(|band| band.crop.len()).expect("at least one band");
        let layer = |at: usize| {
            let (stage, extent) = (&self.stages[at], largest.stages[at].extent);
            let backward = purpose == Purpose::Evaluate && at > 0;
            LayerPlan {
                name: stage.name.clone(),
                extent,
                in_channels: stage.in_channels,
                out_channels: stage.out_channels,
                forward: self.algorithm(at, Direction::Forward, extent, kernels),
                backward: backward.then(|| self.algorithm(at, Direction::Backward, extent, kernels)),
                tapped: tapped[at],
            }
        };
        let layers: Vec<LayerPlan> = (0..=deepest).map(layer).collect();
        let mut plan = Plan { purpose, bands, layers, bytes: PlanBytes::default() };
        plan.bytes = self.count_bytes(&plan, task);
        plan
    }
}
