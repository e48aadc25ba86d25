//! The error of the difference quotient against its step: the V of truncation and rounding.

use super::Row;
use crate::plot::{Axis, PlotError, Scale, Series, line_chart};

/// A line for each row, along its first random direction, as SVG text. At a step where not a digit differs the line
/// shows f64's rounding unit.
///
/// # Errors
/// [`PlotError`] if the drawing fails.
pub fn step_plot(rows: &[&Row]) -> Result<String, PlotError> {
    let series: Vec<Series> = rows.iter().map(|row| line(row)).collect();
    line_chart(
        Axis { label: "step h", scale: Scale::Logarithmic },
        Axis { label: "relative error", scale: Scale::Logarithmic },
        &series,
    )
}

fn line(row: &Row) -> Series {
    let points = row.probes.first().map_or_else(Vec::new, |probe| {
        let error = |rung| probe.error_at(rung).max(f64::EPSILON);
        probe.quotients.iter().enumerate().map(|(rung, quotient)| (quotient.step, error(rung))).collect()
    });
    Series { name: row.operation.clone(), points }
}
