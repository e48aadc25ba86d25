//! Outputs are never lost and inputs never overwritten: the binary on places that take no file, full file systems, limits,
//! foreign owners, links, pipes and names that meet.
#![cfg(unix)]

use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::command::{Folder, code_and_message};
use crate::left_out::left_out;
use crate::mounts::own_mounts;

/// A transfer that takes a moment.
const QUICK: &str = "transfer photo.png painting.webp --size 64 --iterations 1 --style-layers conv1_1 --content-layers conv1_2";

fn quick(folder: &Folder, options: &str) -> Output {
    folder.run(&format!("{QUICK} {options}"))
}

/// Runs a command that must fail before anything is painted, with that exit code and all those words in its one sentence.
#[track_caller]
fn refused(folder: &Folder, arguments: &str, code: i32, words: &[&str]) {
    let (got, message) = code_and_message(&folder.run(arguments));
    assert_eq!(got, code, "{arguments}: {message}");
    assert!(
        message.starts_with("Error: ") && message.trim_end().lines().count() == 1,
        "{arguments}: {message}"
    );
    for word in words {
        assert!(message.contains(word), "{arguments}: {message:?} does not say {word:?}");
    }
}

#[track_caller]
fn succeeds(output: &Output) {
    let (code, message) = code_and_message(output);
    assert_eq!(code, 0, "{message}");
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn is_picture(path: &Path) -> bool {
    image::open(path).is_ok()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The picture that a message says is kept.
fn kept(message: &str) -> PathBuf {
    message.trim_end().split("kept as ").nth(1).unwrap_or_else(|| panic!("{message}")).into()
}

#[test]
fn places_that_take_no_file_are_told_before_painting() {
    let folder = Folder::new();
    let long = "a".repeat(253) + ".png";
    fs::write(folder.path("protected"), "old").unwrap();
    set_mode(&folder.path("protected"), 0o444);
    for name in ["protected.png", "protected.html", "protected.svg", "log"] {
        fs::hard_link(folder.path("protected"), folder.path(name)).unwrap();
    }
    for (arguments, words) in [
        (format!("{QUICK} -o /proc/b.png"), ["/proc/b.png", "in the folder /proc"]),
        (format!("{QUICK} -o {long}"), [&*long, "name too long"]),
        (format!("{QUICK} -o protected.png"), ["protected.png", "may not be written"]),
        (format!("{QUICK} -o out.png/"), ["out.png/", "give the name of a file"]),
        (format!("{QUICK} -o out.png --log log.jsonl/"), ["log.jsonl/", "give the name of a file"]),
        (format!("{QUICK} -o out.png --log /proc/log"), ["/proc/log", "in the folder /proc"]),
        (format!("{QUICK} -o out.png --log log"), ["log", "may not be written"]),
        (
            "explain photo.png painting.webp --size 64 -o /proc/b.html".into(),
            ["b.html", "in the folder /proc"],
        ),
        ("explain photo.png painting.webp --size 64 -o protected.html".into(), ["protected.html", "may not"]),
        ("gradcheck --plot /proc/b.svg".into(), ["/proc/b.svg", "in the folder /proc"]),
        ("gradcheck --plot protected.svg".into(), ["protected.svg", "may not be written"]),
        ("reconstruct content photo.png -o /proc/b".into(), ["the folder /proc/b", "cannot make"]),
        ("grid photo.png painting.webp -o protected".into(), ["the folder protected", "cannot make"]),
        ("weights convert vgg16 -o /proc/b.safetensors".into(), ["b.safetensors", "in the folder /proc"]),
        ("weights convert vgg16 -o protected".into(), ["protected", "may not be written"]),
    ] {
        refused(&folder, &arguments, 1, &words);
    }
    assert_eq!(fs::read_to_string(folder.path("protected")).unwrap(), "old");
    assert!(!folder.path("out.png").exists());
}

#[test]
fn intermediate_pictures_and_cells_are_tried_before_painting() {
    let folder = Folder::new();
    let long = "a".repeat(250);
    let (code, message) = code_and_message(&quick(&folder, &format!("-o {long}.png --save-every 1")));
    assert!(code == 1 && message.contains("name too long") && !message.contains("iteration 1"), "{message}");
    fs::create_dir_all(folder.path("cells/seed-2.png")).unwrap();
    let (code, message) =
        code_and_message(&folder.run("sweep photo.png painting.webp --size 64 --vary seed=1,2 -o cells"));
    assert!(code == 1 && message.contains("seed-2.png: it is a directory"), "{message}");
    assert_eq!(names(&folder.path("cells")), ["seed-2.png"], "nothing was painted");
}

#[test]
fn no_output_is_an_input() {
    let folder = Folder::new();
    symlink("photo.png", folder.path("soft.png")).unwrap();
    fs::hard_link(folder.path("photo.png"), folder.path("hard.png")).unwrap();
    fs::copy(folder.path("photo.png"), folder.path("start.png")).unwrap();
    fs::copy(folder.path("photo.png"), folder.path("out-1.png")).unwrap();
    fs::create_dir(folder.path("cells")).unwrap();
    fs::copy(folder.path("photo.png"), folder.path("cells/sheet.png")).unwrap();
    succeeds(&folder.run("weights convert vgg16 --layers conv1_2 -o small.safetensors"));
    let before = |name: &str| fs::read(folder.path(name)).unwrap();
    let (photo, painting, weights) =
        (before("photo.png"), before("painting.webp"), before("small.safetensors"));
    for (arguments, words) in [
        (format!("{QUICK} -o photo.png"), ["-o photo.png", "CONTENT"]),
        (format!("{QUICK} -o soft.png"), ["-o soft.png", "CONTENT"]),
        (format!("{QUICK} -o hard.png"), ["-o hard.png", "CONTENT"]),
        (format!("{QUICK} -o painting.webp"), ["-o painting.webp", "STYLE"]),
        (format!("{QUICK} -o out.png --log photo.png"), ["--log photo.png", "CONTENT"]),
        (format!("{QUICK} -o out.png --log start.png --init start.png"), ["--log start.png", "--init"]),
        (format!("{QUICK} -o out.png --log out.png"), ["-o and --log", "the same file"]),
        (
            format!("{QUICK} -o out.png --log small.safetensors --weights small.safetensors"),
            ["--log small.safetensors", "--weights"],
        ),
        ("explain photo.png painting.webp -o photo.png".into(), ["-o photo.png", "CONTENT"]),
        ("gradcheck photo.png painting.webp --plot painting.webp".into(), ["--plot painting.webp", "STYLE"]),
        (
            "sweep cells/sheet.png painting.webp --vary seed=1 -o cells".into(),
            ["cells/sheet.png", "overwrite"],
        ),
        ("weights convert small.safetensors -o small.safetensors".into(), ["-o small.safetensors", "FILE"]),
        ("weights normalise small.safetensors --images . -o start.png".into(), ["-o start.png", "--images"]),
    ] {
        refused(&folder, &arguments, 2, &words);
    }
    for arguments in [
        QUICK.replace("photo.png", "-") + " -o photo.png",
        "explain photo.png - --size 64 -o photo.png".to_owned(),
        "sweep - painting.webp --size 64 --vary seed=1 -o cells".to_owned(),
    ] {
        let file = if arguments.starts_with("sweep") { "cells/sheet.png" } else { "photo.png" };
        let stdin = fs::File::open(folder.path(file)).unwrap();
        let (code, message) = code_and_message(&folder.command(&arguments).stdin(stdin).output().unwrap());
        assert!(code == 2 && message.contains(file) && message.contains("overwrite it"), "{message}");
        assert!(before(file) == photo, "{arguments}: standard input is read from it");
    }
    let numbered = quick(&folder, "-o out.png --save-every 1 --init out-1.png --log log");
    let (code, message) = code_and_message(&numbered);
    assert!(
        code == 2 && message.contains("--save-every out-1.png") && message.contains("--init"),
        "{message}"
    );
    assert!(!folder.path("log").exists() && !folder.path("out.png").exists());
    assert!(before("photo.png") == photo && before("painting.webp") == painting);
    assert!(before("small.safetensors") == weights && before("out-1.png") == photo);
}

#[test]
fn a_picture_may_be_painted_further() {
    let folder = Folder::new();
    succeeds(&quick(&folder, "-o out.png"));
    let before = fs::read(folder.path("out.png")).unwrap();
    succeeds(&quick(&folder, "--init out.png -o out.png"));
    assert!(is_picture(&folder.path("out.png")) && fs::read(folder.path("out.png")).unwrap() != before);
}

#[test]
fn modes_and_owners_stay_and_links_are_followed() {
    let folder = Folder::new();
    fs::create_dir(folder.path("other")).unwrap();
    symlink("other/private.png", folder.path("out.png")).unwrap();
    let target = folder.path("other/private.png");
    succeeds(&quick(&folder, "-o out.png"));
    assert!(is_picture(&target), "a link that led nowhere yet");
    fs::write(&target, "old").unwrap();
    set_mode(&target, 0o600);
    let given_away = std::os::unix::fs::chown(&target, Some(65534), Some(65534));
    if let Err(error) = &given_away {
        left_out("setpriv", error);
    }
    succeeds(&quick(&folder, "-o out.png"));
    assert!(is_picture(&target) && folder.path("out.png").is_symlink());
    let metadata = fs::metadata(&target).unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o600);
    assert!(given_away.is_err() || (metadata.uid(), metadata.gid()) == (65534, 65534));
    assert_eq!(names(&folder.path("other")), ["private.png"]);
}

#[test]
fn an_old_log_stays_until_the_run_starts() {
    let folder = Folder::new();
    let log = || fs::read_to_string(folder.path("log")).unwrap();
    fs::write(folder.path("log"), "old").unwrap();
    let absent = "transfer photo.png absent.png -o out.png --log log";
    for arguments in [absent, &format!("{QUICK} -o out.png --log log --memory-limit 1M")] {
        refused(&folder, arguments, 1, &[]);
        assert_eq!(log(), "old");
    }
    succeeds(&quick(&folder, "-o out.png --log log"));
    assert!(log().starts_with("{\"iteration\":1,") && log().lines().count() == 1, "{}", log());
}

#[test]
fn pipes_are_written_to() {
    let folder = Folder::new();
    for (name, arguments) in [
        ("pipe.png", &*format!("{QUICK} -o pipe.png")),
        ("weights.pipe", "weights convert vgg16 --layers conv1_2 --dtype f16 -o weights.pipe"),
    ] {
        let pipe = folder.path(name);
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        succeeds(&folder.run(arguments));
        let bytes = reader.join().unwrap();
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        assert!(image::load_from_memory(&bytes).is_ok() || bytes.windows(7).any(|word| word == b"conv1_2"));
    }
    succeeds(&folder.run("weights convert vgg16 --layers conv1_1 -o /dev/null"));
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn a_checkpoint_goes_where_a_file_can_be_replaced() {
    let folder = shared_folder();
    assert!(Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap().success());
    for place in ["pipe", "/dev/null"] {
        let arguments = format!("{QUICK} -o out.png --checkpoint {place}");
        refused(&folder, &arguments, 1, &[place, "a pipe or a device"]);
    }
    fs::write(folder.path("closed/run"), "old").unwrap();
    set_mode(&folder.path("closed/run"), 0o666);
    let arguments = format!("{QUICK} -o out.png --checkpoint closed/run");
    let Some(mut command) = as_nobody(&folder, &arguments) else { return };
    let (code, message) = code_and_message(&command.output().unwrap());
    assert!(code == 1 && message.contains("closed/run") && message.contains("in the folder"), "{message}");
    assert_eq!(fs::read_to_string(folder.path("closed/run")).unwrap(), "old");
    assert!(!folder.path("out.png").exists());
}

#[test]
fn a_picture_that_standard_output_does_not_take_is_kept() {
    let folder = Folder::new();
    let mut command = folder.command(&format!("{QUICK} -o - --quiet"));
    let mut child =
        command.env("TMPDIR", folder.path("")).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{message}");
    assert!(message.starts_with("Error: cannot write the picture to standard output"), "{message}");
    assert!(is_picture(&kept(&message)), "{message}");
}

/// The command as a user without rights, in the folder, which that user may write; none if the system does not allow that.
fn as_nobody(folder: &Folder, arguments: &str) -> Option<Command> {
    let setpriv = |program: &Path| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
        command.current_dir(folder.path("")).env("XDG_CONFIG_HOME", folder.path("settings"));
        command.env("TMPDIR", folder.path("kept")).stdin(Stdio::null());
        command
    };
    match setpriv(Path::new("true")).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => return left_out_without("setpriv", &output),
        Err(error) => {
            left_out("setpriv", error);
            return None;
        }
    }
    // It may lie where others see nothing.
    let mut program = PathBuf::from(env!("CARGO_BIN_EXE_impasto-tested"));
    if !setpriv(Path::new("test")).args(["-x".as_ref(), program.as_os_str()]).status().unwrap().success() {
        let copy = folder.path("impasto");
        fs::copy(&program, &copy).unwrap();
        program = copy;
    }
    let mut command = setpriv(&program);
    command.args(arguments.split_whitespace());
    Some(command)
}

