//! Losses and gradient of pictures of one size, in three phases: the sums over the picture, step by step, what they combine to, the
//! gradient, step by step.

use std::sync::Arc;

use impasto_tensor::reduce::RunningSum;
use impasto_tensor::{Shape, SquareRoots};

use super::bytes::roots_of;
use super::layout::Purpose;
use super::network::{PreparedChain, check_length};
use super::plan::{GuidedTap, Plan, Task, Work, staged};
use super::program::{Program, Taps};
use super::schedule::Step;
use super::taps::StageTap;
use crate::losses::{AffineMap, GramMatrix, Moments, Needs};
use crate::terms::{Losses, Term, Weight};
use crate::{AutodiffError, Cancel};

/// Computes losses and gradients of pictures of one size.
#[derive(Debug)]
pub struct Evaluator {
    network: Arc<PreparedChain>,
    shape: Shape,
    terms: Vec<Term>,
    /// The loss of each term.
    each: Vec<f64>,
    /// The losses at positions, as far as they are summed; 0 for other terms.
    at_positions: Vec<RunningSum>,
    /// One for each stage of the plan.
    taps: Vec<StageTap>,
    roots: SquareRoots,
    program: Program,
    /// The network's input; empty if it reads pictures as they are.
    input: Vec<f32>,
}

impl Evaluator {
    /// An evaluator of the sum of `terms` for pictures of `height` x `width`, with all memory that it needs. Within a memory limit
    /// or cut as [`crate::Cuts`] say, on any number of threads, it gives the same bits.
    ///
    /// # Errors
    /// [`AutodiffError`] for a size that is none, an unknown layer, a target or a guide of another size than its layer, a picture too
    /// small for the layers, or one that does not fit the memory limit.
    pub fn new(
        network: Arc<PreparedChain>,
        (height, width): (usize, usize),
        mut terms: Vec<Term>,
        work: impl Into<Work>,
    ) -> Result<Self, AutodiffError> {
        let shape = Shape::new(height, width, network.input_channels()).checked()?;
        // The stage of each term; none at the picture itself.
        let (mut stages, mut at_layers): (Vec<Option<usize>>, _) = (Vec::new(), Vec::new());
        for term in &terms {
            let Some(layer) = term.place()? else {
                stages.push(None);
                continue;
            };
            let stage = network.position(layer)?;
            term.loss.check(layer, network.stages[stage].response_shape((height, width)))?;
            stages.push(Some(stage));
            at_layers.push(GuidedTap { stage, kind: term.loss.kind(), guide: term.loss.guide() });
        }
        let staged = staged(&at_layers);
        let task = Task { size: (height, width), taps: &staged, purpose: Purpose::Evaluate };
        let plan = network.plan_task(task, &work.into())?;
        let tap = |at: usize| {
            let own = stages.iter().enumerate().filter(|(_, stage)| **stage == Some(at));
            let own = own.map(|(index, _)| index);
            let sizes = (network.isa, network.stages[at].out_channels);
            StageTap::new(sizes, &terms, own, |guide| network.gram(&plan, at, guide))
        };
        let taps = (0..plan.layers.len()).map(tap).collect::<Result<_, _>>()?;
        let mut roots = SquareRoots::new(network.isa, roots_of(&plan))?;
        for term in &mut terms {
            term.loss.prepare(&mut roots)?;
        }
        let input = if network.input.is_some() { vec![0.0; shape.len()] } else { Vec::new() };
        let program = Program::new(Arc::clone(&network), plan)?;
        let each = vec![0.0; terms.len()];
        let at_positions = vec![RunningSum::default(); terms.len()];
        Ok(Self { network, shape, terms, each, at_positions, taps, roots, program, input })
    }

