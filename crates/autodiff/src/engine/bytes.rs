//! What a plan holds in memory.

use impasto_tensor::Gram;
use impasto_tensor::conv::PackedConv;

use super::layout::Purpose;
use super::network::{PreparedChain, Stage};
use super::plan::{LayerPlan, Plan, PlanBytes, Task};
use super::{first_layer, taps};
use crate::losses::LossKind;

const NUMBER: u64 = size_of::<f32>() as u64;

impl PreparedChain {
    /// The bytes of a plan whose bands and layers are decided.
    pub(crate) fn count_bytes(&self, plan: &Plan, task: Task<'_>) -> PlanBytes {
        let weights = |stage: &Stage| stage.kernel.bytes() as u64 + stage.bias.len() as u64 * NUMBER;
        let (targets, sums) = self.tap_bytes(task);
        PlanBytes {
            weights: self.stages.iter().map(weights).sum(),
            packed: plan.layers.iter().map(|layer| self.packed_bytes(layer)).sum(),
            arena: plan.arena_len() as u64 * NUMBER,
            masks: (0..plan.layers.len()).map(|stage| plan.mask_len(stage) as u64).sum(),
            targets,
            work: sums + self.scratch_bytes(plan),
        }
    }

    /// The packed kernels of a layer, both directions.
    fn packed_bytes(&self, layer: &LayerPlan) -> u64 {
        let (inputs, outputs) = (layer.in_channels, layer.out_channels);
        let forward = PackedConv::bytes_of(self.isa, layer.forward, inputs, outputs);
        let backward =
            layer.backward.map_or(0, |algorithm| PackedConv::bytes_of(self.isa, algorithm, outputs, inputs));
        (forward + backward) as u64
    }

    /// The targets; and the Gram sums with the maps that they lead to.
    fn tap_bytes(&self, task: Task<'_>) -> (u64, u64) {
        let (mut targets, mut sums) = (0, 0);
        for (at, stage) in self.stages.iter().enumerate() {
            let response = stage.response_shape(task.size);
            let kinds = || task.taps.iter().filter(|&&(stage, _)| stage == at).map(|&(_, kind)| kind);
            targets += kinds().map(|kind| kind.target_len(response) as u64 * NUMBER).sum::<u64>();
            if kinds().any(LossKind::is_of_sums) {
                let channels = response.channels;
                sums += Gram::bytes(self.isa, channels, response.positions()) as u64;
                if task.purpose == Purpose::Evaluate {
                    // The packed map and the matrix that it is packed from.
                    sums += 2 * (channels * channels) as u64 * NUMBER;
                }
            }
        }
        (targets, sums)
    }

    fn scratch_bytes(&self, plan: &Plan) -> u64 {
        let threads = rayon::current_num_threads() as u64;
        (threads * self.scratch_len(plan) as u64 + self.shared_len(plan) as u64) * NUMBER
    }

    /// Numbers of work memory that any task of the plan may need.
    pub(crate) fn scratch_len(&self, plan: &Plan) -> usize {
        let conv = |algorithm, extent, inputs, outputs| {
            PackedConv::scratch_len_of(self.isa, algorithm, extent, inputs, outputs)
        };
        let padded = |channels: usize| channels.next_multiple_of(self.isa.panel());
        let evaluates = plan.purpose == Purpose::Evaluate;
        let layer = |layer: &LayerPlan| {
            let (inputs, outputs) = (layer.in_channels, layer.out_channels);
            let forward = conv(layer.forward, layer.extent, inputs, outputs);
            let backward =
                layer.backward.map_or(0, |algorithm| conv(algorithm, layer.extent, outputs, inputs));
            let gram = Gram::scratch_len(self.isa, outputs);
            let tap = if evaluates { taps::scratch_len(padded(outputs)) } else { 0 };
            forward.max(backward).max(gram).max(tap)
        };
        let first = plan.layers.first().filter(|_| evaluates).map_or(0, |layer| {
            let channels = layer.out_channels;
            let response = conv(layer.forward, layer.extent, layer.in_channels, channels);
            first_layer::scratch_len(channels, padded(channels), response)
        });
        plan.layers.iter().map(layer).max().unwrap_or(0).max(first)
    }

    /// Numbers of work memory that the tasks of any convolution of the plan share.
    pub(crate) fn shared_len(&self, plan: &Plan) -> usize {
        let conv = |algorithm, extent, inputs, outputs| {
            PackedConv::shared_len_of(self.isa, algorithm, extent, inputs, outputs)
        };
        let layer = |layer: &LayerPlan| {
            let (inputs, outputs) = (layer.in_channels, layer.out_channels);
            let forward = conv(layer.forward, layer.extent, inputs, outputs);
            layer.backward.map_or(0, |algorithm| conv(algorithm, layer.extent, outputs, inputs)).max(forward)
        };
        plan.layers.iter().map(layer).max().unwrap_or(0)
    }
}
