//! `impasto explain`: a transfer, and a page that shows what happened in it.

use std::path::PathBuf;

use clap::Args;
use impasto_study::explain::{ExplainError, explain};
use impasto_style::picture::{check_folder, write_atomically};
use impasto_style::{PreparedNetwork, StopReason};

use crate::failure::Failure;
use crate::interrupt;
use crate::options::OptionArguments;
use crate::pictures::Pair;
use crate::progress::Display;

/// Paint CONTENT in the style of STYLE, and explain the run: one HTML file with pictures, curves, Gram matrices, feature maps
///
/// The page needs nothing from the network and opens in any browser, on a phone and in print.
///
/// Example:
///
///   impasto explain photo.jpg painting.jpg -o report.html --size 256
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pictures: Pair,

    /// The page to write
    #[arg(short, long, value_name = "HTML", help_heading = "Output")]
    output: PathBuf,

    /// Say nothing but errors
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    #[command(flatten)]
    options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut options = arguments.options.options()?;
    check_folder(&arguments.output)?;
    let subject = arguments.pictures.read(&options, arguments.quiet)?;
    options.make_room_for(&subject);
    let reading = options.reading(0);
    options.init = options.init.read(&reading)?;
    let network = PreparedNetwork::new(arguments.options.network.read()?, &options)?;
    interrupt::listen()?;
    let display = Display::new(arguments.quiet);
    let result = explain(&network, &subject, &options, |event| display.show(event));
    display.finish();
    let (painting, html) = result.map_err(|error| match error {
        ExplainError::Transfer(error) => error.into(),
        other => Failure::failed(other),
    })?;
    write_atomically(&arguments.output, html.as_bytes())?;
    let name = arguments.output.display();
    if painting.reason == StopReason::Cancelled {
        return Err(Failure::interrupted(format!("stopped; the page so far is in {name}")));
    }
    display
        .say(&format!("Wrote {name}: loss {:.4e} after {} iterations", painting.loss, painting.iterations));
    Ok(())
}
