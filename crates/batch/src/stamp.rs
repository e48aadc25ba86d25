//! What a file was when it was read or written.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A file as it was: how long, from when, and the hash of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Its path, with a sign in place of what is no Unicode.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Nanoseconds from 1970 on to its last change.
    pub modified: u64,
    /// Nanoseconds to the last change of the file's content, name or rights; 0 where the system has no such time.
    #[serde(default)]
    pub changed: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

/// Length, time of the last change of the content, and of the last change of anything: who sets the second one back changes the third.
type Facts = (u64, u64, u64);

fn facts(path: &Path) -> io::Result<Facts> {
    let metadata = fs::metadata(path)?;
    // Pipes and devices may never end.
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file, which could be read again"));
    }
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok((metadata.len(), since.as_nanos().try_into().unwrap_or(u64::MAX), changed(&metadata)))
}

#[cfg(unix)]
fn changed(metadata: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let seconds = metadata.ctime().unsigned_abs().saturating_mul(1_000_000_000);
    seconds.saturating_add(metadata.ctime_nsec().unsigned_abs())
}

#[cfg(not(unix))]
const fn changed(_: &fs::Metadata) -> u64 {
    0
}

/// Stamps of files, each of which is hashed once as long as it stays what it is.
#[derive(Debug, Default)]
pub struct Stamps {
    known: Mutex<HashMap<PathBuf, (Facts, String)>>,
}

impl Stamps {
    /// The stamp of a file.
    ///
    /// # Errors
    /// What the system says, if it cannot be read.
    pub fn of(&self, path: &Path) -> io::Result<Stamp> {
        let facts = facts(path)?;
        let known = self.known.lock().ok().and_then(|known| known.get(path).cloned());
        let sha256 = match known {
            Some((then, hash)) if then == facts => hash,
            _ => hash_of(path)?,
        };
        if let Ok(mut known) = self.known.lock() {
            known.insert(path.into(), (facts, sha256.clone()));
        }
        let (bytes, modified, changed) = facts;
        Ok(Stamp { path: path.to_string_lossy().into_owned(), bytes, modified, changed, sha256 })
    }

    /// Whether a file is what it was: it has the same length and times, or it has the same bytes.
    pub fn is_same(&self, path: &Path, stamp: &Stamp) -> bool {
        let Ok((bytes, modified, changed)) = facts(path) else { return false };
        let is_untouched = (modified, changed) == (stamp.modified, stamp.changed);
        bytes == stamp.bytes && (is_untouched || self.of(path).is_ok_and(|now| now.sha256 == stamp.sha256))
    }
}

fn hash_of(path: &Path) -> io::Result<String> {
    let (mut file, mut hash, mut block) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut block)? {
            0 => return Ok(digits(hash)),
            read => hash.update(&block[..read]),
        }
    }
}

/// The hash of bytes.
pub(crate) fn hash(bytes: &[u8]) -> String {
    digits(Sha256::new_with_prefix(bytes))
}

fn digits(hash: Sha256) -> String {
    let digit = |four: u8| char::from_digit(four.into(), 16).unwrap_or_default();
    hash.finalize().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_by_its_bytes_or_by_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "abc").unwrap();
        let stamp = Stamps::default().of(&one).unwrap();
        assert_eq!(stamp.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(Stamps::default().is_same(&one, &stamp));
        fs::write(&other, "abc").unwrap();
        assert!(Stamps::default().is_same(&other, &stamp), "written later, with the same bytes");
        fs::write(&other, "abd").unwrap();
        assert!(!Stamps::default().is_same(&other, &stamp));
        let time = fs::metadata(&one).unwrap().modified().unwrap();
        fs::write(&one, "abd").unwrap();
        File::options().write(true).open(&one).unwrap().set_modified(time).unwrap();
        #[cfg(unix)]
        assert!(!Stamps::default().is_same(&one, &stamp), "the same length and time, and other bytes");
        #[cfg(unix)]
        assert!(Stamps::default().of(Path::new("/dev/zero")).is_err(), "it never ends");
        fs::remove_file(&other).unwrap();
        assert!(!Stamps::default().is_same(&other, &stamp));
    }
}
