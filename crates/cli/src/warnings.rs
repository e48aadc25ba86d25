//! Options that were given and have no effect: a line each.

use impasto_style::picture::Encoding;
use impasto_style::{Init, TransferOptions};

use crate::streams::warn;

/// What decides whether an option has an effect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) options: &'a TransferOptions,
    /// The format of the picture that is written.
    pub(crate) encoding: Encoding,
    /// A picture is written every so many iterations.
    pub(crate) save_every: Option<u64>,
    pub(crate) paintings: usize,
    /// Whether masks say where the paintings act.
    pub(crate) has_masks: bool,
}

impl<'a> Case<'a> {
    /// That of a picture of a study: a PNG.
    pub(crate) const fn of_study(options: &'a TransferOptions, paintings: usize, has_masks: bool) -> Self {
        Self { options, encoding: Encoding::Png, save_every: None, paintings, has_masks }
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
        is_idle: |case| !matches!(case.encoding, Encoding::Jpeg { .. }),
        why: "on the picture's format, which loses nothing: it is for JPEG",
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
    Row { option: "blend", is_idle: |case| case.paintings < 2, why: "with one painting" },
    Row {
        option: "mask-reach",
        is_idle: |case| !case.has_masks,
        why: "without masks: --mask says where a painting acts",
    },
    Row { option: "style-layers", is_idle: |case| case.options.style_weight == 0.0, why: WITHOUT_STYLE },
    Row { option: "style-scale", is_idle: |case| case.options.style_weight == 0.0, why: WITHOUT_STYLE },
    Row {
        option: "content-layers",
        is_idle: |case| case.options.content_weight == 0.0,
        why: "while --content-weight is 0",
    },
];

const WITHOUT_STYLE: &str = "while --style-weight is 0";

/// Warns of each option that is given and has no effect in any of the cases, unless it shall be quiet.
pub(crate) fn warn_of_idle(quiet: bool, is_given: impl Fn(&str) -> bool, cases: &[Case<'_>]) {
    idle(is_given, cases).for_each(|line| warn(quiet, &line));
}

fn idle(is_given: impl Fn(&str) -> bool, cases: &[Case<'_>]) -> impl Iterator<Item = String> {
    let is_idle = move |row: &&Row| is_given(row.option) && cases.iter().all(|&case| (row.is_idle)(case));
    ROWS.iter().filter(is_idle).map(|row| format!("--{} has no effect {}", row.option, row.why))
}

#[cfg(test)]
mod tests {
    use impasto_style::Preset;

    use super::*;

    fn case(options: &TransferOptions) -> Case<'_> {
        Case { save_every: Some(10), ..Case::of_study(options, 1, false) }
    }

    /// The options that have no effect, of all that could be given.
    fn found(cases: &[Case<'_>]) -> Vec<String> {
        idle(|_| true, cases).map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn every_row_has_a_case_with_and_one_without_an_effect() {
        let none = TransferOptions {
            iterations: 2,
            style_weight: 0.0,
            content_weight: 0.0,
            init: Init::Content,
            ..Preset::Default.options()
        };
        let all: Vec<String> = ROWS.iter().map(|row| format!("--{}", row.option)).collect();
        assert_eq!(found(&[case(&none)]), all);
        let options = TransferOptions { init: Init::Noise, ..Preset::Paper.options() };
        let encoding = Encoding::Jpeg { quality: 90 };
        let with = Case { encoding, paintings: 2, has_masks: true, ..case(&options) };
        assert_eq!(found(&[with]), [""; 0]);
        assert_eq!(found(&[case(&none), with]), [""; 0], "an effect on one picture is one");
    }

    #[test]
    fn what_was_not_given_is_not_warned_of() {
        let options = TransferOptions { init: Init::Content, ..Preset::Default.options() };
        let lines: Vec<String> = idle(|name| name == "seed", &[case(&options)]).collect();
        assert_eq!(lines, ["--seed has no effect where the start is no noise: --init noise has a seed"]);
    }
}
