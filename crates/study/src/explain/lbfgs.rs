//! What L-BFGS did: the two strong Wolfe conditions with their margins, and the scaling of each octave.

use std::fmt::Write;

use impasto_style::Search;
use impasto_style::coordinates::Spectrum;

use super::Step;
use crate::plot::{Axis, PlotError, Scale, Series, line_chart};

const ITERATION: Axis<'static> = Axis { label: "iteration", scale: Scale::Linear };
/// The most points of a line.
const POINTS: usize = 160;
/// The colours of the waves, in the order of their groups.
const COLOURS: [&str; 3] = ["light", "red against blue", "green against both"];

/// The searches with their iterations; none for Adam.
pub(super) fn searches(steps: &[Step]) -> Vec<(usize, &Search)> {
    steps.iter().filter_map(|step| Some((step.iteration, step.search.as_ref()?))).collect()
}

/// In words: how many steps were taken at once, and by which margin both conditions hold.
pub(super) fn summary(searches: &[(usize, &Search)]) -> String {
    let count = |is: &dyn Fn(&Search) -> bool| searches.iter().filter(|(_, search)| is(search)).count();
    let least = |value: &dyn Fn(&Search) -> f64| {
        searches.iter().map(|(_, search)| value(search)).fold(f64::INFINITY, f64::min)
    };
    let evaluations: usize = searches.iter().map(|(_, search)| search.trials).sum();
    let mut text = format!(
        "<p>{} steps took {evaluations} evaluations; {} were the first trial.",
        searches.len(),
        count(&|search| search.trials == 1)
    );
    let (decrease, curvature) =
        (count(&|search| search.decrease_margin() < 0.0), count(&|search| search.curvature_margin() < 0.0));
    if decrease + curvature == 0 {
        text.push_str(" Both strong Wolfe conditions held at each of them.");
    } else {
        let _ = write!(
            text,
            " Where the search settled for its best step, sufficient decrease did not hold at {decrease} of them, and curvature at {curvature}."
        );
    }
    let _ = write!(
        text,
        " The least part of the promised decrease that came true was {:.3} (it must be c1 = 1e-4 at least), and the least margin of \
         curvature, c2 = 0.9 less the ratio of the slopes, {:.3}.",
        least(&ratio),
        least(&Search::curvature_margin),
    );
    let steepest = count(&|search| search.steepest);
    let _ = writeln!(
        text,
        " {steepest} went along the gradient, without history: the first one of each size, and whatever found nothing else.</p>"
    );
    text
}

/// (phi(0) - phi(t)) / -(t phi'(0)): how much of what the slope promised came true.
fn ratio(search: &Search) -> f64 {
    (search.loss_before - search.loss) / -(search.step * search.slope_before)
}

/// A line through at most [`POINTS`] of the searches.
fn line(name: &str, searches: &[(usize, &Search)], value: impl Fn(&Search) -> f64) -> Series {
    let every = searches.len().div_ceil(POINTS).max(1);
    let points = searches.iter().step_by(every).map(|(iteration, search)| (*iteration as f64, value(search)));
    Series { name: name.to_owned(), points: points.collect() }
}

/// How much of the promised decrease came true, and c1.
pub(super) fn decrease(searches: &[(usize, &Search)]) -> Result<String, PlotError> {
    let axis = Axis { label: "decrease / promised", scale: Scale::Linear };
    let lines =
        [line("decrease", searches, ratio), line("c1", searches, |search| search.sufficient_decrease)];
    line_chart(ITERATION, axis, &lines)
}

/// How much of the slope was left, and c2.
pub(super) fn curvature(searches: &[(usize, &Search)]) -> Result<String, PlotError> {
    let axis = Axis { label: "|slope after / before|", scale: Scale::Linear };
    let slopes = |search: &Search| (search.slope / search.slope_before).abs();
    let lines = [line("slopes", searches, slopes), line("c2", searches, |search| search.curvature)];
    line_chart(ITERATION, axis, &lines)
}

/// Evaluations of each search.
pub(super) fn trials(searches: &[(usize, &Search)]) -> Result<String, PlotError> {
    let axis = Axis { label: "evaluations", scale: Scale::Linear };
    line_chart(ITERATION, axis, &[line("evaluations", searches, |search| search.trials as f64)])
}

/// A chart for each colour of the waves: the entry of H0 of each octave, the mean (of logarithms) of its groups.
pub(super) fn scales(searches: &[(usize, &Search)]) -> Result<Vec<(&'static str, String)>, PlotError> {
    let groups = searches.iter().map(|(_, search)| search.scales.len()).max().unwrap_or(0);
    let axis = Axis { label: "H0", scale: Scale::Logarithmic };
    let mut charts = Vec::new();
    for (colour, name) in COLOURS.iter().enumerate() {
        let octave_of =
            |group: usize| Some(Spectrum::colour_and_octave(group)).filter(|place| place.0 == colour);
        let octaves = (0..groups).filter_map(octave_of).map(|(_, octave)| octave + 1).max().unwrap_or(0);
        let of_octave = |octave: usize| -> Vec<usize> {
            (0..groups).filter(|&group| octave_of(group).is_some_and(|place| place.1 == octave)).collect()
        };
        let lines: Vec<Series> = (0..octaves)
            .map(|octave| {
                let members = of_octave(octave);
                let mean = |search: &Search| {
                    let known = members.iter().filter_map(|&group| search.scales.get(group));
                    let logarithms: Vec<f64> = known.map(|scale| scale.ln()).collect();
                    (logarithms.iter().sum::<f64>() / logarithms.len().max(1) as f64).exp()
                };
                line(&format!("{} px", 1 << octave), searches, mean)
            })
            .collect();
        if !lines.is_empty() {
            charts.push((*name, line_chart(ITERATION, axis, &lines)?));
        }
    }
    Ok(charts)
}
