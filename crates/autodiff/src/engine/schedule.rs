//! The order of the work: which rows of which stage are computed in which step.
//!
//! The picture's rows advance from step to step. In each step a stage computes the tiles that have become computable: those
//! whose patches lie within the rows that the stage before it has finished. Behind the forward sweep rolls the backward sweep, by the
//! same rule, so that its stages are finished one after the other from the top of the picture down. Tiles lie on the grid of the
//! whole picture and each is computed once, so a picture has the same bits however it is cut.
//!
//! Between the two sweeps of a stage lie the rows that the backward one still needs: a tile more with every stage that follows, in
//! either direction. Of everything else the rows that the next tile needs are enough. What a step keeps of each tensor is in
//! [`StageStep::first`], so the windows that the plan reserves are as high as the steps need them, and no higher.

use std::ops::Range;

use super::layout::{FIRST_LAYER_ROWS, StageLayout, Tensors};
use super::plan::LayerPlan;

/// One step: what is computed of each stage.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) stages: Vec<StageStep>,
}

/// What a step computes of a stage: rows of its tensors, whose numbers count from the picture's first.
#[derive(Debug, Clone)]
pub(crate) struct StageStep {
    /// F.
    pub(crate) response: Range<usize>,
    /// dL/dF: what reaches the stage from behind.
    pub(crate) gradient: Range<usize>,
    /// dL/d(input). At the first stage, the rows of dL/dF that go to the picture's gradient.
    pub(crate) input_gradient: Range<usize>,
    /// The first row that each window holds during the step, and before it.
    pub(crate) first: Tensors<usize>,
    pub(crate) before: Tensors<usize>,
}

impl StageStep {
    /// The rows that the step adds to each window.
    pub(crate) fn added(&self) -> Tensors<Range<usize>> {
        let Self { response, gradient, input_gradient, .. } = self;
        Tensors {
            response: response.clone(),
            kept: response.clone(),
            pooled: response.start / 2..response.end / 2,
            seed: gradient.clone(),
            input_gradient: input_gradient.clone(),
            mask: response.clone(),
        }
    }
}

/// How many rows of a stage have been computed, from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Front {
    response: usize,
    gradient: usize,
    input_gradient: usize,
}

/// What is rolled over.
pub(crate) struct Schedule<'a> {
    pub(crate) stages: &'a [StageLayout],
    pub(crate) layers: &'a [LayerPlan],
    /// Rows of the picture.
    pub(crate) height: usize,
    /// The rows at which it is cut, ascending.
    pub(crate) cuts: &'a [usize],
}

