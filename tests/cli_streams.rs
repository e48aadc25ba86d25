//! Pictures from standard input, pipes and process substitution are painted as those of files are.
#![cfg(unix)]

mod command;

use std::fs::{self, File};
use std::process::{Command, Stdio};

use command::{Folder, code_and_message};

const QUICK: &str = "--size 48 --iterations 1 --style-weight 0 --quiet";

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
    assert_eq!((code, &*message), (2, "Error: standard input is one picture: give - only once\n"));
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
        env!("CARGO_BIN_EXE_impasto")
    );
    let output = Command::new("bash").args(["-c", &script]).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{:?}", code_and_message(&output));
    assert!(fs::read(folder.path("out.png")).unwrap() == expected);
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
