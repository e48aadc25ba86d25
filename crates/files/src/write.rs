//! A file's content into its place.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use crate::FileError;
use crate::place::{Place, folder_of};
use crate::probe::allocate;
use crate::temporary::Temporary;

/// What writes the content of a file. It may be called again for another place.
type Content<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// Writes a file whole or not at all: `content` goes to a temporary file beside it, is synced to the disk, and takes its
/// place. An older file of that name stays until then; its mode is kept, and its owner if the system allows.
///
/// Links are followed. What is not a regular file (a pipe, `/dev/null`) is written to directly. A file that may be written
/// but not replaced (in a folder that may not be written, say) is overwritten, after the content is whole in the temporary
/// folder.
///
/// # Errors
/// [`FileError`] if the file cannot be written, or `content` returned an error.
pub fn write_atomically(
    path: &Path,
    content: impl Fn(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FileError> {
    write(path, &content)
}

/// [`write_atomically`] for what is the work of hours: if it fails, the content is [kept](keep) in the temporary folder.
///
/// # Errors
/// [`FileError::Kept`] with the file that holds the content now; [`FileError::Lost`] if there is none.
pub fn write_or_keep(
    path: &Path,
    content: impl Fn(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FileError> {
    let ending = path.extension().map_or_else(String::new, |ending| format!(".{}", ending.display()));
    write(path, &content).map_err(|error| keep(error, &ending, content))
}

/// For what could not be written because of `error`: puts the content into a new file in the temporary folder
/// ([`std::env::temp_dir`]), whose name has that ending (`.png`), and returns [`FileError::Kept`]. Where that folder does not take
/// it, others are tried: `/var/tmp`, the working folder, the user's own. If none does, it is [`FileError::Lost`].
pub fn keep(error: FileError, ending: &str, content: impl Fn(&mut dyn Write) -> io::Result<()>) -> FileError {
    let home = std::env::home_dir();
    let folders = [std::env::temp_dir(), "/var/tmp".into(), ".".into()].into_iter().chain(home);
    let kept = folders.into_iter().find_map(|folder| keep_in(&folder, ending, &content).ok());
    let error = Box::new(error);
    match kept {
        Some(kept) => FileError::Kept { error, kept },
        None => FileError::Lost { error },
    }
}

fn keep_in(folder: &Path, ending: &str, content: Content<'_>) -> io::Result<PathBuf> {
    let temporary = Temporary::new_in(folder)?;
    fill(temporary.file(), content)?;
    temporary.file().sync_all()?;
    temporary.keep_in(folder, ending)
}

fn write(path: &Path, content: Content<'_>) -> Result<(), FileError> {
    match Place::of(path)? {
        Place::Free(target) => replace(&target, None, content),
        Place::Taken(target, old) => replace(&target, Some(&old), content),
        Place::Stream(target) => {
            OpenOptions::new().write(true).truncate(true).open(target).and_then(|file| fill(&file, content))
        }
    }
    .map_err(|source| FileError::Write { path: path.into(), source })
}

/// The content into a new file, and that into the place. An old file that does not give up its place is overwritten.
fn replace(target: &Path, old: Option<&Metadata>, content: Content<'_>) -> io::Result<()> {
    let folder = folder_of(target);
    let temporary = match Temporary::new_in(folder) {
        Err(_) if old.is_some() => return overwrite(target, content),
        temporary => temporary?,
    };
    if let Some(old) = old {
        take_mode_and_owner(temporary.file(), old);
    }
    fill(temporary.file(), content)?;
    temporary.file().sync_all()?;
    match temporary.persist(target) {
        // It lies on another mount, or in a folder whose files only their owners may replace.
        Err(_) if old.is_some() => overwrite(target, content),
        persisted => persisted.and_then(|()| sync_folder(folder)),
    }
}

/// The content into the temporary folder, and from there, when it is whole and there is room for it, over the old file.
fn overwrite(target: &Path, content: Content<'_>) -> io::Result<()> {
    let temporary = Temporary::new_in(&std::env::temp_dir())?;
    let mut whole = temporary.file();
    fill(whole, content)?;
    whole.rewind()?;
    let mut file = OpenOptions::new().write(true).open(target)?;
    let (old, new) = (file.metadata()?.len(), whole.metadata()?.len());
    if let Err(error) = allocate(&file, new) {
        file.set_len(old)?;
        return Err(error);
    }
    io::copy(&mut whole, &mut file)?;
    file.set_len(new)?;
    file.sync_all()
}

fn fill(file: &File, content: Content<'_>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, file);
    content(&mut out)?;
    out.flush()
}

/// As far as the file system has them and the system allows it; without its group the mode loses the group's bits. The mode comes
/// first: what only the owner may read, nobody else
/// can for a moment.
fn take_mode_and_owner(file: &File, old: &Metadata) {
    file.set_permissions(old.permissions()).ok();
    #[cfg(unix)]
    {
        use rustix::fs::{Gid, Uid, fchown};
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let (owner, group) = (Some(Uid::from_raw(old.uid())), Some(Gid::from_raw(old.gid())));
        // Only root may give files away; others may give them to a group of theirs.
        if fchown(file, owner, group).is_err() {
            fchown(file, None, group).ok();
        }
        // What the old group may do, another one may not.
        if file.metadata().is_ok_and(|new| new.gid() != old.gid()) {
            let mode = old.mode() & 0o5707;
            file.set_permissions(std::fs::Permissions::from_mode(mode)).ok();
        }
    }
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

    fn text(content: &str) -> impl Fn(&mut dyn Write) -> io::Result<()> {
        move |out| out.write_all(content.as_bytes())
    }

    /// Writes a lot, then fails.
    fn failing(out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&vec![0; 200_000])?;
        Err(io::Error::other("no more"))
    }

    #[test]
    fn a_file_is_written_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt");
        for content in ["first", "second and longer"] {
            write_atomically(&path, text(content)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        let error = write_atomically(&path, failing).unwrap_err();
        assert!(error.to_string().ends_with("out.txt: no more"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "second and longer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/out.txt");
        let error = write_or_keep(&path, text("work")).unwrap_err();
        let message = error.to_string();
        let FileError::Kept { kept, .. } = error else { panic!("{message}") };
        assert!(message.contains("none does not exist") && message.contains(&kept.display().to_string()));
        assert!(kept.extension().is_some_and(|ending| ending == "txt"));
        assert_eq!(fs::read_to_string(&kept).unwrap(), "work");
        fs::remove_file(kept).unwrap();
        let error = write_or_keep(&folder.path().join("out.txt"), failing).unwrap_err();
        assert!(matches!(error, FileError::Lost { .. }), "nothing to keep: {error}");
    }

    #[test]
    fn an_old_file_is_overwritten_by_what_is_whole_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt");
        fs::write(&path, "old and longer").unwrap();
        assert!(overwrite(&path, &failing).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old and longer");
        for content in ["new", "new and much longer"] {
            overwrite(&path, &text(content)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

        use super::*;

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().permissions().mode() & 0o7777
        }

        #[test]
        fn modes_are_kept_and_files_that_nobody_may_write_too() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("out.txt");
            write_atomically(&path, text("new")).unwrap();
            let umask = fs::File::create(folder.path().join("like any")).unwrap().metadata().unwrap();
            assert_eq!(mode(&path), umask.permissions().mode() & 0o7777);
            for kept in [0o600, 0o640, 0o666, 0o755] {
                fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
                write_atomically(&path, text("again")).unwrap();
                assert_eq!(mode(&path), kept);
            }
            fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
            let error = write_atomically(&path, text("never")).unwrap_err();
            assert!(matches!(error, FileError::Protected { .. }), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), "again");
        }

        #[test]
        fn links_are_followed_to_where_they_end() {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            fs::create_dir(path("deep")).unwrap();
            symlink("deep/second", path("first")).unwrap();
            symlink("../end.txt", path("deep/second")).unwrap();
            for content in ["nothing was there", "something was there"] {
                write_atomically(&path("first"), text(content)).unwrap();
                assert_eq!(fs::read_to_string(path("end.txt")).unwrap(), content);
            }
            assert!(path("first").is_symlink() && path("deep/second").is_symlink());
            symlink("round", path("round")).unwrap();
            assert!(write_atomically(&path("round"), text("never")).is_err());
        }

        #[test]
        fn devices_and_pipes_stay_what_they_are() {
            let node = || fs::metadata("/dev/null").unwrap();
            let before = (node().dev(), node().ino(), node().mode());
            write_atomically(Path::new("/dev/null"), text("lost")).unwrap();
            assert_eq!((node().dev(), node().ino(), node().mode()), before);
            #[cfg(target_os = "linux")]
            {
                let error = write_or_keep(Path::new("/dev/full"), text("kept")).unwrap_err();
                let FileError::Kept { kept, .. } = error else { panic!("{error}") };
                assert_eq!(fs::read_to_string(&kept).unwrap(), "kept");
                fs::remove_file(kept).unwrap();
            }
        }
    }
}