impl Schedule<'_> {
    /// The steps of the forward sweep alone, or of both.
    pub(crate) fn steps(&self, backward: bool) -> Vec<Step> {
        let none = Front { response: 0, gradient: 0, input_gradient: 0 };
        let mut unbounded = vec![none; self.stages.len()];
        let mut before = self.bounded(&unbounded, backward);
        let mut steps = Vec::new();
        let mut ends = self.ends();
        while let Some(end) = ends.next().filter(|_| !self.is_done(&before)) {
            unbounded = self.fronts(end, &unbounded);
            let after = self.bounded(&unbounded, backward);
            steps.push(self.step(&before, &after, steps.last()));
            before = after;
        }
        steps
    }

    /// The fronts within the stages' heights; of the forward sweep alone, as if there were nothing left to do backward.
    fn bounded(&self, fronts: &[Front], backward: bool) -> Vec<Front> {
        let bounded = |(front, stage): (&Front, &StageLayout)| {
            let height = stage.extent.height;
            Front {
                response: front.response.min(height),
                gradient: if backward { front.gradient.min(height) } else { height },
                input_gradient: if backward { front.input_gradient.min(height) } else { height },
            }
        };
        fronts.iter().zip(self.stages).map(bounded).collect()
    }

    fn is_done(&self, fronts: &[Front]) -> bool {
        let done = |(front, stage): (&Front, &StageLayout)| {
            [front.response, front.gradient, front.input_gradient] == [stage.extent.height; 3]
        };
        fronts.iter().zip(self.stages).all(done)
    }

    /// The rows of the picture that each step gets to. Behind the last one they go on, as if the picture did, so that what is left
    /// is finished step by step as well. A picture that is not cut is done in one step.
    fn ends(&self) -> impl Iterator<Item = usize> {
        let (height, highest) = (self.height, self.highest_band());
        let whole = self.cuts.is_empty().then_some(usize::MAX);
        let inside = self.cuts.iter().copied().chain([height]);
        whole.into_iter().chain(inside).chain((1..).map(move |step| height + step * highest))
    }

    /// Rows of the highest band.
    fn highest_band(&self) -> usize {
        let ends = self.cuts.iter().copied().chain([self.height]);
        let starts = std::iter::once(0).chain(self.cuts.iter().copied());
        ends.zip(starts).map(|(end, start)| end - start).max().unwrap_or(self.height)
    }

    /// The fronts once the picture's first `end` rows are there, as if no stage ended; `before` are those of the step before.
    ///
    /// A row of a deep stage's tiles covers many rows of the picture, so its gradient comes in bursts. In a picture that is cut, the
    /// stages before it take of these no more at a time than a band's rows, in whole tiles: their windows are the large ones.
    fn fronts(&self, end: usize, before: &[Front]) -> Vec<Front> {
        let mut fronts = Vec::with_capacity(self.stages.len());
        let mut most = Vec::with_capacity(self.stages.len());
        let (mut rows, mut band) = (end, self.highest_band());
        for (stage, layer) in self.stages.iter().zip(self.layers) {
            let response = tile_rows(rows.saturating_sub(1), layer.forward.tile_rows());
            fronts.push(Front { response, gradient: 0, input_gradient: 0 });
            most.push(if self.cuts.is_empty() { usize::MAX } else { band });
            (rows, band) = if stage.pools() { (response / 2, band.div_ceil(2)) } else { (response, band) };
        }
        for (at, front) in fronts.iter_mut().enumerate().rev() {
            front.gradient = if self.stages[at].pools() { rows.saturating_mul(2) } else { rows };
            let (seen, tile) = match self.layers[at].backward {
                Some(backward) => (front.gradient.saturating_sub(1), backward.tile_rows()),
                None => (front.gradient, FIRST_LAYER_ROWS),
            };
            let most = most[at].checked_next_multiple_of(tile).unwrap_or(usize::MAX);
            front.input_gradient = tile_rows(seen, tile).min(before[at].input_gradient.saturating_add(most));
            rows = front.input_gradient;
        }
        fronts
    }

    fn step(&self, before: &[Front], after: &[Front], last: Option<&Step>) -> Step {
        let stage = |at: usize| StageStep {
            response: before[at].response..after[at].response,
            gradient: before[at].gradient..after[at].gradient,
            input_gradient: before[at].input_gradient..after[at].input_gradient,
            first: self.first(before, at),
            before: last.map_or_else(Tensors::default, |last| last.stages[at].first.clone()),
        };
        Step { stages: (0..self.stages.len()).map(stage).collect() }
    }

    /// The first row that a step or a later one needs of each of a stage's tensors, from what was computed before it.
    fn first(&self, before: &[Front], at: usize) -> Tensors<usize> {
        let (stage, front) = (&self.stages[at], before[at]);
        // What the next stage's forward convolution reads; what a stage's backward one reads.
        let forward = |at: usize| match before.get(at) {
            Some(front) if front.response < self.stages[at].extent.height => front.response.saturating_sub(1),
            _ => usize::MAX,
        };
        let backward = |at: usize| match before[at].input_gradient {
            rows if rows == self.stages[at].extent.height => usize::MAX,
            rows if at == 0 => rows,
            rows => rows.saturating_sub(1),
        };
        let read_next = forward(at + 1);
        let response = if stage.pools() { usize::MAX } else { read_next };
        let mask = match (stage.pools(), stage.windows.seed.is_held()) {
            (true, true) => front.gradient,
            (true, false) => backward(at),
            (false, _) => before.get(at + 1).map_or(usize::MAX, |next| next.input_gradient),
        };
        let input_gradient = at.checked_sub(1).map_or(usize::MAX, |before| {
            let behind = &self.stages[before];
            match (behind.pools(), behind.windows.seed.is_held()) {
                (true, true) => usize::MAX,
                (true, false) => backward(before) / 2,
                (false, _) => backward(before),
            }
        });
        Tensors {
            response: response.min(front.response),
            kept: front.gradient.min(front.response),
            pooled: read_next.min(front.response / 2),
            seed: backward(at).min(front.gradient),
            input_gradient: input_gradient.min(front.input_gradient),
            mask: mask.min(front.response),
        }
    }
}

