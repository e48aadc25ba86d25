//! The fixtures that `make_fixtures.py` makes: one small VGG-19 in every format.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use impasto_vgg::LoadOptions;

/// The fixtures have few filters a layer.
pub(crate) const SMALL: LoadOptions = LoadOptions { convention: None, any_width: true };

/// The folder of the fixtures.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The place of a fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    fixtures().join(name)
}

/// The names and bytes of the weight files among the fixtures, sorted.
pub(crate) fn weight_files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "bin"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}
