//! What single layers saw: Gram matrices and feature maps, before and after.

use impasto_autodiff::{GramMatrix, Loss, LossKind};
use impasto_tensor::Tensor;

use super::images::{embedded, grey, heat, normalised};
use super::{ExplainError, Run};
use impasto_style::picture::Encoding;
use impasto_style::{Picture, TransferError};

/// Pixels of a Gram matrix's picture, and of a feature map's longest side, at most.
const SIDE: usize = 128;
/// Feature maps that are shown of a layer.
const MAPS: usize = 4;

/// A table row of each style layer: A, G before and after, and |G - A| before and after, all on one scale.
pub(super) fn gram_rows(run: &Run<'_>, layers: &[String]) -> Result<Vec<String>, ExplainError> {
    let gram = |loss: Loss| if let Loss::Gram(style) = loss { Some(style.target) } else { None };
    let grams = |losses: Vec<Loss>| losses.into_iter().filter_map(gram).collect::<Vec<_>>();
    let targets = run.scene.measure(run.network, run.options)?;
    let painting = grams(targets.terms.into_iter().map(|target| target.loss).collect());
    let of =
        |picture: &Picture| Ok::<_, TransferError>(grams(run.measure(picture, LossKind::Gram, layers)?));
    let (before, after) = (of(&run.start)?, of(&run.painting.picture)?);
    let pictures = painting.iter().zip(&before).zip(&after);
    layers
        .iter()
        .zip(pictures)
        .map(|(layer, ((a, before), after))| gram_row(layer, a, before, after))
        .collect()
}

fn gram_row(
    layer: &str,
    a: &GramMatrix,
    before: &GramMatrix,
    after: &GramMatrix,
) -> Result<String, ExplainError> {
    let top = a.data.iter().fold(f32::MIN_POSITIVE, |top, value| top.max(value.abs()));
    let difference = |g: &GramMatrix| g.data.iter().zip(&a.data).map(|(g, a)| g - a).collect::<Vec<f32>>();
    let n = a.channels;
    let mut row = format!("<tr><th>{layer}<br><small>{n} x {n}</small></th>");
    for (what, values) in [
        ("A", a.data.clone()),
        ("G before", before.data.clone()),
        ("G after", after.data.clone()),
        ("difference before", difference(before)),
        ("difference after", difference(after)),
    ] {
        // A few filters are far stronger than the rest: the cube root shows both.
        let picture = heat(n, n, values.iter().map(|value| (value.abs() / top).cbrt().min(1.0)));
        let picture = shrunk(picture.map_err(TransferError::from)?)?;
        row += "<td>";
        row += &embedded(&picture, Encoding::Png, &format!("{what} of {layer}"))?;
        row += "</td>";
    }
    Ok(row + "</tr>\n")
}

/// A table row of one layer: the filters that answer the result most, each for the photo, the painting and the result.
pub(super) fn feature_row(run: &Run<'_>, layer: &str) -> Result<String, ExplainError> {
    let response = |picture: &Picture| -> Result<Option<Tensor<f32>>, TransferError> {
        let mut measured = run.measure(picture, LossKind::Content, &[layer.to_owned()])?;
        Ok(if let Loss::Content(content) = measured.swap_remove(0) { Some(content.target) } else { None })
    };
    let mut responses = Vec::new();
    for (what, picture) in run.pictures_seen() {
        responses.extend(response(picture)?.map(|response| (what, response)));
    }
    let Some((_, result)) = responses.last() else { return Ok(String::new()) };
    let filters = strongest(result);
    let mut row = format!("<tr><th>{layer}<br><small>{}</small></th>", result.shape());
    for (what, response) in &responses {
        row += "<td><div class=\"maps\">";
        for &filter in &filters {
            row += &embedded(
                &map(response, filter)?,
                Encoding::Png,
                &format!("filter {filter} of {layer}, {what}"),
            )?;
        }
        row += "</div></td>";
    }
    Ok(row + "</tr>\n")
}

/// The filters with the largest mean response.
fn strongest(response: &Tensor<f32>) -> Vec<usize> {
    let channels = response.shape().channels;
    let mut sums = vec![0.0_f64; channels];
    for position in response.data().chunks_exact(channels) {
        sums.iter_mut().zip(position).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    let mut order: Vec<usize> = (0..channels).collect();
    order.sort_by(|&a, &b| sums[b].total_cmp(&sums[a]).then(a.cmp(&b)));
    order.truncate(MAPS);
    order
}

/// One filter's responses as a grey picture.
fn map(response: &Tensor<f32>, filter: usize) -> Result<Picture, TransferError> {
    let shape = response.shape();
    let values: Vec<f32> = response.data().iter().skip(filter).step_by(shape.channels).copied().collect();
    shrunk(grey(shape.height, shape.width, normalised(&values))?)
}

fn shrunk(picture: Picture) -> Result<Picture, TransferError> {
    if picture.height().max(picture.width()) <= SIDE {
        return Ok(picture);
    }
    let (height, width) = picture.size_with_longest_side(SIDE);
    Ok(picture.resized(height, width)?)
}
