//! Why a file cannot be written, each as one sentence.

use std::io;
use std::path::PathBuf;

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The folder that the file shall be in does not exist.
    #[error("cannot write {}: the folder {} does not exist; make it first", path.display(), folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// The name is a folder's.
    #[error("cannot write {}: it is a directory; give the name of a file", path.display())]
    IsFolder {
        /// The name.
        path: PathBuf,
    },
    /// What is there cannot be replaced by a file.
    #[error("cannot write {}: it is a pipe or a device; give the name of a file", path.display())]
    NotRegular {
        /// The pipe or device.
        path: PathBuf,
    },
    /// Nothing is there, and the name ends as only those of folders do, such as `out.png/`.
    #[error("cannot write {}: the name ends like a directory's; give the name of a file", path.display())]
    EndsLikeFolder {
        /// The name.
        path: PathBuf,
    },
    /// The folder takes files, but none of that name.
    #[error(
        "cannot write {}: the folder {} takes no file of such a name ({source}); choose another name",
        path.display(), folder.display()
    )]
    Name {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is a file of that name that may not be written.
    #[error(
        "cannot write {}: there is such a file, and it may not be written; allow it (chmod u+w), or choose another name",
        path.display()
    )]
    Protected {
        /// The file.
        path: PathBuf,
    },
    /// The name has more bytes than the file system takes.
    #[error("cannot write {}: name too long; choose a shorter one", path.display())]
    LongName {
        /// The file.
        path: PathBuf,
    },
    /// No file can be made in the folder.
    #[error(
        "cannot write {}: no file can be made in the folder {} ({source}); choose another one",
        path.display(), folder.display()
    )]
    Folder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is not the room that the file may need.
    #[error(
        "cannot write {}: there is no room for the {} that it may need ({source}); make room, or choose another place",
        path.display(), size(*bytes)
    )]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// The most bytes that it may need.
        bytes: u64,
        /// What the system said.
        source: io::Error,
    },
    /// An output is a file that is read.
    #[error(
        "{option} {} is the file that {input} names, and would overwrite it; choose another name",
        path.display()
    )]
    IsInput {
        /// The option of the output.
        option: String,
        /// The file, as the option has it.
        path: PathBuf,
        /// What names the input.
        input: String,
    },
    /// Two outputs are one file.
    #[error("{first} and {second} {} are the same file; choose another name for one of them", path.display())]
    SameFile {
        /// The option of one, with its path if that of the other is called the same.
        first: String,
        /// The option of the other.
        second: String,
        /// The file, as the other has it.
        path: PathBuf,
    },
    /// Writing failed, and the content was put elsewhere.
    #[error("{error}; it is kept as {}", kept.display())]
    Kept {
        /// Why it is not in its place.
        error: Box<FileError>,
        /// Where it is.
        kept: PathBuf,
    },
    /// Writing failed, and no other folder took the content either.
    #[error("{error}; neither the temporary folder nor another one took it: it is lost")]
    Lost {
        /// Why it is not in its place.
        error: Box<FileError>,
    },
    /// Standard output took no more.
    #[error("cannot write {what} to standard output: {source}")]
    StandardOutput {
        /// What was written.
        what: &'static str,
        /// What the system, or the maker of the content, said.
        source: io::Error,
    },
    /// Writing failed.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system, or the maker of the content, said.
        source: io::Error,
    },
}

/// Bytes as people read them, rounded up.
fn size(bytes: u64) -> String {
    if bytes < 1 << 20 {
        format!("{} KiB", bytes.div_ceil(1 << 10))
    } else {
        format!("{} MiB", bytes.div_ceil(1 << 20))
    }
}
