//! Pictures that a command is given.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use impasto_study::study::Paths;
use impasto_style::picture::{ReadOptions, ReadPicture, STANDARD_INPUT};
use impasto_style::{Picture, Subject, TransferOptions};

use crate::failure::Failure;
use crate::network::NetworkArguments;
use crate::streams::warn;

/// The two pictures of a command.
#[derive(Debug, Args)]
pub(crate) struct Pair {
    /// The photo, or - for standard input
    content: PathBuf,

    /// The painting, or - for standard input
    style: PathBuf,
}

/// At which size pictures are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// As they are: they will be worked at in several sizes.
    Whole,
    /// Much larger ones are shrunk to the size of the one transfer that they are for.
    Shrunk,
}

impl Pair {
    /// The photo and the painting as they are.
    pub(crate) fn read(&self, options: &TransferOptions, quiet: bool) -> Result<Subject, Failure> {
        read_subject([&self.content, &self.style], options, Keep::Whole, quiet)
    }

    /// The files, each with what names it.
    pub(crate) fn files(&self) -> [(&'static str, &Path); 2] {
        [("CONTENT", &self.content), ("STYLE", &self.style)]
    }

    /// Where the material of a study comes from.
    pub(crate) fn paths<'a>(&'a self, network: &'a NetworkArguments) -> Paths<'a> {
        Paths { content: Some(&self.content), style: Some(&self.style), weights: network.path() }
    }
}

/// Reads a photo and a painting within the memory limit.
pub(crate) fn read_subject(
    [content, style]: [&Path; 2],
    options: &TransferOptions,
    keep: Keep,
    quiet: bool,
) -> Result<Subject, Failure> {
    if is_standard_input(content) && is_standard_input(style) {
        return Err(Failure::wrong_use("standard input is one picture: give - only once"));
    }
    let of_photo = if keep == Keep::Whole { options.reading_whole(0) } else { options.reading_photo(0) };
    let photo = read(content, &of_photo, quiet)?;
    let held = photo.picture.bytes();
    let of_painting = match keep {
        Keep::Whole => options.reading_whole(held),
        Keep::Shrunk => options.reading_painting(0, &photo.picture, held),
    };
    let painting = read(style, &of_painting, quiet)?;
    let bytes = photo.bytes.max(held + painting.bytes);
    Ok(Subject::new(photo.picture, painting.picture).after_reading(bytes))
}

/// Reads a picture; says what is doubtful about it, unless it shall be quiet.
pub(crate) fn read_picture(path: &Path, options: &ReadOptions, quiet: bool) -> Result<Picture, Failure> {
    Ok(read(path, options, quiet)?.picture)
}

fn read(path: &Path, options: &ReadOptions, quiet: bool) -> Result<ReadPicture, Failure> {
    let name = if is_standard_input(path) { Path::new(STANDARD_INPUT) } else { path };
    let read = if is_standard_input(path) {
        Picture::read_stream(io::stdin().lock(), name, options)?
    } else {
        Picture::read(path, options)?
    };
    for warning in &read.warnings {
        warn(quiet, &format!("{}: {warning}", name.display()));
    }
    Ok(read)
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// The file that is read for a picture: of `-` what standard input is.
pub(crate) fn file_of_picture(path: &Path) -> &Path {
    if is_standard_input(path) { Path::new("/dev/stdin") } else { path }
}
