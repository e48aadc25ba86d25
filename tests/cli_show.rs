//! `impasto show`: pictures say what made them, and the command that it prints makes them again.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::command::{Folder, code_and_message};
use image::{GrayImage, Luma, Rgb, RgbImage};
use serde_json::Value;

/// One size and early layers: some hundredths of a second an iteration.
const TINY: &str =
    "--size 64 --scales 1 --iterations 2 --content-layers conv2_1 --style-layers conv1_1,conv2_1 --quiet";

/// The photo, two paintings, and masks of both halves of each.
fn folder() -> Folder {
    let folder = Folder::new();
    let other = RgbImage::from_fn(80, 100, |x, y| Rgb([(3 * x) as u8, (2 * y) as u8, ((x * y) % 200) as u8]));
    other.save(folder.path("other.png")).unwrap();
    let mask = |name: &str, of: &str| {
        let (width, height) = image::image_dimensions(folder.path(of)).unwrap();
        let half = |x, _| Luma([if 2 * x < width { 255 } else { 0 }]);
        GrayImage::from_fn(width, height, half).save(folder.path(name)).unwrap();
    };
    mask("left.png", "photo.png");
    mask("part.png", "painting.webp");
    folder
}

#[track_caller]
fn succeed(folder: &Folder, arguments: &str) -> String {
    let output = folder.run(arguments);
    let (code, message) = code_and_message(&output);
    assert_eq!(code, 0, "{arguments}: {message}");
    String::from_utf8(output.stdout).unwrap()
}

/// What show prints: the command, and the lines below it.
#[track_caller]
fn show(folder: &Folder, picture: &str) -> (String, String) {
    let text = succeed(folder, &format!("show {picture}"));
    let (command, rest) = text.split_once("\n\n").unwrap();
    (command.to_owned(), rest.to_owned())
}

#[track_caller]
fn json(folder: &Folder, picture: &str) -> Value {
    serde_json::from_str(&succeed(folder, &format!("show {picture} --json"))).unwrap()
}

/// Runs a printed command as a shell does that finds the program.
fn run_in_shell(folder: &Folder, command: &str) -> Output {
    let programs = tempfile::tempdir().unwrap();
    symlink(env!("CARGO_BIN_EXE_impasto-tested"), programs.path().join("impasto")).unwrap();
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder.path("")).env("PATH", path).stdin(Stdio::null());
    shell.output().unwrap()
}

/// Paints, runs the command that show prints, and compares the bytes; returns what show prints.
#[track_caller]
fn painted_again(folder: &Folder, arguments: &str, output: &str) -> (String, String) {
    succeed(folder, &format!("transfer {arguments} -o {output}"));
    let (command, rest) = show(folder, output);
    let (stem, ending) = output.rsplit_once('.').unwrap();
    let again = folder.path(&format!("{stem}-again.{ending}"));
    let (code, message) = code_and_message(&run_in_shell(folder, &command));
    assert_eq!(code, 0, "{command}: {message}");
    assert!(fs::read(&again).unwrap() == fs::read(folder.path(output)).unwrap(), "{arguments}: {command}");
    fs::remove_file(again).unwrap();
    assert!(!rest.contains("another") && !rest.contains("cannot") && !rest.contains("not here"), "{rest}");
    (command, rest)
}

