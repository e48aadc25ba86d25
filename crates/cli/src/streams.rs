//! Standard error and standard output, the only way to either. Neither may be there: the terminal was closed, the pipe's reader
//! has gone, the disk is full.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use impasto_files::one_line;
use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};

use crate::failure::Failure;

/// Who hears what a thread tells.
type Listener = Box<dyn Fn(&str)>;

thread_local! {
    /// Where the lines of this thread go, if not to standard error.
    static ELSEWHERE: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

/// From now on what this thread tells goes there.
pub(crate) fn divert(to: impl Fn(&str) + 'static) {
    ELSEWHERE.with(|elsewhere| *elsewhere.borrow_mut() = Some(Box::new(to)));
}

/// One line on standard error; nothing if it cannot be written: no picture is lost for want of somebody to tell.
pub(crate) fn tell(line: &str) {
    let is_told = ELSEWHERE.with(|elsewhere| elsewhere.borrow().as_ref().map(|tell| tell(line)).is_some());
    if is_told {
        return;
    }
    let _ = io::stderr().write_all((one_line(line) + "\n").as_bytes());
}

/// A warning on standard error, unless the command is quiet.
pub(crate) fn warn(quiet: bool, message: &str) {
    if !quiet {
        tell(&format!("Warning: {message}"));
    }
}

/// A line of a result on standard output, or several: in one piece, so that who takes the first alone may close the pipe behind it.
pub(crate) fn put(line: &str) -> Result<(), Failure> {
    io::stdout().write_all(format!("{line}\n").as_bytes()).map_err(|error| no_output(&error))
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

/// Help and versions go to standard output, what is wrong with the arguments to standard error, where it begins as every other
/// error does.
pub(crate) fn show_usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").map_or(text.clone(), |rest| format!("Error: {rest}"));
        let _ = io::stderr().write_all(text.as_bytes());
        return ExitCode::from(2);
    }
    match error.print() {
        // `--help | head` has shown what was asked for.
        Err(problem) if problem.kind() != ErrorKind::BrokenPipe => {
            let failure = no_output(&problem);
            tell(&format!("Error: {failure}"));
            failure.exit_code()
        }
        _ => ExitCode::SUCCESS,
    }
}
