//! Pictures from standard input, pipes and process substitution are painted as those of files are.
#![cfg(unix)]

use std::fs::{self, File};
use std::process::{Command, Stdio};

use crate::command::{Folder, code_and_message};

const QUICK: &str = "--size 48 --iterations 1 --style-weight 0 --quiet --no-metadata";

/// The bytes of the picture that the files make.
fn of_files(folder: &Folder) -> Vec<u8> {
    let output = folder.run(&format!("transfer photo.png painting.webp -o files.png {QUICK}"));
    assert!(output.status.success(), "{:?}", code_and_message(&output));
    fs::read(folder.path("files.png")).unwrap()
}

#[test]
fn standard_input_is_one_picture() {
    let folder = Folder::new();
    let expected = of_files(&folder);
    for (arguments, input) in [
        ("- painting.webp", "photo.png"),
        ("photo.png -", "painting.webp"),
        ("/dev/stdin painting.webp", "photo.png"),
    ] {
        // A pipe and a file.
        let mut from_pipe = folder.command(&format!("transfer {arguments} -o pipe.png {QUICK}"));
        let mut cat = Command::new("cat").arg(folder.path(input)).stdout(Stdio::piped()).spawn().unwrap();
        let output = from_pipe.stdin(cat.stdout.take().unwrap()).output().unwrap();
        assert!(cat.wait().unwrap().success());
        assert!(output.status.success(), "{arguments}: {:?}", code_and_message(&output));
        assert!(fs::read(folder.path("pipe.png")).unwrap() == expected, "{arguments} from a pipe");
        let mut from_file = folder.command(&format!("transfer {arguments} -o file.png {QUICK}"));
        let output = from_file.stdin(File::open(folder.path(input)).unwrap()).output().unwrap();
        assert!(output.status.success(), "{arguments}: {:?}", code_and_message(&output));
        assert!(fs::read(folder.path("file.png")).unwrap() == expected, "{arguments} from a file");
    }
    let output = folder.run("transfer - - -o out.png");
    let (code, message) = code_and_message(&output);
    let expected = "Error: standard input can be read once: give - to CONTENT or to STYLE, not to both\n";
    assert_eq!((code, &*message), (2, expected));
    let output = folder.run("transfer - painting.webp -o out.png");
    let (code, message) = code_and_message(&output);
    assert_eq!((code, &*message), (1, "Error: standard input is empty\n"));
}

#[test]
fn pipes_and_process_substitution_are_pictures() {
    let folder = Folder::new();
    let expected = of_files(&folder);
    let script = format!(
        "mkfifo pipe && (cat painting.webp > pipe &) && {} transfer <(cat photo.png) pipe -o out.png {QUICK}",
        env!("CARGO_BIN_EXE_impasto-tested")
    );
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).current_dir(folder.path(".")).env("XDG_CONFIG_HOME", folder.path("settings"));
    let output = bash.output().unwrap();
    assert!(output.status.success(), "{:?}", code_and_message(&output));
    assert!(fs::read(folder.path("out.png")).unwrap() == expected);
}

/// The files of the folder, sorted.
fn files(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path("")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs a command that must succeed, with a file as standard input.
#[track_caller]
fn with_input(folder: &Folder, arguments: &str, input: &str) -> Vec<u8> {
    let mut command = folder.command(arguments);
    let output = command.stdin(File::open(folder.path(input)).unwrap()).output().unwrap();
    assert!(output.status.success(), "{arguments}: {:?}", code_and_message(&output));
    output.stdout
}

#[test]
fn the_start_and_the_weights_may_come_from_standard_input() {
    let folder = Folder::new();
    let transfer = |rest: &str| format!("transfer photo.png painting.webp {QUICK} {rest}");
    with_input(&folder, &transfer("-o piped.png --init -"), "painting.webp");
    assert!(folder.run(&transfer("-o named.png --init painting.webp")).status.success());
    let bytes = |name| fs::read(folder.path(name)).unwrap();
    assert!(bytes("piped.png") == bytes("named.png"));
    let expected = of_files(&folder);
    fs::write(folder.path("vgg"), folder.run("weights convert vgg16 -o -").stdout).unwrap();
    with_input(&folder, &transfer("-o weights.png --weights -"), "vgg");
    assert!(bytes("weights.png") == expected);
    let output = folder.run(&transfer("-o out.png --weights - --init -"));
    let expected = "Error: standard input can be read once: give - to --weights or to --init, not to both\n";
    assert_eq!(code_and_message(&output), (2, expected.to_owned()));
}

#[test]
fn the_log_may_go_to_standard_output() {
    let folder = Folder::new();
    let transfer = |rest: &str| format!("transfer photo.png painting.webp {QUICK} --init noise {rest}");
    let output = folder.run(&transfer("-o out.png --log -"));
    assert!(output.status.success(), "{:?}", code_and_message(&output));
    assert!(folder.run(&transfer("-o out.png --log log.jsonl")).status.success());
    let lines = |text: &[u8]| text.split(|&byte| byte == b'\n').count();
    assert_eq!(lines(&output.stdout), lines(&fs::read(folder.path("log.jsonl")).unwrap()));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["iteration"], 1);
    let output = folder.run(&transfer("-o - --log -"));
    let expected = "Error: standard output takes one thing: give - to -o or to --log, not to both\n";
    assert_eq!(code_and_message(&output), (2, expected.to_owned()));
    assert_eq!(files(&folder), ["log.jsonl", "out.png", "painting.webp", "photo.png"]);
}

