//! One scale's optimisation: the method steps over its state, the coordinates turn that into pixels, the objective judges
//! them, and every accepted picture has its own losses.

use std::io::{self, Read, Write};

use impasto_autodiff::AutodiffError;
use impasto_lbfgs::{
    Adam, Error as MinimiseError, Evaluation, Iteration, Lbfgs, Moments, Optimiser as Method, Outcome, State,
    StateError, Step, StopReason, write_vector,
};

use crate::coordinates::{Coordinates, Spectrum};
use crate::{Breakdown, Objective, Optimiser, OptionsError, TransferError, default_history};

/// The pairs that the scales of L-BFGS are learnt from. 5 to 20 do equally well.
const SCALE_PAIRS: usize = 10;

/// The L-BFGS of a transfer, for `numbers` variables in 0..=255: H0 has a scale for each group of variables, learnt from the last
/// ten pairs, and the first step changes each variable by about 1. `history` pairs are kept, by default
/// [`default_history`].
pub fn lbfgs(history: Option<usize>, iterations: usize, numbers: usize) -> Lbfgs {
    let first_step = (numbers as f64).sqrt();
    let history = history.unwrap_or_else(|| default_history(numbers));
    Lbfgs { history, scale_pairs: SCALE_PAIRS, max_iterations: iterations, first_step, ..Lbfgs::default() }
}

impl Optimiser {
    /// The bytes that a run of that many variables comes to hold beside the picture, its waves included.
    pub(crate) fn bytes(self, iterations: usize, variables: usize) -> u64 {
        match self {
            Self::Lbfgs { history } => {
                lbfgs(history, iterations, variables).bytes::<f32>(variables) + Spectrum::bytes(variables)
            }
            Self::Adam(_) => Adam::default().bytes::<f32>(variables),
        }
    }

    /// The most bytes that a checkpoint of such a run has: of L-BFGS x0, the groups, u, g and the pairs, of Adam x, both
    /// moments and the best x or the mean. What does not grow with the picture (dot products of pairs, squares of groups, paths and
    /// options) is allowed [`SMALL`] and eight bytes for each two pairs.
    pub(crate) fn checkpoint_bytes(self, iterations: usize, variables: usize) -> u64 {
        let number = size_of::<f32>() as u64;
        let (each, pairs) = match self {
            Self::Lbfgs { history } => {
                let pairs = lbfgs(history, iterations, variables).history.min(iterations) as u64;
                // A pair is two numbers of 16 bits for each variable.
                (number.saturating_mul(3 + pairs) + 1, pairs)
            }
            Self::Adam(_) => (4 * number, 0),
        };
        let products = 4u64.saturating_mul(pairs).saturating_mul(pairs + 3);
        each.saturating_mul(variables as u64).saturating_add(products).saturating_add(SMALL)
    }
}

/// Bytes of a checkpoint that do not grow with anything.
const SMALL: u64 = 1 << 16;

/// What travels with a point: its losses, and the number of its evaluation.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) losses: Breakdown,
    number: usize,
}

/// The number of a point whose pixels are not at hand: it was evaluated in another process.
const ELSEWHERE: usize = 0;

impl Report {
    /// L, then the loss of each term.
    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let each = self.losses.terms.iter().map(|term| term.loss);
        [self.losses.total].into_iter().chain(each).try_for_each(|loss| to.write_all(&loss.to_le_bytes()))
    }

    /// What [`Self::write`] wrote, of an objective of the same terms.
    fn read(from: &mut impl Read, objective: &Objective) -> io::Result<Self> {
        let mut loss = || {
            let mut bytes = [0; size_of::<f64>()];
            from.read_exact(&mut bytes).map(|()| f64::from_le_bytes(bytes))
        };
        let total = loss()?;
        let each = (0..objective.terms().len()).map(|_| loss()).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { losses: objective.breakdown(total, each), number: ELSEWHERE })
    }
}

/// An accepted picture.
pub(crate) struct Accepted<'a> {
    pub(crate) iteration: Iteration<'a, f32, Report>,
    /// H x W x 3.
    pub(crate) pixels: &'a [f32],
}

/// The picture to keep, H x W x 3, and how the scale went.
pub(crate) type Kept = (Vec<f32>, Outcome<Breakdown>);

/// One scale's optimisation between two steps.
pub(crate) struct Descent<M: Method, C> {
    method: M,
    coordinates: C,
    state: M::State<f32, Report>,
    /// The number of the last evaluation.
    number: usize,
}

