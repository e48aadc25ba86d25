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
    #[error("cannot write {}: it is a folder; give the name of a file", path.display())]
    IsFolder {
        /// The name.
        path: PathBuf,
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
    /// Writing failed.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system, or the maker of the content, said.
        source: io::Error,
    },
}
