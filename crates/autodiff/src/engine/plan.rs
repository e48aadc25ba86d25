//! The plan of an evaluation: bands, algorithms, bytes.

use impasto_tensor::Gram;
use impasto_tensor::conv::{Algorithm, Conv, Extent};

use super::cost::Kernels;
use super::layout::BandLayout;
use super::network::{Direction, PreparedChain};
use super::{EvaluatorOptions, first_layer, taps};
use crate::AutodiffError;

/// The most bands that a picture is cut into.
const MOST_BANDS: usize = 64;

/// What an evaluation of pictures of one size does and holds.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) bands: Vec<BandLayout>,
    /// For each stage down to the deepest one with a loss: whether it carries one.
    pub(crate) tapped: Vec<bool>,
    pub(crate) layers: Vec<LayerPlan>,
    bytes: PlanBytes,
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
    /// The algorithm of the backward pass; none for the first layer, which has its own.
    pub backward: Option<Algorithm>,
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
    /// The targets: P of every content layer, A of every style layer.
    pub targets: u64,
    /// Work memory of tasks, partial Gram matrices.
    pub work: u64,
}

impl PlanBytes {
    /// The sum.
    pub const fn total(&self) -> u64 {
        self.weights + self.packed + self.arena + self.masks + self.targets + self.work
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

    /// The bytes of a stage's mask: those of the largest band.
    pub(crate) fn mask_len(&self, stage: usize) -> usize {
        self.bands.iter().map(|band| band.masks[stage]).max().unwrap_or(0)
    }
}

/// Which losses there are: for every stage of the network, its content and style terms counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TapCounts {
    pub(crate) content: Vec<usize>,
    pub(crate) style: Vec<usize>,
}

impl TapCounts {
    pub(crate) fn new(
        network: &PreparedChain,
        content: &[String],
        style: &[String],
    ) -> Result<Self, AutodiffError> {
        let count = |names: &[String]| {
            let mut counts = vec![0; network.stages.len()];
            for name in names {
                counts[network.position(name)?] += 1;
            }
            Ok::<_, AutodiffError>(counts)
        };
        Ok(Self { content: count(content)?, style: count(style)? })
    }

    fn tapped(&self) -> Vec<bool> {
        let mut tapped: Vec<bool> = self.content.iter().zip(&self.style).map(|(c, s)| c + s > 0).collect();
        tapped.truncate(tapped.iter().rposition(|&tap| tap).map_or(0, |deepest| deepest + 1));
        tapped
    }
}

impl PreparedChain {
    /// The plan of evaluations of `height` x `width` pictures with losses at those layers: nothing is allocated.
    ///
    /// # Errors
    /// [`AutodiffError::UnknownLayer`], [`AutodiffError::TooSmall`], or [`AutodiffError::Memory`] if not even the
    /// smallest bands fit the limit.
    pub fn plan(
        &self,
        height: usize,
        width: usize,
        content_layers: &[String],
        style_layers: &[String],
        options: EvaluatorOptions,
    ) -> Result<Plan, AutodiffError> {
        let taps = TapCounts::new(self, content_layers, style_layers)?;
        self.plan_taps(height, width, &taps, options, true)
    }

    /// As [`Self::plan`]; without `backward` for measuring targets.
    pub(crate) fn plan_taps(
        &self,
        height: usize,
        width: usize,
        taps: &TapCounts,
        options: EvaluatorOptions,
        backward: bool,
    ) -> Result<Plan, AutodiffError> {
        let tapped = taps.tapped();
        let deepest = tapped.len().saturating_sub(1);
        let level = self.stages[deepest].level;
        let unit = 1 << level;
        if height < unit || width < unit {
            let layer = self.stages[deepest].name.clone();
            return Err(AutodiffError::TooSmall { height, width, layer, minimum: unit });
        }
        // What costs least time comes first: kernels transformed as they are used, then bands, ever smaller ones.
        let whole = [(Kernels::Balanced, 1), (Kernels::Streamed, 1)];
        let most = height.div_ceil(unit).min(MOST_BANDS);
        let mut smallest = u64::MAX;
        for (kernels, count) in whole.into_iter().chain((2..=most).map(|count| (Kernels::Streamed, count))) {
            let plan = self.plan_bands((height, width), taps, &tapped, kernels, count, backward);
            let needed = plan.bytes.total();
            smallest = smallest.min(needed);
            if options.memory_limit.is_none_or(|limit| needed <= limit) {
                return Ok(plan);
            }
        }
        Err(AutodiffError::Memory { needed: smallest, limit: options.memory_limit.unwrap_or(u64::MAX) })
    }