#[test]
fn the_printed_command_makes_the_same_bytes() {
    let folder = folder();
    for (arguments, output, words) in [
        ("photo.png painting.webp", "out.png", "--size 64"),
        ("photo.png painting.webp --seed 7 --init noise", "out.tif", "--seed 7"),
        ("photo.png painting.webp --quality 80", "out.jpg", "--quality 80"),
        ("photo.png painting.webp", "out.webp", "photo.png painting.webp"),
        ("photo.png painting.webp --depth 16 --dpi 240", "out.png", "--depth 16 --dpi 240"),
        ("photo.png painting.webp --dither none --profile none", "out.png", "--dither none --profile none"),
        ("photo.png painting.webp --preset neural-style", "out.png", "--preset neural-style"),
        ("photo.png painting.webp --optimizer adam --learning-rate 3", "out.png", "--optimizer adam"),
        ("photo.png painting.webp other.png --blend 3,1 --style-scale 1,0.5", "out.png", "--blend 3,1"),
        (
            "photo.png painting.webp other.png --mask left.png,- --style-mask part.png,-",
            "out.png",
            "--mask left.png,-",
        ),
        ("photo.png painting.webp --keep left.png --content-mask left.png", "out.png", "--keep left.png"),
        ("photo.png painting.webp --regions left.png part.png", "out.png", "--regions left.png part.png"),
        ("photo.png painting.webp --init other.png", "out.png", "--init other.png"),
        ("photo.png painting.webp --colours photo --background #fd0", "out.png", "--background '#ffdd00'"),
    ] {
        let (command, _) = painted_again(&folder, &format!("{arguments} {TINY}"), output);
        assert!(command.contains(words), "{arguments}: {command}");
        assert!(command.starts_with("impasto transfer photo.png painting.webp"), "{command}");
        // No option of the preset's own value.
        assert!(!command.contains("--conv ") && !command.contains("--history"), "{command}");
    }
}

#[test]
fn a_sheet_of_paper_is_in_the_command() {
    let folder = folder();
    let tiny = TINY.replace("--size 64 ", "");
    let arguments = format!("photo.png painting.webp {tiny} --print A6 --dpi 20");
    let (command, _) = painted_again(&folder, &arguments, "out.png");
    assert!(command.contains("--size A6@20") && command.contains("--dpi 20"), "{command}");
}

#[test]
fn names_of_all_kinds_are_words_of_a_shell() {
    let folder = folder();
    for name in ["it's $(here);.png", "-o.png", "Größe 絵.png", "noise"] {
        fs::copy(folder.path("photo.png"), folder.path(name)).unwrap();
        let mut command = folder.command(&format!("transfer {TINY} -o out.png"));
        command.arg("--init").arg(format!("./{name}")).arg("--").arg(name).arg("painting.webp");
        assert_eq!(code_and_message(&command.output().unwrap()).0, 0, "{name}");
        let (command, _) = show(&folder, "out.png");
        let (code, message) = code_and_message(&run_in_shell(&folder, &command));
        assert_eq!(code, 0, "{command}: {message}");
        let [one, other] = ["out.png", "out-again.png"].map(|name| fs::read(folder.path(name)).unwrap());
        assert!(one == other, "{command}");
    }
}

#[test]
fn scenes_settings_and_weights_of_a_file_are_in_the_command() {
    let folder = folder();
    succeed(&folder, "weights convert vgg16 --layers conv2_1 -o small.safetensors");
    let (command, rest) = painted_again(
        &folder,
        &format!("photo.png painting.webp --weights small.safetensors {TINY}"),
        "out.png",
    );
    assert!(command.contains("--weights small.safetensors"), "{command}");
    assert!(rest.contains("weights  small.safetensors"), "{rest}");

    let scene = succeed(
        &folder,
        &format!("transfer photo.png painting.webp other.png --mask -,left.png {TINY} --print-scene"),
    );
    fs::create_dir(folder.path("scenes")).unwrap();
    fs::write(folder.path("scenes/mine.toml"), scene).unwrap();
    let (command, _) = painted_again(&folder, "--scene scenes/mine.toml --quiet", "out.png");
    assert!(command.contains("--mask -,left.png") && !command.contains("scenes"), "{command}");

    // The command that is printed takes no settings, wherever it is run.
    fs::create_dir(folder.path("settings")).unwrap();
    fs::write(folder.path("settings/impasto.toml"), "seed = 5\ninit = 'noise'").unwrap();
    let (command, _) = painted_again(&folder, &format!("photo.png painting.webp {TINY}"), "out.png");
    assert!(command.contains("--seed 5") && command.contains("--init noise"), "{command}");
    fs::write(folder.path("settings/impasto.toml"), "no-metadata = true").unwrap();
    succeed(&folder, &format!("transfer photo.png painting.webp {TINY} -o out.png"));
    assert_eq!(folder.run("show out.png").status.code(), Some(1));
}