/// The rows of the tiles that lie within `rows` rows.
fn tile_rows(rows: usize, tile: usize) -> usize {
    rows / tile * tile
}

#[cfg(test)]
mod tests {
    use impasto_tensor::conv::Algorithm;
    use proptest::prelude::*;

    use super::super::layout::{Layout, Purpose};
    use super::super::network::{ConvMode, PreparedChain};
    use super::super::plan::{Cuts, Plan, StagedTap, Task, Work};
    use super::Step;
    use crate::losses::LossKind;
    use crate::{Border, Chain, ConvLayer, Layer, Pooling};

    /// The plan of a network of five convolutions with two poolings between them, for a narrow picture.
    fn plan(mode: ConvMode, height: usize, rows: Vec<usize>, purpose: Purpose) -> Plan {
        let conv = |name: &str, in_channels: usize| {
            let kernel = vec![0.1; 9 * in_channels * 16];
            Layer::Conv(ConvLayer {
                name: name.to_owned(),
                in_channels,
                out_channels: 16,
                kernel,
                bias: vec![0.0; 16],
            })
        };
        let layers = vec![
            conv("a", 3),
            conv("b", 16),
            Layer::Pool,
            conv("c", 16),
            conv("d", 16),
            Layer::Pool,
            conv("e", 16),
        ];
        let chain = Chain { input: None, layers, pooling: Pooling::Max, border: Border::Zero };
        let network = PreparedChain::new(chain, mode).unwrap();
        let tap = |(stage, kind)| StagedTap { stage, kind, guide: None };
        let taps = [(1, LossKind::Gram), (2, LossKind::Content), (4, LossKind::Gram)].map(tap);
        let task = Task { size: (height, 20), taps: &taps, purpose };
        network.plan_task(task, &Work::Cut(Cuts { rows, ..Cuts::default() })).unwrap()
    }

    /// The rows of one tensor that steps compute are the whole tensor, in order, and begin with a tile.
    fn assert_whole(
        steps: &[Step],
        (height, tile): (usize, usize),
        rows: impl Fn(&Step) -> std::ops::Range<usize>,
    ) {
        let mut end = 0;
        for rows in steps.iter().map(rows).filter(|rows| !rows.is_empty()) {
            assert_eq!((rows.start, rows.start % tile), (end, 0));
            end = rows.end;
        }
        assert_eq!(end, height);
    }

    proptest! {
        #[test]
        fn every_row_is_computed_once(
            mode in prop_oneof![Just(ConvMode::Exact), Just(ConvMode::Fast)],
            height in 4_usize..500,
            rows in prop::collection::btree_set(0_usize..500, 0..20),
        ) {
            let plan = plan(mode, height, rows.into_iter().collect(), Purpose::Evaluate);
            let Layout { stages, sums, gradient, .. } = &*plan.layout;
            for (at, (stage, layer)) in stages.iter().zip(&plan.layers).enumerate() {
                let height = stage.extent.height;
                for steps in [sums, gradient] {
                    let tile = layer.forward.tile_rows();
                    assert_whole(steps, (height, tile), |step| step.stages[at].response.clone());
                }
                let tile = layer.backward.map_or(1, Algorithm::tile_rows);
                assert_whole(gradient, (height, tile), |step| step.stages[at].input_gradient.clone());
                assert_whole(gradient, (height, 1), |step| step.stages[at].gradient.clone());
            }
        }
    }

    /// Nor does what is held grow at the picture's end, where there is no more of it to come.
    #[test]
    fn what_bands_hold_does_not_grow_with_the_picture() {
        for purpose in [Purpose::Measure, Purpose::Evaluate] {
            let arena = |height: usize| {
                let cuts = (16..height).step_by(16).collect();
                plan(ConvMode::Fast, height, cuts, purpose).layout.arena_len
            };
            assert_eq!(arena(1200), arena(2400));
        }
    }
}
