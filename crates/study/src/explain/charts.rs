//! The curves of a run.

use super::Step;
use crate::plot::{Axis, PlotError, Scale, Series, line_chart};
use impasto_style::TransferOptions;

const ITERATION: Axis<'static> = Axis { label: "iteration", scale: Scale::Linear };

const fn logarithmic(label: &str) -> Axis<'_> {
    Axis { label, scale: Scale::Logarithmic }
}

fn series(name: &str, steps: &[Step], value: impl Fn(&Step) -> f64) -> Series {
    Series {
        name: name.to_owned(),
        points: steps.iter().map(|step| (step.iteration as f64, value(step))).collect(),
    }
}

/// The total loss and what its parts contribute to it.
pub(super) fn losses(steps: &[Step], options: &TransferOptions) -> Result<String, PlotError> {
    let mut lines = vec![series("total", steps, |step| step.losses.total)];
    for (name, weight, part) in [
        (
            "content, times alpha",
            options.content_weight,
            (|step: &Step| step.losses.content) as fn(&Step) -> f64,
        ),
        ("style, times beta", options.style_weight, |step| step.losses.style),
        ("TV, times its weight", options.tv_weight, |step| step.losses.tv),
    ] {
        if weight > 0.0 {
            lines.push(series(name, steps, |step| weight * part(step)));
        }
    }
    line_chart(ITERATION, logarithmic("loss"), &lines)
}

/// E_l of every style layer.
pub(super) fn layers(steps: &[Step]) -> Result<String, PlotError> {
    let names = steps.first().map_or(&[][..], |step| &step.losses.style_layers);
    let line = |index: usize| {
        let value =
            move |step: &Step| step.losses.style_layers.get(index).map_or(f64::NAN, |layer| layer.loss);
        series(&names[index].layer, steps, value)
    };
    line_chart(ITERATION, logarithmic("E_l"), &(0..names.len()).map(line).collect::<Vec<_>>())
}

/// The 2-norm of the gradient.
pub(super) fn gradient_norm(steps: &[Step]) -> Result<String, PlotError> {
    line_chart(ITERATION, logarithmic("|dL/dx|"), &[series("norm", steps, |step| step.gradient_norm)])
}

/// The step along the search direction.
pub(super) fn step_lengths(steps: &[Step]) -> Result<String, PlotError> {
    line_chart(ITERATION, logarithmic("step t"), &[series("step", steps, |step| step.length)])
}
