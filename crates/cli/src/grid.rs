//! `impasto grid`: the paper's Figure 3.

use clap::Args;
use impasto_study::study::{GRID_DEFAULTS, grid};

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::options::{OptionArguments, with_defaults, without};
use crate::pictures::{Keep, SubjectArguments, read_subject};
use crate::scene::Asked;
use crate::study::{Made, STYLE_LAYERS, StudyOutput, layer_names, run as run_study};
use crate::warnings::{Case, idle};

/// For the end of `--help`.
const EXAMPLES: &str = "Example:\n  impasto grid photo.jpg painting.jpg -o grid";

/// What a grid varies itself.
const LEFT_OUT: [(&str, &str); 3] = [
    ("style-layers", "its rows are sets of layers, from --layers"),
    ("content-weight", "its columns are values of alpha/beta, from --ratios"),
    ("style-weight", "its columns are values of alpha/beta, from --ratios"),
];

/// Paint a table over layers and weights (the paper's Figure 3)
///
/// It shows how they trade photo for painting. Rows are growing sets of style layers, columns values of alpha/beta; each
/// picture starts from white noise. Pictures and a labelled sheet go to the folder of -o. What is finished is kept: the same
/// command goes on from there.
#[derive(Debug, Args)]
#[command(mut_args(with_defaults(&GRID_DEFAULTS)), mut_args(without(&LEFT_OUT)), after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,

    /// The style layers; a row has the first one, the next one the first two, and so on
    #[arg(long, value_name = "LAYERS", default_value = STYLE_LAYERS)]
    layers: String,

    /// Values of alpha/beta
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1e-5,1e-4,1e-3,1e-2")]
    ratios: Vec<f64>,

    #[command(flatten)]
    pub(crate) to: StudyOutput,

    #[command(flatten)]
    pub(crate) options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let layers = layer_names(&arguments.layers)?;
    let given = &arguments.options;
    let asked = Asked::new(&arguments.subject, given)?;
    let mut base = asked.options()?;
    let subject = read_subject(&asked.sources, &base, Keep::Whole, arguments.to.volume.quiet)?;
    let case = Case::of_study(&base, &subject);
    let said = idle(|name| given.choices.has(name), &[case]);
    base.make_room_for(&subject);
    let network = asked.options.network.read()?;
    let study = grid(&base, &layers, &arguments.ratios);
    let scene = arguments.subject.scene.as_deref();
    let made = Made { asked: &asked, scene, subject: &subject, network: &network };
    run_study(&study, made, &arguments.to, &said, interrupt)
}
