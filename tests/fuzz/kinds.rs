//! What is mutated, who reads it, and what the reader may take.

use std::fs;
use std::path::{Path, PathBuf};

use impasto_style::picture::{ReadOptions, Transparency};
use impasto_style::{Picture, Provenance, Size};
use impasto_vgg::{LoadOptions, Loaded};

use crate::{checkpoints, pictures};

/// Files of one kind, and their reader.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Sound files: names and bytes.
    pub(crate) files: fn() -> Vec<(String, Vec<u8>)>,
    /// Makes checksums right again, which would hide everything behind them; done to every other file.
    pub(crate) mend: fn(&mut [u8]),
    /// Reads a file, from memory or from the path, where it has been written if `on_disk`. The error is its message.
    pub(crate) read: fn(&[u8], &Path) -> Result<(), String>,
    pub(crate) on_disk: bool,
    /// The most bytes that a process which reads one after the other may hold at any time.
    pub(crate) memory: usize,
}

/// All kinds of files that may come from strangers.
pub(crate) const KINDS: [Kind; 3] = [
    Kind {
        name: "pictures",
        files: pictures::pictures,
        mend: pictures::mend_checksums,
        read: read_picture,
        on_disk: false,
        memory: READING as usize + (8 << 20),
    },
    Kind {
        name: "weights",
        files: weights,
        mend: |_| (),
        read: read_weights,
        on_disk: false,
        // VGG-19's own numbers, which a small file that compresses well may hold, and some more.
        memory: 100 << 20,
    },
    Kind {
        name: "checkpoints",
        files: checkpoints::checkpoints,
        mend: checkpoints::mend_checksum,
        read: checkpoints::go_on,
        on_disk: true,
        // The embedded network's, and what its reading takes.
        memory: 256 << 20,
    },
];

/// The memory limit of reading a picture.
const READING: u64 = 48 << 20;

fn read_picture(bytes: &[u8], _: &Path) -> Result<(), String> {
    let options = ReadOptions { memory_limit: Some(READING), ..ReadOptions::default() };
    let said = Provenance::read_stream(bytes, Path::new("picture"), &options);
    if let Err(message) = said.map_err(|error| error.to_string()) {
        assert!(!message.contains(char::is_control) && message.len() <= 1000, "a message like {message:?}");
    }
    // Once as it is, with all that there is beside it; once shrunk.
    for (size, profile) in [(Size::Original, true), (Size::Longest(2), false)] {
        let options = ReadOptions {
            memory_limit: Some(READING),
            held: 0,
            size,
            transparency: Transparency::Kept,
            profile,
        };
        let read =
            Picture::read_stream(bytes, Path::new("picture"), &options).map_err(|error| error.to_string())?;
        assert!(read.picture.data().iter().all(|value| value.is_finite()), "a number that is none");
    }
    Ok(())
}

fn read_weights(bytes: &[u8], _: &Path) -> Result<(), String> {
    // The fixtures have few filters a layer.
    let options = LoadOptions { convention: None, any_width: true };
    Loaded::from_bytes(bytes.to_vec(), options).map(drop).map_err(|problem| problem.to_string())
}

/// One small VGG-19 in every format.
fn weights() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/vgg/tests/fixtures");
    let paths =
        fs::read_dir(folder).expect("the fixtures are there").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension != "bin")).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read(path).expect("a fixture"))).collect()
}
