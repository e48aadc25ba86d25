//! `impasto grid`: the paper's Figure 3.

use clap::Args;
use impasto_study::study::{GRID_DEFAULTS, Material, grid};

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::options::{OptionArguments, with_defaults};
use crate::pictures::Pair;
use crate::study::{STYLE_LAYERS, StudyOutput, layer_names, run as run_study};

/// See how layers and weights trade photo for painting: a table of transfers (the paper's Figure 3)
///
/// Rows are growing sets of style layers, columns values of alpha/beta; each picture starts from white noise. Pictures
/// and a labelled sheet go to the folder of -o. What is finished is kept: the same command goes on from there.
///
/// Example:
///
///   impasto grid photo.jpg painting.jpg -o grid
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
#[command(mut_args(with_defaults(&GRID_DEFAULTS)))]
pub(crate) struct Arguments {
    #[command(flatten)]
    pictures: Pair,

    /// The style layers; a row has the first one, the next one the first two, and so on
    #[arg(long, value_name = "LAYERS", default_value = STYLE_LAYERS)]
    layers: String,

    /// Values of alpha/beta
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1e-5,1e-4,1e-3,1e-2")]
    ratios: Vec<f64>,

    #[command(flatten)]
    pub(crate) to: StudyOutput,

    #[command(flatten)]
    options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let layers = layer_names(&arguments.layers)?;
    let given = &arguments.options;
    if ["style-layers", "content-weight", "style-weight"].iter().any(|name| given.choices.has(name)) {
        return Err(Failure::wrong_use("the grid varies these itself: use --layers and --ratios"));
    }
    let mut base = given.options()?;
    let subject = arguments.pictures.read(&base, arguments.to.volume.quiet)?;
    base.make_room_for(&subject);
    let network = given.network.read()?;
    let study = grid(&base, &layers, &arguments.ratios);
    let paths = arguments.pictures.paths(&given.network);
    let material = Material { subject: &subject, network: &network, paths, cancel: interrupt.cancel() };
    run_study(&study, material, &arguments.to, interrupt)
}
