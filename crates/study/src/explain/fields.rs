//! How much of the picture a response sees, drawn to scale on it.
//!
//! ```text
//! r = 1, j = 1;   a convolution: r := r + 2 j;   a pooling: r := r + j, j := 2 j        r, j in pixels
//! ```

use std::fmt::Write;

use impasto_style::picture::Encoding;
use impasto_style::{Arch, Picture, TransferError};

use super::images::{data, shrunk};
use super::{ExplainError, Run};

/// The longest side of the picture that they are drawn on.
const SIDE: usize = 448;
const UNDER: Encoding = Encoding::Jpeg { quality: 75 };

/// The side in pixels of what a response of that layer sees; none of a layer that the network does not have.
pub(super) fn receptive_field(arch: Arch, layer: &str) -> Option<usize> {
    let (mut field, mut jump, mut block) = (1, 1, 1);
    let name = layer.replace("relu", "conv");
    for conv in arch.convs() {
        if conv.block > block {
            (field, jump, block) = (field + jump, 2 * jump, conv.block);
        }
        field += 2 * jump;
        if conv.to_string() == name {
            return Some(field);
        }
    }
    None
}

/// The layers of the losses with their fields, the smallest first.
pub(super) fn fields(run: &Run<'_>) -> Vec<(String, usize)> {
    let mut layers: Vec<&str> =
        run.targets.terms.iter().filter_map(|target| target.spec.layer.as_deref()).collect();
    layers.sort_unstable();
    layers.dedup();
    let field = |layer: &str| Some((layer.to_owned(), receptive_field(run.summary.arch, layer)?));
    let mut fields: Vec<(String, usize)> = layers.into_iter().filter_map(field).collect();
    fields.sort_by_key(|(_, field)| *field);
    fields
}

/// The result with a square for each layer, one in the other around its middle.
pub(super) fn drawing(run: &Run<'_>) -> Result<String, ExplainError> {
    let picture = &run.painting.picture;
    let (width, height) = (picture.width(), picture.height());
    let under = shrunk(picture.clone(), SIDE).map_err(TransferError::from)?;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"What each layer sees\">\
         <image width=\"{width}\" height=\"{height}\" href=\"{}\"/>",
        data(&under, UNDER)?
    );
    let unit = width.max(height) as f64 / 400.0;
    let (across, down) = (width as f64 / 2.0, height as f64 / 2.0);
    for (number, (_, field)) in fields(run).iter().enumerate() {
        let (side, colour) = (*field as f64, COLOURS[number % COLOURS.len()]);
        let (x, y) = (across - side / 2.0, down - side / 2.0);
        for (stroke, thick) in [("#000", 3.0), (colour, 1.6)] {
            let _ = write!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{side}\" height=\"{side}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{:.2}\"/>",
                thick * unit
            );
        }
    }
    svg.push_str("</svg>");
    Ok(svg)
}

/// Bright lines on any picture, with a black border each.
const COLOURS: [&str; 6] = ["#fff", "#ffd400", "#35d07f", "#49b6ff", "#ff8c42", "#ff6ec7"];

/// A list of the layers, each with its colour and its field.
pub(super) fn legend(run: &Run<'_>) -> String {
    let whole = |picture: &Picture| picture.width().max(picture.height());
    let side = whole(&run.painting.picture);
    let item = |(number, (layer, field)): (usize, &(String, usize))| {
        let colour = COLOURS[number % COLOURS.len()];
        let beyond = if *field > side { ", more than the picture" } else { "" };
        format!(
            "<li><span class=\"key\" style=\"background:{colour}\"></span>{layer}: {field} x {field} pixels{beyond}</li>"
        )
    };
    format!("<ul class=\"keys\">{}</ul>", fields(run).iter().enumerate().map(item).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_table_in_math_md() {
        let of = |arch, layers: [&str; 6]| layers.map(|layer| receptive_field(arch, layer).unwrap());
        let layers = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv4_2", "conv5_1"];
        assert_eq!(of(Arch::Vgg16, layers), [3, 10, 24, 60, 76, 132]);
        assert_eq!(of(Arch::Vgg19, layers), [3, 10, 24, 68, 84, 156]);
        assert_eq!(receptive_field(Arch::Vgg16, "relu2_1"), Some(10));
        assert_eq!(receptive_field(Arch::Vgg16, "conv3_4"), None);
    }
}
