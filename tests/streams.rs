//! Standard error and standard output that nobody reads, that are full or closed, and threads that the system refuses: a picture is
//! lost for none of them, and nothing ends with a panic.
#![cfg(target_os = "linux")]

mod command;
mod left_out;

use std::fs::{self, OpenOptions};
use std::io::pipe;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use command::{Folder, code_and_message};
use left_out::left_out;

const SMALL: &str = "transfer photo.png painting.webp --size 48 --iterations 3";

/// A file that is always full.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

/// A pipe whose reader has gone.
fn closed_pipe() -> Stdio {
    pipe().unwrap().1.into()
}

/// The command, by a shell that does something before.
fn after(folder: &Folder, before: &str, arguments: &str) -> Command {
    let mut command = Command::new("bash");
    let program = folder.command(arguments);
    command.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\"")).arg(program.get_program());
    command.args(program.get_args()).current_dir(folder.path("")).stdin(Stdio::null());
    command
}

/// The command, with one of its streams closed.
fn without(folder: &Folder, stream: u8, arguments: &str) -> Command {
    after(folder, &format!("exec {stream}>&-"), arguments)
}

/// It must have failed, with one line that holds all those words.
#[track_caller]
fn failed_in_one_line(output: &Output, code: i32, words: &[&str]) {
    let (got, message) = code_and_message(output);
    assert_eq!(got, code, "{message}");
    assert!(message.starts_with("Error: ") && message.trim_end().lines().count() == 1, "{message}");
    assert!(words.iter().all(|word| message.contains(word)), "{message:?} does not say {words:?}");
}

#[test]
fn progress_that_cannot_be_written_is_dropped() {
    let folder = Folder::new();
    assert!(folder.run(&format!("{SMALL} -o read.png")).status.success());
    let painted = |name: &str, command: &mut Command| {
        let status = command.status().unwrap();
        assert!(status.success(), "{name}: {status}");
        let same = fs::read(folder.path(name)).unwrap() == fs::read(folder.path("read.png")).unwrap();
        assert!(same, "{name} is the same picture");
    };
    painted("full.png", folder.command(&format!("{SMALL} -o full.png")).stderr(full()));
    painted("gone.png", folder.command(&format!("{SMALL} -o gone.png")).stderr(closed_pipe()));
    painted("closed.png", &mut without(&folder, 2, &format!("{SMALL} -o closed.png")));
}

#[test]
fn an_error_that_nobody_can_hear_has_its_exit_code() {
    let folder = Folder::new();
    for (arguments, code) in [("transfer none.png none.png -o out.png", 1), ("transfer --bogus", 2)] {
        for stderr in [full(), closed_pipe()] {
            let status = folder.command(arguments).stderr(stderr).status().unwrap();
            assert_eq!(status.code(), Some(code), "{arguments}");
        }
    }
}

#[test]
fn a_standard_output_that_takes_no_picture_is_an_error() {
    let folder = Folder::new();
    let arguments = format!("{SMALL} -o - --quiet");
    failed_in_one_line(&folder.command(&arguments).stdout(full()).output().unwrap(), 1, &["standard output"]);
    let output = folder.command(&arguments).stdout(closed_pipe()).output().unwrap();
    failed_in_one_line(&output, 1, &["standard output"]);
    let output = without(&folder, 1, &arguments).output().unwrap();
    failed_in_one_line(&output, 1, &["standard output is closed"]);
}

#[test]
fn results_that_cannot_be_written_are_an_error() {
    let folder = Folder::new();
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/../../weights/vgg16.safetensors");
    for arguments in [
        "bench --size 32 --runs 1".to_owned(),
        format!("weights verify {weights}"),
        format!("weights inspect {weights}"),
        "gradcheck --operations-only".to_owned(),
    ] {
        for stdout in [full(), closed_pipe()] {
            let output = folder.command(&arguments).stdout(stdout).output().unwrap();
            failed_in_one_line(&output, 1, &["cannot write to standard output"]);
        }
    }
}

#[test]
fn help_goes_to_a_pipe_that_is_closed_early_without_a_word() {
    let folder = Folder::new();
    for arguments in ["--help", "--version", "transfer --help"] {
        let output = folder.command(arguments).stdout(closed_pipe()).output().unwrap();
        assert_eq!(code_and_message(&output), (0, String::new()), "{arguments}");
        let output = folder.command(arguments).stdout(full()).output().unwrap();
        failed_in_one_line(&output, 1, &["cannot write to standard output"]);
    }
}

