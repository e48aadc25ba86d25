//! The start of the optimisation.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::nearest::did_you_mean;
use super::{OPTIONS, OptionRow};
use crate::picture::{ReadOptions, STANDARD_INPUT};
use crate::{Picture, PictureError};

/// The picture that the optimisation starts from.
///
/// As text: `content`, `noise`, `mean-noise`, `matched`, or the path of a picture file, `-` for standard input.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// The content picture.
    Content,
    /// White noise, from the seed: see [`crate::white_noise`].
    Noise,
    /// Normal noise of 0.001 grey levels around the network's mean colour, from the seed, as neural-style starts: see
    /// [`crate::mean_noise`].
    MeanNoise,
    /// The content picture, its colours brought to the mean and the covariance of the paintings' (Monge-Kantorovich): in each
    /// region to those of its paintings.
    Matched,
    /// A picture file, read when it is needed and resized to the size of the result.
    File(PathBuf),
    /// A picture, resized to the size of the result.
    Picture(Picture),
}

impl Init {
    /// Those that are no picture of their own, with their names.
    pub const NAMED: &'static [(Self, &'static str)] = &[
        (Self::Content, "content"),
        (Self::Noise, "noise"),
        (Self::MeanNoise, "mean-noise"),
        (Self::Matched, "matched"),
    ];

    /// The start that a text names. Reads no file.
    pub fn named(text: &str) -> Self {
        let known = Self::NAMED.iter().find(|(_, name)| *name == text);
        known.map_or_else(|| Self::File(text.into()), |(init, _)| init.clone())
    }

    /// The text that [`Self::named`] reads; none for a picture in memory, which has no name.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::File(path) => Some(path.display().to_string()),
            other => Self::NAMED.iter().find(|(init, _)| init == other).map(|(_, name)| (*name).to_owned()),
        }
    }

    /// The same start with its file read, if it has one.
    ///
    /// # Errors
    /// [`PictureError`] if the file cannot be read.
    pub fn read(self, options: &ReadOptions) -> Result<Self, PictureError> {
        match self {
            Self::File(path) if path == Path::new("-") => {
                let start = Picture::read_stream(io::stdin().lock(), Path::new(STANDARD_INPUT), options)?;
                Ok(Self::Picture(start.picture))
            }
            Self::File(path) => match Picture::read(&path, options) {
                Err(PictureError::Open { path, source }) if source.kind() == ErrorKind::NotFound => {
                    Err(PictureError::NoStart { path })
                }
                read => Ok(Self::Picture(read?.picture)),
            },
            other => Ok(other),
        }
    }
}

/// What there is in place of a start that is none: the end of a sentence.
pub(crate) fn how_to_start(path: &Path) -> String {
    let row = OPTIONS.iter().find(|row| row.name == "init");
    let requirement = row.map(OptionRow::requirement).unwrap_or_default();
    let names = Init::NAMED.iter().map(|(_, name)| *name);
    format!("`init` must be {requirement}{}", did_you_mean(&path.to_string_lossy(), names))
}
