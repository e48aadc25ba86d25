//! A block of a photo's pixels with their numbers.

use std::fmt::Write;

use impasto_style::Picture;

use crate::Result;

const SIDE: usize = 6;
const CELL: usize = 64;

/// The SIDE x SIDE pixels from (top, left) on as SVG: each in its colour, with its R, G and B.
pub(crate) fn block(photo: &Picture, (top, left): (usize, usize)) -> Result<String> {
    let side = SIDE * CELL;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" width=\"{side}\" height=\"{side}\" \
         font-family=\"sans-serif\" font-size=\"13\" text-anchor=\"middle\">\n"
    );
    for (row, column) in (0..SIDE).flat_map(|row| (0..SIDE).map(move |column| (row, column))) {
        let at = 3 * ((top + row) * photo.width() + left + column);
        let rgb = photo.data().get(at..at + 3).ok_or("the block is outside the photo")?;
        let light = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
        let ink = if light > 128.0 { "black" } else { "white" };
        let (x, y) = (column * CELL, row * CELL);
        writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" fill=\"rgb({:.0},{:.0},{:.0})\"/>",
            rgb[0], rgb[1], rgb[2]
        )?;
        for (line, value) in rgb.iter().enumerate() {
            writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" fill=\"{ink}\">{value:.0}</text>",
                x + CELL / 2,
                y + 20 + 16 * line
            )?;
        }
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
