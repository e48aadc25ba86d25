//! What an evaluation holds of each stage, and where.

use std::ops::Range;

use impasto_tensor::conv::Extent;

use super::arena::{self, Life, Slot};
use super::network::{PreparedChain, Stage};
use super::plan::LayerPlan;
use super::schedule::{Schedule, Step};

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

/// One of something for each tensor of a stage.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tensors<T> {
    /// F.
    pub(crate) response: T,
    /// F where a picture that is cut keeps it for the backward sweep: a ring of rows.
    pub(crate) kept: T,
    /// F pooled.
    pub(crate) pooled: T,
    /// dL/dF where it has no other place to be: at the deepest stage, and before a pooling at a tap.
    pub(crate) seed: T,
    /// dL/d(input), which is dL/d(response or pooled) of the stage before.
    pub(crate) input_gradient: T,
    /// The ReLU's and the pooling's mask.
    pub(crate) mask: T,
}

impl<T> Tensors<T> {
    /// Which of [`Self::each`] is a ring, and which the mask.
    pub(crate) const KEPT: usize = 1;
    pub(crate) const MASK: usize = 5;

    /// All of them, the mask last.
    pub(crate) fn each(&self) -> [&T; 6] {
        [&self.response, &self.kept, &self.pooled, &self.seed, &self.input_gradient, &self.mask]
    }

    /// All of them, the mask last.
    pub(crate) fn each_mut(&mut self) -> [&mut T; 6] {
        let Self { response, kept, pooled, seed, input_gradient, mask } = self;
        [response, kept, pooled, seed, input_gradient, mask]
    }
}

/// The rows of a tensor that are held at a time; all of them where the picture is not cut.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    /// Numbers in a row, of a mask bytes; 0 for a tensor that the evaluation does not need in memory.
    pub(crate) row: usize,
    /// The most rows.
    pub(crate) rows: usize,
    /// Its place in the arena, a mask's among its own bytes.
    pub(crate) slot: Slot,
}

impl Window {
    const fn of(row: usize) -> Self {
        Self { row, rows: 0, slot: 0..0 }
    }

    /// Whether the evaluation needs the tensor in memory.
    pub(crate) const fn is_held(&self) -> bool {
        self.row > 0
    }

    /// Numbers of the rows that are held at a time.
    pub(crate) const fn len(&self) -> usize {
        self.row * self.rows
    }

    /// The place of some rows, of a window that holds those from row `first` on. Empty for a tensor that is not held.
    pub(crate) fn place(&self, first: usize, rows: &Range<usize>) -> Slot {
        if !self.is_held() {
            return 0..0;
        }
        assert!(first <= rows.start && rows.end <= first + self.rows, "rows that the window holds");
        self.slot.start + (rows.start - first) * self.row..self.slot.start + (rows.end - first) * self.row
    }

    /// The places of some rows of a window that is a ring: row y lies where y modulo the window's rows says. In up to two pieces,
    /// in none if the tensor is not held.
    pub(crate) fn ring(&self, rows: &Range<usize>) -> impl Iterator<Item = (Range<usize>, Slot)> + use<> {
        let (height, row, start) = (self.rows.max(1), self.row, self.slot.start);
        let rows = if self.is_held() { rows.clone() } else { 0..0 };
        let turn = rows.end.min((rows.start / height + 1) * height);
        [rows.start..turn, turn..rows.end].into_iter().filter(|rows| !rows.is_empty()).map(move |rows| {
            let at = start + rows.start % height * row;
            (rows.clone(), at..at + rows.len() * row)
        })
    }
}

/// What is held of a stage.
#[derive(Debug, Clone)]
pub(crate) struct StageLayout {
    /// H x W of the response.
    pub(crate) extent: Extent,
    /// Whether the backward sweep reads F where the forward sweep wrote it.
    pub(crate) reads_response: bool,
    pub(crate) windows: Tensors<Window>,
}

impl StageLayout {
    /// Stage `at`, whose windows have no rows yet.
    fn new(stages: &[Stage], layers: &[LayerPlan], at: usize, (purpose, cut): (Purpose, bool)) -> Self {
        let (deepest, stage, extent) = (layers.len() - 1, &stages[at], layers[at].extent);
        let (backward, tapped) = (purpose == Purpose::Evaluate, layers[at].tapped);
        let pools = stage.pool_after && at < deepest;
        let held = |held: bool, row: usize| if held { Window::of(row) } else { Window::default() };
        let row = extent.width * stage.out_channels;
        // The first stage's response is recomputed in the backward sweep.
        let reads = backward && tapped && at > 0;
        let windows = Tensors {
            response: held(tapped || !pools, row),
            kept: held(reads && cut, row),
            pooled: held(pools, extent.width / 2 * stage.out_channels),
            seed: held(backward && (at == deepest || (pools && (tapped || at == 0))), row),
            input_gradient: held(backward && at > 0, extent.width * stage.in_channels),
            mask: held(backward && at < deepest && (pools || !tapped), row / 8),
        };
        Self { extent, reads_response: reads && !cut, windows }
    }

    /// Bytes of the windows.
    pub(crate) fn bytes(&self) -> u64 {
        let numbers: usize =
            self.windows.each()[..Tensors::<Window>::MASK].iter().map(|window| window.len()).sum();
        (numbers * size_of::<f32>() + self.windows.mask.len()) as u64
    }

