//! What single layers saw: Gram matrices and feature maps, before and after.

use impasto_autodiff::{GramMatrix, Guide, Loss, LossKind, Tap};
use impasto_tensor::Tensor;

use super::eigenvalues::eigenvalues;
use super::images::{breakable, embedded, grey, heat, normalised, share_of_side, shrunk, without_article};
use super::{ExplainError, Run, charts};
use impasto_style::picture::Encoding;
use impasto_style::{Picture, Target, TransferError};

/// Pixels of a Gram matrix's picture, at most.
const SIDE: usize = 128;
/// Pixels of a feature map's longest side, at most.
const MAP_SIDE: usize = 96;
/// Feature maps that are shown of a layer.
const MAPS: usize = 4;
/// Pictures that have room for feature maps of that size beside each other.
const PICTURES: f64 = 3.0;

/// A layer's Gram matrices: the painting's, and the picture's before and after.
pub(super) struct Compared<'a> {
    target: &'a Target,
    a: GramMatrix,
    before: GramMatrix,
    after: GramMatrix,
}

impl Compared<'_> {
    /// `conv1_1`, or `conv1_1, sky.png` in a region.
    fn place(&self) -> String {
        let layer = self.target.spec.layer.as_deref().unwrap_or_default();
        self.target.region.as_ref().map_or_else(|| layer.to_owned(), |region| format!("{layer}, {region}"))
    }

    /// The eigenvalues of the three as a chart, and what it is of.
    pub(super) fn eigenvalues(&self) -> Result<(String, String), ExplainError> {
        let of = |gram: &GramMatrix| eigenvalues(&gram.data, gram.channels);
        let lines = [("painting", of(&self.a)), ("before", of(&self.before)), ("after", of(&self.after))];
        Ok((charts::eigenvalues(lines)?, self.place()))
    }
}

/// The Gram matrices of each layer of each region's style.
pub(super) fn compared<'a>(run: &'a Run<'_>) -> Result<Vec<Compared<'a>>, ExplainError> {
    let gram = |loss: &Loss| match loss {
        Loss::Gram(style) => Some(style.target.clone()),
        Loss::Wasserstein(wasserstein) => Some(wasserstein.target.second.clone()),
        // Of what is no loss of a Gram matrix there is none to show.
        _ => None,
    };
    let terms = run.targets.terms.iter();
    let terms: Vec<(&Target, GramMatrix)> =
        terms.filter_map(|target| Some((target, gram(&target.loss)?))).collect();
    let guides: Vec<Option<Guide>> = terms.iter().map(|(target, _)| target.loss.guide().cloned()).collect();
    let tap = |((target, _), guide): (&(&Target, GramMatrix), &Option<Guide>)| {
        target.spec.tap().map(|tap| tap.guided(guide.is_some()))
    };
    let taps: Vec<Tap> = terms.iter().zip(&guides).filter_map(tap).collect();
    let of = |picture: &Picture| -> Result<Vec<GramMatrix>, TransferError> {
        Ok(run.measure(picture, &taps, &guides)?.iter().filter_map(gram).collect())
    };
    let (before, after) = (of(&run.start)?, of(&run.result)?);
    let each = terms.into_iter().zip(before.into_iter().zip(after));
    Ok(each.map(|((target, a), (before, after))| Compared { target, a, before, after }).collect())
}

/// How many regions there are: those of the first layer.
pub(super) fn regions(compared: &[Compared<'_>]) -> usize {
    let layer = |compared: &Compared<'_>| compared.target.spec.layer.clone();
    compared.iter().filter(|one| layer(one) == layer(&compared[0])).count()
}

/// A table row of each: A, G before and after, and |G - A| before and after, all on one scale.
pub(super) fn gram_rows(compared: &[Compared<'_>]) -> Result<Vec<String>, ExplainError> {
    // Many regions together take no more of the page than one.
    let regions = regions(compared);
    let side = share_of_side(SIDE, regions as f64);
    let encoding = if regions > 1 { Encoding::Jpeg { quality: 85 } } else { Encoding::Png };
    compared.iter().map(|one| gram_row(one, (side, encoding))).collect()
}

fn gram_row(one: &Compared<'_>, (side, encoding): (usize, Encoding)) -> Result<String, ExplainError> {
    let Compared { target, a, before, after } = one;
    let top = a.data.iter().fold(f32::MIN_POSITIVE, |top, value| top.max(value.abs()));
    let difference = |g: &GramMatrix| g.data.iter().zip(&a.data).map(|(g, a)| g - a).collect::<Vec<f32>>();
    let (n, place) = (a.channels, one.place());
    let mut row = format!("<tr><th>{}<br><small>{n} x {n}", breakable(&place));
    if let [_, _, ..] = &target.spec.paintings[..] {
        let part = |(painting, share): &(usize, f64)| format!("<br>{share:.3} of painting {}", painting + 1);
        row.extend(target.spec.paintings.iter().map(part));
    }
    row += "</small></th>";
    for (what, values) in [
        ("A", a.data.clone()),
        ("G before", before.data.clone()),
        ("G after", after.data.clone()),
        ("difference before", difference(before)),
        ("difference after", difference(after)),
    ] {
        // A few filters are far stronger than the rest: the cube root shows both.
        let picture = heat(n, n, values.iter().map(|value| (value.abs() / top).cbrt().min(1.0)));
        let picture = picture.and_then(|picture| shrunk(picture, side)).map_err(TransferError::from)?;
        row += "<td>";
        row += &embedded(&picture, encoding, &format!("{what} of {place}"))?;
        row += "</td>";
    }
    Ok(row + "</tr>\n")
}

/// A table row of one layer: the filters that answer the result most, each for the photo, the paintings and the result.
pub(super) fn feature_row(run: &Run<'_>, layer: &str) -> Result<String, ExplainError> {
    let response = |picture: &Picture| -> Result<Option<Tensor<f32>>, TransferError> {
        let mut measured = run.measure(picture, &[Tap::new(layer, LossKind::Content)], &[])?;
        Ok(if let Loss::Content(content) = measured.swap_remove(0) { Some(content.target) } else { None })
    };
    let mut responses = Vec::new();
    for (what, picture) in run.pictures_seen() {
        responses.extend(response(picture)?.map(|response| (what, response)));
    }
    let Some((_, result)) = responses.last() else { return Ok(String::new()) };
    let filters = strongest(result);
    let side = share_of_side(MAP_SIDE, responses.len() as f64 / PICTURES);
    let mut row = format!("<tr><th>{layer}<br><small>{}</small></th>", result.shape());
    for (what, response) in &responses {
        row += "<td><div class=\"maps\">";
        for &filter in &filters {
            let what = format!("filter {filter} of {layer}, {}", without_article(what));
            row += &embedded(&map(response, filter, side)?, Encoding::Png, &what)?;
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

/// One filter's responses as a grey picture of that longest side at most.
fn map(response: &Tensor<f32>, filter: usize, side: usize) -> Result<Picture, TransferError> {
    let shape = response.shape();
    let values: Vec<f32> = response.data().iter().skip(filter).step_by(shape.channels).copied().collect();
    Ok(shrunk(grey(shape.height, shape.width, normalised(&values))?, side)?)
}