#[test]
fn inputs_are_compared_where_they_are() {
    let folder = folder();
    fs::create_dir(folder.path("a")).unwrap();
    succeed(
        &folder,
        &format!("transfer photo.png painting.webp other.png --mask left.png,- {TINY} -o a/out.png"),
    );
    let lines = |rest: &str| rest.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let (_, rest) = show(&folder, "a/out.png");
    assert_eq!(lines(&rest).iter().filter(|line| line.ends_with("is the one")).count(), 5, "{rest}");

    // Beside the picture, and from there in the command.
    fs::rename(folder.path("other.png"), folder.path("a/other.png")).unwrap();
    let (command, rest) = show(&folder, "a/out.png");
    assert!(
        command.contains("painting.webp a/other.png") && command.contains("-o a/out-again.png"),
        "{command}"
    );
    assert!(!rest.contains("not here"), "{rest}");
    assert_eq!(run_in_shell(&folder, &command).status.code(), Some(0));

    // One of that name that is another one does not stand in the way.
    fs::copy(folder.path("photo.png"), folder.path("other.png")).unwrap();
    assert!(show(&folder, "a/out.png").0.contains("a/other.png"));
    fs::remove_file(folder.path("a/other.png")).unwrap();
    fs::remove_file(folder.path("painting.webp")).unwrap();
    fs::write(folder.path("left.png"), "nothing").unwrap();
    let (command, rest) = show(&folder, "a/out.png");
    let rest = lines(&rest);
    for (name, verdict) in [
        ("photo.png", "is the one"),
        ("painting.webp", "is not here"),
        ("other.png", "is another picture"),
        ("left.png", "cannot be compared: left.png is not a JPEG"),
        ("built in", "is the one"),
    ] {
        let line = rest.iter().find(|line| line.contains(name)).unwrap();
        assert!(line.contains(verdict), "{line}");
    }
    assert!(command.contains("photo.png painting.webp other.png"), "{command}");
}

#[test]
fn a_picture_says_nothing_that_decides_no_pixels() {
    let folder = folder();
    fs::create_dir(folder.path("deep")).unwrap();
    fs::copy(folder.path("photo.png"), folder.path("deep/photo.png")).unwrap();
    let painted = |photo: &str, options: &str, output: &str| {
        succeed(&folder, &format!("transfer {photo} painting.webp {TINY} {options} -o {output}"));
        fs::read(folder.path(output)).unwrap()
    };
    let expected = painted("photo.png", "", "out.png");
    for (photo, options, output) in [
        ("photo.png", "--threads 1", "other-name.png"),
        ("deep/photo.png", "--memory-limit 3G --log out.jsonl --save-every 1", "deep/out.png"),
        ("photo.png", "--checkpoint out.run --time-limit 1h", "last.png"),
    ] {
        assert!(painted(photo, options, output) == expected, "{options}");
    }
    let text = succeed(&folder, "show out.png --json");
    let home = folder.path("").display().to_string();
    assert!(!text.contains(&home) && !text.contains("thread") && !text.contains("memory"), "{text}");
    let record = json(&folder, "out.png");
    assert_eq!(
        (&record["impasto"], &record["options"]["seed"]),
        (&env!("CARGO_PKG_VERSION").into(), &0.into())
    );
    assert_eq!(record["inputs"][0]["path"], "photo.png");
    assert_eq!(record["stopped"], Value::Null);
}

