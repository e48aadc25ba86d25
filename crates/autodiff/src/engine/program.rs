//! A plan with its memory: the forward and the backward sweep over one band.

use std::sync::Arc;

use impasto_tensor::conv::{PackedConv, Sink, Source};
use impasto_tensor::{AlignedBuffer, PackedMatrix, Scratch};

use super::arena::Slot;
use super::first_layer::{self, FirstLayer};
use super::layout::{BandLayout, FIRST_LAYER_ROWS};
use super::network::{Direction, PreparedChain, Stage};
use super::plan::Plan;
use super::taps::{self, ContentTarget};
use crate::AutodiffError;

/// The losses at one stage, ready for the backward sweep over a band.
#[derive(Debug, Default)]
pub(crate) struct TapGradient<'a> {
    /// D, the scaled and packed sum of G' - A'.
    pub(crate) style: Option<&'a PackedMatrix>,
    /// The content terms, P cut to the band's core.
    pub(crate) content: Vec<ContentTarget<'a>>,
}

#[derive(Debug)]
pub(crate) struct Program {
    network: Arc<PreparedChain>,
    pub(crate) plan: Plan,
    forward: Vec<Arc<PackedConv>>,
    /// For every stage but the first.
    backward: Vec<Arc<PackedConv>>,
    first_layer: PackedMatrix,
    arena: AlignedBuffer,
    masks: Vec<Vec<u8>>,
    pub(crate) scratch: Scratch,
}