fn left_out_without(need: &str, output: &Output) -> Option<Command> {
    left_out(need, String::from_utf8_lossy(&output.stderr));
    None
}

/// A folder that everybody may write, with one in it that only its owner may, and a place for what is kept.
fn shared_folder() -> Folder {
    let folder = Folder::new();
    for (name, mode) in [("", 0o777), ("kept", 0o777), ("closed", 0o755)] {
        fs::create_dir_all(folder.path(name)).unwrap();
        set_mode(&folder.path(name), mode);
    }
    folder
}

#[test]
fn a_folder_that_may_not_be_written_is_told_before_painting() {
    let folder = shared_folder();
    fs::write(folder.path("closed/theirs.png"), "old").unwrap();
    for (arguments, words) in [
        (format!("{QUICK} -o closed/out.png"), ["in the folder", "Permission denied"]),
        (format!("{QUICK} -o closed/theirs.png"), ["theirs.png", "may not be written"]),
        (format!("{QUICK} -o out.png --log closed/log"), ["closed/log", "Permission denied"]),
        ("explain photo.png painting.webp -o closed/out.html".into(), ["out.html", "Permission denied"]),
        ("gradcheck --plot closed/out.svg".into(), ["out.svg", "Permission denied"]),
        ("reconstruct content photo.png -o closed".into(), ["closed", "Permission denied"]),
        ("weights convert vgg16 -o closed/out".into(), ["closed/out", "Permission denied"]),
    ] {
        let Some(mut command) = as_nobody(&folder, &arguments) else { return };
        let (code, message) = code_and_message(&command.output().unwrap());
        assert_eq!(code, 1, "{arguments}: {message}");
        assert!(message.trim_end().lines().count() == 1, "{message}");
        assert!(words.iter().all(|word| message.contains(word)), "{arguments}: {message}");
    }
    assert_eq!(names(&folder.path("closed")), ["theirs.png"]);
}

