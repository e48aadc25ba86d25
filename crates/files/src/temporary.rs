//! Files that become visible when they are whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

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
    Named(NamedTempFile),
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
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder)?;
        lock(file.as_file());
        Ok(Self::Named(file))
    }

    pub(crate) fn file(&self) -> &File {
        match self {
            #[cfg(target_os = "linux")]
            Self::Unnamed(file, _) => file,
            Self::Named(file) => file.as_file(),
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
fn named(file: File, folder: &Path) -> io::Result<NamedTempFile> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd;
    lock(&file);
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    let linked = tempfile::Builder::new().prefix(PREFIX).suffix(SUFFIX).make_in(folder, |path| {
        linkat(CWD, &open, CWD, path, AtFlags::SYMLINK_FOLLOW).map_err(io::Error::from)
    })?;
    let ((), path) = linked.into_parts();
    Ok(NamedTempFile::from_parts(file, path))
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
