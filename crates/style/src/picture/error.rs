//! What can be wrong with a picture file, each as one sentence.

use std::io;
use std::path::{Path, PathBuf};

use impasto_files::{FileError, one_line, quoted};

use super::{NAMELESS, STANDARD_INPUT};

/// Why a picture cannot be read or written. The text is one line, whatever the file's name or its decoder says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file cannot be opened.
    #[error("cannot read {}: {source}", name(path))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What shall be the start is neither the name of one nor a file that is there.
    #[error("there is no file {}, and {}", name(path), crate::options::how_to_start(path))]
    NoStart {
        /// What it was taken for.
        path: PathBuf,
    },
    /// The file has no bytes.
    #[error("{} is empty", name(path))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The first bytes are not those of a format that is read, nor of one that is known.
    #[error("{} is not a JPEG, PNG, WebP, TIFF, BMP or GIF picture", name(path))]
    NotAPicture {
        /// The file.
        path: PathBuf,
    },
    /// The first bytes are those of a known format that is not read.
    #[error("{} is {kind}, which is not read: convert it first, with {}", name(path), commands(advice, path))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is, with its article.
        kind: &'static str,
        /// Commands between backquotes; `IN` is the file, `OUT` its name without extension.
        advice: &'static str,
    },
    /// The file is of a kind of its format that is not read.
    #[error("{} is {}, which is not read: save it as a PNG first", name(path), one_line(what))]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it is: "a TIFF with LZMA compression".
        what: String,
    },
    /// The numbers of a picture of floats are no colours.
    #[error("{} {}", name(path), one_line(problem))]
    Values {
        /// The file.
        path: PathBuf,
        /// What is the matter with them, after the name of the file.
        problem: String,
    },
    /// The file contradicts its format or ends too early.
    #[error("{} is damaged or cut short: {}", name(path), one_line(detail.trim_end()))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        detail: String,
    },
    /// Reading it would take more memory than there is or may be taken.
    #[error(
        "{} has {width} x {height} pixels: reading it takes {} MiB in all, and {} MiB are free or allowed, room for about {} \
         pixels; shrink it first, or raise `memory-limit`",
        name(path), needed.div_ceil(1 << 20), limit >> 20, rounded(*room)
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// The bytes that are taken while it is read, those that were taken before included.
        needed: u64,
        /// The most bytes that may be taken.
        limit: u64,
        /// About how many pixels of that kind there is room for.
        room: u64,
    },
    /// The header announces more pixels than any picture may have.
    #[error(
        "{} has {width} x {height} pixels, more than the limit of {limit} pixels; shrink it first",
        name(path)
    )]
    TooManyPixels {
        /// The file.
        path: PathBuf,
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// The most that is accepted.
        limit: u64,
    },
    /// Every pixel is wholly transparent.
    #[error(
        "{} is transparent everywhere, so there is nothing to see of it; `background` white lays it on a colour",
        name(path)
    )]
    Transparent {
        /// The file.
        path: PathBuf,
    },
    /// A stream goes on beyond the memory that may be taken.
    #[error("{} has more than the {} MiB that are free or allowed; give a smaller picture, or raise `memory-limit`", name(path), limit >> 20)]
    LongStream {
        /// Its name.
        path: PathBuf,
        /// The most bytes that it may have.
        limit: u64,
    },
    /// The system does not give the memory.
    #[error("cannot read {}: the system does not give the {} MiB that it takes; free some memory, or shrink it first", name(path), bytes.div_ceil(1 << 20))]
    NoMemory {
        /// The file.
        path: PathBuf,
        /// The bytes asked for.
        bytes: u64,
    },
    /// The system does not give the memory for a picture that is made here.
    #[error("there is no memory for a picture of {width} x {height} pixels: ask for a smaller one")]
    NoRoom {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
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
    /// Alpha or a mask has another size than its picture.
    #[error("a mask of {height} x {width} pixels is not of the size of its picture, {} x {}", picture.0, picture.1)]
    MaskSize {
        /// Rows of the mask.
        height: usize,
        /// Columns of the mask.
        width: usize,
        /// Rows and columns of the picture.
        picture: (usize, usize),
    },
    /// The name of the output does not say which format it shall have.
    #[error("cannot tell the format of {}: use a name that ends in .png, .jpg, .webp or .tif", name(path))]
    UnknownExtension {
        /// The file.
        path: PathBuf,
    },
    /// The format cannot hold the picture.
    #[error("cannot write {}: {source}", name(path))]
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

fn name(path: &Path) -> String {
    one_line(path.display())
}

/// The commands of an advice for that file.
fn commands(advice: &str, path: &Path) -> String {
    let is_no_file = [STANDARD_INPUT, NAMELESS].iter().any(|name| path == Path::new(name));
    let path = if is_no_file { Path::new("FILE") } else { path };
    let output = quoted(&path.with_extension(""));
    let parts: Vec<String> = advice.split("IN").map(|part| part.replace("OUT", &output)).collect();
    parts.join(&quoted(path))
}

/// A number of pixels as it is spoken of.
fn rounded(pixels: u64) -> String {
    const MILLION: u64 = 1_000_000;
    if pixels < MILLION { pixels.to_string() } else { format!("{} million", pixels / MILLION) }
}
