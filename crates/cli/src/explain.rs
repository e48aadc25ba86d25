//! `impasto explain`: a transfer, and a page that shows what happened in it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use impasto_study::Origin;
use impasto_study::dump::{Dump, DumpError};
use impasto_study::explain::{ExplainError, explain};
use impasto_style::picture::{Encoding, Writing, Written};
use impasto_style::{Cancel, Event, PreparedNetwork, Progress, StopReason};

use crate::failure::{Failure, with_dashes};
use crate::features::command_line;
use crate::inputs::Inputs;
use crate::intermediate::Intermediate;
use crate::interrupt::Interrupt;
use crate::log::Logged;
use crate::notices::notices;
use crate::options::OptionArguments;
use crate::output::Output;
use crate::pictures::{Keep, SubjectArguments, read_subject};
use crate::place::{Kind, Place, is_standard};
use crate::progress::{Display, Volume, painted};
use crate::scene::Asked;
use crate::sources::counted;
use crate::warnings::{Case, idle, without_effect};

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

    /// Also write the picture: PNG, JPEG, WebP or TIFF by its extension
    #[arg(long, value_name = "OUT", help_heading = "Output")]
    picture: Option<PathBuf>,

    /// Also write a picture every N iterations, beside that of --picture, with the iteration in its name
    #[arg(long, value_name = "N", requires = "picture", help_heading = "Output")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    save_every: Option<u64>,

    /// Write the losses of every iteration to a file, as JSON lines
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    log: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) volume: Volume,

    #[command(flatten)]
    pub(crate) options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let asked = Asked::new(&arguments.subject, &arguments.options)?;
    let mut options = asked.options()?;
    let output = Place::new(&arguments.output, Kind::Data("a page"))?;
    let display = Display::new(arguments.volume, &output.name());
    let files = asked.files(arguments.subject.scene.as_deref());
    let inputs = Inputs::new(&files, &options.init, &asked.options.network);
    inputs.keep_apart(&arguments.outputs())?;
    let mut beside = Beside::new(arguments, display, inputs)?;
    let subject = read_subject(&asked.sources, &options, Keep::Whole, arguments.volume.quiet)?;
    let alpha = subject.photo().alpha().is_some();
    beside.picture = beside.picture.map(|picture| picture.with_alpha(alpha, arguments.volume.quiet));
    let given = |name: &str| arguments.options.choices.has(name);
    let mut said = idle(given, &[Case::of_study(&options, &subject)]);
    let size = subject.size(subject.longest_side(&options));
    output.reserve(largest_page(size, alpha))?;
    beside.picture.as_ref().map_or(Ok(()), |picture| picture.reserve(size, None))?;
    let reading = options.reading(subject.bytes());
    options.init = options.init.read(&reading)?;
    said.extend(notices(&subject, &options, asked.sources.names()));
    options.make_room_for(&subject);
    let weights = asked.options.network.read()?;
    let origin = Origin {
        command: command_line(),
        inputs: asked.inputs(&subject, &weights),
        without_effect: without_effect(&[Case::of_study(&options, &subject)]),
    };
    // The numbers are computed by the network as it was read.
    let (whole, folder) = (arguments.dump.is_some().then(|| weights.clone()), arguments.dump.as_deref());
    let network = PreparedNetwork::new(weights, &options)?;
    // What a run that was given up came to is written all the same.
    let prepared = &network.with_cancel(Cancel::default());
    let dump = whole.as_ref().zip(folder).map(|(network, folder)| {
        (Dump { network, prepared, subject: &subject, options: &options, origin: &origin }, folder)
    });
    dump.map_or(Ok(()), |(dump, folder)| dump.check(folder)).map_err(dump_failure)?;
    let network = network.with_cancel(interrupt.cancel().clone());
    let result = explain(&network, &subject, &options, &origin, |event| {
        interrupt.heed(event);
        said.drain(..).for_each(|line| beside.display.say(&line));
        beside.display.show(event);
        beside.heed(event);
        if beside.cannot_start { ControlFlow::Break(()) } else { interrupt.flow() }
    });
    beside.display.finish();
    let (painting, html) = match result {
        Ok(explained) => explained,
        Err(ExplainError::Transfer(error)) => {
            let before = "before the first iteration was done; there is no page";
            return Err(beside.failure.unwrap_or_else(|| interrupt.failure(error, before)));
        }
        Err(other) => return Err(Failure::failed(other)),
    };
    beside.picture.as_ref().map_or(Ok(()), |picture| picture.write_or_keep(&painting.picture, None))?;
    output.write_or_keep(("the page", ".html"), |out| out.write_all(html.as_bytes()))?;
    let numbers = dump.map(|(dump, folder)| dump.write(folder, &painting.picture, painting.iterations));
    numbers.transpose().map_err(dump_failure)?;
    let name = output.name();
    if let (StopReason::Cancelled, Some(cause)) = (painting.reason, interrupt.cause()) {
        let done = painting.iterations;
        let message = format!("stopped at iteration {done} by {cause}; the page so far is in {name}");
        return Err(Failure::stopped(cause, message));
    }
    if let Some(failure) = beside.failure {
        return Err(Failure::failed(format!("{failure}; the page is in {name} all the same")));
    }
    let others = [arguments.picture.as_deref(), folder].into_iter().flatten();
    let name = others.fold(name, |names, path| format!("{names}, {}", path.display()));
    let (iterations, painted) = (counted(painting.iterations, "iteration"), painted(&painting));
    beside.display.conclude(&format!("Wrote {name} after {iterations}: {painted}"));
    Ok(())
}