    /// Whether a pooling follows that the plan computes.
    pub(crate) const fn pools(&self) -> bool {
        self.windows.pooled.is_held()
    }
}

/// What an evaluation holds and in which order it works.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// Down to the deepest stage with a loss.
    pub(crate) stages: Vec<StageLayout>,
    /// The first layer's products in the backward sweep.
    pub(crate) first_layer: Option<Slot>,
    pub(crate) arena_len: usize,
    /// The forward sweep alone.
    pub(crate) sums: Vec<Step>,
    /// Both sweeps, the backward one behind the forward one; none where targets are measured.
    pub(crate) gradient: Vec<Step>,
}

impl Layout {
    /// Plans evaluations of a picture of `height` rows that is cut at the rows `cuts`.
    pub(crate) fn new(
        network: &PreparedChain,
        layers: &[LayerPlan],
        (height, cuts): (usize, &[usize]),
        purpose: Purpose,
    ) -> Self {
        let stage = |at: usize| StageLayout::new(&network.stages, layers, at, (purpose, !cuts.is_empty()));
        let mut stages: Vec<StageLayout> = (0..layers.len()).map(stage).collect();
        let schedule = Schedule { stages: &stages, layers, height, cuts };
        let sums = schedule.steps(false);
        let gradient = if purpose == Purpose::Evaluate { schedule.steps(true) } else { Vec::new() };
        for step in sums.iter().chain(&gradient) {
            for (stage, step) in stages.iter_mut().zip(&step.stages) {
                let (added, windows) = (step.added(), stage.windows.each_mut());
                for ((window, added), first) in windows.into_iter().zip(added.each()).zip(step.first.each()) {
                    window.rows = window.rows.max(added.end.saturating_sub(*first));
                }
            }
        }
        let first_layer = (purpose == Purpose::Evaluate).then(|| {
            let products = (9 * network.stages[0].in_channels).next_multiple_of(network.isa.panel());
            FIRST_LAYER_ROWS.min(height) * stages[0].extent.width * products
        });
        let mut layout = Self { stages, first_layer: None, arena_len: 0, sums, gradient };
        layout.place(first_layer);
        layout
    }

    /// Whether the picture is cut: the windows then hold what later steps need, and the gradient takes a second forward sweep.
    pub(crate) const fn is_cut(&self) -> bool {
        self.sums.len() > 1
    }

    /// Gives every tensor its place, and the first layer's products, of so many numbers.
    fn place(&mut self, first_layer: Option<usize>) {
        let (deepest, cut) = (self.stages.len() - 1, self.is_cut());
        // Stage `at` is computed at step `at`, the gradient of its input at this one.
        let backward = |at: usize| 2 * deepest + 1 - at;
        let mut lives = Vec::new();
        let mut alive = |len: usize, first: usize, last: usize| {
            // Windows live as long as the evaluation.
            lives.push(if cut {
                Life { len, first: 0, last: usize::MAX }
            } else {
                Life { len, first, last }
            });
            lives.len() - 1
        };
        let mut numbers = Vec::new();
        for (at, stage) in self.stages.iter().enumerate() {
            let next = (at + 1).min(deepest);
            let last = if stage.reads_response { backward(at) } else { next };
            let back = backward(at);
            let times = [(at, last), (at, back), (at, next), (back, back), (back, back + 1)];
            let number = |(window, (first, last)): (&Window, _)| {
                window.is_held().then(|| alive(window.len(), first, last))
            };
            numbers.push(stage.windows.each().into_iter().zip(times).map(number).collect::<Vec<_>>());
        }
        let first_layer = first_layer.map(|len| alive(len, backward(0), backward(0)));
        let (places, arena_len) = arena::plan(&lives);
        for (stage, numbers) in self.stages.iter_mut().zip(numbers) {
            for (window, number) in stage.windows.each_mut().into_iter().zip(numbers) {
                if let Some(number) = number {
                    window.slot = places[number].clone();
                }
            }
            stage.windows.mask.slot = 0..stage.windows.mask.len();
        }
        self.first_layer = first_layer.map(|number| places[number].clone());
        self.arena_len = arena_len;
    }

    /// Where the next stage reads some rows of stage `at`'s output.
    pub(crate) fn output(&self, step: &Step, at: usize, rows: &Range<usize>) -> Slot {
        let (windows, first) = (&self.stages[at].windows, &step.stages[at].first);
        if self.stages[at].pools() {
            windows.pooled.place(first.pooled, rows)
        } else {
            windows.response.place(first.response, rows)
        }
    }

    /// Where some rows of dL/dF of stage `at` are: in a seed of its own, or in what the stage after it computed.
    pub(crate) fn gradient(&self, step: &Step, at: usize, rows: &Range<usize>) -> Slot {
        let seed = &self.stages[at].windows.seed;
        if seed.is_held() {
            seed.place(step.stages[at].first.seed, rows)
        } else {
            self.behind(step, at, rows)
        }
    }

    /// Where some rows are of what the stage after stage `at` computed, behind a pooling if there is one.
    pub(crate) fn behind(&self, step: &Step, at: usize, rows: &Range<usize>) -> Slot {
        let window = &self.stages[at + 1].windows.input_gradient;
        window.place(step.stages[at + 1].first.input_gradient, rows)
    }
}
