//! A file's content into its place.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::FileError;
use crate::place::{Place, folder_of};
use crate::temporary::Temporary;

/// Writes a file whole or not at all: `content` goes to a temporary file beside it, is synced to the disk, and takes its
/// place. An older file of that name stays until then; its mode is kept, and its owner if the system allows.
///
/// Links are followed. What is not a regular file (a pipe, `/dev/null`) is written to directly.
///
/// # Errors
/// [`FileError`] if the file cannot be written, or `content` returned an error.
pub fn write_atomically(
    path: &Path,
    content: impl Fn(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FileError> {
    match Place::of(path)? {
        Place::Free(target) => replace(&target, None, &content),
        Place::Taken(target, old) => replace(&target, Some(&old), &content),
        Place::Stream(target) => {
            OpenOptions::new().write(true).truncate(true).open(target).and_then(|file| fill(&file, &content))
        }
    }
    .map_err(|source| FileError::Write { path: path.into(), source })
}

fn replace(
    target: &Path,
    old: Option<&Metadata>,
    content: &dyn Fn(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let folder = folder_of(target);
    let temporary = Temporary::new_in(folder)?;
    fill(temporary.file(), content)?;
    if let Some(old) = old {
        keep_owner_and_mode(temporary.file(), old)?;
    }
    temporary.file().sync_all()?;
    temporary.persist(target)?;
    sync_folder(folder)
}

fn fill(file: &File, content: &dyn Fn(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, file);
    content(&mut out)?;
    out.flush()
}

/// The owner first: changing it may change the mode.
#[cfg(unix)]
fn keep_owner_and_mode(file: &File, old: &Metadata) -> io::Result<()> {
    use rustix::fs::{Gid, Uid, fchown};
    use std::os::unix::fs::MetadataExt;
    let (owner, group) = (Some(Uid::from_raw(old.uid())), Some(Gid::from_raw(old.gid())));
    // Only root may give files away; others may give them to a group of theirs.
    if fchown(file, owner, group).is_err() {
        fchown(file, None, group).ok();
    }
    file.set_permissions(old.permissions())
}

#[cfg(not(unix))]
fn keep_owner_and_mode(file: &File, old: &Metadata) -> io::Result<()> {
    file.set_permissions(old.permissions())
}

/// A name is on the disk when its folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    // A folder may be written without being readable, and some file systems sync no folders.
    let Ok(folder) = File::open(folder) else { return Ok(()) };
    match folder.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        result => result,
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn text(content: &str) -> impl Fn(&mut dyn Write) -> io::Result<()> + '_ {
        move |out| out.write_all(content.as_bytes())
    }

    #[test]
    fn a_file_is_written_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt");
        for content in ["first", "second and longer"] {
            write_atomically(&path, text(content)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        let failing = |out: &mut dyn Write| {
            out.write_all(&[0; 100_000])?;
            Err(io::Error::other("no more"))
        };
        assert!(write_atomically(&path, failing).unwrap_err().to_string().ends_with("no more"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "second and longer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
