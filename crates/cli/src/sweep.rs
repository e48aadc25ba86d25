//! `impasto sweep`: the same transfer with every value of an option or two.

use clap::{Args, Parser};
use impasto_study::study::{Cell, Material, Study};
use impasto_style::Preset;
use impasto_style::TransferOptions;

use crate::failure::Failure;
use crate::options::{OptionArguments, Pair};
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
    to: StudyOutput,

    #[command(flatten)]
    options: OptionArguments,
}

/// `--vary`.
#[derive(Debug, Clone)]
struct Vary {
    option: String,
    values: Vec<String>,
}

/// One value of each varied option.
type Choice<'a> = Vec<(&'a str, &'a str)>;

/// The options alone, to put further values into them.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Variant {
    #[command(flatten)]
    options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let study = study(arguments)?;
    let (content, style) = arguments.pictures.read(arguments.to.quiet)?;
    let network = arguments.options.network()?;
    let material = Material { content: &content, style: &style, network: &network };
    run_study(&study, material, &arguments.to)
}

fn study(arguments: &Arguments) -> Result<Study, Failure> {
    let (columns, rows) = arguments.vary.split_last().expect("clap requires one");
    let row_choices = combinations(rows);
    let column_choices = combinations(std::slice::from_ref(columns));
    // One limit for all, so that they differ in nothing but what is varied.
    let mut base = arguments.options.clone();
    base.memory_limit = base.memory_limit.or_else(impasto_style::available_memory);
    let mut cells = Vec::new();
    for row in &row_choices {
        for column in &column_choices {
            let choice = [row.as_slice(), column].concat();
            let options = varied(&base, &choice)?;
            cells.push(Cell { name: file_stem(&choice), options });
        }
    }
    let labels = |choices: &[Choice<'_>]| choices.iter().map(|choice| label(choice)).collect();
    Ok(Study { rows: labels(&row_choices), columns: labels(&column_choices), cells })
}

/// Every way to choose one value of each.
fn combinations(varies: &[Vary]) -> Vec<Choice<'_>> {
    varies.iter().fold(vec![Vec::new()], |choices, vary| {
        let extended = choices.iter().flat_map(|choice| {
            vary.values.iter().map(move |value| {
                let mut choice = choice.clone();
                choice.push((vary.option.as_str(), value.as_str()));
                choice
            })
        });
        extended.collect()
    })
}

/// The given options with the chosen values put in.
fn varied(base: &OptionArguments, choice: &[(&str, &str)]) -> Result<TransferOptions, Failure> {
    let preset =
        Preset::ALL.iter().find(|(preset, _)| *preset == base.preset).map_or("default", |(_, name)| name);
    let chooses_preset = choice.iter().any(|(option, _)| *option == "preset");
    let own = (!chooses_preset).then(|| format!("--preset={preset}"));
    let flags = own.into_iter().chain(choice.iter().map(|(option, value)| format!("--{option}={value}")));
    let mut variant = Variant { options: base.clone() };
    variant.try_update_from(flags).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        Failure::wrong_use(format!("--vary: {}", first.trim_start_matches("error: ")))
    })?;
    if variant.options.weights != base.weights || variant.options.preprocess != base.preprocess {
        return Err(Failure::wrong_use("--vary: all pictures of a sweep share one network"));
    }
    variant.options.options()
}

/// `pool average, seed 1`.
fn label(choice: &[(&str, &str)]) -> String {
    choice.iter().map(|(option, value)| format!("{option} {value}")).collect::<Vec<_>>().join(", ")
}

/// `pool-average_seed-1`, with nothing in it that a file name may not have.
fn file_stem(choice: &[(&str, &str)]) -> String {
    let parts: Vec<String> = choice.iter().map(|(option, value)| format!("{option}-{value}")).collect();
    let safe = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    parts.join("_").chars().map(safe).collect()
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
    fn all_combinations_are_cells_with_their_own_options() {
        let study =
            study(&arguments(&["--size", "99", "--vary", "pool=average,max", "--vary", "seed=1,2,3"]))
                .unwrap();
        assert_eq!((study.rows.len(), study.columns.len(), study.cells.len()), (2, 3, 6));
        assert_eq!(study.cells[4].name, "pool-max_seed-2");
        assert_eq!(study.cells[4].options.seed, 2);
        assert_eq!(study.cells[4].options.pooling, impasto_style::Pooling::Max);
        assert!(study.cells.iter().all(|cell| cell.options.size == 99));
    }

    #[test]
    fn a_preset_that_was_given_stays() {
        let study = study(&arguments(&["--preset", "paper", "--vary", "seed=1"])).unwrap();
        assert_eq!(study.cells[0].options.init, impasto_style::Init::Noise);
    }

    #[test]
    fn an_unknown_option_is_wrong_use() {
        for vary in ["colour=red", "seed=many"] {
            let failure = study(&arguments(&["--vary", vary])).unwrap_err();
            assert!(failure.to_string().starts_with("--vary:"), "{failure}");
        }
    }
}
