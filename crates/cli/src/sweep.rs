//! `impasto sweep`: the same transfer with every value of an option or two.

use clap::Args;
use impasto_study::study::{Material, Study, Vary, sweep};

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::options::OptionArguments;
use crate::pictures::Pair;
use crate::study::{StudyOutput, run as run_study};

/// Compare the values of any option side by side: average and max pooling, seeds, layers, weights
///
/// Each --vary names an option of `impasto transfer` and its values; all combinations are painted. The last --vary makes
/// the columns of the sheet, those before it the rows. Values that contain commas are separated by semicolons.
/// What is finished is kept: the same command goes on from there.
///
/// Examples:
///
///   impasto sweep photo.jpg painting.jpg --vary pool=average,max -o pooling
///
///   impasto sweep photo.jpg painting.jpg --vary init=noise --vary seed=1,2,3 -o seeds
///
///   impasto sweep photo.jpg painting.jpg --vary 'style-layers=conv1_1;conv1_1,conv2_1' -o layers
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pictures: Pair,

    /// An option and its values; may be given several times
    #[arg(long, value_name = "OPTION=A,B,...", required = true, value_parser = parse_vary)]
    vary: Vec<Vary>,

    #[command(flatten)]
    pub(crate) to: StudyOutput,

    #[command(flatten)]
    options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let mut study = study(arguments)?;
    let subject = arguments.pictures.read(&study.cells[0].options, arguments.to.volume.quiet)?;
    study.cells.iter_mut().for_each(|cell| cell.options.make_room_for(&subject));
    let network = arguments.options.network.read()?;
    let paths = arguments.pictures.paths(&arguments.options.network);
    let material = Material { subject: &subject, network: &network, paths, cancel: interrupt.cancel() };
    run_study(&study, material, &arguments.to, interrupt)
}

fn study(arguments: &Arguments) -> Result<Study, Failure> {
    let (columns, rows) = arguments.vary.split_last().expect("clap requires one");
    if arguments.vary.iter().any(|vary| ["weights", "preprocess"].contains(&&*vary.option)) {
        return Err(Failure::wrong_use("--vary: all pictures of a sweep share one network"));
    }
    let mut options: Vec<&str> = arguments.vary.iter().map(|vary| vary.option.as_str()).collect();
    options.sort_unstable();
    if let Some([twice, _]) = options.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Failure::wrong_use(format!("--vary: {twice} is named twice")));
    }
    // Not every base must be possible by itself: another method or weight may come from --vary.
    sweep(&arguments.options.choices, rows, columns).map_err(|error| {
        // What is wrong without any of them is not the fault of --vary.
        let own = arguments.options.options().err().map(|own| own.to_string());
        let failure = Failure::from(error);
        if own.is_some_and(|own| own == failure.to_string()) {
            return failure;
        }
        Failure::wrong_use(format!("--vary: {failure}"))
    })
}

fn parse_vary(text: &str) -> Result<Vary, String> {
    let problem = || "write it like pool=average,max".to_owned();
    let (option, values) = text.split_once('=').ok_or_else(problem)?;
    let separator = if values.contains(';') { ';' } else { ',' };
    let values: Vec<String> = values.split(separator).map(|value| value.trim().to_owned()).collect();
    let option = option.trim().trim_start_matches('-').to_owned();
    if option.is_empty() || values.iter().any(String::is_empty) {
        return Err(problem());
    }
    Ok(Vary { option, values })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use impasto_style::Size;

    use super::*;

    fn arguments(flags: &[&str]) -> Arguments {
        #[derive(Debug, Parser)]
        struct Whole {
            #[command(flatten)]
            arguments: Arguments,
        }
        let fixed = ["impasto", "photo.jpg", "painting.jpg", "-o", "out"];
        Whole::try_parse_from(fixed.iter().chain(flags)).unwrap().arguments
    }

    #[test]
    fn all_combinations_are_cells_with_what_was_given() {
        let study =
            study(&arguments(&["--size", "99", "--vary", "pool=average,max", "--vary", "seed=1,2,3"]))
                .unwrap();
        assert_eq!((study.rows.len(), study.columns.len(), study.cells.len()), (2, 3, 6));
        let cell = &study.cells[4];
        assert_eq!(
            (&*cell.name, cell.options.size, cell.options.seed),
            ("pool-max_seed-2", Size::Longest(99), 2)
        );
        let limits = study.cells.iter().map(|cell| cell.options.memory_limit);
        assert!(limits.clone().all(|limit| Some(limit) == limits.clone().next()), "one limit for all");
    }

    #[test]
    fn an_unknown_option_is_wrong_use() {
        for vary in ["colour=red", "seed=many", "weights=a,b"] {
            let failure = study(&arguments(&["--vary", vary])).unwrap_err();
            assert!(failure.to_string().starts_with("--vary:"), "{failure}");
        }
    }

    #[test]
    fn a_base_need_not_be_possible_by_itself() {
        for given in [
            ["--learning-rate", "2", "--vary", "optimizer=adam"].as_slice(),
            &["--optimizer", "adam", "--history", "5", "--vary", "optimizer=lbfgs"],
            &["--content-weight", "0", "--style-weight", "0", "--vary", "style-weight=1,2"],
            &["--size", "0", "--vary", "size=16"],
        ] {
            study(&arguments(given)).unwrap();
        }
        let failure = study(&arguments(&["--size", "0", "--vary", "seed=1"])).unwrap_err().to_string();
        assert!(failure.starts_with("--size must be"), "{failure}");
    }

    #[test]
    fn an_option_is_varied_once() {
        let failure = study(&arguments(&["--vary", "seed=1,2", "--vary", "seed=3"])).unwrap_err();
        assert_eq!(failure.to_string(), "--vary: seed is named twice");
    }
}
