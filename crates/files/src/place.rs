//! What stands where a file shall be written.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::FileError;

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// A place for a file, as it was when it was looked at.
#[derive(Debug)]
pub(crate) enum Place {
    /// Nothing is there. The path leads through no link any more.
    Free(PathBuf),
    /// A regular file, at a path without links.
    Taken(PathBuf, Metadata),
    /// A pipe, a device, or a file that is open but has no name any more: to be written to, not replaced.
    Stream(PathBuf),
}

impl Place {
    /// Looks at `path` and follows its links.
    ///
    /// # Errors
    /// [`FileError`] if nothing can be written there, whatever the content.
    pub(crate) fn of(path: &Path) -> Result<Self, FileError> {
        let failed = |source| FileError::Write { path: path.into(), source };
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(FileError::IsFolder { path: path.into() }),
            Ok(metadata) if is_protected(path, &metadata) => Err(FileError::Protected { path: path.into() }),
            Ok(metadata) if !metadata.is_file() => Ok(Self::Stream(path.into())),
            Ok(metadata) => match fs::canonicalize(path) {
                Ok(target) => Ok(Self::Taken(target, metadata)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::Stream(path.into())),
                Err(source) => Err(failed(source)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let target = end_of_links(path).map_err(failed)?;
                if ends_like_folder(&target) {
                    return Err(FileError::EndsLikeFolder { path: path.into() });
                }
                let folder = folder_of(&target);
                if folder.is_dir() {
                    return Ok(Self::Free(target));
                }
                Err(FileError::NoFolder { path: path.into(), folder: folder.into() })
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidFilename => {
                Err(FileError::LongName { path: path.into() })
            }
            Err(source) => Err(failed(source)),
        }
    }
}

/// The folder that a path without links lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether something follows the last name of a path, as in `out.png/`, or it has none.
fn ends_like_folder(path: &Path) -> bool {
    let end = path.as_os_str().as_encoded_bytes();
    path.file_name().is_none_or(|name| !end.ends_with(name.as_encoded_bytes()))
}

/// Where links lead that end nowhere yet.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&target) {
            Ok(metadata) if metadata.is_symlink() => {
                target = folder_of(&target).join(fs::read_link(&target)?);
            }
            Ok(_) => return Ok(target),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(target),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many links"))
}

/// Whether the mode lets nobody write, or the system does not let this process.
#[cfg(unix)]
fn is_protected(path: &Path, metadata: &Metadata) -> bool {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    use std::os::unix::fs::PermissionsExt;
    let nobody = metadata.permissions().mode() & 0o222 == 0;
    nobody || accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS) == Err(rustix::io::Errno::ACCESS)
}

#[cfg(not(unix))]
fn is_protected(_: &Path, metadata: &Metadata) -> bool {
    metadata.permissions().readonly()
}
