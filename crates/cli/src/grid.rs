//! `impasto grid`: the paper's Figure 3.

use clap::Args;
use impasto_study::study::{Material, grid};

use crate::failure::Failure;
use crate::options::{OptionArguments, Pair};
use crate::study::{STYLE_LAYERS, StudyOutput, figure_options, layer_names, run as run_study};

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
#[command(mut_arg("preset", |argument| argument.default_value("paper")))]
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
    to: StudyOutput,

    /// Of these, --size is 256, --iterations 200 and --loss-scale balanced unless given
    #[command(flatten)]
    options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let layers = layer_names(&arguments.layers)?;
    let given = &arguments.options;
    if given.style_layers.is_some() || given.content_weight.is_some() || given.style_weight.is_some() {
        return Err(Failure::wrong_use("the grid varies these itself: use --layers and --ratios"));
    }
    let mut base = figure_options(given)?;
    base.loss_scale = given.loss_scale.unwrap_or(impasto_style::LossScale::Balanced);
    let (content, style) = arguments.pictures.read(arguments.to.quiet)?;
    let network = given.network()?;
    let study = grid(&base, &layers, &arguments.ratios);
    let material = Material { content: &content, style: &style, network: &network };
    run_study(&study, material, &arguments.to)
}
