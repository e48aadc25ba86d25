//! Why a picture is not read, before the file's name is put to it.

use std::io;

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
    TooLarge { height: usize, width: usize, needed: u64, limit: u64 },
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged("it ends too early".to_owned()),
            _ => Self::Io(error),
        }
    }
}