impl Program {
    pub(crate) fn new(
        network: Arc<PreparedChain>,
        plan: Plan,
        backward: bool,
    ) -> Result<Self, AutodiffError> {
        let packed = |at: usize, direction, algorithm| network.packed(at, direction, algorithm);
        let layers = plan.layers.iter().enumerate();
        let forward = layers
            .clone()
            .map(|(at, layer)| packed(at, Direction::Forward, layer.forward))
            .collect::<Result<_, _>>()?;
        let backward = layers
            .filter_map(|(at, layer)| layer.backward.filter(|_| backward).map(|algorithm| (at, algorithm)))
            .map(|(at, algorithm)| packed(at, Direction::Backward, algorithm))
            .collect::<Result<_, _>>()?;
        network.drop_unused();
        let scratch = Scratch::default();
        scratch.reserve(
            rayon::current_num_threads(),
            network.scratch_len(&plan),
            network.shared_len(&plan),
        )?;
        Ok(Self {
            first_layer: first_layer::pack(&network)?,
            arena: AlignedBuffer::zeros(plan.arena_len())?,
            masks: (0..plan.layers.len()).map(|stage| vec![0; plan.mask_len(stage)]).collect(),
            network,
            plan,
            forward,
            backward,
            scratch,
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
        for (at, slots) in layout.slots.iter().enumerate() {
            let stage = &self.network.stages[at];
            let before = at.checked_sub(1).map(|before| output_slot(layout, before));
            let [source, response, pooled] =
                disjoint(&mut self.arena, [before, slots.response.clone(), slots.pooled.clone()]);
            let source = if at == 0 { input } else { &*source };
            let mask = &mut self.masks[at][..layout.masks[at]];
            let sink = Sink::Response {
                bias: &stage.bias,
                response: slots.response.is_some().then_some(&mut *response),
                pooled: slots.pooled.is_some().then_some((self.network.pool_kind, pooled)),
                mask: (!mask.is_empty()).then_some(mask),
            };
            self.forward[at].run(layout.extents[at], Source::Plain(source), sink, &self.scratch);
            if self.plan.tapped[at] {
                tap(at, core(layout, stage, at, response), &self.scratch)?;
            }
        }
        Ok(())
    }

    /// Adds the gradient of the losses `taps` (one entry a stage) to `gradient`, that of the whole picture. The band's
    /// forward sweep must have been the last one.
    pub(crate) fn backward(
        &mut self,
        band: usize,
        image: &[f32],
        taps: &[TapGradient<'_>],
        gradient: &mut [f32],
    ) {
        for at in (1..self.plan.layers.len()).rev() {
            self.seed(band, at, taps);
            let layout = &self.plan.bands[band];
            let slots = &layout.slots[at];
            let stages = &self.network.stages;
            let unpooled = at + 1 < layout.slots.len() && stages[at].pool_after && slots.seed.is_none();
            let [source, result] =
                disjoint(&mut self.arena, [Some(gradient_slot(layout, at)), slots.input_gradient.clone()]);
            let source = if unpooled {
                let mask = &self.masks[at][..layout.masks[at]];
                Source::Unpooled { gradient: source, mask, share: self.network.share() }
            } else {
                Source::Plain(source)
            };
            // A tapped layer's mask comes with its losses' gradient, a pooled one's with its unpooling.
            let masked = !stages[at - 1].pool_after && !self.plan.tapped[at - 1];
            let mask = masked.then(|| &self.masks[at - 1][..layout.masks[at - 1]]);
            let sink = Sink::Gradient { gradient: result, mask };
            self.backward[at - 1].run(layout.extents[at], source, sink, &self.scratch);
        }
        self.backward_first(band, image, &taps[0], gradient);
    }

    /// Brings dL/dZ of stage `at` to its place, unless the convolution reads it on the fly.
    fn seed(&mut self, band: usize, at: usize, taps: &[TapGradient<'_>]) {
        self.unpool_seed(band, at);
        let layout = &self.plan.bands[band];
        let stage = &self.network.stages[at];
        if !self.plan.tapped[at] {
            return;
        }
        let slots = [layout.slots[at].response.clone(), Some(gradient_slot(layout, at))];
        let [response, gradient] = disjoint(&mut self.arena, slots);
        apply_tap(layout, at, stage, &taps[at], response, gradient, &self.scratch);
    }

    /// Fills the seed of stage `at`, if it has one: with zeros at the deepest stage, else from behind its pooling.
    fn unpool_seed(&mut self, band: usize, at: usize) {
        let layout = &self.plan.bands[band];
        let Some(seed) = layout.slots[at].seed.clone() else { return };
        if at + 1 == layout.slots.len() {
            self.arena[seed].fill(0.0);
            return;
        }
        let share = self.network.share();
        let [pooled, seed] =
            disjoint(&mut self.arena, [layout.slots[at + 1].input_gradient.clone(), Some(seed)]);
        let mask = &self.masks[at][..layout.masks[at]];
        taps::unpool(layout.extents[at], self.network.stages[at].out_channels, pooled, mask, share, seed);
    }

    /// The first stage, strip by strip.
    fn backward_first(&mut self, band: usize, image: &[f32], tap: &TapGradient<'_>, gradient: &mut [f32]) {
        self.unpool_seed(band, 0);
        let layout = &self.plan.bands[band];
        let stage = &self.network.stages[0];
        let extent = layout.extents[0];
        let input = self.crop(layout, image);
        let image_row = extent.width * stage.in_channels;
        let picture = &mut gradient[layout.crop.start * image_row..layout.crop.end * image_row];
        let slots = [Some(gradient_slot(layout, 0)), layout.first_layer.clone()];
        let [incoming, products] = disjoint(&mut self.arena, slots);
        let first_layer = FirstLayer {
            stage,
            forward: &self.forward[0],
            kernel: &self.first_layer,
            extent,
            input,
            core: &layout.core_rows(0),
            tap: self.plan.tapped[0].then_some(tap),
        };
        for first in (0..extent.height).step_by(FIRST_LAYER_ROWS) {
            let rows = first..extent.height.min(first + FIRST_LAYER_ROWS);
            first_layer.backward(rows, incoming, products, picture, &self.scratch);
        }
    }

    /// The band's rows of a picture of the network's input.
    fn crop<'a>(&self, layout: &BandLayout, image: &'a [f32]) -> &'a [f32] {
        let row = layout.extents[0].width * self.network.input_channels();
        &image[layout.crop.start * row..layout.crop.end * row]
    }
}

/// Adds the gradient of the losses at stage `at` in the core's rows, and masks all of them.
fn apply_tap(
    layout: &BandLayout,
    at: usize,
    stage: &Stage,
    tap: &TapGradient<'_>,
    response: &[f32],
    gradient: &mut [f32],
    scratch: &Scratch,
) {
    let core = layout.core_rows(stage.level);
    let row = layout.extents[at].width * stage.out_channels;
    let (start, end) = (core.start * row, core.end * row);
    taps::mask(&response[..start], &mut gradient[..start]);
    taps::mask(&response[end..], &mut gradient[end..]);
    let (response, gradient) = (&response[start..end], &mut gradient[start..end]);
    taps::add_and_mask(response, stage.out_channels, tap.style, &tap.content, gradient, scratch);
}

/// The core's rows of a stage's response.
fn core<'a>(layout: &BandLayout, stage: &Stage, at: usize, response: &'a [f32]) -> &'a [f32] {
    let rows = layout.core_rows(stage.level);
    let row = layout.extents[at].width * stage.out_channels;
    &response[rows.start * row..rows.end * row]
}

/// Where the next stage reads stage `at`.
fn output_slot(layout: &BandLayout, at: usize) -> Slot {
    let slots = &layout.slots[at];
    slots.pooled.clone().or_else(|| slots.response.clone()).expect("a stage has an output")
}

/// Where dL/dF of stage `at` is: in a seed of its own, or in what the stage after it computed.
fn gradient_slot(layout: &BandLayout, at: usize) -> Slot {
    let own = layout.slots[at].seed.clone();
    own.or_else(|| layout.slots.get(at + 1)?.input_gradient.clone()).expect("a gradient reaches every stage")
}

/// The tensors at some places of the arena, empty for none.
fn disjoint<const N: usize>(arena: &mut [f32], slots: [Option<Slot>; N]) -> [&mut [f32]; N] {
    arena.get_disjoint_mut(slots.map(Option::unwrap_or_default)).expect("planned places do not overlap")
}
