//! What can be wrong with a picture file, each as one sentence.

use std::io;
use std::path::PathBuf;

use impasto_files::FileError;

/// Why a picture cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file cannot be opened.
    #[error("cannot read {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file has no bytes.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The first bytes are not those of a format that is read.
    #[error("{} is not a JPEG, PNG, WebP, TIFF, BMP or GIF picture", path.display())]
    NotAPicture {
        /// The file.
        path: PathBuf,
    },
    /// The file contradicts its format or ends too early.
    #[error("{} is damaged or cut short: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        detail: String,
    },
    /// The header announces more pixels than the caller accepts.
    #[error("{} has {width} x {height} pixels, more than the limit of {limit} pixels; shrink it first", path.display())]
    TooManyPixels {
        /// The file.
        path: PathBuf,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// The most that is accepted.
        limit: u64,
    },
    /// The numbers of a picture do not fit its size.
    #[error("a picture of {height} x {width} pixels cannot have {length} numbers")]
    Length {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// The numbers given.
        length: usize,
    },
    /// The name of the output does not say which format it shall have.
    #[error("cannot tell the format of {}: use a name that ends in .png, .jpg, .webp or .tif", path.display())]
    UnknownExtension {
        /// The file.
        path: PathBuf,
    },
    /// The format cannot hold the picture.
    #[error("cannot write {}: {source}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the encoder said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}
