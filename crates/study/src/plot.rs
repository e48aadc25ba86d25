//! Line charts as SVG text, for reports and documents.
//!
//! Axes and text take the colour of the text around the chart (`currentColor`), so that a page's light or dark theme
//! reaches into it; in a file of its own a chart follows the reader's theme.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use Scale::{Linear, Logarithmic};

/// Width and height in pixels of a chart that still reads well on a phone.
const SIZE: (u32, u32) = (440, 320);

/// Font size; plotters writes 0.8 of it into the SVG.
const FONT: i32 = 17;

/// What plotters draws axes and text in, before it becomes `currentColor`.
const INK: RGBColor = RGBColor(0, 0, 0);

/// Lines that are told apart on white and on black (after Okabe and Ito 2008).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 128, 190),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(200, 150, 0),
    RGBColor(86, 180, 233),
    RGBColor(140, 110, 90),
    RGBColor(128, 128, 128),
];

/// One line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// Its points, from left to right. Those that a logarithmic axis cannot show are left out.
    pub points: Vec<(f64, f64)>,
}

/// How an axis is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps.
    Linear,
    /// Equal factors; only positive values.
    Logarithmic,
}

/// One axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis<'a> {
    /// What it measures, with its unit.
    pub label: &'a str,
    /// How it is divided.
    pub scale: Scale,
}

/// A chart of lines could not be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the chart could not be drawn: {0}")]
pub struct PlotError(String);

/// A chart of the series as SVG text.
///
/// # Errors
/// [`PlotError`] if the drawing fails.
pub fn line_chart(x: Axis<'_>, y: Axis<'_>, series: &[Series]) -> Result<String, PlotError> {
    let shown: Vec<Series> = series.iter().map(|series| visible(x, y, series)).collect();
    let points = || shown.iter().flat_map(|series| &series.points);
    let x_range = range(x.scale, points().map(|point| point.0));
    let y_range = range(y.scale, points().map(|point| point.1));
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let labels = (x.label, y.label);
        match (x.scale, y.scale) {
            (Linear, Linear) => draw(&area, labels, x_range, y_range, &shown),
            (Linear, Logarithmic) => draw(&area, labels, x_range, y_range.log_scale(), &shown),
            (Logarithmic, Linear) => draw(&area, labels, x_range.log_scale(), y_range, &shown),
            (Logarithmic, Logarithmic) => {
                draw(&area, labels, x_range.log_scale(), y_range.log_scale(), &shown)
            }
        }
        .and_then(|()| area.present())
        .map_err(|error| PlotError(error.to_string()))?;
    }
    Ok(themed(&svg))
}

fn visible(x: Axis<'_>, y: Axis<'_>, series: &Series) -> Series {
    let fits = |scale, value: f64| value.is_finite() && (scale == Scale::Linear || value > 0.0);
    let mut shown = series.clone();
    shown.points.retain(|point| fits(x.scale, point.0) && fits(y.scale, point.1));
    shown
}

/// A little more than the values' own range.
fn range(scale: Scale, values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    match scale {
        _ if low > high => 1.0..10.0, // no values
        Scale::Linear => {
            let margin = if high > low { 0.03 * (high - low) } else { 0.5 };
            low - margin..high + margin
        }
        Scale::Logarithmic => low / 1.3..high * 1.3,
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw<X, Y>(
    area: &Area<'_>,
    (x_label, y_label): (&str, &str),
    x: X,
    y: Y,
    series: &[Series],
) -> Result<(), DrawingAreaErrorKind<std::io::Error>>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let font = ("sans-serif", FONT).into_font().color(&INK);
    let area = legend(area, series)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(6)
        .margin_right(16)
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(x_label)
        .y_desc(y_label)
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|value| short(*value))
        .y_label_formatter(&|value| short(*value))
        .label_style(font.clone())
        .axis_desc_style(font)
        .bold_line_style(INK.mix(0.15))
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .draw()?;
    for (series, colour) in series.iter().zip(COLOURS.iter().cycle()) {
        chart.draw_series(LineSeries::new(series.points.iter().copied(), colour.stroke_width(2)))?;
    }
    Ok(())
}

/// Names the lines above the chart, where no line crosses a name; returns the area below. One line needs no name.
fn legend<'a>(area: &Area<'a>, series: &[Series]) -> Result<Area<'a>, DrawingAreaErrorKind<std::io::Error>> {
    const SAMPLE: i32 = 18;
    let (left, right, row_height) = (8, SIZE.0 as i32, FONT + 3);
    if series.len() < 2 {
        return Ok(area.clone());
    }
    let style = ("sans-serif", FONT).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
    let (mut x, mut y) = (left, row_height / 2 + 4);
    for (series, colour) in series.iter().zip(COLOURS.iter().cycle()) {
        let width = SAMPLE + 6 + series.name.chars().count() as i32 * FONT * 42 / 100 + 10;
        if x > left && x + width > right {
            (x, y) = (left, y + row_height);
        }
        area.draw(&PathElement::new([(x, y), (x + SAMPLE, y)], colour.stroke_width(3)))?;
        area.draw(&Text::new(series.name.as_str(), (x + SAMPLE + 6, y), style.clone()))?;
        x += width;
    }
    Ok(area.split_vertically(y + row_height / 2).1)
}

/// `0.001` as `1e-3`, `1234567` as `1.2e6`, and what is short anyway as it is.
fn short(value: f64) -> String {
    if value == 0.0 || (1e-2..1e4).contains(&value.abs()) {
        let text = format!("{value:.3}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let text = format!("{value:.1e}");
    text.replace(".0e", "e")
}

/// Lets the page's colours in, and its width.
fn themed(svg: &str) -> String {
    let themed = svg.replace("\"#000000\"", "\"currentColor\"");
    themed.replacen(
        "<svg ",
        "<svg style=\"color-scheme:light dark;color:CanvasText;background:Canvas;max-width:100%;height:auto\" ",
        1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINEAR: Axis<'static> = Axis { label: "iteration", scale: Scale::Linear };
    const LOGARITHMIC: Axis<'static> = Axis { label: "loss", scale: Scale::Logarithmic };

    fn series(name: &str, points: &[(f64, f64)]) -> Series {
        Series { name: name.to_owned(), points: points.to_vec() }
    }

    #[test]
    fn a_chart_names_its_axes_and_lines() {
        let lines = [series("total", &[(0.0, 1e5), (1.0, 1e3)]), series("style", &[(0.0, 10.0), (1.0, 1.0)])];
        let svg = line_chart(LINEAR, LOGARITHMIC, &lines).unwrap();
        for text in ["iteration", "loss", "total", "style", "currentColor", "</svg>"] {
            assert!(svg.contains(text), "{text}");
        }
    }

    #[test]
    fn values_that_an_axis_cannot_show_are_left_out() {
        let line = series("loss", &[(0.0, 0.0), (1.0, f64::NAN), (2.0, -3.0), (3.0, f64::INFINITY)]);
        for points in [&line, &series("nothing", &[]), &series("one", &[(1.0, 1.0)])] {
            assert!(line_chart(LINEAR, LOGARITHMIC, std::slice::from_ref(points)).is_ok());
            assert!(line_chart(LOGARITHMIC, LINEAR, std::slice::from_ref(points)).is_ok());
        }
    }

    #[test]
    fn numbers_are_written_short() {
        let cases =
            [(0.0, "0"), (0.5, "0.5"), (120.0, "120"), (1e-7, "1e-7"), (2.5e6, "2.5e6"), (-0.25, "-0.25")];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
    }
}