    /// The same evaluator, whose evaluations `cancel` can end.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.program.cancel = cancel;
        self
    }

    /// Gives a term, by its index, another weight from the next evaluation on.
    ///
    /// # Errors
    /// [`AutodiffError::NoTerm`] if there is no such term.
    pub fn set_weight(&mut self, index: usize, weight: Weight) -> Result<(), AutodiffError> {
        let terms = self.terms.len();
        self.terms.get_mut(index).ok_or(AutodiffError::NoTerm { index, terms })?.weight = weight;
        Ok(())
    }

    /// The losses of a picture; writes the gradient of their total into `gradient`. Both H x W x 3.
    ///
    /// # Errors
    /// [`AutodiffError::Pixels`] if a slice does not have the picture's length, [`AutodiffError::Cancelled`] if it was given up;
    /// `gradient` holds anything then.
    pub fn evaluate(&mut self, image: &[f32], gradient: &mut [f32]) -> Result<Losses, AutodiffError> {
        check_length(self.shape, image.len())?;
        check_length(self.shape, gradient.len())?;
        if let Some(preprocessing) = self.network.input {
            preprocessing.apply(image, &mut self.input);
        }
        gradient.fill(0.0);
        let layout = Arc::clone(&self.program.plan.layout);
        self.clear();
        for step in &layout.sums {
            self.sums(step, image)?;
        }
        self.combine()?;
        for step in &layout.gradient {
            self.gradient(step, image, gradient)?;
        }
        if let Some(preprocessing) = self.network.input {
            preprocessing.gradient(gradient);
        }
        self.pixel_losses(image, gradient);
        Ok(Losses::of(&self.terms, self.each.clone()))
    }

    /// Forgets all sums.
    fn clear(&mut self) {
        self.each.fill(0.0);
        self.at_positions.fill(RunningSum::default());
        for sums in self.taps.iter_mut().flat_map(|tap| &mut tap.sums) {
            sums.gram.clear();
        }
    }

    /// Adds what a step computes to the losses at positions and to the Gram sums.
    fn sums(&mut self, step: &Step, image: &[f32]) -> Result<(), AutodiffError> {
        let Self { network, terms, at_positions, taps, program, input, .. } = self;
        let input = if network.input.is_some() { input } else { image };
        program.forward(step, input, |at, first, f, scratch| {
            let tap = &mut taps[at];
            for sums in &mut tap.sums {
                sums.gram.add(f, scratch);
            }
            for &index in &tap.at_positions {
                if let Needs::Positions(loss) = terms[index].loss.needs() {
                    loss.add_value(first, f, &mut at_positions[index]);
                }
            }
            Ok(())
        })
    }

    /// The losses at positions and of sums, and the maps of each stage's F that are the gradient of these.
    fn combine(&mut self) -> Result<(), AutodiffError> {
        for (each, sum) in self.each.iter_mut().zip(&self.at_positions) {
            *each = sum.total();
        }
        for (at, tap) in self.taps.iter_mut().enumerate() {
            let stage = &self.network.stages[at];
            let positions = stage.response_shape((self.shape.height, self.shape.width)).positions();
            for sums in &mut tap.sums {
                let second = GramMatrix { channels: stage.out_channels, data: sums.gram.normalised() };
                let moments = Moments { mean: sums.gram.mean(), second };
                let mut map = AffineMap::zero(stage.out_channels);
                for &index in &sums.terms {
                    let term = &self.terms[index];
                    if let Needs::Sums(loss) = term.loss.needs() {
                        let weight = term.weight.product();
                        self.each[index] =
                            loss.add_map(&moments, weight, positions, &mut self.roots, &mut map)?;
                    }
                }
                sums.map.set(map)?;
            }
        }
        Ok(())
    }

    /// Adds what a step computes to the gradient, whose rows it completes from the top.
    fn gradient(&mut self, step: &Step, image: &[f32], gradient: &mut [f32]) -> Result<(), AutodiffError> {
        let Self { network, terms, taps, program, input, .. } = self;
        let input = if network.input.is_some() { input } else { image };
        if program.plan.layout.is_cut() {
            program.forward(step, input, |_, _, _, _| Ok(()))?;
        }
        program.backward(step, input, Taps { terms, stages: taps }, gradient)
    }

    /// The losses of the picture itself.
    fn pixel_losses(&mut self, image: &[f32], gradient: &mut [f32]) {
        for (term, loss) in self.terms.iter().zip(&mut self.each) {
            if let Needs::Pixels(of_pixels) = term.loss.needs() {
                let weight = term.weight.product();
                *loss = of_pixels.value_and_gradient(image, self.shape, weight, gradient);
            }
        }
    }

    /// The plan of the evaluations.
    pub fn plan(&self) -> &Plan {
        &self.program.plan
    }

    /// The bytes that the evaluator holds, weights and targets included; those of the network's input are not counted.
    pub fn bytes(&self) -> u64 {
        self.plan().bytes().total()
    }
}
