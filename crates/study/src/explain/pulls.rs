//! The page's section on how the terms pull.

use std::fmt::Write;

use super::ExplainError;
use super::charts::{ITERATION, logarithmic};
use super::gradients::{Pull, Pulls};
use super::images::escaped;
use crate::plot::{Axis, Scale, Series, line_chart};
use impasto_autodiff::LossKind;

/// Charts with their captions: shares, norms, and cosines between content and the layers of style.
pub(super) fn charts(pulls: &Pulls) -> Result<Vec<(String, &'static str)>, ExplainError> {
    let line = |name: &str, value: &dyn Fn(&Pull) -> f64| Series {
        name: name.to_owned(),
        points: pulls.pulls.iter().map(|pull| (pull.iteration as f64, value(pull))).collect(),
    };
    let each = |value: &dyn Fn(&Pull, &[usize]) -> f64| -> Vec<Series> {
        let groups = pulls.groups.iter().enumerate();
        groups.map(|(index, group)| line(&group.name, &|pull| value(pull, &[index]))).collect()
    };
    let linear = |label| Axis { label, scale: Scale::Linear };
    let mut charts = vec![
        (
            line_chart(ITERATION, linear("share"), &each(&|pull, of| pull.share(of)))?,
            "How much of the gradient each term gives: ⟨g_i, g⟩ / ⟨g, g⟩. Together they are 1; below 0 a term pulls against the rest",
        ),
        (
            line_chart(ITERATION, logarithmic("|g_i|"), &each(&|pull, of| pull.norm(of)))?,
            "The 2-norm of each term's own gradient, with its weight",
        ),
    ];
    let (content, style) = (pulls.of(|kind| kind.name() == "content"), pulls.of(LossKind::is_of_sums));
    if !content.is_empty() && !style.is_empty() {
        let mut lines = vec![line("style, all layers", &|pull| pull.cosine(&content, &style))];
        lines.extend(
            style
                .iter()
                .map(|&layer| line(&pulls.groups[layer].name, &|pull| pull.cosine(&content, &[layer]))),
        );
        charts.push((
            line_chart(ITERATION, linear("cosine"), &lines)?,
            "The cosine between content's gradient and style's: 1 is the same way, 0 across, -1 against each other",
        ));
    }
    Ok(charts)
}

/// A table of the last picture: share, norm, and the cosine of every two terms.
pub(super) fn table(pulls: &Pulls) -> String {
    let Some(last) = pulls.pulls.last() else { return String::new() };
    let mut table = String::from(
        "<div class=\"wide\"><table>\n<tr><th>At the result</th><th class=\"number\">share</th><th class=\"number\">|g_i|</th>",
    );
    for group in &pulls.groups {
        let _ = write!(table, "<th class=\"number\">{}</th>", escaped(&group.name));
    }
    table.push_str("</tr>\n");
    for (index, group) in pulls.groups.iter().enumerate() {
        let _ = write!(
            table,
            "<tr><th>{}</th><td class=\"number\">{:.3}</td><td class=\"number\">{:.2e}</td>",
            escaped(&group.name),
            last.share(&[index]),
            last.norm(&[index])
        );
        for other in 0..pulls.groups.len() {
            let _ = write!(table, "<td class=\"number\">{:.2}</td>", last.cosine(&[index], &[other]));
        }
        table.push_str("</tr>\n");
    }
    table + "</table></div>\n"
}
