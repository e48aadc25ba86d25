//! `impasto sweep`: the same transfer with every value of an option or two.

use clap::Args;
use impasto_study::study::{Study, Vary, sweep};
use impasto_style::option_name;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::options::OptionArguments;
use crate::pictures::{Keep, SubjectArguments, read_subject};
use crate::scene::Asked;
use crate::study::{Made, StudyOutput, run as run_study};
use crate::warnings::{Case, idle};

/// For the end of `--help`.
const EXAMPLES: &str = "\
Examples:
  impasto sweep photo.jpg painting.jpg --vary pool=average,max -o pooling
  impasto sweep photo.jpg painting.jpg --vary init=noise --vary seed=1,2,3 -o seeds
  impasto sweep photo.jpg painting.jpg --vary 'style-layers=conv1_1;conv1_1,conv2_1' -o layers";

/// Paint with every value of an option or two, side by side
///
/// Each --vary names an option of `impasto transfer` and its values, such as average and max pooling, seeds, layers or weights;
/// all combinations are painted. The last --vary makes the columns of the sheet, those before it the rows. Values that
/// contain commas are separated by semicolons. What is finished is kept: the same command goes on from there.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,

    /// An option and its values; may be given several times
    #[arg(long, value_name = "OPTION=A,B,...", required = true, value_parser = parse_vary)]
    vary: Vec<Vary>,

    #[command(flatten)]
    pub(crate) to: StudyOutput,

    #[command(flatten)]
    pub(crate) options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let asked = Asked::new(&arguments.subject, &arguments.options)?;
    let mut study = study(&arguments.vary, &asked.options)?;
    for cell in &study.cells {
        asked.sources.check(&cell.options)?;
    }
    let varied = |name: &str| arguments.vary.iter().any(|vary| vary.option == name);
    let given = |name: &str| arguments.options.choices.has(name) || varied(name);
    let reading = &study.cells[0].options;
    let subject = read_subject(&asked.sources, reading, Keep::Whole, arguments.to.volume.quiet)?;
    let cases = study.cells.iter().map(|cell| Case::of_study(&cell.options, &subject));
    let said = idle(given, &cases.collect::<Vec<_>>());
    study.cells.iter_mut().for_each(|cell| cell.options.make_room_for(&subject));
    let network = asked.options.network.read()?;
    let scene = arguments.subject.scene.as_deref();
    let made = Made { asked: &asked, scene, subject: &subject, network: &network };
    run_study(&study, made, &arguments.to, &said, interrupt)
}

/// What decides how pictures and masks are read, which are the same for all pictures of a sweep.
const OF_READING: [&str; 7] =
    ["background", "mask", "style-mask", "keep", "content-mask", "regions", "scene"];

fn study(vary: &[Vary], given: &OptionArguments) -> Result<Study, Failure> {
    let (columns, rows) = vary.split_last().expect("clap requires one");
    if vary.iter().any(|vary| ["weights", "preprocess"].contains(&&*vary.option)) {
        return Err(Failure::wrong_use("--vary: all pictures of a sweep share one network"));
    }
    if let Some(Vary { option, .. }) = vary.iter().find(|vary| OF_READING.contains(&&*vary.option)) {
        let problem =
            format!("--vary: photo, paintings and masks are read once for all pictures: give one --{option}");
        return Err(Failure::wrong_use(problem));
    }
    let mut options: Vec<&str> = vary.iter().map(|vary| vary.option.as_str()).collect();
    options.sort_unstable();
    if let Some([twice, _]) = options.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Failure::wrong_use(format!("--vary: {twice} is named twice")));
    }
    // Not every base must be possible by itself: another method or weight may come from --vary.
    sweep(&given.chosen(), rows, columns).map_err(|error| {
        // What is wrong without any of them is not the fault of --vary.
        let own = given.options().err().map(|own| own.to_string());
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
    let option = option_name(option.trim().trim_start_matches('-')).to_owned();
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

    fn study_of(arguments: &Arguments) -> Result<Study, Failure> {
        study(&arguments.vary, &arguments.options)
    }

    #[test]
    fn all_combinations_are_cells_with_what_was_given() {
        let study =
            study_of(&arguments(&["--size", "99", "--vary", "pool=average,max", "--vary", "seed=1,2,3"]))
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
            let failure = study_of(&arguments(&["--vary", vary])).unwrap_err();
            assert!(failure.to_string().starts_with("--vary:"), "{failure}");
        }
        for vary in ["background=white,black", "mask=a.png,b.png", "keep=a.png,b.png"] {
            let failure = study_of(&arguments(&["--vary", vary])).unwrap_err().to_string();
            assert!(failure.starts_with("--vary: ") && failure.contains("are read once"), "{failure}");
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
            study_of(&arguments(given)).unwrap();
        }
        let failure = study_of(&arguments(&["--size", "0", "--vary", "seed=1"])).unwrap_err().to_string();
        assert!(failure.starts_with("--size must be"), "{failure}");
    }

    #[test]
    fn an_option_is_varied_once() {
        let failure = study_of(&arguments(&["--vary", "seed=1,2", "--vary", "seed=3"])).unwrap_err();
        assert_eq!(failure.to_string(), "--vary: seed is named twice");
    }
}
