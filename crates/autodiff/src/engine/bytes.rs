//! What a plan holds in memory.

use std::collections::BTreeSet;

use impasto_tensor::conv::{Algorithm, Conv, Section};
use impasto_tensor::{Gram, Shape, SquareRoots, TensorError};

use super::layout::Purpose;
use super::network::{PreparedChain, Stage};
use super::plan::{LayerPlan, Plan, PlanBytes, Task};
use super::{first_layer, packed_map};
use crate::Guide;

const NUMBER: u64 = size_of::<f32>() as u64;

impl PreparedChain {
    /// The bytes of a plan whose cuts and layers are decided.
    pub(crate) fn count_bytes(&self, plan: &Plan, task: Task<'_>) -> PlanBytes {
        let weights = |stage: &Stage| stage.kernel.bytes() as u64 + stage.bias.len() as u64 * NUMBER;
        let (targets, sums) = self.tap_bytes(task, plan.layout.is_cut());
        let masks = plan.layout.stages.iter().map(|stage| stage.windows.mask.len() as u64).sum();
        PlanBytes {
            weights: self.stages.iter().map(weights).sum(),
            packed: plan.layers.iter().map(|layer| layer.kernel_bytes).sum(),
            arena: plan.layout.arena_len as u64 * NUMBER,
            masks,
            targets,
            scratch: sums + self.scratch_bytes(plan) + SquareRoots::bytes(self.isa, roots_of(plan)) as u64,
        }
    }

    /// The packed kernels of a layer.
    pub(crate) fn kernel_bytes(&self, layer: &LayerPlan) -> u64 {
        self.convs(layer).map(|conv| conv.packed_bytes() as u64).sum()
    }

    /// The Gram sums of a stage's whole response, or of what a guide leaves of it.
    pub(crate) fn gram(&self, plan: &Plan, at: usize, guide: Option<&Guide>) -> Result<Gram, TensorError> {
        let LayerPlan { extent, out_channels, .. } = plan.layers[at];
        let new = if plan.layout.is_cut() { Gram::in_pieces } else { Gram::new };
        let mut gram = new(self.isa, out_channels, extent.positions())?;
        if plan.layers[at].means {
            gram = gram.with_mean();
        }
        Ok(if let Some(guide) = guide { gram.weighted(guide.shared()) } else { gram })
    }

    /// The targets and guides; and the Gram sums with the maps that they lead to.
    fn tap_bytes(&self, task: Task<'_>, in_pieces: bool) -> (u64, u64) {
        let (mut targets, mut sums) = (0, 0);
        for (at, stage) in self.stages.iter().enumerate() {
            let response = stage.response_shape(task.size);
            let taps = || task.taps.iter().filter(|tap| tap.stage == at);
            targets += taps().map(|tap| tap.kind.target_len(response) as u64 * NUMBER).sum::<u64>();
            let guides = distinct(taps().filter_map(|tap| tap.guide));
            targets += guides as u64 * response.positions() as u64 * NUMBER;
            let of_sums = taps().filter(|tap| tap.kind.is_of_sums());
            let grams = distinct(of_sums.map(|tap| tap.guide)) as u64;
            sums += grams * self.sums_bytes(response, in_pieces, task.purpose);
            // The sums of means, and the root of each target's covariance.
            let of_means = taps().filter(|tap| tap.kind.is_of_means()).count() as u64;
            if of_means > 0 {
                sums += grams * Gram::mean_bytes(self.isa, response.channels, response.positions()) as u64;
            }
            if task.purpose == Purpose::Evaluate {
                sums += of_means * (response.channels * response.channels) as u64 * NUMBER;
            }
        }
        (targets, sums)
    }

    /// The Gram sums of a response and their map.
    fn sums_bytes(&self, response: Shape, in_pieces: bool, purpose: Purpose) -> u64 {
        let channels = response.channels;
        let sums = Gram::bytes(self.isa, channels, response.positions()) as u64;
        let waiting = if in_pieces { Gram::waiting_bytes(channels) as u64 } else { 0 };
        // The packed map and the matrix that it is packed from.
        let map = 2 * (channels * channels) as u64 * NUMBER;
        sums + waiting + if purpose == Purpose::Evaluate { map } else { 0 }
    }

    fn scratch_bytes(&self, plan: &Plan) -> u64 {
        let threads = rayon::current_num_threads() as u64;
        (threads * self.scratch_len(plan) as u64 + self.shared_len(plan) as u64) * NUMBER
    }

    /// The convolutions of a layer: forward, and backward if the plan has it.
    fn convs(&self, layer: &LayerPlan) -> impl Iterator<Item = Conv> + Clone {
        let (isa, section) = (self.isa, layer.extent.into());
        let (inputs, outputs) = (layer.in_channels, layer.out_channels);
        let conv = move |algorithm: Algorithm, in_channels, out_channels| Conv {
            isa,
            algorithm,
            section,
            in_channels,
            out_channels,
        };
        let backward = layer.backward.map(|algorithm| conv(algorithm, outputs, inputs));
        std::iter::once(conv(layer.forward, inputs, outputs)).chain(backward)
    }

    /// The sections of convolutions that a plan's steps compute.
    fn sections(&self, plan: &Plan) -> impl Iterator<Item = Conv> {
        let steps = plan.layout.sums.iter().chain(&plan.layout.gradient);
        steps.flat_map(move |step| {
            step.stages.iter().zip(&plan.layers).flat_map(|(stage, layer)| {
                let rows = [&stage.response, &stage.input_gradient];
                self.convs(layer).zip(rows).filter(|(_, rows)| !rows.is_empty()).map(|(conv, rows)| {
                    let section = Section::new(layer.extent, rows);
                    Conv { section, ..conv }
                })
            })
        })
    }

    /// Numbers of scratch that any task of the plan may need.
    pub(crate) fn scratch_len(&self, plan: &Plan) -> usize {
        let padded = |channels: usize| channels.next_multiple_of(self.isa.panel());
        let evaluates = plan.purpose == Purpose::Evaluate;
        let convs = self.sections(plan).map(|conv| conv.scratch_len()).max().unwrap_or(0);
        let tap = |layer: &LayerPlan| {
            packed_map::scratch_len(layer.out_channels, padded(layer.out_channels), layer.guided)
        };
        let losses = |layer: &LayerPlan| {
            let gram = Gram::scratch_len(self.isa, layer.out_channels);
            gram.max(if evaluates { tap(layer) } else { 0 })
        };
        let first = plan.layers.first().filter(|_| evaluates).map_or(0, |layer| {
            let response = self.convs(layer).map(|conv| conv.scratch_len()).max().unwrap_or(0);
            first_layer::scratch_len(layer.out_channels, tap(layer).max(response))
        });
        plan.layers.iter().map(losses).max().unwrap_or(0).max(convs).max(first)
    }

    /// Numbers of scratch that the tasks of any convolution of the plan share.
    pub(crate) fn shared_len(&self, plan: &Plan) -> usize {
        self.sections(plan).map(|conv| conv.shared_len()).max().unwrap_or(0)
    }
}

/// N of the largest matrix whose root an evaluation takes; 0 for none.
pub(crate) fn roots_of(plan: &Plan) -> usize {
    let layers = plan.layers.iter().filter(|layer| layer.means && plan.purpose == Purpose::Evaluate);
    layers.map(|layer| layer.out_channels).max().unwrap_or(0)
}

/// How many there are of different ones.
fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> usize {
    items.collect::<BTreeSet<_>>().len()
}
