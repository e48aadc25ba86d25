//! `impasto weights` end to end: the binary on real and on broken files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use impasto_vgg::Network;
use tempfile::TempDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn embedded() -> PathBuf {
    root().join("weights/vgg16.safetensors")
}

fn fixture(name: &str) -> PathBuf {
    root().join("crates/vgg/tests/fixtures").join(name)
}

fn load(path: &Path) -> Network {
    Network::load(path).unwrap()
}

/// Runs `impasto weights` with the folder of weights set to `folder`.
fn weights(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_impasto-tested"))
        .arg("weights")
        .args(arguments)
        .env("IMPASTO_WEIGHTS", folder)
        .env("XDG_CONFIG_HOME", folder)
        .output()
        .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs the command, checks that it succeeds, and gives its output.
fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = weights(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the command, checks that it fails with the code and one sentence, and gives that.
fn fails(code: i32, folder: &Path, arguments: &[&str]) -> String {
    let output = weights(folder, arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    assert!(error.starts_with("Error: ") && error.trim_end().lines().count() == 1, "{error}");
    assert!(output.stdout.is_empty());
    error
}

#[test]
fn converting_the_embedded_file_gives_it_back_byte_for_byte() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out.safetensors");
    succeeds(folder.path(), &["convert", text(&embedded()), "-o", text(&out), "--dtype", "f16"]);
    assert!(fs::read(&out).unwrap() == fs::read(embedded()).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the file is left");
}

#[test]
fn the_built_in_network_can_be_cut_inspected_and_verified() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("vgg16.safetensors");
    succeeds(folder.path(), &["convert", "vgg16", "--layers", "relu2_1", "-o", text(&out)]);
    // Now `vgg16` is the file in the folder of weights.
    let report = succeeds(folder.path(), &["inspect", "vgg16"]);
    for line in [
        "format         safetensors",
        "network        VGG-16, 3 layers, conv1_1 to conv2_1",
        "preprocessing  caffe-rgb (the file's metadata say so)",
        "known          no",
        "licence        CC-BY-4.0",
        "  f32    128 x 64 x 3 x 3       conv2_1.weight",
    ] {
        assert!(report.contains(line), "{line:?} is not in\n{report}");
    }
    let verdict = succeeds(folder.path(), &["verify", text(&out)]);
    assert!(verdict.contains("good: VGG-16, 3 layers"), "{verdict}");
}

#[test]
fn the_built_in_network_is_inspected_and_verified_as_a_file_is() {
    let folder = TempDir::new().unwrap();
    let of_file = succeeds(folder.path(), &["inspect", text(&embedded())]);
    let built_in = succeeds(folder.path(), &["inspect", "vgg16"]);
    assert!(built_in.starts_with("file           built in ("), "{built_in}");
    let behind = |report: &str| report.split_once('(').unwrap().1.to_owned();
    assert_eq!(behind(&built_in), behind(&of_file));
    let verdict = succeeds(folder.path(), &["verify", "vgg16"]);
    assert_eq!(verdict, "built in: good: VGG-16, 13 layers, the embedded weights\n");
    let error = fails(2, folder.path(), &["inspect", "vgg16", "--preprocess", "torch"]);
    assert!(error.contains("--preprocess is for a file"), "{error}");
}

#[test]
fn weights_go_through_pipes() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out.safetensors");
    let converted = weights(folder.path(), &["convert", "vgg16", "-o", "-", "--dtype", "f16"]);
    assert!(converted.status.success() && converted.stderr.is_empty());
    assert!(converted.stdout == fs::read(embedded()).unwrap());
    let script = format!(
        "cat {0} | {1} weights verify - && {1} weights verify <(cat {0}) && {1} weights convert - -o {2} < {0}",
        text(&embedded()),
        env!("CARGO_BIN_EXE_impasto-tested"),
        text(&out)
    );
    let piped =
        Command::new("bash").args(["-ec", &script]).env("XDG_CONFIG_HOME", folder.path()).output().unwrap();
    assert!(piped.status.success(), "{}", String::from_utf8_lossy(&piped.stderr));
    let said = String::from_utf8(piped.stdout).unwrap();
    assert!(said.starts_with("standard input: good: VGG-16, 13 layers"), "{said}");
    assert_eq!(load(&out), load(&embedded()));
    let mut nothing = Command::new(env!("CARGO_BIN_EXE_impasto-tested"));
    nothing.args(["weights", "inspect", "-"]).env("XDG_CONFIG_HOME", folder.path());
    let nothing = nothing.stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8(nothing.stderr).unwrap();
    assert!(error.starts_with("Error: standard input: not a weight file of any known format "), "{error}");
}

#[test]
fn normalising_writes_a_network_whose_filters_answer_alike() {
    let folder = TempDir::new().unwrap();
    let (cut, out) = (folder.path().join("cut.safetensors"), folder.path().join("normal.safetensors"));
    succeeds(folder.path(), &["convert", "vgg16", "--layers", "conv1_2", "-o", text(&cut)]);
    let images = folder.path().join("images");
    fs::create_dir(&images).unwrap();
    fs::copy(root().join("examples/content/chelsea.png"), images.join("chelsea.png")).unwrap();
    let arguments = ["normalise", text(&cut), "--images", text(&images), "--size", "64", "-o", text(&out)];
    succeeds(folder.path(), &arguments);
    // What is normalised stays as it is when it is normalised again.
    let again = folder.path().join("again.safetensors");
    let arguments_again =
        ["normalise", text(&out), "--images", text(&images), "--size", "64", "-o", text(&again)];
    succeeds(folder.path(), &arguments_again);
    let (before, once, twice) = (load(&cut), load(&out), load(&again));
    assert!(before.convs[0].bias != once.convs[0].bias);
    for (once, twice) in once.convs.iter().zip(&twice.convs) {
        for (once, twice) in once.bias.iter().zip(&twice.bias) {
            assert!((once - twice).abs() <= 1e-4 * once.abs(), "{once} became {twice}");
        }
    }
    fs::remove_file(images.join("chelsea.png")).unwrap();
    let error = fails(1, folder.path(), &arguments);
    assert!(error.contains("has no pictures in it"), "{error}");
}

#[test]
fn a_network_that_is_not_there_is_told_with_the_command_that_makes_it() {
    let folder = TempDir::new().unwrap();
    let error = fails(1, folder.path(), &["inspect", "vgg19"]);
    assert!(
        error.contains("there are no VGG-19 weights at") && error.contains("impasto weights convert FILE -o"),
        "{error}"
    );
}

#[test]
fn transfer_finds_a_converted_network_by_its_name() {
    let folder = TempDir::new().unwrap();
    let transfer = || {
        let examples = root().join("examples");
        Command::new(env!("CARGO_BIN_EXE_impasto-tested"))
            .arg("transfer")
            .arg(examples.join("content/chelsea.png"))
            .arg(examples.join("style/cafe_terrace.webp"))
            .args(["--weights", "vgg19", "--size", "32", "--iterations", "1", "--content-layers", "conv1_2"])
            .args(["--style-layers", "conv1_1", "-o", text(&folder.path().join("out.png"))])
            .env("IMPASTO_WEIGHTS", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .output()
            .unwrap()
    };
    let error = String::from_utf8(transfer().stderr).unwrap();
    assert!(error.starts_with("Error: there are no VGG-19 weights at"), "{error}");
    // Whatever network it holds, the file of that name is the one that is read.
    let named = folder.path().join("vgg19.safetensors");
    succeeds(folder.path(), &["convert", "vgg16", "--layers", "conv1_2", "-o", text(&named)]);
    let output = transfer();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(folder.path().join("out.png").exists());
}

/// The embedded file without its metadata on preprocessing and with another first weight: nothing tells what it expects.
fn ambiguous() -> Vec<u8> {
    let mut bytes = fs::read(embedded()).unwrap();
    let key = b"\"preprocessing\"";
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
    bytes[at + 1] = b'q';
    let data = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[data..data + 2].copy_from_slice(&[0, 0]);
    bytes
}

#[test]
fn an_ambiguous_file_names_the_three_choices_and_takes_one() {
    let folder = TempDir::new().unwrap();
    let (file, out) = (folder.path().join("mystery.safetensors"), folder.path().join("out.safetensors"));
    fs::write(&file, ambiguous()).unwrap();
    let error = fails(1, folder.path(), &["convert", text(&file), "-o", text(&out)]);
    for choice in ["--preprocess torch", "caffe-bgr", "caffe-rgb"] {
        assert!(error.contains(choice), "{error}");
    }
    assert!(!out.exists());
    let report = succeeds(folder.path(), &["inspect", text(&file)]);
    assert!(report.contains("preprocessing  unknown"), "{report}");
    succeeds(folder.path(), &["convert", text(&file), "-o", text(&out), "--preprocess", "torch"]);
    let report = succeeds(folder.path(), &["inspect", text(&out)]);
    assert!(report.contains("preprocessing  torch (the file's metadata say so)"), "{report}");
}

#[test]
fn broken_and_hostile_files_give_one_sentence() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let good = fs::read(embedded()).unwrap();
    let mut not_a_number = good.clone();
    let last = good.len() - 2;
    not_a_number[last..].copy_from_slice(&0x7e00_u16.to_le_bytes());
    for (path, expected) in [
        (folder.path().join("absent"), "No such file"),
        (folder.path().into(), "directory"),
        (write("empty", b""), "not a weight file of any known format"),
        (write("truncated", &good[..good.len() / 2]), "truncated"),
        (write("nan", &not_a_number), "conv5_3 holds a number that is NaN or infinite"),
        (
            write("long", &[&(10_u64 << 30).to_le_bytes()[..], b"{}"].concat()),
            "its header claims 10737418240 bytes",
        ),
        (fixture("vision.pth"), "conv1_1 has the shape 4 x 3 x 3 x 3 where VGG-19 has 64 x 3 x 3 x 3"),
        (fixture("os_system.pth"), "posix.system, which weights do not need, and nothing in it was run"),
    ] {
        for command in ["inspect", "verify"] {
            let error = fails(1, folder.path(), &[command, text(&path)]);
            assert!(error.contains(expected), "{error}");
        }
    }
    let damaged = write("vgg16-00000000.safetensors", &good);
    let error = fails(1, folder.path(), &["verify", text(&damaged)]);
    assert!(error.contains("the download is damaged"), "{error}");
}

#[test]
fn wrong_use_exits_with_2() {
    let folder = TempDir::new().unwrap();
    let nowhere = folder.path().join("absent/out.safetensors");
    let error = fails(1, folder.path(), &["convert", "vgg16", "-o", text(&nowhere)]);
    assert!(error.contains("absent"), "{error}");
    let out = folder.path().join("out.safetensors");
    let error = fails(2, folder.path(), &["convert", "vgg16", "-o", text(&out), "--layers", "conv3_4"]);
    assert!(error.contains("VGG-16 has no layer conv3_4"), "{error}");
    for arguments in [&["convert", "vgg16"][..], &["inspect", "vgg16", "--preprocess", "bgr"], &[]] {
        assert_eq!(weights(folder.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}