#[test]
fn a_file_that_may_be_written_in_a_folder_that_may_not_is_overwritten() {
    let folder = shared_folder();
    let path = folder.path("closed/out.png");
    fs::write(&path, "old").unwrap();
    set_mode(&path, 0o666);
    let inode = fs::metadata(&path).unwrap().ino();
    let Some(mut command) = as_nobody(&folder, &format!("{QUICK} -o closed/out.png")) else { return };
    succeeds(&command.output().unwrap());
    assert!(is_picture(&path) && fs::metadata(&path).unwrap().ino() == inode);
    assert!(names(&folder.path("kept")).is_empty() && names(&folder.path("closed")) == ["out.png"]);
}

#[test]
fn what_one_group_may_do_another_one_may_not() {
    let folder = shared_folder();
    fs::write(folder.path("out.png"), "old").unwrap();
    set_mode(&folder.path("out.png"), 0o666);
    let Some(mut command) = as_nobody(&folder, &format!("{QUICK} -o out.png")) else { return };
    succeeds(&command.output().unwrap());
    let metadata = fs::metadata(folder.path("out.png")).unwrap();
    assert_eq!((metadata.gid(), metadata.mode() & 0o7777), (65534, 0o606));
}

/// Runs a shell script in the folder, with a file system of that many KiB of its own at `small`. The program is `$IMPASTO`.
fn with_small_disk(folder: &Folder, size: u32, script: &str) -> Option<Output> {
    for name in ["small", "kept"] {
        fs::create_dir_all(folder.path(name)).unwrap();
    }
    let own_mounts = own_mounts()?;
    let mut command = Command::new(own_mounts[0]);
    command.args(&own_mounts[1..]).args(["bash", "-c"]);
    command.arg(format!("mount -t tmpfs -o size={size}k tmpfs small || exit 99\n{script}"));
    command.current_dir(folder.path("")).env("IMPASTO", env!("CARGO_BIN_EXE_impasto-tested"));
    command.env("XDG_CONFIG_HOME", folder.path("settings"));
    command.env("TMPDIR", folder.path("kept")).stdin(Stdio::null());
    Some(command.output().unwrap())
}

