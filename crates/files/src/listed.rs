//! The temporary files that have names now, for a process that ends without running destructors.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

static NAMES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// For as long a file system that does not answer is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

fn names() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name that is in the list until this is dropped.
#[derive(Debug)]
pub(crate) struct Listed(PathBuf);

impl Listed {
    /// Makes something of that name and lists it. [`remove_temporary_files`] comes before both or after both.
    pub(crate) fn make<T>(path: &Path, make: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<(T, Self)> {
        let mut names = names();
        let made = make(path)?;
        names.insert(path.into());
        Ok((made, Self(path.into())))
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        names().remove(&self.0);
    }
}

/// Removes the temporary files of this process that have names, as far as the system allows and answers within half a second.
/// It is for a process that is about to exit in the middle of whatever it does: what is being written is lost.
pub fn remove_temporary_files() {
    let (done, end) = mpsc::channel();
    let remove = move || {
        for path in names().iter() {
            fs::remove_file(path).ok();
        }
        done.send(()).ok();
    };
    if thread::Builder::new().spawn(remove).is_ok() {
        end.recv_timeout(PATIENCE).ok();
    }
}
