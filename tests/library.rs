//! docs/library.md: its programs are those of examples/library, and they run. They are compiled here as they stand; `make` builds the
//! same files as a crate of its own, outside the workspace.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// A program of the example, as a function.
macro_rules! programs {
    ($($name:ident: $file:literal;)+) => {
        $(
            mod $name {
                include!(concat!("../examples/library/src/", $file));

                pub(super) fn run() -> Result<(), Box<dyn Error>> {
                    main()
                }
            }
        )+

        type Program = (&'static str, fn() -> Result<(), Box<dyn Error>>);
        const PROGRAMS: &[Program] = &[$(($file, $name::run)),+];
    };
}

programs! {
    paint: "main.rs";
    measure: "bin/measure.rs";
    own_optimiser: "bin/own_optimiser.rs";
    progress: "bin/progress.rs";
    options: "bin/options.rs";
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The blocks of code of a page in a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let parts = page.split("\n```").skip(1).step_by(2);
    parts.filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n')).collect()
}

#[test]
fn the_page_has_the_programs_of_the_example() {
    let page = fs::read_to_string(root().join("docs/library.md")).unwrap();
    let source = |file: &str| fs::read_to_string(root().join("examples/library").join(file)).unwrap();
    let mut expected: Vec<String> = PROGRAMS.iter().map(|(file, _)| source(&format!("src/{file}"))).collect();
    let blocks_of = |language| blocks(&page, language).into_iter().map(|block| format!("{block}\n"));
    assert_eq!(blocks_of("rust").collect::<Vec<_>>(), expected);
    // Every program is on the page.
    let bins = fs::read_dir(root().join("examples/library/src/bin")).unwrap().count();
    assert_eq!(PROGRAMS.len(), 1 + bins);
    expected = vec![source("Cargo.toml")];
    assert_eq!(blocks_of("toml").collect::<Vec<_>>(), expected);
    let lines = source("src/main.rs").lines().skip_while(|line| !line.starts_with("fn main")).count();
    assert!(lines <= 10, "from nothing to a picture in ten lines: {lines}");
}

#[test]
fn blocks_are_told_by_their_language() {
    let page = "a\n```rust\nfn a() {}\n```\nb\n```sh\nls\n```\n\n```rust\nfn b() {}\n```\n";
    assert_eq!(blocks(page, "rust"), ["fn a() {}", "fn b() {}"]);
    assert_eq!(blocks(page, "sh"), ["ls"]);
}

/// In a folder with a photo and a painting.
#[test]
fn every_program_of_the_page_runs() {
    let folder = tempfile::tempdir().unwrap();
    let examples = root().join("examples").canonicalize().unwrap();
    fs::copy(examples.join("content/chelsea.png"), folder.path().join("photo.jpg")).unwrap();
    fs::copy(examples.join("style/church_at_auvers.webp"), folder.path().join("painting.jpg")).unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    for (file, run) in PROGRAMS {
        run().unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    let sizes: BTreeMap<_, _> = ["out.png", "descent.png", "progress.png"]
        .map(|name| (name, fs::metadata(name).map_or(0, |file| file.len())))
        .into();
    assert!(sizes.values().all(|&bytes| bytes > 1000), "{sizes:?}");
    std::env::set_current_dir(examples).unwrap();
}
