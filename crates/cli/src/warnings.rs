//! Options that were given and have no effect: a line each.

use impasto_style::picture::{Depth, Encoding, Writing};
use impasto_style::{Init, Iterations, RegionMask, Scales, Subject, TransferOptions};

/// What decides whether an option has an effect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) options: &'a TransferOptions,
    /// How the picture is written.
    pub(crate) writing: &'a Writing,
    /// A picture is written every so many iterations.
    pub(crate) save_every: Option<u64>,
    /// Whether paintings are blended somewhere.
    pub(crate) has_blend: bool,
    /// Whether masks or transparency say where styles are compared.
    pub(crate) has_masks: bool,
}

/// A picture of a study.
static PLAIN: Writing = Writing::plain(Encoding::Png);

impl<'a> Case<'a> {
    /// That of a picture of a study: a PNG.
    pub(crate) fn of_study(options: &'a TransferOptions, subject: &Subject) -> Self {
        let (images, regions) = (subject.style_images(), subject.regions());
        let in_region = |number| images.iter().filter(|image| image.region == number).count();
        let has_masks = subject.photo().alpha().is_some()
            || regions.iter().any(|region| region.mask != RegionMask::Everywhere)
            || images.iter().any(|image| image.part.is_some() || image.picture.alpha().is_some());
        Self {
            options,
            writing: &PLAIN,
            save_every: None,
            has_blend: (0..regions.len()).any(|number| in_region(number) > 1),
            has_masks,
        }
    }
}

/// An option, whether it has no effect, and then why: what follows "has no effect".
struct Row {
    option: &'static str,
    is_idle: fn(Case<'_>) -> bool,
    why: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        option: "seed",
        is_idle: |case| !matches!(case.options.init, Init::Noise | Init::MeanNoise),
        why: "where the start is no noise: --init noise has a seed",
    },
    Row {
        option: "quality",
        is_idle: |case| !matches!(case.writing.encoding, Encoding::Jpeg { .. }),
        why: "on the picture's format, which loses nothing: it is for JPEG",
    },
    Row {
        option: "dither",
        is_idle: |case| {
            matches!(case.writing.encoding, Encoding::Jpeg { .. }) || case.writing.depth == Depth::Sixteen
        },
        why: "on a JPEG, which rounds waves and no pixels, and on 16 bits",
    },
    Row {
        option: "save-every",
        is_idle: |case| {
            // Of the largest photo: how many scales there are is known once it is read.
            let scales = case.options.schedule(case.options.size.longest_side_for((10_000, 10_000)));
            let iterations =
                scales.iter().fold(0_u64, |sum, scale| sum.saturating_add(scale.iterations as u64));
            case.save_every.is_some_and(|every| every > iterations)
        },
        why: "in a run of fewer iterations",
    },
    Row {
        option: "effort",
        is_idle: |case| case.options.iterations != Iterations::Auto,
        why: "where --iterations are numbers",
    },
    Row {
        option: "scale-factor",
        is_idle: |case| case.options.scales == Scales::Count(1),
        why: WITH_ONE_SCALE,
    },
    Row {
        option: "smallest-scale",
        is_idle: |case| case.options.scales == Scales::Count(1),
        why: WITH_ONE_SCALE,
    },
    Row { option: "blend", is_idle: |case| !case.has_blend, why: "with one painting everywhere" },
    Row {
        option: "mask-reach",
        is_idle: |case| !case.has_masks,
        why: "without --mask, --style-mask, --regions or transparency",
    },
    Row { option: "style-loss", is_idle: |case| case.options.style_weight == 0.0, why: WITHOUT_STYLE },
    Row { option: "style-layers", is_idle: |case| case.options.style_weight == 0.0, why: WITHOUT_STYLE },
    Row { option: "style-scale", is_idle: |case| case.options.style_weight == 0.0, why: WITHOUT_STYLE },
    Row {
        option: "content-layers",
        is_idle: |case| case.options.content_weight == 0.0,
        why: "while --content-weight is 0",
    },
];

const WITH_ONE_SCALE: &str = "with --scales 1";
const WITHOUT_STYLE: &str = "while --style-weight is 0";

