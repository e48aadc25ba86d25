//! `impasto batch`: many pictures, each as `transfer` would paint it, in one process or in many that share a folder of state.
//!
//! | part | file |
//! |---|---|
//! | from patterns or a manifest to jobs | `jobs.rs`, `row.rs` |
//! | what all will take: pixels, memory, time | `estimate.rs`, `dry_run.rs` |
//! | how many work at once, and what each may use | `shares.rs` |
//! | what jobs have in common: networks, Gram matrices of paintings | `material.rs`, `targets.rs` |
//! | the next job is read while one is painted | `reader.rs` |
//! | a job that was read becomes a picture | `painter.rs`, `strip.rs` |
//! | all of these at once, what is said, how it ends | `work.rs`, `display.rs`, `ending.rs` |

mod display;
mod dry_run;
mod ending;
mod estimate;
mod jobs;
mod material;
mod painter;
mod reader;
mod row;
mod shares;
mod strip;
mod targets;
mod work;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use impasto_batch::{Shard, Template};
use impasto_style::picture::Written;

use crate::duration::parse_duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::options::OptionArguments;
use crate::progress::Volume;
use crate::written::WrittenArguments;
use jobs::Jobs;

/// For the end of `--help`.
const EXIT_CODES: &str = "\
Exit codes:
  0    all pictures are there
  1    some failed, or --time-limit ended it before
  2    wrong use
  129, 130, 143, 152    stopped by SIGHUP, SIGINT, SIGTERM or SIGXCPU, with a checkpoint of every running job";

/// For the end of `--help`.
const EXAMPLES: &str = "\
Examples:
  impasto batch --content 'photos/*.jpg' --style 'styles/*.jpg' -o 'out/{content}-{style}.png' --size 512
  impasto batch jobs.jsonl --dry-run
  impasto batch jobs.toml --state /scratch/state --shard 0/4

A row of a manifest is a job: JSON lines such as
  {\"content\": \"a.jpg\", \"style\": [\"x.jpg\", \"y.jpg\"], \"blend\": [3, 1], \"output\": \"out/a.png\"}
or in a file named *.toml a table [[jobs]] with the same names: content, style, mask, style-mask, keep, content-mask, regions, scene, output,
print, weights, preprocess, preset, and any option of transfer. Paths are from the manifest's folder. Options of the command line count where a row says nothing.";

/// Paint pairs of photos and paintings, or the rows of a manifest
///
/// The same command again goes on where it was stopped: a finished picture is skipped as long as its inputs and options are the same, an
/// unfinished one goes on from its checkpoint, a failed one is tried again. Any number of processes may work at one batch.
#[derive(Debug, Args)]
#[command(args_override_self = true, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
#[command(after_help = "`impasto batch --help` says more.")]
pub(crate) struct Arguments {
    /// The jobs: JSON lines, or TOML if its name ends so; - is JSON lines from standard input
    #[arg(value_name = "MANIFEST", required_unless_present = "content", conflicts_with_all = ["content", "style"])]
    manifest: Option<PathBuf>,

    /// Photos: files, folders, or patterns such as 'photos/**/*.jpg'
    #[arg(long, value_name = "PATTERN", num_args = 1.., requires = "style")]
    content: Vec<String>,

    /// Paintings, in the style of each of which each photo is painted
    #[arg(long, value_name = "PATTERN", num_args = 1.., requires = "content")]
    style: Vec<String>,

    /// The picture of each pair, such as out/{content}-{style}.png; {content-folder} and {style-folder} are the names of the folders that the
    /// files are in. Folders are made. Of a manifest: the picture of a row that does not say its own
    #[arg(short, long, value_name = "OUT", help_heading = "Output", required_unless_present = "manifest")]
    output: Option<String>,

    #[command(flatten)]
    written: WrittenArguments,

    /// What settings say of it.
    #[arg(skip)]
    pub(crate) usual: Written,

    /// Write pictures that do not say what made them
    #[arg(long, id = "no-metadata", help_heading = "Output")]
    pub(crate) no_metadata: bool,

    /// Add the losses of every iteration of every job to a file, as JSON lines
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    log: Option<PathBuf>,

    /// Show the jobs with their pixels, memory and time, after a second of measurement, and paint nothing
    #[arg(long, help_heading = "Output")]
    dry_run: bool,

    #[command(flatten)]
    pub(crate) volume: Volume,

    #[command(flatten)]
    pub(crate) options: OptionArguments,

    /// The folder that knows what is done and what is at work: job files, claims, checkpoints, report.html [default: batch-state beside the
    /// pictures]
    #[arg(long, value_name = "DIR", help_heading = "Batch")]
    state: Option<PathBuf>,

    /// Do the I-th of N parts of the jobs, counted from 0: for arrays of Slurm and indexed jobs of Kubernetes
    #[arg(long, value_name = "I/N", help_heading = "Batch")]
    shard: Option<Shard>,

    /// Try a job that fails so often again. The next call tries it again in any case
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Batch")]
    retries: u32,

    /// Paint so many pictures at once, with a part of the threads and of the memory limit each; fewer where that is too little memory
    /// [default: one for each thread up to 1024 pixels, else one]
    #[arg(long, value_name = "J", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Machine")]
    jobs: Option<u16>,

    /// End after that time, such as 90s, 10m or 1h30m, with a checkpoint of every running job
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Machine")]
    time_limit: Option<Duration>,
}

impl Arguments {
    /// Where outputs go that no row names.
    fn template(&self) -> Result<Option<Template>, Failure> {
        self.output.as_deref().map(Template::parse).transpose().map_err(Failure::wrong_use)
    }
}

pub(crate) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let jobs = Jobs::plan(arguments)?;
    if arguments.dry_run {
        return dry_run::show(&jobs, arguments);
    }
    work::run(jobs, arguments, interrupt)
}
