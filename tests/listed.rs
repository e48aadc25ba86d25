//! No test is forgotten: where Cargo looks for no programs of tests by itself, every file of tests is a module of the one program or
//! a program that `Cargo.toml` names.

use std::fs;
use std::path::{Path, PathBuf};

/// The folders of tests of the workspace with the `Cargo.toml` of each.
fn folders() -> Vec<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let crates = fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> =
        crates.map(|folder| (folder.join("tests"), folder.join("Cargo.toml"))).collect();
    folders.push((root.join("tests"), root.join("tests/Cargo.toml")));
    folders
}

/// The files of a folder that are in neither list: `mod NAME;` in `main.rs`, `path = "NAME.rs"` or `path = "tests/NAME.rs"` in
/// `Cargo.toml`.
fn forgotten(files: &[String], main: &str, cargo: &str) -> Vec<String> {
    let listed = |file: &&String| {
        let module = format!("mod {};", file.trim_end_matches(".rs"));
        let paths = [format!("path = \"{file}\""), format!("path = \"tests/{file}\"")];
        main.lines().any(|line| line == module)
            || cargo.lines().any(|line| paths.iter().any(|path| line == path))
    };
    files.iter().filter(|file| !listed(file)).cloned().collect()
}

#[test]
fn every_file_of_tests_is_compiled() {
    let mut looked_at = 0;
    for (folder, cargo) in folders() {
        let Ok(main) = fs::read_to_string(folder.join("main.rs")) else { continue };
        let paths = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        let files: Vec<String> =
            sources.map(|path| path.file_name().unwrap().to_str().unwrap().into()).collect();
        let cargo = fs::read_to_string(cargo).unwrap();
        assert!(cargo.contains("autotests = false"), "{}: files are programs as well", folder.display());
        assert_eq!(forgotten(&files, &main, &cargo), [""; 0], "{}: name them in main.rs", folder.display());
        looked_at += files.len();
    }
    assert!(looked_at > 60, "{looked_at} files");
}

#[test]
fn a_forgotten_file_is_seen() {
    let files = ["engine.rs", "memory.rs", "main.rs", "new.rs"].map(String::from);
    let cargo = "[[test]]\nname = \"tests\"\npath = \"tests/main.rs\"\n\npath = \"tests/memory.rs\"\n";
    assert_eq!(forgotten(&files, "mod engine;\nmod newer;\n", cargo), ["new.rs"]);
}