/// The options that have no effect in any of the cases, given or not.
pub(crate) fn without_effect(cases: &[Case<'_>]) -> Vec<String> {
    let is_idle = |row: &&Row| cases.iter().all(|&case| (row.is_idle)(case));
    ROWS.iter().filter(is_idle).map(|row| row.option.to_owned()).collect()
}

/// A line for each option that is given and has no effect in any of the cases.
pub(crate) fn idle(is_given: impl Fn(&str) -> bool, cases: &[Case<'_>]) -> Vec<String> {
    let is_idle = move |row: &&Row| is_given(row.option) && cases.iter().all(|&case| (row.is_idle)(case));
    let line = |row: &Row| format!("Warning: --{} has no effect {}", row.option, row.why);
    ROWS.iter().filter(is_idle).map(line).collect()
}

#[cfg(test)]
mod tests {
    use impasto_style::{Mask, Photo, Picture, Preset, Region, StyleImage};

    use super::*;

    fn picture() -> Picture {
        Picture::new(1, 1, vec![0.0; 3]).unwrap()
    }

    fn case(options: &TransferOptions) -> Case<'_> {
        Case { save_every: Some(10), ..Case::of_study(options, &Subject::new(picture(), picture())) }
    }

    /// The options that have no effect, of all that could be given.
    fn found(cases: &[Case<'_>]) -> Vec<String> {
        let lines = idle(|_| true, cases);
        lines.iter().map(|line| line.split(' ').nth(1).unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn every_row_has_a_case_with_and_one_without_an_effect() {
        let none = Preset::Default
            .options()
            .with_iterations(2)
            .with_scales(Scales::Count(1))
            .with_style_weight(0.0)
            .with_content_weight(0.0)
            .with_init(Init::Content);
        let all: Vec<String> = ROWS.iter().map(|row| format!("--{}", row.option)).collect();
        let (fine, jpeg) = (
            Writing { depth: Depth::Sixteen, ..Encoding::Png.into() },
            Writing::from(Encoding::Jpeg { quality: 90 }),
        );
        assert_eq!(found(&[Case { writing: &fine, ..case(&none) }]), all);
        let options = Preset::Paper
            .options()
            .with_init(Init::Noise)
            .with_scales(Scales::Auto)
            .with_iterations(Iterations::Auto);
        let with = Case { writing: &jpeg, has_blend: true, has_masks: true, ..case(&options) };
        assert_eq!(found(&[with]), ["--dither"]);
        assert_eq!(found(&[case(&options)])[..1], ["--quality"], "8 bits of a PNG are dithered");
        assert_eq!(found(&[case(&none), with]), [""; 0], "an effect on one picture is one");
    }

    #[test]
    fn masks_of_the_content_are_none_of_a_style_and_transparency_is_one() {
        let options = Preset::Default.options();
        let mask = |value| Mask::new(1, 1, vec![value]).unwrap();
        let image = |region| StyleImage { picture: picture().into(), part: None, region };
        let of = |photo, images: &[usize], regions| {
            let images = images.iter().map(|&region| image(region)).collect();
            let subject = Subject::compose(photo, images, regions).unwrap();
            let case = Case::of_study(&options, &subject);
            (case.has_blend, case.has_masks)
        };
        let everywhere = || vec![Region::everywhere()];
        assert_eq!(of(picture().into(), &[0], everywhere()), (false, false));
        assert_eq!(of(picture().into(), &[0, 0], everywhere()), (true, false));
        let content = Photo { content_mask: Some(mask(0.5)), keep: Some(mask(0.5)), ..picture().into() };
        assert_eq!(of(content, &[0], everywhere()), (false, false));
        let transparent = picture().with_alpha(mask(0.5)).unwrap();
        assert_eq!(of(transparent.into(), &[0], everywhere()), (false, true));
        let half = Region { name: "half".to_owned(), mask: RegionMask::Mask(mask(0.5)) };
        let rest = Region { name: "the rest".to_owned(), mask: RegionMask::Rest };
        assert_eq!(of(picture().into(), &[0, 1], vec![half, rest]), (false, true));
    }

    #[test]
    fn what_was_not_given_is_not_warned_of() {
        let options = Preset::Default.options().with_init(Init::Content);
        let lines = idle(|name| name == "seed", &[case(&options)]);
        assert_eq!(
            lines,
            ["Warning: --seed has no effect where the start is no noise: --init noise has a seed"]
        );
    }
}
