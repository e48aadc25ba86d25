//! `impasto transfer`: a photo, paintings, one picture.

mod run;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use impasto_style::picture::Written;
use impasto_style::{Paper, PreparedNetwork, Said, Sheet, transfer_with};

use self::run::Run;
use crate::EXIT_CODES;
use crate::checkpoint::{CheckpointArguments, Given, Job};
use crate::duration::parse_duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::notices::notices;
use crate::options::OptionArguments;
use crate::paper::{check_sides, parse_paper};
use crate::pictures::{SubjectArguments, read_subject_for};
use crate::presets::preset_table;
use crate::progress::Volume;
use crate::scene::{self, Asked};
use crate::sources::Sources;
use crate::warnings::{Case, idle};
use crate::written::WrittenArguments;

/// For the end of `--help`.
const EXAMPLES: &str = "\
Examples:
  impasto transfer photo.jpg painting.jpg -o out.png
  impasto transfer photo.jpg painting.jpg -o out.png --size 1024 --style-weight 3
  impasto transfer photo.jpg sky.jpg ground.jpg --mask sky-mask.png,- -o out.png
  impasto transfer photo.jpg a.jpg b.jpg --blend 3,1 -o out.png
  impasto transfer photo.jpg painting.jpg --keep face.png --colours photo -o out.png
  impasto transfer photo.jpg painting.jpg -o - --quiet > out.png
  impasto transfer photo.jpg painting.jpg -o out.tif --print A4 --profile keep
  impasto transfer photo.jpg painting.jpg -o out.png --checkpoint out.run
  impasto transfer --resume out.run --iterations 800
  ssh camera cat photo.jpg | impasto transfer - painting.jpg -o out.png";

/// Paint CONTENT in the style of STYLE
///
/// Pictures may be JPEG, PNG, WebP, TIFF, BMP or GIF. Ctrl-C, TERM and HUP end the run within a moment and write the picture so
/// far; a second one ends the program at once. USR1 writes the picture as it is and goes on.
#[derive(Debug, Args)]
#[command(args_override_self = true, after_long_help = format!("{}\n{EXAMPLES}\n\n{EXIT_CODES}", preset_table()))]
#[command(after_help = "`impasto transfer --help` says more, and what the presets are.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,

    /// Print the scene that this command means, for --scene, and paint nothing
    #[arg(long, conflicts_with = "resume", help_heading = "Scene")]
    print_scene: bool,

    /// The picture to write: PNG, JPEG, WebP or TIFF by its extension, or - for a PNG on standard output
    #[arg(short, long, value_name = "OUT", help_heading = "Output", required_unless_present_any = ["resume", "print_scene"])]
    output: Option<PathBuf>,

    #[command(flatten)]
    written: WrittenArguments,

    /// What settings say of it: where that has no effect, nobody asked for one.
    #[arg(skip)]
    pub(crate) usual: Written,

    /// Make the picture as large as fits on paper, turned as the photo is, at --dpi or 300 pixels to the inch: A0 to A6, Letter,
    /// Legal or Tabloid
    #[arg(long, value_name = "PAPER", value_parser = parse_paper, conflicts_with = "size", help_heading = "Output")]
    print: Option<Paper>,

    /// Write pictures that do not say what made them: neither version and options nor names and hashes of the inputs
    #[arg(long, id = "no-metadata", help_heading = "Output")]
    pub(crate) no_metadata: bool,

    /// Also write a picture every N iterations, with the iteration in its name
    #[arg(long, value_name = "N", help_heading = "Output")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    save_every: Option<u64>,

    /// Write the losses of every iteration to a file, as JSON lines
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    log: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) volume: Volume,

    #[command(flatten)]
    pub(crate) options: OptionArguments,

    /// End after that time of painting, such as 90s, 10m or 1h30m, with the picture so far
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Machine")]
    time_limit: Option<Duration>,

    #[command(flatten)]
    checkpoint: CheckpointArguments,
}

impl Arguments {
    /// Whether an option was given.
    fn gives(&self, name: &str) -> bool {
        match name {
            "save-every" => self.save_every.is_some(),
            name => self.written.written().get(name).is_some() || self.options.choices.has(name),
        }
    }

    fn given(&self, sources: Sources) -> Given {
        let written = self.written.written();
        Given {
            sources,
            output: self.output.clone(),
            written: Written { dpi: written.dpi.or(self.sheet().map(|sheet| sheet.dpi)), ..written },
            usual: self.usual.clone(),
            save_every: self.save_every,
            log: self.log.clone(),
            no_metadata: self.no_metadata,
        }
    }

    /// The paper to print on.
    fn sheet(&self) -> Option<Sheet> {
        let dpi = self.written.written().dpi.or(self.usual.dpi).unwrap_or(300);
        self.print.map(|paper| Sheet { paper, dpi })
    }

    /// The options, with the size of the paper to print on.
    fn sized(&self) -> Result<OptionArguments, Failure> {
        let mut options = self.options.clone();
        if let Some(sheet) = self.sheet() {
            check_sides(sheet)?;
            options.choices.set("size", &sheet.to_string())?;
        }
        Ok(options)
    }
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let asked = Asked::new(&arguments.subject, &arguments.sized()?)?;
    if arguments.print_scene {
        return scene::print(&asked.sources, &asked.options()?, &asked.options.network);
    }
    let checkpoint = arguments.checkpoint.open()?;
    let given = arguments.given(asked.sources);
    let job = Job::new(&given, &asked.options, &arguments.checkpoint, checkpoint.as_ref())?;
    let chosen = checkpoint.as_ref().and_then(|_| job.chosen_places(&given));
    let mut run = Run::new(arguments, &job, chosen, interrupt)?;
    let (mut options, quiet) = (job.options.clone(), arguments.volume.quiet);
    let subject;
    (subject, run.output) = read_subject_for(run.output, (&job.sources, &job.written), &options, quiet)?;
    let case = Case {
        writing: run.output.writing(),
        save_every: job.save_every,
        ..Case::of_study(&job.options, &subject)
    };
    run.notices = idle(|name| arguments.gives(name), &[case]);
    if checkpoint.is_none() {
        let reading = options.reading(subject.bytes());
        options.init = options.init.read(&reading)?;
    }
    run.notices.extend(notices(&subject, &options, job.sources.names()));
    options.make_room_for(&subject);
    let network = job.network.read()?;
    // It hashes the inputs, the network among them.
    let record = (!job.no_metadata || arguments.checkpoint.path().is_some())
        .then(|| job.record((&subject, job.network_input(&network), &options.init), checkpoint.as_ref()));
    if let Some(record) = record.as_ref().filter(|_| !job.no_metadata) {
        let said = Said::new(job.provenance(record), &options, checkpoint.is_some());
        run.says(said.written(&job.written, run.output.writing().encoding));
    }
    run.reserve(subject.size(subject.longest_side(&options)))?;
    let going_on = arguments.checkpoint.run(&job, checkpoint, record)?;
    let network = PreparedNetwork::new(network, &options)?;
    let network = network.with_cancel(interrupt.cancel().clone());
    arguments.time_limit.map(|limit| interrupt.stop_in(limit)).transpose()?;
    let painting = transfer_with(&network, &subject, &options, going_on, |event| run.on_event(event));
    run.display.finish();
    match painting {
        Ok(painting) => run.conclude(&painting),
        Err(error) => Err(run.no_painting(error)),
    }
}
