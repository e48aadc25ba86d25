//! What can be wrong with a picture file, each as one sentence.

use std::io;
use std::path::{Path, PathBuf};

use impasto_files::{FileError, one_line};

use super::STANDARD_INPUT;

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
        "{} has {width} x {height} pixels: to read it takes {} MiB, and {} MiB are free or allowed, room for about {} pixels; \
         shrink it first, or raise `memory-limit`",
        name(path), needed.div_ceil(1 << 20), limit >> 20, room(*width, *height, *needed, *limit)
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// The bytes that reading takes.
        needed: u64,
        /// The most bytes that it may take.
        limit: u64,
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
    if path == Path::new(STANDARD_INPUT) {
        return advice.replace("OUT", "FILE").replace("IN", "FILE");
    }
    let quoted = |path: &Path| {
        let name = name(path);
        let plain = |c: char| c.is_alphanumeric() || "/._-+,@%".contains(c);
        if name.chars().all(plain) { name } else { format!("'{}'", name.replace('\'', r"'\''")) }
    };
    advice.replace("OUT", &quoted(&path.with_extension(""))).replace("IN", &quoted(path))
}

/// About how many pixels of that kind the limit has room for.
fn room(width: usize, height: usize, needed: u64, limit: u64) -> String {
    let pixels = width as f64 * height as f64 * (limit as f64 / needed as f64);
    match pixels {
        1e6.. => format!("{} million", (pixels / 1e6) as u64),
        _ => (pixels as u64).to_string(),
    }
}
