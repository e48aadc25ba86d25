//! Pictures that a command is given.

use std::path::{Path, PathBuf};

use clap::Args;
use impasto_study::study::Paths;
use impasto_style::picture::{PIXEL_LIMIT, Profile};
use impasto_style::{Picture, Subject};

use crate::failure::Failure;
use crate::network::NetworkArguments;
use crate::streams::warn;

/// The two pictures of a command.
#[derive(Debug, Args)]
pub(crate) struct Pair {
    /// The photo
    content: PathBuf,

    /// The painting
    style: PathBuf,
}

impl Pair {
    /// The photo and the painting.
    pub(crate) fn read(&self, quiet: bool) -> Result<Subject, Failure> {
        Ok(Subject::new(read_picture(&self.content, quiet)?, read_picture(&self.style, quiet)?))
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

/// Reads a picture; says so if its colours may be off, unless it shall be quiet.
pub(crate) fn read_picture(path: &Path, quiet: bool) -> Result<Picture, Failure> {
    let (picture, profile) = Picture::read(path, PIXEL_LIMIT)?;
    if profile == Profile::Unusable {
        let name = path.display();
        warn(
            quiet,
            &format!("the colour profile of {name} cannot be used, so its colours are taken as sRGB"),
        );
    }
    Ok(picture)
}
