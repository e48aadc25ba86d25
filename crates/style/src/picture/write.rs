//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::PictureError;

/// Writes a file to a temporary one in the same folder and renames that, so that an interrupted run never leaves half a
/// file, and an older file of that name stays until the new one is whole.
///
/// What is not a regular file (a pipe, `/dev/null`) is written to directly; a link is followed.
///
/// # Errors
/// [`PictureError::NoFolder`] or [`PictureError::Write`].
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), PictureError> {
    check_folder(path)?;
    replace(path, bytes).map_err(|source| PictureError::Write { path: path.into(), source })
}

/// Checks that the folder that a file shall be written to exists, and that the name is not a folder's.
///
/// # Errors
/// [`PictureError::NoFolder`] or [`PictureError::Write`].
pub fn check_folder(path: &Path) -> Result<(), PictureError> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(PictureError::NoFolder { path: path.into(), folder: folder.into() });
    }
    if path.is_dir() {
        return Err(PictureError::Write { path: path.into(), source: io::ErrorKind::IsADirectory.into() });
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
        return File::create(&target)?.write_all(bytes);
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".impasto-").suffix(".part");
    #[cfg(unix)]
    {
        // Like any new file: what the umask leaves of rw-rw-rw-.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder_of(&target))?;
    file.write_all(bytes)?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}
