//! Small paintings: how the loss falls, what becomes of Gram matrices, and what each scale adds.

use std::ops::ControlFlow;

use impasto_autodiff::losses::gram;
use impasto_study::plot::{Axis, Scale, Series, line_chart};
use impasto_study::sheet::Sheet;
use impasto_style::{
    AdamOptions, Event, Network, Optimiser, Picture, PreparedNetwork, Preset, Scales, Subject,
    TransferOptions, transfer,
};

use crate::Result;
use crate::responses::{responses, sampled};

/// The options that the book paints with: the paper's, small.
fn paper(size: usize, iterations: usize) -> TransferOptions {
    Preset::Paper.options().with_size(size).with_scales(Scales::Count(1)).with_iterations(iterations)
}

/// Paints; `each` sees the evaluations, the loss and the picture after every iteration.
fn paint(
    [photo, painting]: [&Picture; 2],
    options: &TransferOptions,
    mut each: impl FnMut(usize, f64, &Event<'_>),
) -> Result<Picture> {
    let network = PreparedNetwork::new(Network::embedded()?, options)?;
    let subject = Subject::new(photo.clone(), painting.clone());
    let painted = transfer(&network, &subject, options, |event| {
        if let Event::Iteration(progress) = &event {
            each(progress.evaluations, progress.losses.total, &event);
        }
        ControlFlow::Continue(())
    })?;
    Ok(painted.picture)
}

/// The loss by evaluations: L-BFGS with 1, 5 and 50 pairs, and Adam.
pub(crate) fn optimisers(photo: &Picture, painting: &Picture) -> Result<String> {
    let methods = [
        ("L-BFGS, 1 pair", Optimiser::Lbfgs { history: Some(1) }),
        ("5 pairs", Optimiser::Lbfgs { history: Some(5) }),
        ("50 pairs", Optimiser::Lbfgs { history: Some(50) }),
        ("Adam", Optimiser::Adam(AdamOptions::DEFAULT)),
    ];
    let mut lines = Vec::new();
    for (name, optimiser) in methods {
        let mut points = Vec::new();
        let options = paper(128, 120).with_optimiser(optimiser);
        paint([photo, painting], &options, |evaluations, loss, _| points.push((evaluations as f64, loss)))?;
        points.retain(|(evaluations, _)| *evaluations <= 120.0);
        lines.push(Series { name: name.to_owned(), points });
    }
    let axes = [("evaluations", Scale::Linear), ("loss", Scale::Logarithmic)];
    let [x, y] = axes.map(|(label, scale)| Axis { label, scale });
    Ok(line_chart(x, y, &lines)?)
}

/// G' at conv2_1 of the photo, of the painting, and of what is painted after 5 and after 60 iterations, on one logarithmic scale of greys.
pub(crate) fn gram_matrices(photo: &Picture, painting: &Picture) -> Result<Picture> {
    let (size, layer, side) = (160, "conv2_1", 192);
    let small = |picture: &Picture| {
        let (height, width) = picture.size_with_longest_side(size);
        picture.resized(height, width)
    };
    let mut after = Vec::new();
    for iterations in [5, 60] {
        after.push(paint([photo, painting], &paper(size, iterations), |_, _, _| ())?);
    }
    let subjects = [small(photo)?, after.swap_remove(0), after.swap_remove(0), small(painting)?];
    let names = ["the photo", "5 iterations", "60 iterations", "the painting"];
    let mut matrices = Vec::new();
    for subject in &subjects {
        let response = responses::<f64>(subject, &[layer])?.remove(0);
        matrices.push(gram::gram(&response)?);
    }
    let most = matrices.iter().flat_map(|matrix| &matrix.data).copied().fold(0.0, f64::max);
    let mut pictures = Vec::new();
    for matrix in &matrices {
        // From white (the largest) down to black (a ten thousandth of it).
        let grey = |value: f64| 255.0 * (1.0 + (value / most).max(1e-4).log10() / 4.0) as f32;
        let data = matrix.data.iter().flat_map(|&value| [grey(value); 3]).collect();
        pictures.push(sampled(&Picture::new(matrix.channels, matrix.channels, data)?, (side, side))?);
    }
    Ok(Sheet { rows: &[String::new()], columns: &names.map(str::to_owned), pictures: &pictures }.draw()?)
}

/// The default's painting at the end of each of three sizes.
pub(crate) fn scales(photo: &Picture, painting: &Picture) -> Result<Picture> {
    let size = 256;
    let options = TransferOptions::default()
        .with_size(size)
        .with_scales(Scales::Count(3))
        .with_smallest_scale(64)
        .with_iterations(30);
    let mut ends: Vec<(usize, Picture)> = Vec::new();
    paint([photo, painting], &options, |_, _, event| {
        let Event::Iteration(progress) = event else { return };
        if let Ok(picture) = progress.picture() {
            ends.truncate(progress.scale);
            ends.push((progress.size.0.max(progress.size.1), picture));
        }
    })?;
    let full = photo.size_with_longest_side(size);
    let columns: Vec<String> = ends.iter().map(|(side, _)| format!("{side} pixels")).collect();
    let pictures = ends
        .iter()
        .map(|(_, picture)| picture.resized(full.0, full.1))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(Sheet { rows: &[String::new()], columns: &columns, pictures: &pictures }.draw()?)
}
