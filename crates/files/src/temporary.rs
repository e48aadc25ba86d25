//! Files that become visible when they are whole.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::listed::Listed;

const PREFIX: &str = ".impasto-";
const SUFFIX: &str = ".part";
/// Between a file's making and its locking it looks like one of a dead process.
const STALE_AFTER: Duration = Duration::from_secs(60);

/// A new file, without a name if the system can do that. Nothing is left of it unless it is [kept](Temporary::persist).
#[derive(Debug)]
pub(crate) enum Temporary {
    /// Linux's `O_TMPFILE`: gone with the process, however that ends.
    #[cfg(target_os = "linux")]
    Unnamed(File, PathBuf),
    /// A file beside its later place; locked, so that others see that its process lives.
    Named(NamedTempFile<(File, Listed)>),
}

impl Temporary {
    /// Makes one in a folder, after removing those that dead processes left there. Like any new file it has the mode that the
    /// umask leaves of rw-rw-rw-.
    pub(crate) fn new_in(folder: &Path) -> io::Result<Self> {
        remove_stale(folder);
        #[cfg(target_os = "linux")]
        if let Ok(file) = unnamed(folder) {
            return Ok(Self::Unnamed(file, folder.into()));
        }
        Self::named_in(folder)
    }

    /// Makes one that has a name.
    pub(crate) fn named_in(folder: &Path) -> io::Result<Self> {
        let file = make_in(folder, SUFFIX.as_ref(), new_file)?;
        lock(&file.as_file().0);
        Ok(Self::Named(file))
    }

    pub(crate) fn file(&self) -> &File {
        match self {
            #[cfg(target_os = "linux")]
            Self::Unnamed(file, _) => file,
            Self::Named(file) => &file.as_file().0,
        }
    }

    /// Gives the file its name, in place of what had it.
    pub(crate) fn persist(self, target: &Path) -> io::Result<()> {
        let named = match self {
            #[cfg(target_os = "linux")]
            Self::Unnamed(file, folder) => named(file, &folder)?,
            Self::Named(file) => file,
        };
        named.persist(target)?;
        Ok(())
    }

    /// Gives the file a name of its own in a folder, with that ending. Only the user may read it, as the folder may be everybody's.
    pub(crate) fn keep_in(self, folder: &Path, ending: &str) -> io::Result<PathBuf> {
        let place = tempfile::Builder::new().prefix("impasto-").suffix(ending).tempfile_in(folder)?;
        self.file().set_permissions(place.as_file().metadata()?.permissions())?;
        self.persist(place.path())?;
        Ok(place.into_temp_path().keep()?)
    }
}

/// Tries whether the folder takes a name with these characters: a temporary file has it as a part of its own, and goes away. The
/// name itself is not made, so that whoever sees it sees a whole file.
pub(crate) fn try_name(folder: &Path, name: &OsStr) -> io::Result<()> {
    let suffix: OsString = ["-".as_ref(), name, SUFFIX.as_ref()].into_iter().collect();
    match make_in(folder, &suffix, new_file) {
        // The longer name says nothing of the shorter one.
        Err(error) if error.kind() == io::ErrorKind::InvalidFilename => Ok(()),
        made => made.map(drop),
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// Calls `make` with names of temporary files in the folder, which end in `suffix`, until one is free. The error is what the system
/// said, without that name, which nobody knows.
fn make_in<T>(
    folder: &Path,
    suffix: &OsStr,
    mut make: impl FnMut(&Path) -> io::Result<T>,
) -> io::Result<NamedTempFile<(T, Listed)>> {
    let mut code = None;
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(suffix);
    let made = builder.make_in(folder, |path| {
        Listed::make(path, &mut make).inspect_err(|error| code = error.raw_os_error())
    });
    made.map_err(|error| code.map_or(error, io::Error::from_raw_os_error))
}

#[cfg(target_os = "linux")]
fn unnamed(folder: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, open};
    // It gets its name through this folder.
    if !Path::new("/proc/self/fd").is_dir() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    Ok(open(folder, flags, Mode::from_raw_mode(0o666))?.into())
}

/// Links an unnamed file into the folder. Only from there can it take the place of another one.
#[cfg(target_os = "linux")]
fn named(file: File, folder: &Path) -> io::Result<NamedTempFile<(File, Listed)>> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd;
    lock(&file);
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    let linked = make_in(folder, SUFFIX.as_ref(), |path| {
        linkat(CWD, &open, CWD, path, AtFlags::SYMLINK_FOLLOW).map_err(io::Error::from)
    })?;
    let (((), listed), path) = linked.into_parts();
    Ok(NamedTempFile::from_parts((file, listed), path))
}

/// Where a file system has no locks, files of dead processes stay: [`remove_stale`] gets no lock either.
fn lock(file: &File) {
    file.try_lock().ok();
}

/// Removes the temporary files of dead processes: unlocked, and not new. What cannot be removed stays.
fn remove_stale(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) && is_stale(&entry.path()) {
            fs::remove_file(entry.path()).ok();
        }
    }
}

fn is_stale(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let age =
        file.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > STALE_AFTER) && file.try_lock().is_ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::SystemTime;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    /// Makes a file that looks as if its last change was that many seconds ago.
    fn file_of_age(path: &Path, seconds: u64) -> File {
        let file = File::create(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        file
    }

    #[test]
    fn both_kinds_take_the_place_of_a_file() {
        for make in [Temporary::new_in, Temporary::named_in] {
            let folder = tempfile::tempdir().unwrap();
            let target = folder.path().join("out.txt");
            fs::write(&target, "old").unwrap();
            drop(make(folder.path()).unwrap());
            let temporary = make(folder.path()).unwrap();
            temporary.file().write_all(b"new").unwrap();
            temporary.persist(&target).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), "new");
            assert_eq!(names(folder.path()), ["out.txt"]);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_has_no_name_until_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let temporary = Temporary::new_in(folder.path()).unwrap();
        // Some file systems have no such files.
        let expected = usize::from(matches!(temporary, Temporary::Named(_)));
        assert_eq!(names(folder.path()).len(), expected);
    }

    #[test]
    fn errors_do_not_name_the_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let message = Temporary::named_in(&folder.path().join("none")).unwrap_err().to_string();
        assert!(!message.contains(PREFIX) && !message.is_empty(), "{message}");
    }

    #[test]
    fn a_name_is_tried_without_making_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["out.png", "é絵", &"a".repeat(250)] {
            try_name(folder.path(), name.as_ref()).unwrap();
        }
        assert!(try_name(folder.path(), "a\0b".as_ref()).is_err(), "no file system takes it");
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn files_of_dead_processes_are_removed_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        file_of_age(&path(".impasto-dead.part"), 90);
        file_of_age(&path(".impasto-new.part"), 5);
        file_of_age(&path(".other-dead.part"), 90);
        let alive = file_of_age(&path(".impasto-alive.part"), 90);
        lock(&alive);
        remove_stale(folder.path());
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, [".impasto-alive.part", ".impasto-new.part", ".other-dead.part"]);
    }
}
