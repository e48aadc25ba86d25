//! Whether a file can be written, before the work that makes it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::FileError;
use crate::place::{Place, folder_of};
use crate::temporary::{Temporary, try_name};

/// Tries whether a file of up to `bytes` bytes can be written: a temporary file beside its place takes the space, and goes
/// away. What stands in the place is left as it is. Of a pipe or a device only the permission is asked.
///
/// # Errors
/// [`FileError`] as [`write_atomically`](crate::write_atomically) would return, and [`FileError::NoRoom`].
pub fn probe(path: &Path, bytes: u64) -> Result<(), FileError> {
    let (target, taken) = match Place::of(path)? {
        Place::Stream(_) => return Ok(()),
        Place::Free(target) => (target, false),
        Place::Taken(target, _) => (target, true),
    };
    if taken {
        let opened = OpenOptions::new().write(true).open(&target);
        opened.map_err(|source| FileError::Write { path: path.into(), source })?;
    }
    let folder = folder_of(&target);
    let temporary = match Temporary::new_in(folder) {
        // It will be overwritten, from the temporary folder.
        Err(_) if taken => Temporary::new_in(&std::env::temp_dir()),
        temporary => temporary,
    }
    .map_err(|source| FileError::Folder { path: path.into(), folder: folder.into(), source })?;
    if let Some(name) = target.file_name().filter(|_| !taken) {
        let refused = |source| FileError::Name { path: path.into(), folder: folder.into(), source };
        try_name(folder, name).map_err(refused)?;
    }
    reserve(temporary.file(), bytes).map_err(|source| FileError::NoRoom { path: path.into(), bytes, source })
}

/// [`probe`] for a file that is written again and again, and must be whole whenever the process ends: only what can be replaced
/// passes.
///
/// # Errors
/// As [`probe`]; [`FileError::NotRegular`] for a pipe or a device, [`FileError::Folder`] for a file that could only be overwritten.
pub fn probe_replaceable(path: &Path, bytes: u64) -> Result<(), FileError> {
    let (Place::Free(target) | Place::Taken(target, _)) = Place::of(path)? else {
        return Err(FileError::NotRegular { path: path.into() });
    };
    probe(path, bytes)?;
    let folder = folder_of(&target);
    let failed = |source| FileError::Folder { path: path.into(), folder: folder.into(), source };
    Temporary::new_in(folder).map(drop).map_err(failed)
}

/// Takes the space of that many bytes, with zeros where the file system does not give it beforehand.
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    if allocate(file, bytes)? { Ok(()) } else { write_zeros(file, bytes) }
}

/// Makes a file at least that many bytes long, on space that the file system gives it beforehand, and says whether the system can
/// do that. The content stays. After an error the length may be any between the old one and the new one.
pub(crate) fn allocate(file: &File, bytes: u64) -> io::Result<bool> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::{Errno, retry_on_intr};
        if bytes == 0 {
            return Ok(true);
        }
        match retry_on_intr(|| fallocate(file, FallocateFlags::empty(), 0, bytes)) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
            result => return Ok(result.map(|()| true)?),
        }
    }
    let _ = (file, bytes);
    Ok(false)
}

fn write_zeros(mut file: &File, bytes: u64) -> io::Result<()> {
    let zeros = io::Read::take(io::repeat(0), bytes);
    io::copy(&mut io::BufReader::with_capacity(1 << 16, zeros), &mut file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_probe_leaves_nothing_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (free, taken) = (folder.path().join("free.png"), folder.path().join("taken.png"));
        fs::write(&taken, "old").unwrap();
        for path in [&free, &taken] {
            probe(path, 1 << 20).unwrap();
        }
        assert_eq!(fs::read_to_string(&taken).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_can_never_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let message = |path: &Path, bytes| probe(path, bytes).unwrap_err().to_string();
        let free = folder.path().join("out.png");
        assert!(matches!(probe(&free, 1 << 60), Err(FileError::NoRoom { .. })), "no disk has that room");
        assert!(message(&folder.path().join("none/out.png"), 0).contains("none does not exist"));
        assert!(message(folder.path(), 0).contains("it is a directory"));
        for name in ["out.png/", "out.png/.", "out.png//"] {
            assert!(message(&folder.path().join(name), 0).contains("ends like a directory's"), "{name}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("nowhere/", folder.path().join("link.png")).unwrap();
            let end = message(&folder.path().join("link.png"), 0);
            assert!(end.contains("link.png: the name ends like"), "{end}");
        }
        assert!(message(&folder.path().join("a".repeat(300)), 0).contains("name too long"));
    }

    #[test]
    fn space_is_taken_by_zeros_where_it_is_not_given_beforehand() {
        let file = tempfile::tempfile().unwrap();
        write_zeros(&file, 100_001).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 100_001);
    }
}
