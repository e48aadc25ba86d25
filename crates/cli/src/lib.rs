//! The command line of impasto: one file a command. The program calls [`main`]; whoever wants to paint from Rust takes impasto-style.
#![forbid(unsafe_code)]
// Both panic when nobody listens.
#![deny(clippy::print_stderr, clippy::print_stdout)]

mod batch;
mod bench;
mod checkpoint;
mod duration;
mod explain;
mod failure;
mod features;
mod gradcheck;
mod grid;
mod help;
mod inputs;
mod intermediate;
mod interrupt;
mod log;
mod network;
mod neural_style;
mod notices;
mod options;
mod output;
mod pace;
mod paper;
mod parse;
mod pictures;
mod place;
mod plan_table;
mod presets;
mod progress;
mod reconstruct;
mod scene;
mod settings;
mod show;
mod signals;
mod sources;
mod streams;
mod study;
mod sweep;
mod threads;
mod times;
mod transfer;
mod warnings;
mod weights;
mod written;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::options::OptionArguments;
use crate::parse::CommandLine;
use crate::progress::Volume;
use crate::settings::{Settings, SettingsArguments};

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

/// Paint a photograph in the style of a painting (Gatys, Ecker and Bethge, 2015), on the CPU
#[derive(Debug, Parser)]
#[command(name = "impasto", bin_name = "impasto", version, propagate_version = true)]
#[command(after_help = format!("`impasto COMMAND --help` says more of each.\n\n{EXIT_CODES}"))]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Threads to compute with, at most 1024 [default: the processors that affinity and quota leave]. The picture does not
    /// depend on it
    #[arg(short = 'j', long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    #[arg(help_heading = "Machine")]
    threads: Option<u16>,

    #[command(flatten)]
    settings: SettingsArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    Transfer(Box<transfer::Arguments>),
    Batch(Box<batch::Arguments>),
    Reconstruct(Box<reconstruct::Arguments>),
    Grid(Box<grid::Arguments>),
    Sweep(Box<sweep::Arguments>),
    Explain(Box<explain::Arguments>),
    Gradcheck(Box<gradcheck::Arguments>),
    Features(Box<features::Arguments>),
    Show(show::Arguments),
    Weights(weights::Arguments),
    Bench(bench::Arguments),
}

/// What the program does: arguments in, a message on standard error if there is something to say, the exit code out.
pub fn main() -> ExitCode {
    times::begin();
    let line = match parse::parse(std::env::args_os()) {
        Ok(line) => line,
        Err(error) => return streams::show_usage(&error),
    };
    match run(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            streams::tell(&format!("Error: {failure}"));
            failure.exit_code()
        }
    }
}

fn run(CommandLine { mut cli, offered, described }: CommandLine) -> Result<(), Failure> {
    let interrupt = Interrupt::default();
    signals::listen(interrupt.clone())?;
    let settings = match cli.settings.read() {
        // What is wrong there is no matter of a command without options of the table.
        Err(failure) if cli.command.options().is_none() && !cli.settings.are_named() => {
            streams::warn(cli.command.is_quiet(), &format!("{failure}; no settings are heeded"));
            Settings::default()
        }
        read => read?,
    };
    // The table of gradcheck is what it was asked for: it goes away only where the command itself says so.
    let heeds = |name: &str| name != "quiet" || !matches!(cli.command, Command::Gradcheck(_));
    let settings =
        settings.heeded(|name| offered.iter().any(|offer| offer == name) && heeds(name), described);
    cli.heed(&settings);
    let pool = threads::pool(cli.threads, cli.command.is_quiet())?;
    pool.install(|| cli.command.run(&interrupt))?;
    streams::flush()
}

impl Cli {
    /// Takes settings where nothing else was given, and says so.
    fn heed(&mut self, settings: &Settings) {
        self.threads = self.threads.or(settings.threads);
        if let Some(options) = self.command.options() {
            options.heed(settings);
        }
        if let Command::Transfer(arguments) = &mut self.command {
            arguments.usual.clone_from(&settings.written);
            arguments.no_metadata |= settings.no_metadata;
        }
        if let Command::Batch(arguments) = &mut self.command {
            arguments.usual.clone_from(&settings.written);
            arguments.no_metadata |= settings.no_metadata;
        }
        if let Some(volume) = self.command.volume() {
            volume.quiet |= settings.quiet && !volume.verbose;
        }
        if let Command::Features(arguments) = &mut self.command {
            arguments.quiet |= settings.quiet;
        }
        if let Some(said) = settings.said().filter(|_| !self.command.is_quiet()) {
            streams::tell(&said);
        }
    }
}

impl Command {
    fn run(&self, interrupt: &Interrupt) -> Result<(), Failure> {
        match self {
            Self::Transfer(arguments) => transfer::run(arguments, interrupt),
            Self::Batch(arguments) => batch::run(arguments, interrupt),
            Self::Reconstruct(arguments) => reconstruct::run(arguments, interrupt),
            Self::Grid(arguments) => grid::run(arguments, interrupt),
            Self::Sweep(arguments) => sweep::run(arguments, interrupt),
            Self::Explain(arguments) => explain::run(arguments, interrupt),
            Self::Gradcheck(arguments) => gradcheck::run(arguments),
            Self::Features(arguments) => features::run(arguments, interrupt),
            Self::Show(arguments) => show::run(arguments),
            Self::Weights(arguments) => weights::run(arguments),
            Self::Bench(arguments) => bench::run(arguments),
        }
    }

    /// The options of the table, where the command has them.
    fn options(&mut self) -> Option<&mut OptionArguments> {
        match self {
            Self::Transfer(arguments) => Some(&mut arguments.options),
            Self::Batch(arguments) => Some(&mut arguments.options),
            Self::Reconstruct(arguments) => Some(&mut arguments.options),
            Self::Grid(arguments) => Some(&mut arguments.options),
            Self::Sweep(arguments) => Some(&mut arguments.options),
            Self::Explain(arguments) => Some(&mut arguments.options),
            Self::Gradcheck(arguments) => Some(&mut arguments.options),
            Self::Features(arguments) => Some(&mut arguments.options),
            Self::Show(_) | Self::Weights(_) | Self::Bench(_) => None,
        }
    }

    /// How much it says, where that can be chosen.
    fn volume(&mut self) -> Option<&mut Volume> {
        match self {
            Self::Transfer(arguments) => Some(&mut arguments.volume),
            Self::Batch(arguments) => Some(&mut arguments.volume),
            Self::Reconstruct(arguments) => Some(&mut arguments.to.volume),
            Self::Grid(arguments) => Some(&mut arguments.to.volume),
            Self::Sweep(arguments) => Some(&mut arguments.to.volume),
            Self::Explain(arguments) => Some(&mut arguments.volume),
            Self::Gradcheck(_) | Self::Features(_) | Self::Show(_) | Self::Weights(_) | Self::Bench(_) => {
                None
            }
        }
    }

    /// Whether it says nothing but errors.
    fn is_quiet(&mut self) -> bool {
        match self {
            Self::Features(arguments) => arguments.quiet,
            Self::Gradcheck(arguments) => arguments.quiet,
            _ => self.volume().is_some_and(|volume| volume.quiet),
        }
    }
}
