//! `impasto explain`: a transfer, and a page that shows what happened in it.

use std::path::PathBuf;

use clap::Args;
use impasto_study::Origin;
use impasto_study::dump::{Dump, DumpError};
use impasto_study::explain::{ExplainError, explain};
use impasto_style::picture::{Encoding, Writing};
use impasto_style::{Cancel, PreparedNetwork, StopReason};

use crate::failure::{Failure, with_dashes};
use crate::features::command_line;
use crate::inputs::Inputs;
use crate::interrupt::Interrupt;
use crate::notices::notices;
use crate::options::OptionArguments;
use crate::pictures::{Keep, SubjectArguments, read_subject};
use crate::place::{Kind, Place};
use crate::progress::{Display, Volume, painted};
use crate::scene::Asked;
use crate::sources::counted;
use crate::warnings::{Case, idle};

/// For the end of `--help`.
const EXAMPLES: &str = "Example:\n  impasto explain photo.jpg painting.jpg -o report.html --size 256";

/// Paint, and write a page that shows what happened in the run
///
/// It is one HTML file with pictures, curves, Gram matrices and feature maps. It needs nothing from the network and opens in any
/// browser, on a phone and in print. When the run is stopped, by Ctrl-C, TERM or HUP, it is written as far as the run came.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,

    /// The page to write, or - for standard output
    #[arg(short, long, value_name = "HTML", help_heading = "Output")]
    output: PathBuf,

    /// Also write the numbers of the picture to a folder, new or empty: responses, Gram matrices, gradients, as .npy arrays for
    /// NumPy, and a manifest.json that says what each is
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    dump: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) volume: Volume,

    #[command(flatten)]
    pub(crate) options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let asked = Asked::new(&arguments.subject, &arguments.options)?;
    let mut options = asked.options()?;
    let output = Place::new(&arguments.output, Kind::Data("a page"))?;
    let mut display = Display::new(arguments.volume, &output.name());
    let files = asked.files(arguments.subject.scene.as_deref());
    let inputs = Inputs::new(&files, &options.init, &asked.options.network);
    inputs.keep_apart(&[("-o", &arguments.output)])?;
    let subject = read_subject(&asked.sources, &options, Keep::Whole, arguments.volume.quiet)?;
    let given = |name: &str| arguments.options.choices.has(name);
    let mut said = idle(given, &[Case::of_study(&options, &subject)]);
    let size = subject.size(subject.longest_side(&options));
    output.reserve(largest_page(size, subject.photo().alpha().is_some()))?;
    let reading = options.reading(subject.bytes());
    options.init = options.init.read(&reading)?;
    said.extend(notices(&subject, &options, asked.sources.names()));
    options.make_room_for(&subject);
    let weights = asked.options.network.read()?;
    let network = PreparedNetwork::new(weights.clone(), &options)?;
    let network = network.with_cancel(interrupt.cancel().clone());
    let origin = Origin { command: command_line(), inputs: asked.inputs(&subject, &weights) };
    // A run that was given up is written all the same.
    let prepared = &network.with_cancel(Cancel::default());
    let dump = Dump { network: &weights, prepared, subject: &subject, options: &options, origin: &origin };
    arguments.dump.as_deref().map_or(Ok(()), |folder| dump.check(folder)).map_err(dump_failure)?;
    let result = explain(&network, &subject, &options, |event| {
        interrupt.heed(event);
        said.drain(..).for_each(|line| display.say(&line));
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
    output.write_or_keep(("the page", ".html"), |out| out.write_all(html.as_bytes()))?;
    let name = output.name();
    let dumped = arguments.dump.as_deref().map(|folder| dump.write(folder, &painting.picture, painting.iterations));
    dumped.transpose().map_err(dump_failure)?;
    if let (StopReason::Cancelled, Some(cause)) = (painting.reason, interrupt.cause()) {
        let done = painting.iterations;
        let message = format!("stopped at iteration {done} by {cause}; the page so far is in {name}");
        return Err(Failure::stopped(cause, message));
    }
    let painted = painted(&painting);
    let numbers = arguments.dump.as_deref().map_or_else(String::new, |folder| format!(" and {}", folder.display()));
    let iterations = counted(painting.iterations, "iteration");
    display.conclude(&format!("Wrote {name}{numbers} after {iterations}: {painted}"));
    Ok(())
}

/// Why there are no numbers.
fn dump_failure(error: DumpError) -> Failure {
    match error {
        DumpError::Transfer(error) => error.into(),
        DumpError::File(error) => error.into(),
        DumpError::Taken { .. } => Failure::wrong_use(format!("--dump: {error}")),
        error => Failure::failed(with_dashes(&format!("--dump: {error}"))),
    }
}

/// The most bytes of a page about a picture of H x W: six pictures of that size, in base64, and what is drawn of the layers.
fn largest_page((height, width): (usize, usize), alpha: bool) -> u64 {
    const LAYERS: u64 = 16 << 20;
    LAYERS + 6 * Writing::from(Encoding::Png).largest_bytes(height, width, alpha) * 4 / 3
}
