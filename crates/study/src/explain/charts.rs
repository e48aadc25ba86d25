//! The curves of a run.

use super::Step;
use impasto_autodiff::LossKind;
use impasto_style::TermLoss;

use crate::plot::{Axis, PlotError, Scale, Series, line_chart};

pub(super) const ITERATION: Axis<'static> = Axis { label: "iteration", scale: Scale::Linear };

pub(super) const fn logarithmic(label: &str) -> Axis<'_> {
    Axis { label, scale: Scale::Logarithmic }
}

fn series(name: &str, steps: &[Step], value: impl Fn(&Step) -> f64) -> Series {
    Series {
        name: name.to_owned(),
        points: steps.iter().map(|step| (step.iteration as f64, value(step))).collect(),
    }
}

/// The total loss and what each kind of loss contributes to it.
pub(super) fn losses(steps: &[Step]) -> Result<String, PlotError> {
    let mut lines = vec![series("total", steps, |step| step.losses.total)];
    for kind in LossKind::ALL {
        if steps.iter().any(|step| step.losses.has(kind)) {
            let name = format!("{}, times its weight", kind.name());
            lines.push(series(&name, steps, |step| step.losses.weighed(kind)));
        }
    }
    line_chart(ITERATION, logarithmic("loss"), &lines)
}

/// The loss of every term of a kind, without its weight.
pub(super) fn layers(steps: &[Step], kind: LossKind) -> Result<String, PlotError> {
    let first = steps.first().map_or(&[][..], |step| &step.losses.terms);
    let line = |(index, term): (usize, &TermLoss)| {
        let layer = term.layer.as_deref().unwrap_or_default();
        let name =
            term.region.as_ref().map_or_else(|| layer.to_owned(), |region| format!("{layer}, {region}"));
        series(&name, steps, |step| step.losses.terms.get(index).map_or(f64::NAN, |term| term.loss))
    };
    let own = first.iter().enumerate().filter(|(_, term)| term.kind == kind);
    line_chart(ITERATION, logarithmic(kind.symbol()), &own.map(line).collect::<Vec<Series>>())
}

/// Points of a line of eigenvalues, at most.
const EIGENVALUES: usize = 64;
/// Eigenvalues below that part of the largest are rounding.
const ROUNDING: f64 = 1e-7;

/// The eigenvalues of a Gram matrix: the painting's, and the picture's before and after; by their rank, from 1.
pub(super) fn eigenvalues(matrices: [(&str, Vec<f64>); 3]) -> Result<String, PlotError> {
    let line = |(name, values): (&str, Vec<f64>)| {
        let least = values.first().map_or(0.0, |largest| ROUNDING * largest);
        let ratio = (values.len().max(2) as f64).powf(1.0 / EIGENVALUES as f64);
        let mut ranks: Vec<usize> =
            (0..=EIGENVALUES as i32).map(|power| ratio.powi(power).round() as usize).collect();
        ranks.dedup();
        let points =
            ranks.into_iter().filter_map(|rank| Some((rank as f64, *values.get(rank.checked_sub(1)?)?)));
        Series { name: name.to_owned(), points: points.filter(|(_, value)| *value > least).collect() }
    };
    line_chart(logarithmic("rank"), logarithmic("eigenvalue"), &matrices.map(line))
}

/// The 2-norm of the gradient.
pub(super) fn gradient_norm(steps: &[Step]) -> Result<String, PlotError> {
    line_chart(ITERATION, logarithmic("|dL/dx|"), &[series("norm", steps, |step| step.gradient_norm)])
}

/// The step along the search direction.
pub(super) fn step_lengths(steps: &[Step]) -> Result<String, PlotError> {
    line_chart(ITERATION, logarithmic("step t"), &[series("step", steps, |step| step.length)])
}