impl Arguments {
    /// The files that are written, each with its option. Those of a dump are in a folder of their own.
    fn outputs(&self) -> Vec<(&'static str, &Path)> {
        let files = [("--picture", &self.picture), ("--log", &self.log)];
        let files = files.into_iter().filter_map(|(name, path)| Some((name, path.as_deref()?)));
        std::iter::once(("-o", &*self.output)).chain(files).collect()
    }
}

/// What is shown and written while the picture is painted.
struct Beside {
    display: Display,
    log: Logged,
    picture: Option<Output>,
    intermediate: Option<Intermediate>,
    iterations: usize,
    /// Whether the first intermediate pictures have no place.
    cannot_start: bool,
    failure: Option<Failure>,
}

impl Beside {
    /// Checks the places.
    fn new(arguments: &Arguments, display: Display, mut taken: Inputs) -> Result<Self, Failure> {
        let picture =
            arguments.picture.as_deref().map(|path| Output::new(path, &Written::default())).transpose()?;
        let intermediate = picture.as_ref().zip(arguments.save_every);
        let intermediate =
            intermediate.map(|(picture, every)| Intermediate::beside(picture, every)).transpose()?;
        for (name, path) in arguments.outputs() {
            if !is_standard(path) {
                taken.push(name, path);
            }
        }
        let log = Logged::new(arguments.log.as_deref())?;
        Ok(Self {
            display,
            log,
            picture,
            intermediate: intermediate.map(|intermediate| intermediate.apart_from(taken)),
            iterations: 0,
            cannot_start: false,
            failure: None,
        })
    }

    fn heed(&mut self, event: Event<'_>) {
        match event {
            Event::Started(summary) => {
                self.iterations = summary.iterations;
                if let Err(failure) = self.check_first() {
                    (self.failure, self.cannot_start) = (Some(failure), true);
                }
            }
            Event::Iteration(progress) => {
                self.log.write(progress, None, &mut self.display);
                if let Some(failure) = self.log.failure.take() {
                    self.failure.get_or_insert(failure);
                }
                self.save(progress);
            }
            _ => {}
        }
    }

    /// Checks the place of the first intermediate picture.
    fn check_first(&self) -> Result<(), Failure> {
        let Some((picture, intermediate)) = self.pictures() else { return Ok(()) };
        let first = intermediate.first(picture, 0, self.iterations, 1);
        first.first().map_or(Ok(()), |place| intermediate.is_free(place))
    }

    /// The place of the last picture, and which others there are.
    fn pictures(&self) -> Option<(&Output, &Intermediate)> {
        self.picture.as_ref().zip(self.intermediate.as_ref())
    }

    /// The intermediate picture of an iteration. Painting goes on without one that cannot be written.
    fn save(&mut self, progress: &Progress<'_>) {
        if let (Err(failure), None) = (self.saved(progress), &self.failure) {
            self.display.goes_on_without(&failure);
            self.failure = Some(failure);
        }
    }

    fn saved(&self, progress: &Progress<'_>) -> Result<(), Failure> {
        let Some((picture, intermediate)) = self.pictures() else { return Ok(()) };
        match intermediate.due(picture, progress.iteration, self.iterations)? {
            Some(place) => place.write(&progress.picture()?, None),
            None => Ok(()),
        }
    }
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
