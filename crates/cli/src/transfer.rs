//! `impasto transfer`: one photo, one painting, one picture.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use impasto_style::{Event, Painting, PreparedNetwork, Progress, StopReason, transfer};

use crate::failure::Failure;
use crate::interrupt;
use crate::log::Log;
use crate::options::OptionArguments;
use crate::output::Output;
use crate::pictures::{Keep, read_subject};
use crate::presets::preset_table;
use crate::progress::Display;

/// Paint CONTENT in the style of STYLE
///
/// Pictures may be JPEG, PNG, WebP, TIFF, BMP or GIF. Ctrl-C finishes the iteration and writes the picture as it is.
///
/// Examples:
///
///   impasto transfer photo.jpg painting.jpg -o out.png
///
///   impasto transfer photo.jpg painting.jpg -o out.png --size 1024 --style-weight 3
///
///   impasto transfer photo.jpg painting.jpg -o - --quiet > out.png
///
///   ssh camera cat photo.jpg | impasto transfer - painting.jpg -o out.png
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, args_override_self = true, after_long_help = preset_table())]
#[command(after_help = "`impasto transfer --help` says more, and what the presets are.")]
pub(crate) struct Arguments {
    /// The picture whose scene is kept, or - for standard input
    content: PathBuf,

    /// The picture whose strokes and colours are taken, or - for standard input
    style: PathBuf,

    /// The picture to write: PNG, JPEG, WebP or TIFF by its extension, or - for a PNG on standard output
    #[arg(short, long, value_name = "OUT", help_heading = "Output")]
    output: PathBuf,

    /// Quality of a JPEG, 1 to 100
    #[arg(long, value_name = "Q", default_value_t = 95, help_heading = "Output")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,

    /// Also write a picture every N iterations, with the iteration in its name
    #[arg(long, value_name = "N", help_heading = "Output")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    save_every: Option<u64>,

    /// Write the losses of every iteration to a file, as JSON lines
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    log: Option<PathBuf>,

    /// Say nothing but errors
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    #[command(flatten)]
    options: OptionArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut options = arguments.options.options()?;
    let output = Output::new(&arguments.output, arguments.quality)?;
    if arguments.save_every.is_some() && output.numbered(1, 1).is_none() {
        return Err(Failure::wrong_use("--save-every needs a file to name its pictures after, not -"));
    }
    let pictures = [&*arguments.content, &*arguments.style];
    let subject = read_subject(pictures, &options, Keep::Shrunk, arguments.quiet)?;
    let reading = options.reading(subject.bytes());
    options.init = options.init.read(&reading)?;
    let network = PreparedNetwork::new(arguments.options.network.read()?, &options)?;
    let log = arguments.log.as_deref().map(Log::create).transpose()?;
    interrupt::listen()?;

    let mut run = Run {
        display: Display::new(arguments.quiet),
        output,
        log,
        save_every: arguments.save_every,
        iterations: 0,
        failure: None,
    };
    let painting = transfer(&network, &subject, &options, |event| run.on_event(event));
    run.display.finish();
    run.conclude(&painting?)
}

/// What happens beside the optimisation.
struct Run {
    display: Display,
    output: Output,
    log: Option<Log>,
    save_every: Option<u64>,
    iterations: usize,
    /// The first thing that went wrong with the log or an intermediate picture.
    failure: Option<Failure>,
}

impl Run {
    fn on_event(&mut self, event: Event<'_>) -> ControlFlow<()> {
        let shown = self.display.show(event);
        match event {
            Event::Started(summary) => self.iterations = summary.iterations,
            Event::Iteration(progress) => {
                if let Err(failure) = self.record(progress) {
                    self.failure = Some(failure);
                    return ControlFlow::Break(());
                }
            }
        }
        shown
    }

    /// The log line and the intermediate picture of an iteration.
    fn record(&mut self, progress: &Progress<'_>) -> Result<(), Failure> {
        if let Some(log) = &mut self.log {
            log.write(progress)?;
        }
        if self.save_every.is_some_and(|every| (progress.iteration as u64).is_multiple_of(every))
            && let Some(output) = self.output.numbered(progress.iteration, self.iterations)
        {
            output.write(&progress.picture()?)?;
        }
        Ok(())
    }

    /// Writes the picture, whatever ended the run, and says what that was.
    fn conclude(self, painting: &Painting) -> Result<(), Failure> {
        self.output.write(&painting.picture)?;
        let name = self.output.name();
        if let Some(failure) = self.failure {
            return Err(Failure::failed(format!("{failure}; the picture so far is in {name}")));
        }
        let done = format!("{} of {} iterations", painting.iterations, self.iterations);
        match painting.reason {
            StopReason::Cancelled => {
                Err(Failure::interrupted(format!("stopped after {done}; the picture so far is in {name}")))
            }
            StopReason::Iterations => {
                self.display.say(&format!(
                    "Wrote {name}: loss {:.4e} after {} iterations",
                    painting.loss, painting.iterations
                ));
                Ok(())
            }
            reason => {
                self.display.say(&format!(
                    "Wrote {name}: ended after {done} because {reason}, loss {:.4e}",
                    painting.loss
                ));
                Ok(())
            }
        }
    }
}
