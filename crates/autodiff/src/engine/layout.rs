//! What an evaluation of one band of rows holds, and where.

use std::ops::Range;

use impasto_tensor::conv::{Extent, mask_len};

use super::arena::{self, Life, Slot};
use super::network::{PreparedChain, Stage};

/// Rows of the first layer whose products with its kernel are held together in the backward sweep.
pub(crate) const FIRST_LAYER_ROWS: usize = 64;

/// What an evaluation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Targets: the forward pass alone.
    Measure,
    /// Losses and their gradient.
    Evaluate,
}

/// One stage of a band: its size, and the places of its tensors (their numbers, while places are being looked for); none
/// where the evaluation does not need the tensor in memory.
#[derive(Debug, Clone)]
pub(crate) struct StageLayout<S = Slot> {
    /// H x W of the response, in the crop.
    pub(crate) extent: Extent,
    /// F, whole.
    pub(crate) response: Option<S>,
    /// F pooled.
    pub(crate) pooled: Option<S>,
    /// dL/dF where it has no other place to be: at the deepest stage, and before a pooling at a tap.
    pub(crate) seed: Option<S>,
    /// dL/d(input), which is dL/d(response or pooled) of the stage before.
    pub(crate) input_gradient: Option<S>,
    /// Bytes of the mask.
    pub(crate) mask: usize,
}

impl StageLayout<usize> {
    /// With each tensor's place in the place of its number.
    fn placed(self, places: &[Slot]) -> StageLayout {
        let place = |number: Option<usize>| number.map(|number| places[number].clone());
        StageLayout {
            extent: self.extent,
            response: place(self.response),
            pooled: place(self.pooled),
            seed: place(self.seed),
            input_gradient: place(self.input_gradient),
            mask: self.mask,
        }
    }
}

/// The plan of a band: rows `crop` are computed, rows `core` count.
#[derive(Debug, Clone)]
pub(crate) struct BandLayout {
    pub(crate) core: Range<usize>,
    pub(crate) crop: Range<usize>,
    /// Down to the deepest stage with a loss.
    pub(crate) stages: Vec<StageLayout>,
    /// The first layer's products in the backward sweep.
    pub(crate) first_layer: Option<Slot>,
    pub(crate) arena_len: usize,
}

/// The tensors of a band while their places are being looked for. Stage `at` is computed at step `at`.
struct Tensors<'a> {
    stages: &'a [Stage],
    tapped: &'a [bool],
    purpose: Purpose,
    lives: Vec<Life>,
}

impl Tensors<'_> {
    fn deepest(&self) -> usize {
        self.stages.len() - 1
    }

    /// The step at which the gradient of a stage's input is.
    fn backward(&self, stage: usize) -> usize {
        2 * self.deepest() + 1 - stage
    }

    /// The number of a new tensor.
    fn alive(&mut self, len: usize, first: usize, last: usize) -> usize {
        self.lives.push(Life { len, first, last });
        self.lives.len() - 1
    }

    /// The tensors of stage `at`.
    fn stage(&mut self, at: usize, extents: &[Extent]) -> StageLayout<usize> {
        let stages = self.stages;
        let (deepest, extent, stage) = (self.deepest(), extents[at], &stages[at]);
        let (backward, tapped) = (self.purpose == Purpose::Evaluate, self.tapped[at]);
        let len = extent.positions() * stage.out_channels;
        let pools = stage.pool_after && at < deepest;
        let next = (at + 1).min(deepest);
        // The first stage's response is recomputed in the backward sweep.
        let kept = backward && tapped && at > 0;
        let last = if kept { self.backward(at) } else { next };
        let response = (tapped || !pools).then(|| self.alive(len, at, last));
        let pooled_len = (extent.height / 2) * (extent.width / 2) * stage.out_channels;
        let pooled = pools.then(|| self.alive(pooled_len, at, next));
        let seeded = backward && (at == deepest || (pools && (tapped || at == 0)));
        let seed = seeded.then(|| self.alive(len, self.backward(at), self.backward(at)));
        let input_gradient = (backward && at > 0).then(|| {
            let before = extents[at - 1];
            let positions = if stages[at - 1].pool_after {
                (before.height / 2) * (before.width / 2)
            } else {
                before.positions()
            };
            self.alive(positions * stage.in_channels, self.backward(at), self.backward(at - 1))
        });
        let masked = backward && at < deepest && (pools || !tapped);
        let mask = if masked { mask_len(extent, stage.out_channels) } else { 0 };
        StageLayout { extent, response, pooled, seed, input_gradient, mask }
    }
}

impl BandLayout {
    /// Plans a band of a picture of that width, for losses at the stages that `tapped` marks, the deepest one last.
    pub(crate) fn new(
        network: &PreparedChain,
        width: usize,
        (core, crop): (Range<usize>, Range<usize>),
        tapped: &[bool],
        purpose: Purpose,
    ) -> Self {
        let stages = &network.stages[..tapped.len()];
        let extents: Vec<Extent> = stages
            .iter()
            .map(|stage| Extent { height: crop.len() >> stage.level, width: width >> stage.level })
            .collect();
        let mut tensors = Tensors { stages, tapped, purpose, lives: Vec::new() };
        let stages: Vec<_> = (0..tapped.len()).map(|at| tensors.stage(at, &extents)).collect();
        let first_layer = (purpose == Purpose::Evaluate).then(|| {
            let rows = FIRST_LAYER_ROWS.min(crop.len());
            let products = (9 * network.stages[0].in_channels).next_multiple_of(network.isa.panel());
            let at = tensors.backward(0);
            tensors.alive(rows * width * products, at, at)
        });
        let (places, arena_len) = arena::plan(&tensors.lives);
        let stages = stages.into_iter().map(|stage| stage.placed(&places)).collect();
        let first_layer = first_layer.map(|number| places[number].clone());
        Self { core, crop, stages, first_layer, arena_len }
    }

    /// The core's rows at a pooling level, counted from the crop's first row.
    pub(crate) fn core_rows(&self, level: usize) -> Range<usize> {
        let first = self.crop.start >> level;
        (self.core.start >> level) - first..(self.core.end >> level) - first
    }

    /// The core's first position in the response of stage `at` to the whole picture.
    pub(crate) fn first_position(&self, at: usize, level: usize) -> usize {
        (self.core.start >> level) * self.stages[at].extent.width
    }

    /// Where the next stage reads stage `at`.
    pub(crate) fn output_slot(&self, at: usize) -> Slot {
        let stage = &self.stages[at];
        stage.pooled.clone().or_else(|| stage.response.clone()).expect("a stage has an output")
    }

    /// Where dL/dF of stage `at` is: in a seed of its own, or in what the stage after it computed.
    pub(crate) fn gradient_slot(&self, at: usize) -> Slot {
        let own = self.stages[at].seed.clone();
        own.or_else(|| self.stages.get(at + 1)?.input_gradient.clone())
            .expect("a gradient reaches every stage")
    }
}
