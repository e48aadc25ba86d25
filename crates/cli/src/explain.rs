//! `impasto explain`: a transfer, and a page that shows what happened in it.

use std::path::PathBuf;

use clap::Args;
use impasto_files::{probe, write_or_keep};
use impasto_study::explain::{ExplainError, explain};
use impasto_style::picture::Encoding;
use impasto_style::{PreparedNetwork, StopReason};

use crate::failure::Failure;
use crate::inputs::Inputs;
use crate::interrupt::Interrupt;
use crate::options::OptionArguments;
use crate::pictures::Pair;
use crate::progress::{Display, Volume};

/// Paint CONTENT in the style of STYLE, and explain the run: one HTML file with pictures, curves, Gram matrices, feature maps
///
/// The page needs nothing from the network and opens in any browser, on a phone and in print. When the run is stopped, by
/// Ctrl-C, TERM or HUP, it is written as far as the run came.
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

    #[command(flatten)]
    pub(crate) volume: Volume,

    #[command(flatten)]
    options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let mut options = arguments.options.options()?;
    let mut display = Display::new(arguments.volume, &arguments.output.display().to_string());
    probe(&arguments.output, 0)?;
    let inputs = Inputs::new(&arguments.pictures.files(), &options.init, &arguments.options.network);
    inputs.keep_apart(&[("-o", &arguments.output)])?;
    let subject = arguments.pictures.read(&options, arguments.volume.quiet)?;
    probe(
        &arguments.output,
        largest_page(subject.size(subject.longest_side(&options)), subject.photo().alpha().is_some()),
    )?;
    let reading = options.reading(subject.bytes());
    options.init = options.init.read(&reading)?;
    options.make_room_for(&subject);
    let network = PreparedNetwork::new(arguments.options.network.read()?, &options)?;
    let network = network.with_cancel(interrupt.cancel().clone());
    let result = explain(&network, &subject, &options, |event| {
        interrupt.heed(event);
        display.show(event);
        interrupt.flow()
    });
    display.finish();
    let (painting, html) = result.map_err(|error| match error {
        ExplainError::Transfer(error) => {
            interrupt.failure(error, "before the first iteration was done; there is no page")
        }
        other => Failure::failed(other),
    })?;
    write_or_keep(&arguments.output, |out| out.write_all(html.as_bytes()))?;
    let name = arguments.output.display();
    if let (StopReason::Cancelled, Some(cause)) = (painting.reason, interrupt.cause()) {
        let done = painting.iterations;
        let message = format!("stopped at iteration {done} by {cause}; the page so far is in {name}");
        return Err(Failure::stopped(cause, message));
    }
    let painted = display.painted(&painting);
    display.conclude(&format!("Wrote {name} after {} iterations: {painted}", painting.iterations));
    Ok(())
}

/// The most bytes of a page about a picture of H x W: six pictures of that size, in base64, and what is drawn of the layers.
fn largest_page((height, width): (usize, usize), alpha: bool) -> u64 {
    const LAYERS: u64 = 16 << 20;
    LAYERS + 6 * Encoding::Png.largest_bytes(height, width, alpha) * 4 / 3
}