#[test]
fn a_log_that_cannot_be_written_costs_no_picture() {
    let folder = Folder::new();
    assert!(folder.run(&format!("{SMALL} -o without.png")).status.success());
    let (code, message) = code_and_message(&folder.run(&format!("{SMALL} -o with.png --log /dev/full")));
    assert_eq!(code, 1, "{message}");
    assert_eq!(message.matches("Warning").count(), 1, "{message}");
    let last = message.lines().last().unwrap();
    assert!(
        last.starts_with("Error: ") && last.contains("/dev/full") && last.contains("with.png"),
        "{message}"
    );
    let bytes = |name| fs::read(folder.path(name)).unwrap();
    assert!(bytes("with.png") == bytes("without.png"), "all iterations ran");
    let output = folder.run(&format!("{SMALL} -o with.png --log /dev/full --quiet"));
    failed_in_one_line(&output, 1, &["/dev/full", "with.png"]);
}

#[test]
fn messages_are_one_line_whatever_files_are_called() {
    let folder = Folder::new();
    let mut command = folder.command("transfer");
    command.args(["no\nsuch\u{1b}[31m\u{202e}.png", "painting.webp", "-o", "out.png"]);
    failed_in_one_line(&command.output().unwrap(), 1, &["no\\nsuch\\u{1b}[31m\\u{202e}.png"]);
    fs::write(folder.path("a\rb.png"), "no picture").unwrap();
    let mut command = folder.command("transfer");
    command.args(["a\rb.png", "painting.webp", "-o", "out.png"]);
    failed_in_one_line(&command.output().unwrap(), 1, &["a\\rb.png"]);
}

#[test]
fn more_threads_than_processors_are_said_and_nonsense_is_refused() {
    let folder = Folder::new();
    for threads in ["1025", "65535"] {
        let output = folder.run(&format!("{SMALL} -o out.png --threads {threads}"));
        failed_in_one_line(&output, 2, &["--threads", "1024", threads]);
    }
    let more = impasto_style::machine::processors() + 1;
    let (code, message) = code_and_message(&folder.run(&format!("{SMALL} -o out.png --threads {more}")));
    assert_eq!(code, 0, "{message}");
    let first = message.lines().next().unwrap();
    assert!(first.starts_with("Warning: ") && first.contains(&format!("{more} threads")), "{message}");
    let (code, message) =
        code_and_message(&folder.run(&format!("{SMALL} -o out.png --threads {more} --quiet")));
    assert_eq!((code, message.as_str()), (0, ""));
}

#[test]
fn threads_for_which_there_is_no_memory_are_refused() {
    let folder = Folder::new();
    let output = after(&folder, "ulimit -v 500000", &format!("{SMALL} -o out.png --threads 1000 --quiet"))
        .output()
        .unwrap();
    failed_in_one_line(&output, 1, &["refuses to start 1000 threads", "--threads", "ulimit"]);
}

/// A limit on processes binds those without root's rights only.
#[test]
fn threads_that_the_system_refuses_are_an_error_without_a_panic() {
    let folder = Folder::new();
    let program = folder.path("impasto");
    fs::copy(env!("CARGO_BIN_EXE_impasto"), &program).unwrap();
    fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let user = format!("--reuid={}", 60_000 + std::process::id() % 5000);
    let limited = |processes: u32, arguments: &str| {
        let mut command = Command::new("setpriv");
        command.args([user.as_str(), "--clear-groups", "prlimit", &format!("--nproc={processes}")]);
        command.arg(&program).args(arguments.split(' ')).current_dir(folder.path("")).output()
    };
    match limited(1000, "--version") {
        Ok(version) if version.status.success() => {}
        Ok(version) => return left_out("setpriv", String::from_utf8_lossy(&version.stderr)),
        Err(error) => return left_out("setpriv", error),
    }
    for arguments in ["bench --size 32 --runs 1", "transfer photo.png painting.webp -o - --size 48 --quiet"] {
        for processes in [1, 2] {
            failed_in_one_line(
                &limited(processes, arguments).unwrap(),
                1,
                &["the system refuses to start", "ulimit -u"],
            );
        }
    }
    let output =
        limited(3, "transfer photo.png painting.webp -o - --size 48 --iterations 1 --quiet --threads 1")
            .unwrap();
    assert!(output.status.success(), "{:?}", code_and_message(&output));
}
