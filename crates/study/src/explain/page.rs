//! The page: its text, its tables, its style sheet.

use std::fmt::Write;

use impasto_autodiff::LossKind;

use super::gradients::Pulls;
use super::images::{
    breakable, capitalised, embedded, escaped, heat, normalised, share_of_side, shrunk, without_article,
};
use super::{ExplainError, Run, charts, fields, inputs, layers, lbfgs, masks, pulls};
use impasto_style::benchmark::{Benchmark, isa};
use impasto_style::picture::Encoding;
use impasto_style::{Colours, Init, OPTIONS, Reach, Recorded, StopReason, TransferError, plan};

const PHOTO: Encoding = Encoding::Jpeg { quality: 90 };
/// Maps of gradients are all grain: at full size they would be the most of the page.
const HEAT: Encoding = Encoding::Jpeg { quality: 80 };
const HEAT_SIDE: usize = 384;

/// Light or dark as the reader has it; one column on a phone; no page break inside a figure.
const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem;
  background: Canvas; color: CanvasText; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
h2, h2 + p { break-after: avoid; }
@page { margin: 1.5cm; }
.pictures, .charts { display: grid; gap: 1rem; }
.pictures { grid-template-columns: repeat(auto-fit, minmax(min(100%, 10rem), 1fr)); align-items: end; }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
.pictures figure { max-width: 24rem; }
figure { margin: 0; break-inside: avoid; } figcaption { font-size: .9rem; opacity: .8; }
figure img, figure svg { display: block; width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
tr { break-inside: avoid; }
th, td { padding: .3rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid color-mix(in srgb, CanvasText 20%, transparent); }
th:first-child, td:first-child { padding-left: 0; }
small { font-weight: normal; opacity: .8; }
td img { display: block; width: clamp(2.9rem, 10vw, 7rem); height: auto; image-rendering: pixelated; }
.maps { display: grid; grid-template-columns: repeat(2, max-content); gap: 2px; }
.maps img { width: clamp(2.7rem, 10vw, 4.7rem); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
code { white-space: nowrap; } code.command { white-space: pre-wrap; overflow-wrap: anywhere; }
.fields svg { max-width: 36rem; } .keys { list-style: none; padding: 0; margin: .5rem 0; font-size: .9rem;
  display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
.key { display: inline-block; width: 1.2em; height: .7em; margin-right: .4em; border: 1px solid #000; }
@media (min-width: 64rem), print { .maps { grid-template-columns: repeat(4, max-content); } }
@media (max-width: 40rem) { table { font-size: .75rem; } th, td { padding: .25rem; } }
@media print { :root { color-scheme: light; font-size: 11px; } body { max-width: none; padding: 0; }
  .pictures figure { max-width: 16rem; } .wide { overflow: visible; } td img { width: 6rem; } .maps img { width: 3.6rem; } }
";

/// The whole page.
pub(super) fn write(run: &Run<'_>) -> Result<String, ExplainError> {
    let mut page = String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    page += "<link rel=\"icon\" href=\"data:,\">\n";
    let _ = write!(
        page,
        "<title>impasto: a transfer explained</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    );
    page += "<h1>A transfer explained</h1>\n";
    summary(&mut page, run);
    pictures(&mut page, run)?;
    inputs::section(&mut page, run);
    where_styles_act(&mut page, run)?;
    curves(&mut page, run)?;
    line_searches(&mut page, run)?;
    heat_maps(&mut page, run)?;
    // Who stops a run may not have the time that further evaluations take.
    if run.painting.reason != StopReason::Cancelled {
        how_terms_pull(&mut page, run)?;
    }
    receptive_fields(&mut page, run)?;
    gram_matrices(&mut page, run)?;
    feature_maps(&mut page, run)?;
    // Who stops a run may not have the seconds that measuring takes.
    if run.painting.reason != StopReason::Cancelled {
        timings(&mut page, run)?;
    }
    options(&mut page, run);
    page.push_str("</body>\n</html>\n");
    Ok(page)
}

fn summary(page: &mut String, run: &Run<'_>) {
    let seconds = run.steps.last().map_or(0.0, |step| step.elapsed.as_secs_f64());
    let _ = write!(
        page,
        "<p>{} iterations, {} evaluations, {seconds:.1} s on {} threads, {} MiB. The loss fell from {:.4e} to {:.4e} \
         (at the last size); it ended because: {}.",
        run.painting.iterations,
        run.painting.evaluations,
        run.summary.threads,
        run.summary.bytes.div_ceil(1 << 20),
        run.painting.initial_loss,
        run.painting.loss,
        run.painting.reason,
    );
    if run.painting.chroma_shrunk > 0.0 {
        let share = 100.0 * run.painting.chroma_shrunk;
        let _ = write!(page, " The photo's colours had to fade in {share:.1} % of the pixels.");
    }
    page.push_str("</p>\n");
}

fn figure(page: &mut String, content: &str, caption: &str) {
    let _ = writeln!(page, "<figure>{content}<figcaption>{caption}</figcaption></figure>");
}

fn pictures(page: &mut String, run: &Run<'_>) -> Result<(), ExplainError> {
    page.push_str("<div class=\"pictures\">\n");
    let of_paintings = match run.options.colours {
        Colours::Photo => ", its light",
        Colours::Histogram | Colours::Transfer(_) => ", in the photo's colours",
        // As they are.
        _ => "",
    };
    let of_photo = if run.options.colours == Colours::Photo { ", its light" } else { "" };
    let mut pictures = vec![(run.scene.photo(), format!("The photo{of_photo}"))];
    // Several paintings together take no more of the page than one.
    let mut paintings = Vec::new();
    for (name, picture) in run.paintings() {
        let side = share_of_side(picture.height().max(picture.width()), run.paintings().len() as f64);
        let picture = shrunk(picture.clone(), side).map_err(TransferError::from)?;
        paintings.push((picture, capitalised(&name) + of_paintings));
    }
    pictures.extend(paintings.iter().map(|(picture, caption)| (picture, caption.clone())));
    pictures.extend([(&run.start, "The start".to_owned()), (&run.painting.picture, "The result".to_owned())]);
    for (picture, caption) in pictures {
        figure(page, &embedded(picture, PHOTO, &caption)?, &caption);
    }
    page.push_str("</div>\n");
    Ok(())
}

fn where_styles_act(page: &mut String, run: &Run<'_>) -> Result<(), ExplainError> {
    let (figures, rows, notes) = (masks::figures(run)?, masks::rows(run)?, masks::notes(run));
    if !figures.is_empty() || !rows.is_empty() {
        page.push_str("<h2>Masks</h2>\n<p>Each on its picture in grey, orange where it counts.</p>\n");
    }
    if !figures.is_empty() {
        page.push_str("<div class=\"pictures\">\n");
        for (picture, caption) in figures {
            figure(page, &picture, caption);
        }
        page.push_str("</div>\n");
    }
    if !rows.is_empty() {
        let reach = match run.options.mask_reach {
            Reach::Inside => "the mask's least value in what the position sees",
            _ => "the mask averaged as the position sees it",
        };
        let _ = writeln!(
            page,
            "<p>Under a layer: what each of its positions counts there, {reach}; and S / M, the share of the layer \
             that this is.</p>\n<div class=\"wide\"><table>\n{}</table></div>",
            rows.concat()
        );
    }
    for note in notes {
        let _ = writeln!(page, "<p>{note}.</p>");
    }
    Ok(())
}

fn curves(page: &mut String, run: &Run<'_>) -> Result<(), ExplainError> {
    page.push_str("<h2>How the loss fell</h2>\n<div class=\"charts\">\n");
    figure(page, &charts::losses(&run.steps)?, "L: the total, and what each kind of loss gives to it");
    for kind in LossKind::ALL.into_iter().filter(|&kind| !run.layers(kind).is_empty()) {
        let caption = format!("{} of each {} layer, without its weight", kind.symbol(), kind.name());
        figure(page, &charts::layers(&run.steps, kind)?, &caption);
    }
    figure(page, &charts::gradient_norm(&run.steps)?, "The 2-norm of the gradient: how steep it still is");
    let steps = if run.steps.iter().any(|step| step.search.is_some()) {
        "The step along the search direction: 1 is L-BFGS's own guess"
    } else {
        "The learning rate of Adam"
    };
    figure(page, &charts::step_lengths(&run.steps)?, steps);
    page.push_str("</div>\n");
    Ok(())
}

fn heat_maps(page: &mut String, run: &Run<'_>) -> Result<(), ExplainError> {
    page.push_str("<h2>Where the gradient acts</h2>\n<p>|dL/dx| of each pixel, from black over red to white; each map on its own scale.</p>\n<div class=\"pictures\">\n");
    let pictures = [&run.start, &run.result];
    for (strength, caption) in run.gradient_strengths(pictures)?.iter().zip(["At the start", "At the result"])
    {
        let map =
            heat(run.start.height(), run.start.width(), normalised(strength)).map_err(TransferError::from)?;
        let map = shrunk(map, HEAT_SIDE).map_err(TransferError::from)?;
        figure(page, &embedded(&map, HEAT, caption)?, caption);
    }
    page.push_str("</div>\n");
    Ok(())
}

fn gram_matrices(page: &mut String, run: &Run<'_>) -> Result<(), ExplainError> {
    if run.targets.terms.iter().all(|target| !target.spec.kind.is_of_sums()) {
        return Ok(());
    }
    page.push_str("<h2>Gram matrices</h2>\n<p>Which filters answer together: A of the painting, G of the picture. Brightness is the cube root of the \
                   size, on one scale for a layer; where |G - A| is black, the style is met.");
    let terms = &run.targets.terms;
    if terms.iter().any(|target| target.spec.paintings.len() > 1) {
        page.push_str(" Where paintings are blended, A is the sum of theirs by the shares that are named.");
    }
    if terms.iter().any(|target| target.loss.guide().is_some()) {
        page.push_str(" A masked region has its own, of what its mask leaves of a layer.");
    }
    page.push_str(
        "</p>\n<div class=\"wide\"><table>\n<tr><th></th><th>A</th><th>G before</th>\
                   <th>G after</th><th>|G - A| before</th><th>|G - A| after</th></tr>\n",
    );
    let compared = layers::compared(run)?;
    for row in layers::gram_rows(&compared)? {
        page.push_str(&row);
    }
    page.push_str("</table></div>\n");
    if layers::regions(&compared) > MOST_REGIONS {
        return Ok(());
    }
    page.push_str(
        "<p>The eigenvalues of each, largest first: how many directions of responses there are, and how much each varies. Where the \
         lines of picture and painting lie on each other, their spread is the same, whichever filters it is in.</p>\n\
         <div class=\"charts\">\n",
    );
    for one in &compared {
        let (chart, place) = one.eigenvalues()?;
        figure(page, &chart, &breakable(&place));
    }
    page.push_str("</div>\n");
    Ok(())
}

/// Regions whose eigenvalues are shown, at most.
const MOST_REGIONS: usize = 3;

/// What L-BFGS did; nothing of Adam.
fn line_searches(page: &mut String, run: &Run<'_>) -> Result<(), ExplainError> {
    let searches = lbfgs::searches(&run.steps);
    if searches.is_empty() {
        return Ok(());
    }
    page.push_str("<h2>What L-BFGS did</h2>\n");
    page.push_str(&lbfgs::summary(&searches));
    page.push_str("<div class=\"charts\">\n");
    let decrease = "Sufficient decrease: (φ(0) - φ(t)) / -(t φ'(0)), the part of the promised decrease that came true; at least c1";
    figure(page, &lbfgs::decrease(&searches)?, decrease);
    figure(
        page,
        &lbfgs::curvature(&searches)?,
        "Curvature: |φ'(t)| / |φ'(0)|, how much of the slope is left; at most c2",
    );
    figure(
        page,
        &lbfgs::trials(&searches)?,
        "Evaluations of each line search: 1 where the first trial was taken",
    );
    for (colour, chart) in lbfgs::scales(&searches)? {
        let caption = format!(
            "H0, the scaling that L-BFGS has learnt of {colour}: one line for each octave, named by the shortest half of its waves in pixels"
        );
        figure(page, &chart, &caption);
    }
    page.push_str("</div>\n");
    Ok(())
}

/// How much of the gradient each term gives, and how these stand to each other.
fn how_terms_pull(page: &mut String, run: &Run<'_>) -> Result<(), ExplainError> {
    let Some(measured) = Pulls::measure(run)? else { return Ok(()) };
    let _ = write!(
        page,
        "<h2>How the terms pull</h2>\n<p>The gradient of each term by itself, with its weight, at {} pictures of the last size, \
         evaluated again after the run.</p>\n<div class=\"charts\">\n",
        measured.pulls.len()
    );
    for (chart, caption) in pulls::charts(&measured)? {
        figure(page, &chart, caption);
    }
    page.push_str("</div>\n<p>The cosine of every two:</p>\n");
    page.push_str(&pulls::table(&measured));
    Ok(())
}

/// What a response of each layer sees, on the result.
fn receptive_fields(page: &mut String, run: &Run<'_>) -> Result<(), ExplainError> {
    if fields::fields(run).is_empty() {
        return Ok(());
    }
    page.push_str("<h2>What each layer sees</h2>\n<p>The receptive field of one response in the middle, to scale on the result.</p>\n");
    let _ =
        writeln!(page, "<figure class=\"fields\">{}{}</figure>", fields::drawing(run)?, fields::legend(run));
    Ok(())
}

fn feature_maps(page: &mut String, run: &Run<'_>) -> Result<(), ExplainError> {
    let mut names: Vec<&str> = run.options.layers();
    names.sort_unstable();
    names.dedup();
    let pictures: Vec<String> = run.pictures_seen().into_iter().map(|(name, _)| name).collect();
    let (result, others) = pictures.split_last().map_or(("", &[][..]), |(last, others)| (last, others));
    let _ = write!(
        page,
        "<h2>Feature maps</h2>\n<p>Of each layer the filters that answer the result most, for {} and {result}.</p>\n\
         <div class=\"wide\"><table>\n<tr><th></th>",
        others.join(", ")
    );
    for name in &pictures {
        let _ = write!(page, "<th>{}</th>", capitalised(without_article(name)));
    }
    page.push_str("</tr>\n");
    for layer in names {
        page.push_str(&layers::feature_row(run, layer)?);
    }
    page.push_str("</table></div>\n");
    Ok(())
}

fn timings(page: &mut String, run: &Run<'_>) -> Result<(), ExplainError> {
    let (height, width) = run.summary.size;
    let options = run.options;
    let plan =
        plan(run.network, run.scene.subject(), height.max(width), options).map_err(TransferError::from)?;
    let benchmark = Benchmark {
        arch: run.summary.arch,
        size: height.max(width),
        runs: 2,
        conv: options.conv,
        style_loss: options.style_loss,
        evaluator: options.evaluator_options(height, width),
    };
    page.push_str("<h2>Time of each layer</h2>\n<p>The convolution alone, measured after the run; WinogradM makes M x M responses at a time. The step from the first layer back to the \
                   picture is a product of its own and not timed here.</p>\n<div class=\"wide\"><table>\n\
                   <tr><th>Layer</th><th>Response</th><th>Forward</th><th class=\"number\">ms</th><th>Backward</th><th class=\"number\">ms</th></tr>\n");
    for layer in plan.layers() {
        let time = benchmark.layer(layer, 1.0).map_err(TransferError::from)?;
        let milliseconds = |seconds: f64| format!("{:.2}", 1e3 * seconds);
        let (algorithm, backward) = time.backward.map_or_else(
            || ("its own".to_owned(), String::new()),
            |backward| (format!("{:?}", backward.algorithm), milliseconds(backward.seconds)),
        );
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{} x {} x {}</td><td>{:?}</td><td class=\"number\">{}</td><td>{algorithm}</td><td class=\"number\">{backward}</td></tr>",
            layer.name,
            layer.extent.height,
            layer.extent.width,
            layer.out_channels,
            layer.forward,
            milliseconds(time.forward.seconds),
        );
    }
    page.push_str("</table></div>\n");
    Ok(())
}

/// Every option that had an effect, under its name on the command line.
fn options(page: &mut String, run: &Run<'_>) {
    let mut options = run.options.clone();
    let picture = &run.painting.picture;
    let variables = options.variables((picture.height(), picture.width()));
    options.optimiser = options.optimiser.for_picture(variables);
    let (version, arch) = (env!("CARGO_PKG_VERSION"), run.summary.arch);
    let _ = write!(
        page,
        "<h2>The options in force</h2>\n<p>impasto {version}, {arch}, convolutions with {}.</p>\n<table>\n",
        isa()
    );
    let is_idle = |name: &str| {
        let of_tv = name == "tv-points" && run.options.tv_weight == 0.0;
        of_tv || run.origin.without_effect.iter().any(|option| option == name)
    };
    for row in OPTIONS.iter().filter(|row| !is_idle(row.name)) {
        let start = || match &options.init {
            Init::Picture(start) if row.name == "init" => {
                Some(format!("a picture of {} x {}", start.width(), start.height()))
            }
            _ => None,
        };
        let value = row.get(&options).or_else(start);
        // Masks, blends and colours are not named where they ask for nothing.
        let value =
            value.filter(|value| !matches!(row.recorded, Recorded::Unless(nothing) if nothing == value));
        if let Some(value) = value {
            // A space lets a long list of layers break into lines.
            let value = escaped(&value.replace(',', ", "));
            let _ = writeln!(page, "<tr><td><code>--{}</code></td><td>{value}</td></tr>", row.name);
        }
    }
    page.push_str("</table>\n");
}