impl<M: Method, C: Coordinates> Descent<M, C> {
    /// Evaluates the start.
    pub(crate) fn start(
        method: M,
        mut coordinates: C,
        objective: &mut Objective,
    ) -> Result<Self, TransferError> {
        let mut number = 0;
        let mut u = coordinates.start();
        let groups = coordinates.groups();
        let state = method
            .start(&mut u, groups, |u, gradient| {
                evaluate(&mut coordinates, objective, &mut number, (u, gradient))
            })
            .map_err(transfer_error)?;
        Ok(Self { method, coordinates, state, number })
    }

    /// Reads the state that [`Self::write`] wrote, for coordinates made around the pictures before it, and an objective of the
    /// same terms.
    pub(crate) fn read(
        method: M,
        coordinates: C,
        objective: &Objective,
        from: &mut impl Read,
    ) -> Result<Self, StateError> {
        let state = M::State::read(from, |from| Report::read(from, objective))?;
        Ok(Self { method, coordinates, state, number: ELSEWHERE + 1 })
    }

    /// The number of variables.
    pub(crate) fn variables(&self) -> usize {
        self.state.iteration().x.len()
    }

    /// Accepted iterations.
    pub(crate) fn iterations(&self) -> usize {
        self.state.iteration().iteration
    }

    /// Evaluations of the objective.
    pub(crate) fn evaluations(&self) -> usize {
        self.state.iteration().evaluations
    }

    /// One step. Where it fails, as an evaluation that is cancelled, the next one is the one that this would have been.
    pub(crate) fn step(&mut self, objective: &mut Objective) -> Result<Step, TransferError> {
        let Self { method, coordinates, state, number } = self;
        let step = method.step(state, |u, gradient| evaluate(coordinates, objective, number, (u, gradient)));
        step.map_err(transfer_error)
    }

    /// Begins again at the picture to keep, with nothing learnt, evaluations and iterations counted from 0: for an objective that has
    /// become another function. Where that fails, all is as it was.
    pub(crate) fn begin_again(&mut self, method: M, objective: &mut Objective) -> Result<(), TransferError> {
        let Self { coordinates, state, .. } = self;
        let mut number = 0;
        let mut u = state.kept(StopReason::Cancelled).0.to_vec();
        let groups = coordinates.groups();
        let begun = method.start(&mut u, groups, |u, gradient| {
            evaluate(coordinates, objective, &mut number, (u, gradient))
        });
        self.state = begun.map_err(transfer_error)?;
        (self.method, self.number) = (method, number);
        Ok(())
    }

    /// The accepted picture, or the mean of all.
    pub(crate) fn accepted(&mut self) -> Accepted<'_> {
        let iteration = self.state.iteration();
        let evaluated_last = !iteration.averaged && iteration.report.number == self.number;
        let pixels = self.coordinates.pixels(iteration.x, evaluated_last);
        Accepted { iteration, pixels }
    }

    /// The accepted picture with the lowest loss, or the mean of all, and how the descent went that `reason` ended.
    pub(crate) fn kept(&mut self, reason: StopReason) -> Kept {
        let averaged = self.state.iteration().averaged;
        let (u, outcome) = self.state.kept(reason);
        let evaluated_last = !averaged && outcome.report.number == self.number;
        let pixels = self.coordinates.pixels(u, evaluated_last).to_vec();
        (pixels, with_losses(outcome, |report| report.losses.clone()))
    }

    /// Takes out what a descent that is over has learnt for one in as many colours of another size.
    pub(crate) fn take_moments(&mut self) -> Option<Moments<f32>> {
        self.state.take_moments()
    }

    /// [`Self::kept`] without a copy, for a descent that is over.
    pub(crate) fn finish(self, reason: StopReason) -> Kept {
        let (u, outcome) = self.state.finish(reason);
        (self.coordinates.into_pixels(u), with_losses(outcome, |report| report.losses))
    }

    /// All that the descent needs to go on: what the coordinates are around, then the state.
    pub(crate) fn write(&mut self, mut to: &mut dyn Write) -> io::Result<()> {
        for around in self.coordinates.around() {
            write_vector(&mut to, around)?;
        }
        self.state.write(&mut to, Report::write)
    }
}

