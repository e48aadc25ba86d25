//! What an evaluation of one band of rows holds, and where.

use std::ops::Range;

use impasto_tensor::conv::{Extent, mask_len};

use super::arena::{self, Life, Slot};
use super::network::PreparedChain;

/// Rows of the first layer whose products with its kernel are held together in the backward sweep.
pub(crate) const FIRST_LAYER_ROWS: usize = 64;

/// The places of one stage's tensors; none where the evaluation does not need the tensor in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct StageSlots {
    /// F, whole.
    pub(crate) response: Option<Slot>,
    /// F pooled.
    pub(crate) pooled: Option<Slot>,
    /// dL/dF where it has no other place to be: at the deepest stage, and before a pooling at a tap.
    pub(crate) seed: Option<Slot>,
    /// dL/d(input), which is dL/d(response or pooled) of the stage before.
    pub(crate) input_gradient: Option<Slot>,
}

/// The plan of a band: rows `crop` are computed, rows `core` count.
#[derive(Debug, Clone)]
pub(crate) struct BandLayout {
    pub(crate) core: Range<usize>,
    pub(crate) crop: Range<usize>,
    /// H x W of each stage's response, in the crop.
    pub(crate) extents: Vec<Extent>,
    pub(crate) slots: Vec<StageSlots>,
    /// The first layer's products in the backward sweep.
    pub(crate) first_layer: Option<Slot>,
    pub(crate) arena_len: usize,
    /// Bytes of each stage's mask.
    pub(crate) masks: Vec<usize>,
}

impl BandLayout {
    /// Plans a band of a picture of that width, for losses at the stages that `tapped` marks, the deepest one last.
    /// Without `backward` the plan is for a forward pass alone.
    pub(crate) fn new(
        network: &PreparedChain,
        width: usize,
        core: Range<usize>,
        crop: Range<usize>,
        tapped: &[bool],
        backward: bool,
    ) -> Self {
        let deepest = tapped.len() - 1;
        let stages = &network.stages[..=deepest];
        let extents: Vec<Extent> = stages
            .iter()
            .map(|stage| Extent { height: crop.len() >> stage.level, width: width >> stage.level })
            .collect();
        let forward_at = |stage: usize| stage;
        let backward_at = |stage: usize| 2 * deepest + 1 - stage;
        let mut lives: Vec<Life> = Vec::new();
        let mut alive = |len: usize, first: usize, last: usize| {
            lives.push(Life { len, first, last });
            lives.len() - 1
        };
        let mut indices: Vec<[Option<usize>; 4]> = Vec::new();
        let mut masks = Vec::new();
        for (at, stage) in stages.iter().enumerate() {
            let extent = extents[at];
            let len = extent.positions() * stage.out_channels;
            let pools = stage.pool_after && at < deepest;
            let next = if at < deepest { forward_at(at + 1) } else { forward_at(at) };
            // The first stage's response is recomputed in the backward sweep.
            let kept = backward && tapped[at] && at > 0;
            let response = (tapped[at] || !pools)
                .then(|| alive(len, forward_at(at), if kept { backward_at(at) } else { next }));
            let pooled_len = (extent.height / 2) * (extent.width / 2) * stage.out_channels;
            let pooled = pools.then(|| alive(pooled_len, forward_at(at), next));
            let seeded = backward && (at == deepest || (pools && (tapped[at] || at == 0)));
            let seed = seeded.then(|| alive(len, backward_at(at), backward_at(at)));
            let input_gradient = (backward && at > 0).then(|| {
                let before = &stages[at - 1];
                let input = if before.pool_after {
                    Extent { height: extents[at - 1].height / 2, width: extents[at - 1].width / 2 }
                } else {
                    extents[at - 1]
                };
                alive(input.positions() * stage.in_channels, backward_at(at), backward_at(at - 1))
            });
            indices.push([response, pooled, seed, input_gradient]);
            let masked = backward && at < deepest && (pools || !tapped[at]);
            masks.push(if masked { mask_len(extent, stage.out_channels) } else { 0 });
        }
        let first_layer = backward.then(|| {
            let rows = FIRST_LAYER_ROWS.min(crop.len());
            let products = (9 * stages[0].in_channels).next_multiple_of(network.isa.panel());
            let at = backward_at(0);
            alive(rows * width * products, at, at)
        });
        let (places, arena_len) = arena::plan(&lives);
        let place = |index: Option<usize>| index.map(|index| places[index].clone());
        let slots = indices
            .into_iter()
            .map(|[response, pooled, seed, input_gradient]| StageSlots {
                response: place(response),
                pooled: place(pooled),
                seed: place(seed),
                input_gradient: place(input_gradient),
            })
            .collect();
        let first_layer = place(first_layer);
        Self { core, crop, extents, slots, first_layer, arena_len, masks }
    }

    /// The core's rows at a pooling level, counted from the crop's first row.
    pub(crate) fn core_rows(&self, level: usize) -> Range<usize> {
        let first = self.crop.start >> level;
        (self.core.start >> level) - first..(self.core.end >> level) - first
    }
}
