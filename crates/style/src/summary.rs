//! What a transfer is going to do: its sizes, its memory, and whether all of it fits together.

use crate::memory::plan_or_advise;
use crate::{
    Coverages, Iterations, Masks, Picture, PreparedNetwork, Scale, Scales, Source, Subject, Summary, Tap,
    TransferError, TransferOptions, Vanished,
};

/// Checks sizes and memory, and says what will be done; nothing is kept or done already.
pub(crate) fn summarise(
    network: &PreparedNetwork,
    subject: &Subject,
    options: &TransferOptions,
    schedule: &[Scale],
) -> Result<Summary, TransferError> {
    let size = |picture: &Picture| (picture.height(), picture.width());
    let longest = options.check_size(size(subject.photo()))?;
    let (taps, of_paintings) = (subject.taps(options), taps_of_paintings(subject, options));
    network.check_size("the content picture", size(subject.photo()), &taps)?;
    for (number, (painting, taps)) in subject.paintings().zip(&of_paintings).enumerate() {
        network.check_size(&name_of_painting(number, subject, false), size(painting), taps)?;
    }
    for scale in schedule {
        network.check_size("the resized content picture", subject.size(scale.size), &taps)?;
        let sizes = subject.painting_sizes(scale.size, options);
        for (number, (size, taps)) in sizes.into_iter().zip(&of_paintings).enumerate() {
            network.check_size(&name_of_painting(number, subject, true), size, taps)?;
        }
    }
    let size = subject.size(longest);
    let plan = plan_or_advise(network, subject, options)?;
    Ok(Summary {
        size,
        style_sizes: if options.style_weight > 0.0 {
            subject.painting_sizes(longest, options)
        } else {
            Vec::new()
        },
        vanished: vanished(network, subject, options, schedule)?,
        scales: schedule.iter().map(|scale| subject.size(scale.size)).collect(),
        scale_iterations: schedule.iter().map(|scale| scale.iterations).collect(),
        iterations: schedule.iter().fold(0, |sum, scale| sum.saturating_add(scale.iterations)),
        done: 0,
        checkpoint_bytes: None,
        arch: network.arch(),
        threads: rayon::current_num_threads(),
        bytes: options.peak(subject, &plan),
        bands: plan.bands(),
        layers: plan.layers().to_vec(),
        plan: plan.bytes(),
    })
}

/// What messages call a painting, as it was given or resized.
fn name_of_painting(number: usize, subject: &Subject, resized: bool) -> String {
    let number = (subject.paintings().len() > 1).then_some(number + 1);
    match (number, resized) {
        (None, false) => "the style picture".to_owned(),
        (None, true) => "the resized style picture".to_owned(),
        (Some(number), false) => format!("painting {number}"),
        (Some(number), true) => format!("the resized painting {number}"),
    }
}

/// The taps at which each painting is measured.
fn taps_of_paintings(subject: &Subject, options: &TransferOptions) -> Vec<Vec<Tap>> {
    let paintings = 0..subject.paintings().len();
    paintings.map(|number| subject.taps_of(Source::Painting(number), options)).collect()
}

/// What the masks leave no position of, at each of the scales. What has none at any layer of the last one is an error.
fn vanished(
    network: &PreparedNetwork,
    subject: &Subject,
    options: &TransferOptions,
    schedule: &[Scale],
) -> Result<Vec<Vanished>, TransferError> {
    let (specs, longest) = (subject.terms(options), subject.longest_side(options));
    let mut vanished = Vec::new();
    for scale in schedule {
        let masks = Masks::new(subject, scale.size, options)?;
        let coverages = Coverages::new(network, subject, &masks, &specs, options)?;
        let size = subject.size(scale.size);
        if scale.size == longest {
            coverages.check(subject, &specs, size, options.mask_reach)?;
        }
        vanished.extend(coverages.vanished(size));
    }
    Ok(vanished)
}

/// The most bytes of a checkpoint at any scale.
pub(crate) fn checkpoint_bytes(subject: &Subject, options: &TransferOptions, schedule: &[Scale]) -> u64 {
    let bytes = |scale: &Scale| {
        options.optimiser.checkpoint_bytes(scale.iterations, options.variables(subject.size(scale.size)))
    };
    schedule.iter().map(bytes).max().unwrap_or_default()
}

/// The sizes from coarse to fine. [`Scales::Auto`] leaves out coarse ones at which a picture would have no position at the
/// deepest layer. All but the last have `coarse_iterations`, which may not be those of the options: a run that goes on has had its own.
pub(crate) fn schedule(
    network: &PreparedNetwork,
    subject: &Subject,
    options: &TransferOptions,
    coarse_iterations: &Iterations,
) -> Vec<Scale> {
    let longest = subject.longest_side(options);
    let mut sizes = options.sizes(longest);
    if options.scales == Scales::Auto {
        let (taps, of_paintings) = (subject.taps(options), taps_of_paintings(subject, options));
        let fits = |size: usize| {
            let mut paintings = subject.painting_sizes(size, options).into_iter().zip(&of_paintings);
            network.sees(subject.size(size), &taps) && paintings.all(|(size, taps)| network.sees(size, taps))
        };
        sizes.retain(|&size| size == longest || fits(size));
    }
    let scale = |(index, &size): (usize, &usize)| {
        let iterations = if index + 1 < sizes.len() { coarse_iterations } else { &options.iterations };
        Scale { size, iterations: iterations.at(index, size, options.effort) }
    };
    sizes.iter().enumerate().map(scale).collect()
}