    fn plan_bands(
        &self,
        (height, width): (usize, usize),
        taps: &TapCounts,
        tapped: &[bool],
        kernels: Kernels,
        count: usize,
        backward: bool,
    ) -> Plan {
        if tapped.is_empty() {
            let (bands, layers) = (Vec::new(), Vec::new());
            return Plan { bands, tapped: Vec::new(), layers, bytes: PlanBytes::default() };
        }
        let deepest = tapped.len() - 1;
        let unit = 1 << self.stages[deepest].level;
        // Every convolution reaches one position further at its level, so 2^level pixels.
        let radius: usize = self.stages[..=deepest].iter().map(|stage| 1 << stage.level).sum();
        let halo = radius.next_multiple_of(unit);
        let rows = height.div_ceil(count).next_multiple_of(unit);
        let bands: Vec<BandLayout> = (0..height.div_ceil(rows))
            .map(|band| {
                let core = band * rows..((band + 1) * rows).min(height);
                let crop = core.start.saturating_sub(halo)..(core.end + halo).min(height);
                BandLayout::new(self, width, core, crop, tapped, backward)
            })
            .collect();
        let largest = bands.iter().max_by_key(|band| band.crop.len()).expect("at least one band");
        let layers: Vec<LayerPlan> = (0..=deepest)
            .map(|at| {
                let (stage, extent) = (&self.stages[at], largest.extents[at]);
                LayerPlan {
                    name: stage.name.clone(),
                    extent,
                    in_channels: stage.in_channels,
                    out_channels: stage.out_channels,
                    forward: self.algorithm(at, Direction::Forward, extent, kernels),
                    backward: (at > 0).then(|| self.algorithm(at, Direction::Backward, extent, kernels)),
                }
            })
            .collect();
        let mut plan = Plan { bands, tapped: tapped.to_vec(), layers, bytes: PlanBytes::default() };
        plan.bytes = self.count_bytes(&plan, height, width, taps, backward);
        plan
    }

    fn count_bytes(
        &self,
        plan: &Plan,
        height: usize,
        width: usize,
        taps: &TapCounts,
        backward: bool,
    ) -> PlanBytes {
        let number = size_of::<f32>() as u64;
        let deepest = plan.tapped.len() - 1;
        let stages = &self.stages[..=deepest];
        let threads = rayon::current_num_threads() as u64;
        let mut bytes = PlanBytes {
            weights: self
                .stages
                .iter()
                .map(|stage| stage.kernel.bytes() as u64 + stage.bias.len() as u64 * number)
                .sum(),
            arena: plan.arena_len() as u64 * number,
            masks: (0..=deepest).map(|stage| plan.mask_len(stage) as u64).sum(),
            ..PlanBytes::default()
        };
        for layer in &plan.layers {
            let (inputs, outputs) = (layer.in_channels, layer.out_channels);
            let conv = |algorithm, in_channels, out_channels| {
                let (isa, extent) = (self.isa, layer.extent);
                Conv { isa, algorithm, extent, in_channels, out_channels }
            };
            bytes.packed += conv(layer.forward, inputs, outputs).packed_bytes() as u64;
            if let Some(algorithm) = layer.backward.filter(|_| backward) {
                bytes.packed += conv(algorithm, outputs, inputs).packed_bytes() as u64;
            }
        }
        for (at, stage) in stages.iter().enumerate() {
            let channels = stage.out_channels;
            let positions = (height >> stage.level) * (width >> stage.level);
            bytes.targets += (taps.content[at] * positions * channels) as u64 * number;
            bytes.targets += (taps.style[at] * channels * channels) as u64 * number;
            if taps.style[at] > 0 {
                bytes.work += Gram::bytes(self.isa, channels, positions) as u64;
                // The packed difference G - A and the matrix that it is packed from.
                bytes.work += 2 * (channels * channels) as u64 * number;
            }
        }
        bytes.work += (threads * self.scratch_len(plan) as u64 + self.shared_len(plan) as u64) * number;
        bytes
    }

    /// Numbers of work memory that any task of the plan may need.
    pub(crate) fn scratch_len(&self, plan: &Plan) -> usize {
        let conv = |algorithm, extent, in_channels, out_channels| {
            Conv { isa: self.isa, algorithm, extent, in_channels, out_channels }.scratch_len()
        };
        let layer = |layer: &LayerPlan| {
            let (inputs, outputs) = (layer.in_channels, layer.out_channels);
            let forward = conv(layer.forward, layer.extent, inputs, outputs);
            let backward =
                layer.backward.map_or(0, |algorithm| conv(algorithm, layer.extent, outputs, inputs));
            let gram = Gram::scratch_len(self.isa, outputs);
            let tap = taps::scratch_len(outputs.next_multiple_of(self.isa.panel()));
            forward.max(backward).max(gram).max(tap)
        };
        let first = plan.layers.first().map_or(0, |layer| {
            let channels = layer.out_channels;
            let response = conv(layer.forward, layer.extent, layer.in_channels, channels);
            first_layer::scratch_len(channels, channels.next_multiple_of(self.isa.panel()), response)
        });
        plan.layers.iter().map(layer).max().unwrap_or(0).max(first)
    }

    /// Numbers of work memory that the tasks of any convolution of the plan share.
    pub(crate) fn shared_len(&self, plan: &Plan) -> usize {
        let conv = |algorithm, extent, in_channels, out_channels| {
            Conv { isa: self.isa, algorithm, extent, in_channels, out_channels }.shared_len()
        };
        let layer = |layer: &LayerPlan| {
            let (inputs, outputs) = (layer.in_channels, layer.out_channels);
            let forward = conv(layer.forward, layer.extent, inputs, outputs);
            layer.backward.map_or(0, |algorithm| conv(algorithm, layer.extent, outputs, inputs)).max(forward)
        };
        plan.layers.iter().map(layer).max().unwrap_or(0)
    }
}
