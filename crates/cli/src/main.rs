//! The program `impasto`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    impasto_cli::main()
}