#[test]
fn a_full_disk_is_told_before_painting() {
    let folder = Folder::new();
    for (arguments, name) in [
        (format!("{QUICK} -o small/out.png"), "small/out.png"),
        (format!("{QUICK} -o small/out.tif"), "small/out.tif"),
        ("explain photo.png painting.webp --size 64 -o small/out.html".into(), "small/out.html"),
        ("gradcheck --plot small/out.svg".into(), "small/out.svg"),
        ("reconstruct content photo.png --size 64 -o small".into(), "small/content-conv1_1.png"),
    ] {
        let script = format!("$IMPASTO {arguments}; code=$?; ls -A small; exit $code");
        let Some(output) = with_small_disk(&folder, 4, &script) else { return };
        let (code, message) = code_and_message(&output);
        assert_eq!(code, 1, "{arguments}: {message}");
        let lines = message.trim_end().lines().count();
        assert!(lines == 1 && message.contains(name) && message.contains("there is no room"), "{message}");
        assert!(output.stdout.is_empty(), "something is left: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn a_picture_for_which_the_disk_has_no_room_any_more_is_kept() {
    let folder = Folder::new();
    let script = format!(
        "$IMPASTO {QUICK} --iterations 1000000 -o small/out.png --log log & \
         while kill -0 $! && [[ ! -s log ]]; do sleep 0.02; done\n\
         head -c 1000000 /dev/zero > small/filling 2> /dev/null\n\
         kill -TERM $!\n\
         wait $!; code=$?; ls -A small; exit $code"
    );
    let Some(output) = with_small_disk(&folder, 256, &script) else { return };
    let (code, message) = code_and_message(&output);
    assert_eq!(code, 1, "{message}");
    let error = message.lines().last().unwrap();
    assert!(error.starts_with("Error: cannot write small/out.png: No space left"), "{message}");
    assert!(is_picture(&kept(error)), "{message}");
    assert_eq!(names(&folder.path("kept")).len(), 1);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "filling\n");
}

#[test]
fn a_file_that_can_only_be_overwritten_stays_if_its_disk_is_full() {
    let folder = Folder::new();
    // Nothing can take the place of a file that another one is mounted on.
    let script = format!(
        "echo old > small/old; : > out.png; mount --bind small/old out.png\n\
         head -c 1000000 /dev/zero > small/filling 2> /dev/null\n\
         $IMPASTO {QUICK} -o out.png; code=$?; cat out.png; exit $code"
    );
    let Some(output) = with_small_disk(&folder, 256, &script) else { return };
    let (code, message) = code_and_message(&output);
    assert_eq!(code, 1, "{message}");
    let error = message.lines().last().unwrap();
    assert!(error.starts_with("Error: cannot write out.png: No space left"), "{message}");
    assert!(is_picture(&kept(error)), "{message}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "old\n");
}

#[test]
fn a_limit_on_the_size_of_files_is_told_before_painting() {
    let folder = Folder::new();
    fs::write(folder.path("out.png"), "old").unwrap();
    let before = names(&folder.path(""));
    for arguments in [format!("{QUICK} -o out.png"), "weights convert vgg16 -o weights".to_owned()] {
        let mut command = Command::new("prlimit");
        command
            .args(["--fsize=4096", env!("CARGO_BIN_EXE_impasto-tested")])
            .args(arguments.split_whitespace());
        command.current_dir(folder.path("")).env("TMPDIR", folder.path(""));
        command.env("XDG_CONFIG_HOME", folder.path("settings"));
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => return left_out("prlimit", error),
        };
        let (code, message) = code_and_message(&output);
        assert!(code == 1 && message.contains("File too large"), "{code}: {message}");
        assert_eq!(names(&folder.path("")), before, "{arguments}");
    }
    assert_eq!(fs::read_to_string(folder.path("out.png")).unwrap(), "old");
}

#[test]
fn every_cell_of_a_sweep_has_a_file_of_its_own() {
    let folder = Folder::new();
    fs::copy(folder.path("photo.png"), folder.path("a_b.png")).unwrap();
    image::RgbImage::new(64, 64).save(folder.path("a b.png")).unwrap();
    let sweep = || {
        let mut command = folder.command("sweep photo.png painting.webp --size 64 --iterations 1 -o out");
        command.args(["--style-layers", "conv1_1", "--content-layers", "conv1_2"]);
        let output = command.args(["--vary", "init=a b.png,a_b.png"]).output().unwrap();
        succeeds(&output);
        code_and_message(&output).1
    };
    sweep();
    let pictures = ["init-a_b.png-2.png", "init-a_b.png.png"];
    let records = ["init-a_b.png-2.json", "init-a_b.png.json"];
    assert_eq!(names(&folder.path("out")), [records[0], pictures[0], records[1], pictures[1], "sheet.png"]);
    let [first, second] = pictures.map(|name| fs::read(folder.path("out").join(name)).unwrap());
    assert!(first != second, "two starts, two pictures");
    assert_eq!(sweep().matches("is there already").count(), 2);
}

#[test]
fn cells_that_are_one_file_are_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.path("cells")).unwrap();
    fs::write(folder.path("cells/seed-1.png"), "old").unwrap();
    fs::hard_link(folder.path("cells/seed-1.png"), folder.path("cells/seed-2.png")).unwrap();
    refused(
        &folder,
        "sweep photo.png painting.webp --size 64 --vary seed=1,2,1 -o cells",
        2,
        &["-o cells/seed-1.png and -o cells/seed-2.png are the same file"],
    );
}

