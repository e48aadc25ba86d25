//! The start of the optimisation.

use std::io;
use std::path::{Path, PathBuf};

use crate::picture::{ReadOptions, STANDARD_INPUT};
use crate::{Picture, PictureError};

/// The picture that the optimisation starts from.
///
/// As text: `content`, `noise`, or the path of a picture file, `-` for standard input.
#[derive(Debug, Clone, PartialEq)]
pub enum Init {
    /// The content picture.
    Content,
    /// White noise, from the seed: see [`crate::white_noise`].
    Noise,
    /// A picture file, read when it is needed and resized to the size of the result.
    File(PathBuf),
    /// A picture, resized to the size of the result.
    Picture(Picture),
}

impl Init {
    /// The start that a text names. Reads no file.
    pub fn named(text: &str) -> Self {
        match text {
            "content" => Self::Content,
            "noise" => Self::Noise,
            path => Self::File(path.into()),
        }
    }

    /// The text that [`Self::named`] reads; none for a picture in memory, which has no name.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Content => Some("content".to_owned()),
            Self::Noise => Some("noise".to_owned()),
            Self::File(path) => Some(path.display().to_string()),
            Self::Picture(_) => None,
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
            Self::File(path) => Ok(Self::Picture(Picture::read(&path, options)?.picture)),
            other => Ok(other),
        }
    }
}
