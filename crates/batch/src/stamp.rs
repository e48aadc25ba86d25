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
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

/// Length and time of last change.
type Facts = (u64, u64);

fn facts(path: &Path) -> io::Result<Facts> {
    let metadata = fs::metadata(path)?;
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok((metadata.len(), since.as_nanos().try_into().unwrap_or(u64::MAX)))
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
        Ok(Stamp { path: path.to_string_lossy().into_owned(), bytes: facts.0, modified: facts.1, sha256 })
    }

    /// Whether a file is what it was: it has the same length and time, or it has the same bytes.
    pub fn is_same(&self, path: &Path, stamp: &Stamp) -> bool {
        let Ok((bytes, modified)) = facts(path) else { return false };
        bytes == stamp.bytes
            && (modified == stamp.modified || self.of(path).is_ok_and(|now| now.sha256 == stamp.sha256))
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
        fs::remove_file(&other).unwrap();
        assert!(!Stamps::default().is_same(&other, &stamp));
    }
}