#[test]
fn weights_are_whole_however_a_conversion_ends() {
    let folder = Folder::new();
    let convert = || {
        let mut command = folder.command("weights convert vgg16 --layers conv3_1 -o out/weights.safetensors");
        command.env("IMPASTO_WEIGHTS", folder.path("")).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    fs::create_dir(folder.path("out")).unwrap();
    let path = folder.path("out/weights.safetensors");
    assert!(convert().wait().unwrap().success());
    let bytes = fs::read(&path).unwrap();
    // A file that is whole has a temporary name for a moment before it takes its place, and KILL may come just then.
    let whole = || {
        let mut left = names(&folder.path("out"));
        left.retain(|name| !name.starts_with(".impasto-"));
        left
    };
    for (kill_after, old) in (0..12).map(|step| (Duration::from_millis(15 * step), step % 2 == 0)) {
        if !old {
            fs::remove_file(&path).unwrap();
        }
        let mut child = convert();
        std::thread::sleep(kill_after);
        child.kill().ok();
        child.wait().unwrap();
        let left = whole();
        assert!(left == ["weights.safetensors"] || (left.is_empty() && !old), "{left:?}");
        assert!(left.is_empty() || fs::read(&path).unwrap() == bytes);
        fs::write(&path, &bytes).unwrap();
    }
    let mut both = [convert(), convert()];
    assert!(both.iter_mut().all(|child| child.wait().unwrap().success()));
    assert!(fs::read(&path).unwrap() == bytes && whole() == ["weights.safetensors"]);
}

#[test]
fn a_planted_link_is_not_followed_and_links_to_weights_are() {
    let folder = Folder::new();
    fs::write(folder.path("victim"), "precious").unwrap();
    symlink("victim", folder.path("out.part")).unwrap();
    symlink("target", folder.path("out")).unwrap();
    succeeds(&folder.run("weights convert vgg16 --layers conv1_1 -o out"));
    assert_eq!(fs::read_to_string(folder.path("victim")).unwrap(), "precious");
    assert!(folder.path("out").is_symlink() && folder.path("target").is_file());
}

#[test]
fn weights_that_half_precision_cannot_hold_are_refused() {
    let folder = Folder::new();
    succeeds(&folder.run("weights convert vgg16 --layers conv1_2 -o single"));
    let mut bytes = fs::read(folder.path("single")).unwrap();
    // The last number is a bias of conv1_2.
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&70_000_f32.to_le_bytes());
    fs::write(folder.path("large"), bytes).unwrap();
    refused(
        &folder,
        "weights convert large --dtype f16 -o half",
        1,
        &["conv1_2.bias", "7e4", "position 63", "f32"],
    );
    assert!(!folder.path("half").exists());
    succeeds(&folder.run("weights convert large -o whole"));
}
