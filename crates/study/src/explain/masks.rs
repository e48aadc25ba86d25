//! Where each style acts: every mask on its picture, as it is and as each layer takes it.

use impasto_autodiff::Coverage;
use impasto_style::picture::Encoding;
use impasto_style::{Mask, Picture, PictureError, TermSpec, TransferError, Vanished};

use super::images::{breakable, covered, embedded, share_of_side, shrunk};
use super::{ExplainError, Run};

const ON_PICTURE: Encoding = Encoding::Jpeg { quality: 85 };
/// The longest side of a mask in the table, at most, and of one that is shown once.
const SIDES: [usize; 2] = [128, 384];
/// Rows of the table that have room for masks of that size.
const ROWS: usize = 4;

/// A region, or the part of a painting that is taken: a row of the table.
struct Row<'a> {
    name: String,
    mask: &'a Mask,
    /// What it is a mask of.
    picture: &'a Picture,
    layers: Vec<String>,
}

/// What drops out at some layers, a sentence for each thing that does.
pub(super) fn notes(run: &Run<'_>) -> Vec<String> {
    Vanished::sentences(&run.summary.vanished).iter().map(|sentence| breakable(sentence)).collect()
}

/// The masks that are shown once, with their captions: of what is kept, and of the content.
pub(super) fn figures(run: &Run<'_>) -> Result<Vec<(String, &'static str)>, ExplainError> {
    let keep = (run.keep.as_ref(), "m: where the photo stays what it is");
    let content = (run.scene.content_mask(), "c: where the content counts");
    let mut figures = Vec::new();
    for (mask, caption) in [keep, content] {
        let Some(mask) = mask else { continue };
        let seen = on_picture(run.scene.photo(), mask.values(), size(mask), SIDES[1]);
        let picture = embedded(&seen.map_err(TransferError::from)?, ON_PICTURE, caption)?;
        figures.push((picture, caption));
    }
    Ok(figures)
}

/// The table's rows, the first one its heading: of each region and each part of a painting the mask, and what the layers of its
/// style take of it. None if every style is everywhere and of the whole painting.
pub(super) fn rows(run: &Run<'_>) -> Result<Vec<String>, ExplainError> {
    let masked = masked(run);
    let mut layers: Vec<&str> = Vec::new();
    for layer in masked.iter().flat_map(|row| &row.layers) {
        if !layers.contains(&&**layer) {
            layers.push(layer);
        }
    }
    if masked.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = vec![format!("<tr><th></th><th>Mask</th><th>{}</th></tr>\n", layers.join("</th><th>"))];
    let side = share_of_side(SIDES[0], masked.len() as f64 / ROWS as f64);
    for row in &masked {
        rows.push(table_row(run, row, &layers, side)?);
    }
    Ok(rows)
}

/// The regions and the parts that are not everything.
fn masked<'a>(run: &'a Run<'_>) -> Vec<Row<'a>> {
    let subject = run.scene.subject();
    let mut terms = subject.terms(run.options);
    terms.retain(|term| term.kind.is_of_sums());
    let layers = |own: &dyn Fn(&TermSpec) -> bool| -> Vec<String> {
        terms.iter().filter(|term| own(term)).filter_map(|term| term.layer.clone()).collect()
    };
    let mut rows = Vec::new();
    for (number, (region, mask)) in subject.regions().iter().zip(run.scene.regions()).enumerate() {
        let Some(mask) = mask else { continue };
        let layers = layers(&|term| term.region.unwrap_or(0) == number);
        rows.push(Row { name: region.name.clone(), mask, picture: run.scene.photo(), layers });
    }
    for (number, (picture, mask)) in run.scene.paintings().zip(run.scene.parts()).enumerate() {
        let Some(mask) = mask else { continue };
        let layers = layers(&|term| term.paintings.iter().any(|&(painting, _)| painting == number));
        rows.push(Row { name: format!("painting {}", number + 1), mask, picture, layers });
    }
    rows
}

fn table_row(run: &Run<'_>, row: &Row<'_>, layers: &[&str], side: usize) -> Result<String, ExplainError> {
    let Row { name, mask, picture, .. } = row;
    let of = |t: &[f32], size, what: &str| -> Result<String, ExplainError> {
        let seen = on_picture(picture, t, size, side).map_err(TransferError::from)?;
        Ok(embedded(&seen, ON_PICTURE, what)?)
    };
    let own: Vec<&str> = row.layers.iter().map(String::as_str).collect();
    let coverages = run.network.coverages(mask, &own, run.options.mask_reach).map_err(TransferError::from)?;
    let mean = mask.values().iter().map(|&t| f64::from(t)).sum::<f64>() / mask.values().len() as f64;
    let mut html = format!(
        "<tr><th>{}</th><td>{}{}</td>",
        breakable(name),
        of(mask.values(), size(mask), &format!("the mask of {name}"))?,
        percent(mean),
    );
    for layer in layers {
        html += "<td>";
        match own.iter().position(|own| own == layer).map(|at| &coverages[at]) {
            None => {}
            Some(Coverage::Nowhere) => html += "drops out",
            Some(Coverage::Everywhere) => html += &percent(1.0),
            Some(Coverage::Partly(guide)) => {
                let shape = run.network.response_shape(layer, size(mask)).map_err(TransferError::from)?;
                html += &of(guide.weights(), (shape.height, shape.width), &format!("{name} at {layer}"))?;
                html += &percent(guide.share());
            }
        }
        html += "</td>";
    }
    Ok(html + "</tr>\n")
}

fn percent(share: f64) -> String {
    format!("<small>{:.1} %</small>", 100.0 * share)
}

/// t of a grid on a picture whose longest side is `longest` at most.
fn on_picture(
    picture: &Picture,
    t: &[f32],
    grid: (usize, usize),
    longest: usize,
) -> Result<Picture, PictureError> {
    covered(&shrunk(picture.clone(), longest)?, t, grid)
}

/// (H, W).
fn size(mask: &Mask) -> (usize, usize) {
    (mask.height(), mask.width())
}
