//! Settings: defaults from a file, below all that is said, and said to be heeded.

use std::fs;

use crate::command::{Folder, code_and_message};

const QUICK: &str = "--iterations 2 --content-layers conv2_1 --style-layers conv1_1,conv2_1";

/// A folder with settings where the program looks for them.
fn with_settings(text: &str) -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.path("settings")).unwrap();
    fs::write(folder.path("settings/impasto.toml"), text).unwrap();
    folder
}

/// Runs a transfer that must succeed: its picture, and what it says.
#[track_caller]
fn paint(folder: &Folder, arguments: &str) -> (Vec<u8>, String) {
    let output = folder.run(&format!("transfer photo.png painting.webp -o out.png {QUICK} {arguments}"));
    let (code, message) = code_and_message(&output);
    assert_eq!(code, 0, "{arguments}: {message}");
    (fs::read(folder.path("out.png")).unwrap(), message)
}

#[test]
fn settings_are_defaults_below_arguments() {
    let folder = with_settings("size = 40\nstyle-weight = 7\npooling = 'avg'");
    let other = Folder::new();
    let (picture, message) = paint(&folder, "");
    assert!(message.starts_with("Defaults are those of "), "{message}");
    assert!(message.contains("impasto.toml: pool, size, style-weight\n"), "{message}");
    let (expected, message) = paint(&other, "--size 40 --style-weight 7 --pool average");
    assert!(picture == expected && !message.contains("Defaults"), "{message}");

    let (picture, _) = paint(&folder, "-s 24 --pool max --preset paper");
    let (expected, _) = paint(&other, "--size 24 --style-weight 7 --preset paper --pool max");
    assert!(picture == expected);

    let (picture, message) = paint(&folder, "--size 24 --no-config");
    let (expected, _) = paint(&other, "--size 24");
    assert!(picture == expected && !message.contains("Defaults"), "{message}");

    let (_, message) = paint(&folder, "--quiet");
    assert_eq!(message, "");
}

#[test]
fn a_file_of_settings_can_be_named() {
    let folder = with_settings("size = 40");
    fs::write(folder.path("mine.toml"), "size = 24\nquiet = true").unwrap();
    let (picture, message) = paint(&folder, "--config mine.toml");
    let (expected, _) = paint(&Folder::new(), "--size 24");
    assert!(picture == expected && message.is_empty(), "{message}");
    let (_, message) = paint(&folder, "--config mine.toml --verbose");
    assert!(message.contains("Defaults are those of mine.toml"), "{message}");
}

/// Named, or found where settings are.
#[test]
fn no_output_replaces_settings() {
    let folder = with_settings("size = 24");
    fs::write(folder.path("mine.png"), "size = 24").unwrap();
    for (output, file) in [
        ("-o mine.png --config mine.png", "mine.png"),
        ("-o out.png --log mine.png --config mine.png", "mine.png"),
        ("-o out.png --log settings/impasto.toml", "settings/impasto.toml"),
        ("-o out.png --checkpoint settings/impasto.toml", "settings/impasto.toml"),
    ] {
        let output = folder.run(&format!("transfer photo.png painting.webp {QUICK} {output}"));
        let (code, message) = code_and_message(&output);
        assert!(code == 2 && message.contains("--config"), "{file}: {code}: {message}");
        assert_eq!(fs::read_to_string(folder.path(file)).unwrap(), "size = 24");
    }
}

/// Nobody named it, so that it is not there.
#[test]
fn settings_that_cannot_be_reached_are_none() {
    let folder = Folder::new();
    fs::write(folder.path("settings"), "no folder").unwrap();
    let (_, message) = paint(&folder, "--size 24");
    assert!(!message.contains("Defaults"), "{message}");
}

#[test]
fn a_run_that_goes_on_is_what_its_checkpoint_says() {
    let folder = Folder::new();
    paint(&folder, "--size 24 --checkpoint out.run");
    fs::create_dir(folder.path("settings")).unwrap();
    let settings = "size = 40\niterations = 50\nweights = 'none.pth'\nquality = 3";
    fs::write(folder.path("settings/impasto.toml"), settings).unwrap();
    let (code, message) = code_and_message(&folder.run("transfer --resume out.run --iterations 3"));
    assert_eq!(code, 0, "{message}");
    let resumed = fs::read(folder.path("out.png")).unwrap();
    let (expected, _) = paint(&Folder::new(), "--size 24 --iterations 3");
    assert!(resumed == expected, "{message}");
}

#[test]
fn a_method_that_was_chosen_forgets_what_only_another_one_has() {
    let folder = with_settings("history = 5\nsize = 24");
    paint(&folder, "--optimizer adam");
    let (code, message) = code_and_message(
        &folder.run("transfer photo.png painting.webp -o out.png --size 24 --optimizer adam --history 5"),
    );
    assert!(code == 2 && message.contains("--history is for"), "{message}");
}

#[test]
fn studies_heed_settings_and_keep_their_own_defaults() {
    let folder =
        with_settings("size = 40\niterations = 1\nstyle-layers = 'conv1_1'\ncontent-layers = 'conv2_1'");
    let run = |arguments: &str| {
        let (code, message) = code_and_message(&folder.run(arguments));
        assert_eq!(code, 0, "{arguments}: {message}");
        message
    };
    run("sweep photo.png painting.webp --vary pooling=avg,max -o sweep");
    let cell =
        image::open(folder.path("sweep/pooling-max.png")).or(image::open(folder.path("sweep/pool-max.png")));
    assert_eq!(cell.unwrap().width(), 40);
    let message = run("gradcheck --operations-only");
    assert!(!message.contains("Defaults"), "nothing of it is heeded: {message}");
    fs::write(folder.path("settings/impasto.toml"), "init = 'content'\niterations = 1").unwrap();
    run("reconstruct content photo.png --layers conv1_1 --size 24 --iterations 1 -o figure");
    let records = fs::read_dir(folder.path("figure")).unwrap().map(|entry| entry.unwrap().path());
    let records = records.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let texts: Vec<String> = records.map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(texts.iter().all(|text| text.contains("\"noise\"")) && !texts.is_empty(), "{texts:?}");
}

#[test]
fn what_is_wrong_with_settings_is_said_with_their_file() {
    for (text, problem) in [
        ("sizee = 40", "there is no setting sizee; did you mean size?"),
        ("size = 15", "--size must be at least 16"),
        ("size 40", "line 1"),
    ] {
        let folder = with_settings(text);
        let output = folder.run("transfer photo.png painting.webp -o out.png");
        let (code, message) = code_and_message(&output);
        assert!(code == 1 && message.starts_with("Error: ") && message.contains(problem), "{message}");
        assert!(message.contains("settings/impasto.toml") && message.lines().count() == 1, "{message}");
    }
    // A command that heeds none of it says so, and works.
    let folder = with_settings("sizee = 40");
    let (code, message) = code_and_message(&folder.run("weights inspect vgg16"));
    assert!(
        code == 0 && message.starts_with("Warning: ") && message.contains("no setting sizee"),
        "{message}"
    );
    let (code, _) = code_and_message(&folder.run("weights inspect vgg16 --config settings/impasto.toml"));
    assert_eq!(code, 1, "it was named");
    let output = Folder::new().run("bench --config none.toml");
    let (code, message) = code_and_message(&output);
    assert!(code == 1 && message.contains("cannot read the settings none.toml"), "{message}");
}
