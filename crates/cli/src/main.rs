//! The command line of impasto: one file a command.
#![forbid(unsafe_code)]
// Both panic when nobody listens.
#![deny(clippy::print_stderr, clippy::print_stdout)]

mod bench;
mod checkpoint;
mod duration;
mod explain;
mod failure;
mod gradcheck;
mod grid;
mod inputs;
mod interrupt;
mod log;
mod network;
mod options;
mod output;
mod pace;
mod pictures;
mod plan_table;
mod presets;
mod progress;
mod reconstruct;
mod signals;
mod streams;
mod study;
mod sweep;
mod threads;
mod times;
mod transfer;
mod weights;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// For the end of `--help`.
const EXIT_CODES: &str = "\
Exit codes:
  0    done, or ended by --time-limit with a picture
  1    failed, or ended by --time-limit before there was a picture
  2    wrong use
  129  stopped by SIGHUP
  130  stopped by SIGINT, which is Ctrl-C
  143  stopped by SIGTERM
  152  stopped by SIGXCPU, the soft limit on processor time";

/// Paints a photograph in the style of a painting (Gatys, Ecker and Bethge, 2015), on the CPU.
#[derive(Debug, Parser)]
#[command(name = "impasto", version, propagate_version = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Threads to compute with, at most 1024 [default: the processors that affinity and quota leave]. The picture does not
    /// depend on it
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    #[arg(help_heading = "Machine")]
    threads: Option<u16>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bench(bench::Arguments),
    Transfer(Box<transfer::Arguments>),
    Reconstruct(Box<reconstruct::Arguments>),
    Grid(Box<grid::Arguments>),
    Sweep(Box<sweep::Arguments>),
    Gradcheck(Box<gradcheck::Arguments>),
    Explain(Box<explain::Arguments>),
    Weights(weights::Arguments),
}

fn main() -> ExitCode {
    times::begin();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return streams::show_usage(&error),
    };
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            streams::tell(&format!("Error: {failure}"));
            failure.exit_code()
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let interrupt = Interrupt::default();
    signals::listen(interrupt.clone())?;
    let pool = threads::pool(cli.threads, cli.command.is_quiet())?;
    pool.install(|| cli.command.run(&interrupt))?;
    streams::flush()
}

impl Command {
    fn run(&self, interrupt: &Interrupt) -> Result<(), Failure> {
        match self {
            Self::Bench(arguments) => bench::run(arguments),
            Self::Transfer(arguments) => transfer::run(arguments, interrupt),
            Self::Reconstruct(arguments) => reconstruct::run(arguments, interrupt),
            Self::Grid(arguments) => grid::run(arguments, interrupt),
            Self::Sweep(arguments) => sweep::run(arguments, interrupt),
            Self::Gradcheck(arguments) => gradcheck::run(arguments),
            Self::Explain(arguments) => explain::run(arguments, interrupt),
            Self::Weights(arguments) => weights::run(arguments),
        }
    }

    /// Whether it says nothing but errors.
    fn is_quiet(&self) -> bool {
        match self {
            Self::Transfer(arguments) => arguments.volume.quiet,
            Self::Reconstruct(arguments) => arguments.to.volume.quiet,
            Self::Grid(arguments) => arguments.to.volume.quiet,
            Self::Sweep(arguments) => arguments.to.volume.quiet,
            Self::Explain(arguments) => arguments.volume.quiet,
            Self::Bench(_) | Self::Gradcheck(_) | Self::Weights(_) => false,
        }
    }
}
