//! The command line of impasto: one file a command.
#![forbid(unsafe_code)]

mod bench;
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
mod pictures;
mod presets;
mod progress;
mod reconstruct;
mod study;
mod sweep;
mod transfer;
mod weights;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// Paints a photograph in the style of a painting (Gatys, Ecker and Bethge, 2015), on the CPU.
#[derive(Debug, Parser)]
#[command(name = "impasto", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Threads to compute with [default: all cores]. The picture does not depend on it
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
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("Error: {failure}");
            failure.exit_code()
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    if let Some(threads) = cli.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()
            .map_err(|error| Failure::failed(format!("cannot start {threads} threads: {error}")))?;
    }
    match &cli.command {
        Command::Bench(arguments) => bench::run(arguments),
        Command::Transfer(arguments) => transfer::run(arguments),
        Command::Reconstruct(arguments) => reconstruct::run(arguments),
        Command::Grid(arguments) => grid::run(arguments),
        Command::Sweep(arguments) => sweep::run(arguments),
        Command::Gradcheck(arguments) => gradcheck::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Weights(arguments) => weights::run(arguments),
    }
}
