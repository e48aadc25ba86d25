//! The program `impasto`, for tests that run it.

use std::process::ExitCode;

fn main() -> ExitCode {
    impasto_cli::main()
}
