//! One scale's optimisation: the method steps over its state, the coordinates turn that into pixels, the objective judges
//! them, and every accepted picture is reported with its own losses.

use std::ops::ControlFlow;

use impasto_autodiff::AutodiffError;
use impasto_lbfgs::{
    Adam, Error as MinimiseError, Evaluation, Iteration, Lbfgs, Optimiser as Method, Outcome, State, Step,
    StopReason,
};

use crate::coordinates::{Coordinates, Pixels, Spectrum};
use crate::{Breakdown, Objective, Optimiser, Picture, TransferError, default_history};

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
    /// The bytes that a run for a picture of `numbers` comes to hold beside the picture, its coordinates included.
    pub(crate) fn bytes(self, iterations: usize, numbers: usize) -> u64 {
        match self {
            Self::Lbfgs { history } => {
                lbfgs(history, iterations, numbers).bytes::<f32>(numbers) + Spectrum::bytes(numbers)
            }
            Self::Adam { .. } => Adam::default().bytes::<f32>(numbers),
        }
    }
}

/// What travels with a point: its losses, and the number of its evaluation.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) losses: Breakdown,
    number: usize,
}

/// An accepted picture.
pub(crate) struct Accepted<'a> {
    pub(crate) iteration: &'a Iteration<'a, f32, Report>,
    /// H x W x 3.
    pub(crate) pixels: &'a [f32],
}

/// Minimises the objective from `start` on with the options' method; `report` gets each accepted picture.
pub(crate) fn optimise(
    objective: &mut Objective,
    start: Picture,
    (optimiser, iterations): (Optimiser, usize),
    report: impl FnMut(Accepted<'_>) -> ControlFlow<()>,
) -> Result<(Picture, Outcome<Report>), TransferError> {
    let (height, width, numbers) = (start.height(), start.width(), start.data().len());
    let (pixels, outcome) = match optimiser {
        Optimiser::Lbfgs { history } => {
            run(&lbfgs(history, iterations, numbers), Spectrum::around(start), objective, report)
        }
        Optimiser::Adam { learning_rate } => {
            let adam = Adam { learning_rate, max_iterations: iterations, ..Adam::default() };
            run(&adam, Pixels::of(start.into_data()), objective, report)
        }
    }
    .map_err(|error| match error {
        MinimiseError::Objective(error) => TransferError::Autodiff(error),
        MinimiseError::InvalidOption { option, requirement, value } => crate::OptionsError::Value {
            option,
            requirement: requirement.to_owned(),
            value: value.to_string(),
        }
        .into(),
    })?;
    Ok((Picture::new(height, width, pixels)?, outcome))
}

/// The loop over a method's steps.
fn run(
    method: &impl Method,
    mut coordinates: impl Coordinates,
    objective: &mut Objective,
    mut report: impl FnMut(Accepted<'_>) -> ControlFlow<()>,
) -> Result<(Vec<f32>, Outcome<Report>), MinimiseError<AutodiffError>> {
    let mut number = 0;
    let mut u = coordinates.start();
    let groups = coordinates.groups();
    let mut state = method.start(&mut u, groups, |u, gradient| {
        evaluate(&mut coordinates, objective, &mut number, (u, gradient))
    })?;
    let reason = loop {
        let step = method.step(&mut state, |u, gradient| {
            evaluate(&mut coordinates, objective, &mut number, (u, gradient))
        })?;
        if let Step::Ended(reason) = step {
            break reason;
        }
        let iteration = state.iteration();
        let pixels = coordinates.pixels(iteration.x, iteration.report.number == number);
        if report(Accepted { iteration: &iteration, pixels }).is_break() {
            break StopReason::Cancelled;
        }
    };
    let (u, outcome) = state.finish(reason);
    Ok((coordinates.into_pixels(u), outcome))
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

    #[test]
    fn the_first_step_changes_each_number_by_about_1() {
        let start = white_noise(16, 16, 3).unwrap();
        let lbfgs = Lbfgs { max_evaluations: 2, ..lbfgs(None, 10, 768) };
        let report = |_: Accepted<'_>| ControlFlow::Continue(());
        let waves = Spectrum::around(start.clone());
        let (moved, outcome) = run(&lbfgs, waves, &mut objective(), report).unwrap();
        assert_eq!(outcome.iterations, 1);
        let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
        let mean = moved.iter().zip(start.data()).map(square).sum::<f64>() / 768.0;
        assert!((mean - 1.0).abs() < 1e-3, "{mean}");
    }

    /// A search without an evaluation to go back with ends at a point that was not the last to be evaluated.
    #[test]
    fn reported_pixels_are_those_of_the_accepted_point() {
        let (start, mut objective) = (white_noise(16, 16, 3).unwrap(), objective());
        let mut settled = 0;
        for max_evaluations in 2..20 {
            let lbfgs = Lbfgs { curvature: 2e-4, max_evaluations, ..lbfgs(None, 10, 768) };
            let mut reported = Vec::new();
            let report = |Accepted { iteration, pixels }: Accepted<'_>| {
                settled += usize::from(iteration.report.number < iteration.evaluations);
                reported.push((pixels.to_vec(), iteration.report.losses.clone()));
                ControlFlow::Continue(())
            };
            let (kept, outcome) =
                run(&lbfgs, Spectrum::around(start.clone()), &mut objective, report).unwrap();
            reported.push((kept, outcome.report.losses));
            for (pixels, losses) in reported {
                let mut gradient = vec![0.0; pixels.len()];
                assert_eq!(objective.evaluate(&pixels, &mut gradient).unwrap(), losses);
            }
        }
        assert!(settled > 0, "no search ended in this way");
    }
}
