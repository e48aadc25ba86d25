//! The start of the optimisation.

use std::fmt;
use std::path::PathBuf;

use crate::picture::PIXEL_LIMIT;
use crate::{Picture, PictureError};

/// The picture that the optimisation starts from.
///
/// As text: `content`, `noise`, or the path of a picture file.
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

    /// The same start with its file read, if it has one.
    ///
    /// # Errors
    /// [`PictureError`] if the file cannot be read.
    pub fn read(self) -> Result<Self, PictureError> {
        match self {
            Self::File(path) => Ok(Self::Picture(Picture::read(&path, PIXEL_LIMIT)?.0)),
            other => Ok(other),
        }
    }
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content => f.write_str("content"),
            Self::Noise => f.write_str("noise"),
            Self::File(path) => path.display().fmt(f),
            Self::Picture(picture) => write!(f, "a picture of {} x {}", picture.width(), picture.height()),
        }
    }
}
