//! Standard error and standard output that nobody reads, that are full or closed, and threads that the system refuses: a picture is
//! lost for none of them, and nothing ends with a panic.
#![cfg(target_os = "linux")]

use std::fs::{self, OpenOptions};
use std::io::pipe;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use crate::command::{Folder, code_and_message};
use crate::left_out::left_out;

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
    command.env("XDG_CONFIG_HOME", folder.path("settings"));
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
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/../weights/vgg16.safetensors");
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
fn lines_carry_the_outputs_name_and_the_time_left() {
    let folder = Folder::new();
    let (code, message) = code_and_message(&folder.run(&format!("{SMALL} -o out.png")));
    assert_eq!(code, 0, "{message}");
    let lines: Vec<&str> = message.lines().collect();
    let [start, first, second, third, end] = lines[..] else { panic!("{message}") };
    assert!(start.starts_with("Painting 48 x 32 "), "{message}");
    assert!(first.starts_with("out.png: iteration 1/3: loss ") && !first.contains("left"), "{message}");
    assert!(second.starts_with("out.png: iteration 2/3: loss ") && second.ends_with(" s left"), "{message}");
    assert!(third.starts_with("out.png: iteration 3/3: loss ") && !third.contains("left"), "{message}");
    assert!(end.starts_with("Wrote out.png after 3 iterations: 48 x 32 pixels, loss "), "{message}");
    assert!(end.contains(", in ") && end.ends_with(" s"), "{message}");
}

#[test]
fn a_study_shows_the_whole() {
    let folder = Folder::new();
    let sweep = |seeds: &str| {
        let sweep = "sweep photo.png painting.webp --size 48 --iterations 2 --init noise -o cells --vary";
        let (code, message) = code_and_message(&folder.run(&format!("{sweep} seed={seeds}")));
        assert_eq!(code, 0, "{message}");
        message
    };
    let message = sweep("1,2");
    for part in
        ["1/2: seed-1", "seed-1: iteration 1/2, 1/4 of all: loss", "seed-2: iteration 2/2, 4/4 of all: loss"]
    {
        assert!(message.lines().any(|line| line.starts_with(part)), "{part}: {message}");
    }
    let message = sweep("1,2,3");
    assert!(message.contains("2/3: seed-2 is there already"), "{message}");
    assert!(message.contains("seed-3: iteration 1/2, 5/6 of all: loss"), "{message}");
}

#[test]
fn verbose_tells_the_plan_and_where_the_time_went() {
    let folder = Folder::new();
    for (arguments, word) in [
        (format!("{SMALL} -o out.png -v"), "Wrote out.png"),
        (
            "explain photo.png painting.webp --size 48 --iterations 1 -o page.html --verbose".to_owned(),
            "page.html",
        ),
        (
            "grid photo.png painting.webp --size 48 --iterations 1 --layers conv1_1 --ratios 1 -o cells -v"
                .to_owned(),
            "sheet.png",
        ),
    ] {
        let (code, message) = code_and_message(&folder.run(&arguments));
        assert_eq!(code, 0, "{message}");
        for part in [
            "  layer ",
            "  conv1_1 ",
            "  evaluation: ",
            "  optimiser, ",
            "Measured the targets at 48 x 32 in ",
            "Reading took ",
        ] {
            assert!(message.lines().any(|line| line.starts_with(part)), "{part}: {message}");
        }
        assert!(message.contains(word), "{message}");
    }
    let (code, message) = code_and_message(&folder.run(&format!("{SMALL} -o out.png -v -q")));
    assert!(code == 2 && message.contains("--quiet"), "{message}");
}

#[test]
fn a_scene_for_a_closed_output_is_an_error() {
    let folder = Folder::new();
    let output = without(&folder, 1, "transfer photo.png painting.webp --print-scene").output().unwrap();
    failed_in_one_line(&output, 1, &["standard output is closed"]);
}

#[test]
fn options_without_an_effect_are_said_in_a_line_each() {
    let folder = Folder::new();
    let idle = format!("{SMALL} -o out.png --seed 3 --quality 80 --save-every 4");
    let (code, message) = code_and_message(&folder.run(&idle));
    assert_eq!(code, 0, "{message}");
    let warnings: Vec<&str> = message.lines().take_while(|line| line.starts_with("Warning: ")).collect();
    assert_eq!(warnings.len(), 3, "{message}");
    for (warning, option) in warnings.iter().zip(["--seed", "--quality", "--save-every"]) {
        assert!(warning.starts_with(&format!("Warning: {option} has no effect ")), "{message}");
    }
    assert_eq!(code_and_message(&folder.run(&format!("{idle} --quiet"))), (0, String::new()));
    let (_, message) =
        code_and_message(&folder.run(&format!("{SMALL} -o out.jpg --seed 3 --quality 80 --init noise")));
    assert!(!message.contains("Warning"), "{message}");
}

#[test]
fn a_benchmark_for_programs_is_json_alone() {
    let folder = Folder::new();
    let output = folder.run("bench --size 32 --runs 1 --json");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        json["seconds"].as_f64().unwrap() > 0.0 && json["layers"].as_array().unwrap().len() == 11,
        "{json}"
    );
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
    fs::copy(env!("CARGO_BIN_EXE_impasto-tested"), &program).unwrap();
    fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let user = format!("--reuid={}", 60_000 + std::process::id() % 5000);
    let limited = |processes: u32, arguments: &str| {
        let mut command = Command::new("setpriv");
        command.args([user.as_str(), "--clear-groups", "prlimit", &format!("--nproc={processes}")]);
        command.env("XDG_CONFIG_HOME", folder.path("settings")).current_dir(folder.path(""));
        command.arg(&program).args(arguments.split(' ')).output()
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