#[test]
fn the_page_and_the_plot_may_go_to_standard_output() {
    let folder = Folder::new();
    let page = folder.run("explain photo.png painting.webp --size 48 --iterations 1 -o - --quiet");
    assert_eq!(code_and_message(&page), (0, String::new()));
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    let plot = folder.run("gradcheck --operations-only --plot -");
    let (code, table) = code_and_message(&plot);
    let plot = String::from_utf8(plot.stdout).unwrap();
    assert!(code == 0 && table.starts_with("gradient of "), "{table}");
    assert!(plot.starts_with("<svg") && plot.trim_end().ends_with("</svg>"), "{plot}");
    assert_eq!(files(&folder), ["painting.webp", "photo.png"]);
}

#[test]
fn what_can_only_be_a_file_or_a_folder_is_refused_as_standard_output() {
    let folder = Folder::new();
    for (arguments, word) in [
        ("transfer photo.png painting.webp -o out.png --checkpoint -", "--checkpoint needs a file"),
        ("transfer --resume -", "--resume needs a file"),
        ("transfer photo.png painting.webp -o - --save-every 1", "--save-every needs a file"),
        ("sweep photo.png painting.webp --vary seed=1,2 --init noise -o -", "go to a folder"),
        ("grid photo.png painting.webp -o -", "go to a folder"),
        ("reconstruct style painting.webp -o -", "go to a folder"),
        ("sweep photo.png painting.webp --vary iterations=1,2 --init - -o cells", "give --init a file"),
    ] {
        let (code, message) = code_and_message(&folder.run(arguments));
        assert!(code == 2 && message.contains(word) && message.lines().count() == 1, "{message}");
        assert!(!folder.path("-").exists(), "{arguments}");
    }
}

/// Nobody who reads the warning, and a file whose name is two lines.
#[test]
fn what_is_said_of_a_picture_is_one_line() {
    let folder = Folder::new();
    fs::write(folder.path("two\nlines.heic"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
    let mut command = folder.command("transfer");
    let output = command.args(["two\nlines.heic", "painting.webp", "-o", "out.png"]).output().unwrap();
    let (code, message) = code_and_message(&output);
    assert_eq!((code, message.lines().count()), (1, 1), "{message}");
    assert!(message.contains(r"two\nlines.heic is a HEIC picture"), "{message}");
    assert!(message.contains("heif-convert"), "{message}");
}

/// A chunk that claims 4 GiB, and a header that claims more pixels than there is memory: the system gives 2 GB.
#[cfg(target_os = "linux")]
#[test]
fn what_a_file_claims_never_aborts_under_a_limit_of_the_system() {
    let folder = Folder::new();
    let painting = fs::read(folder.path("painting.webp")).unwrap();
    // Width and height stand in the frame behind its tag and start code.
    let frame = &painting[12..];
    let side = |at: usize| u32::from(u16::from_le_bytes([frame[at], frame[at + 1]]) & 0x3fff) - 1;
    let sides = [14, 16].map(|at| side(at).to_le_bytes());
    let header = [b"VP8X\x0a\0\0\0\x20\0\0\0", &sides[0][..3], &sides[1][..3]].concat();
    let body = [b"WEBP", &*header, frame, b"ICCP\xff\xff\xff\xfftiny"].concat();
    let file = [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat();
    fs::write(folder.path("claims.webp"), file).unwrap();
    // 16 bits of RGBA, 46,000 x 46,000, without a pixel.
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xb3\xb0\0\0\xb3\xb0\x10\x06\0\0\0";
    let checked = [&png[..], &crc32(&png[12..]).to_be_bytes(), b"\0\0\0\x09IDAT"].concat();
    fs::write(folder.path("claims.png"), checked).unwrap();

    let run = |picture: &str| {
        let binary = env!("CARGO_BIN_EXE_impasto-tested");
        let script =
            format!("ulimit -v 2000000 && exec {binary} transfer {picture} painting.webp -o out.png");
        let options = "--size 48 --iterations 1 --style-weight 0";
        let script = format!("{script} {options} --memory-limit 100G");
        let mut bash = Command::new("bash");
        bash.args(["-c", &script])
            .current_dir(folder.path("."))
            .env("XDG_CONFIG_HOME", folder.path("settings"));
        bash.output().unwrap()
    };
    let (code, message) = code_and_message(&run("claims.webp"));
    assert_eq!(code, 0, "{message}");
    assert!(message.contains("its colour profile cannot be used"), "{message}");
    assert!(folder.path("out.png").exists());
    let (code, message) = code_and_message(&run("claims.png"));
    assert_eq!(code, 1, "{message}");
    assert!(message.contains("the system does not give the"), "{message}");
}

/// The sum of a PNG's chunk.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, &byte| (0..8).fold(sum ^ u32::from(byte), |sum, _| step(sum)))
}