#[test]
fn what_is_not_finished_says_so() {
    let folder = folder();
    let options = TINY.replace("--iterations 2", "--iterations 4");
    succeed(&folder, &format!("transfer photo.png painting.webp {options} --save-every 2 -o out.png"));
    assert_eq!(json(&folder, "out-2.png")["stopped"], serde_json::json!({"after": 2, "of": 4}));
    let (_, rest) = show(&folder, "out-2.png");
    assert!(rest.contains("stopped after 2 of 4 iterations: the command paints all of them"), "{rest}");
    let (_, rest) = show(&folder, "out.png");
    assert!(rest.contains("painted to the end"), "{rest}");

    let endless = options.replace("--iterations 4", "--iterations 100000");
    let endless = format!("transfer photo.png painting.webp {endless} --save-every 1 -o stopped.png");
    let mut run = folder.command(&endless).spawn().unwrap();
    while !folder.path("stopped-000001.png").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap().success());
    assert_eq!(run.wait().unwrap().code(), Some(143));
    let stopped = &json(&folder, "stopped.png")["stopped"];
    assert!(stopped["after"].as_u64() > Some(0) && stopped["of"] == 100_000, "{stopped}");
}

/// The bytes of a whole run, and of one that was stopped and went on, are the same, with the text.
#[test]
fn a_run_that_goes_on_says_what_one_does_that_was_not_stopped() {
    let folder = folder();
    let run = format!("photo.png painting.webp --init other.png {TINY} --checkpoint out.run");
    succeed(&folder, &format!("transfer {run} -o whole.png"));
    succeed(&folder, &format!("transfer {run} --iterations 1 -o out.png"));
    succeed(&folder, "transfer --resume out.run --iterations 2 --quiet");
    assert!(fs::read(folder.path("whole.png")).unwrap() == fs::read(folder.path("out.png")).unwrap());
    assert_eq!(json(&folder, "out.png")["options"]["init"], "other.png");

    succeed(&folder, &format!("transfer {run} --iterations 1 --no-metadata -o out.png"));
    succeed(&folder, "transfer --resume out.run --iterations 2 --quiet");
    assert_eq!(folder.run("show out.png").status.code(), Some(1));
}

#[test]
fn what_came_through_a_pipe_is_said_without_a_name() {
    let folder = folder();
    let photo = fs::File::open(folder.path("photo.png")).unwrap();
    let mut command = folder.command(&format!("transfer - painting.webp {TINY} -o -"));
    let painted = command.stdin(photo).output().unwrap();
    assert_eq!(painted.status.code(), Some(0));
    fs::write(folder.path("out.png"), &painted.stdout).unwrap();
    let (command, rest) = show(&folder, "out.png");
    assert!(command.starts_with("impasto transfer - painting.webp "), "{command}");
    assert!(rest.contains("standard input or a pipe"), "{rest}");
    let mut shown = folder.command("show -");
    let shown = shown.stdin(fs::File::open(folder.path("out.png")).unwrap()).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("-o again.png\n"), "{shown}");
    let again = run_in_shell(&folder, &format!("{command} < photo.png"));
    assert_eq!(again.status.code(), Some(0));
    assert!(fs::read(folder.path("out-again.png")).unwrap() == painted.stdout);
}

#[test]
fn files_without_a_record_are_told() {
    let folder = folder();
    succeed(&folder, &format!("transfer photo.png painting.webp {TINY} --no-metadata -o out.jpg"));
    fs::write(folder.path("empty.png"), "").unwrap();
    fs::write(folder.path("text.png"), "a text").unwrap();
    for (file, sentence) in [
        ("out.jpg", "Error: out.jpg holds no record of impasto\n"),
        ("photo.png", "Error: photo.png holds no record of impasto\n"),
        ("painting.webp", "Error: painting.webp holds no record of impasto\n"),
        ("text.png", "is not a JPEG, PNG, WebP, TIFF, BMP or GIF picture\n"),
        ("empty.png", "Error: empty.png is empty\n"),
        ("none.png", "No such file or directory"),
        (".", "is a directory"),
    ] {
        for json in ["", " --json"] {
            let output = folder.run(&format!("show {file}{json}"));
            let (code, message) = code_and_message(&output);
            assert_eq!(code, 1, "{file}: {message}");
            assert!(message.contains(sentence) && message.lines().count() == 1, "{file}: {message}");
            assert!(output.stdout.is_empty());
        }
    }
}
