//! Standard error and standard output, the only way to either. Neither may be there: the terminal was closed, the pipe's reader
//! has gone, the disk is full.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};

use crate::failure::Failure;

/// One line on standard error; nothing if it cannot be written: no picture is lost for want of somebody to tell.
pub(crate) fn tell(line: &str) {
    let _ = io::stderr().write_all((one_line(line) + "\n").as_bytes());
}

/// A warning on standard error, unless the command is quiet.
pub(crate) fn warn(quiet: bool, message: &str) {
    if !quiet {
        tell(&format!("Warning: {message}"));
    }
}

/// A line of a result on standard output.
pub(crate) fn put(line: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{line}").map_err(|error| no_output(&error))
}

/// All that was put is written, or it is an error.
pub(crate) fn flush() -> Result<(), Failure> {
    io::stdout().flush().map_err(|error| no_output(&error))
}

/// Whether standard output was closed when the program was started (`>&-`). Rust then opens the null device in its place, for
/// reading as well: what is written there is lost without an error.
pub(crate) fn output_is_closed() -> bool {
    let stdout = io::stdout();
    let is_null = match (fstat(&stdout), stat("/dev/null")) {
        (Ok(output), Ok(null)) => output.st_rdev == null.st_rdev && output.st_mode == null.st_mode,
        _ => false,
    };
    is_null && fcntl_getfl(&stdout).is_ok_and(|flags| flags.contains(OFlags::RDWR))
}

fn no_output(error: &io::Error) -> Failure {
    Failure::failed(format!("cannot write to standard output: {error}"))
}

/// Help and versions go to standard output, what is wrong with the arguments to standard error.
pub(crate) fn show_usage(error: &clap::Error) -> ExitCode {
    match error.print() {
        // `--help | head` has shown what was asked for.
        Err(problem) if !error.use_stderr() && problem.kind() != ErrorKind::BrokenPipe => {
            let failure = no_output(&problem);
            tell(&format!("Error: {failure}"));
            failure.exit_code()
        }
        _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1)),
    }
}

/// The text with its line feeds, control characters and marks of writing direction escaped: names of files and messages of
/// decoders are a stranger's, and would draw what they like on a terminal.
pub(crate) fn one_line(text: &str) -> String {
    let escaped = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if escaped(c) { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_one_line_without_control_characters() {
        assert_eq!(
            one_line("cannot read a\nb\u{1b}[31m\r.png\u{85}"),
            "cannot read a\\nb\\u{1b}[31m\\r.png\\u{85}"
        );
        assert_eq!(one_line("gpj.\u{202e}exe\u{2028}"), "gpj.\\u{202e}exe\\u{2028}");
        assert_eq!(one_line("Überstürzte Größe \\n 絵.png 🎨"), "Überstürzte Größe \\n 絵.png 🎨");
    }

    proptest! {
        #[test]
        fn whatever_is_said_has_no_control_character(text in any::<String>()) {
            let line = one_line(&text);
            prop_assert!(!line.chars().any(char::is_control));
            prop_assert_eq!(line.lines().count(), usize::from(!text.is_empty()));
            prop_assert!(line.len() >= text.len());
        }
    }
}