impl<C: Coordinates> Descent<Adam, C> {
    /// Evaluates the start of a descent by Adam that goes on with what an earlier one has learnt.
    pub(crate) fn start_with(
        method: Adam,
        mut coordinates: C,
        moments: Moments<f32>,
        objective: &mut Objective,
    ) -> Result<Self, TransferError> {
        let mut number = 0;
        let mut u = coordinates.start();
        let state = method
            .start_with(moments, &mut u, |u, gradient| {
                evaluate(&mut coordinates, objective, &mut number, (u, gradient))
            })
            .map_err(transfer_error)?;
        Ok(Self { method, coordinates, state, number })
    }
}

fn with_losses<R>(outcome: Outcome<R>, losses: impl FnOnce(R) -> Breakdown) -> Outcome<Breakdown> {
    let Outcome { reason, initial_loss, loss, iterations, evaluations, report } = outcome;
    Outcome { reason, initial_loss, loss, iterations, evaluations, report: losses(report) }
}

/// The objective as a function of the coordinates; counts its evaluations.
fn evaluate(
    coordinates: &mut impl Coordinates,
    objective: &mut Objective,
    number: &mut usize,
    (u, gradient): (&[f32], &mut [f32]),
) -> Result<Evaluation<Report>, AutodiffError> {
    *number += 1;
    let losses = coordinates.evaluate(u, gradient, |x, gradient| objective.evaluate(x, gradient))?;
    Ok(Evaluation { loss: losses.total, report: Report { losses, number: *number } })
}

fn transfer_error(error: MinimiseError<AutodiffError>) -> TransferError {
    match error {
        MinimiseError::Objective(error) => TransferError::Autodiff(error),
        MinimiseError::InvalidOption { option, requirement, value } => {
            OptionsError::Value { option, requirement: requirement.to_owned(), value: value.to_string() }
                .into()
        }
    }
}

#[cfg(all(test, feature = "embedded-weights"))]
mod tests {
    use super::*;
    use crate::{Network, PreparedNetwork, Preset, Subject, TransferOptions, white_noise};

    /// L_content at conv1_1 of a small picture of noise.
    fn objective() -> Objective {
        let content_layers = "conv1_1".parse().unwrap();
        let options = TransferOptions { style_weight: 0.0, content_layers, ..Preset::Paper.options() };
        let network = PreparedNetwork::new(Network::embedded().unwrap(), &options).unwrap();
        let subject = Subject::new(white_noise(16, 16, 1).unwrap(), white_noise(16, 16, 2).unwrap());
        let targets = subject.at(16, &options).unwrap().measure(&network, &options).unwrap();
        Objective::new(&network, targets, (16, 16), &options).unwrap()
    }

    /// A descent from noise, to its end; `look` sees what each step accepted.
    fn descend(method: Lbfgs, objective: &mut Objective, mut look: impl FnMut(Accepted<'_>)) -> Kept {
        let start = white_noise(16, 16, 3).unwrap();
        let mut descent = Descent::start(method, Spectrum::around(start), objective).unwrap();
        loop {
            match descent.step(objective).unwrap() {
                Step::Accepted => look(descent.accepted()),
                Step::Ended(reason) => return descent.kept(reason),
            }
        }
    }

    #[test]
    fn the_first_step_changes_each_number_by_about_1() {
        let lbfgs = Lbfgs { max_evaluations: 2, ..lbfgs(None, 10, 768) };
        let (moved, outcome) = descend(lbfgs, &mut objective(), |_| ());
        assert_eq!(outcome.iterations, 1);
        let start = white_noise(16, 16, 3).unwrap();
        let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
        let mean = moved.iter().zip(start.data()).map(square).sum::<f64>() / 768.0;
        assert!((mean - 1.0).abs() < 1e-3, "{mean}");
    }

    /// A search without an evaluation to go back with ends at a point that was not the last to be evaluated.
    #[test]
    fn reported_pixels_are_those_of_the_accepted_point() {
        let mut objective = objective();
        let mut settled = 0;
        for max_evaluations in 2..20 {
            let lbfgs = Lbfgs { curvature: 2e-4, max_evaluations, ..lbfgs(None, 10, 768) };
            let mut reported = Vec::new();
            let (kept, outcome) = descend(lbfgs, &mut objective, |Accepted { iteration, pixels }| {
                settled += usize::from(iteration.report.number < iteration.evaluations);
                reported.push((pixels.to_vec(), iteration.report.losses.clone()));
            });
            reported.push((kept, outcome.report));
            for (pixels, losses) in reported {
                let mut gradient = vec![0.0; pixels.len()];
                assert_eq!(objective.evaluate(&pixels, &mut gradient).unwrap(), losses);
            }
        }
        assert!(settled > 0, "no search ended in this way");
    }
}
