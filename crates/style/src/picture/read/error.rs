//! Why a picture is not read, before the file's name is put to it.

use std::io;
use std::path::Path;

use crate::PictureError;

/// Why a picture is not read. Texts go on after the file's name, on one line or not: line feeds are escaped when they are
/// shown.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The system failed.
    Io(io::Error),
    /// The file contradicts its format or ends too early: what the decoder says.
    Damaged(String),
    /// The file is sound and of a kind that is not read: "a TIFF with LZMA compression".
    Unsupported(String),
    /// The numbers are no colours: "is NaN at row 3, column 7", "has values from 0 to 255 where ... ; divide them first".
    Values(String),
    /// It takes more bytes than allowed.
    TooLarge { height: usize, width: usize, needed: u64, limit: u64, room: u64 },
    /// It has more pixels than any picture may have.
    TooManyPixels { height: usize, width: usize, limit: u64 },
    /// The system does not give so many bytes.
    NoMemory { bytes: u64 },
    /// A number is not finite once its colours were converted.
    NotFinite,
    /// Nothing of it can be seen.
    Transparent,
    /// No byte.
    Empty,
    /// None of the formats that are known.
    NotAPicture,
    /// A format that is known and not read, and how to convert it.
    Foreign { kind: &'static str, advice: &'static str },
    /// A stream has more bytes than allowed.
    LongStream { limit: u64 },
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged("it ends too early".to_owned()),
            _ => Self::Io(error),
        }
    }
}

impl ReadError {
    /// The error of a file.
    pub(super) fn of(self, path: &Path) -> PictureError {
        let path = path.into();
        match self {
            Self::Io(source) => PictureError::Open { path, source },
            Self::Damaged(detail) => PictureError::Damaged { path, detail },
            Self::Unsupported(what) => PictureError::Unsupported { path, what },
            Self::Values(problem) => PictureError::Values { path, problem },
            Self::NotFinite => {
                PictureError::Values { path, problem: "has a number that is not finite".to_owned() }
            }
            Self::TooLarge { height, width, needed, limit, room } => {
                PictureError::TooLarge { path, width, height, needed, limit, room }
            }
            Self::TooManyPixels { height, width, limit } => {
                PictureError::TooManyPixels { path, width, height, limit }
            }
            Self::NoMemory { bytes } => PictureError::NoMemory { path, bytes },
            Self::Transparent => PictureError::Transparent { path },
            Self::Empty => PictureError::Empty { path },
            Self::NotAPicture => PictureError::NotAPicture { path },
            Self::Foreign { kind, advice } => PictureError::Foreign { path, kind, advice },
            Self::LongStream { limit } => PictureError::LongStream { path, limit },
        }
    }
}
