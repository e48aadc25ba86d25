//! The folder of a dump: arrays one after the other, then the manifest that names them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use impasto_files::{probe, write_atomically};
use impasto_tensor::Element;

use super::manifest::{self, ArrayEntry, Manifest};
use super::{DumpError, Dumped};
use crate::npy;

/// A folder that arrays go to.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// What is there so far.
    pub(super) arrays: Vec<ArrayEntry>,
}

/// What an array is, beside its numbers.
pub(super) struct About<'a> {
    pub(super) symbol: &'static str,
    pub(super) unit: &'static str,
    pub(super) equation: &'a str,
}

/// What an array is of.
#[derive(Clone, Copy, Default)]
pub(super) struct Of<'a> {
    pub(super) layer: Option<&'a str>,
    pub(super) term: Option<&'a str>,
    pub(super) painting: Option<usize>,
}

impl Of<'_> {
    /// What the names of such files begin with.
    fn stem(&self) -> String {
        let painting = self.painting.map(|number| format!("painting{number}"));
        let place = self.term.or(self.layer).map(str::to_owned);
        let parts: Vec<String> = place.into_iter().chain(painting).collect();
        if parts.is_empty() { "picture".to_owned() } else { parts.join(".") }
    }
}

impl Folder {
    /// A folder that is new, empty, or of an earlier dump, whose manifest holds no longer: until there is a new one, a stub says that it
    /// is not finished.
    pub(super) fn new(path: &Path) -> Result<Self, DumpError> {
        prepare(path, 0)?;
        let stub = manifest::unfinished();
        write_atomically(&path.join(manifest::FILE), |out| out.write_all(stub.as_bytes()))?;
        Ok(Self { path: path.into(), arrays: Vec::new() })
    }

    /// One more array.
    pub(super) fn put<T: Element>(
        &mut self,
        of: Of<'_>,
        about: &About<'_>,
        shape: &[usize],
        values: &[T],
    ) -> Result<(), DumpError> {
        let file = format!("{}.{}.npy", of.stem(), about.symbol);
        write_atomically(&self.path.join(&file), |out| npy::write(out, shape, values))?;
        self.arrays.push(ArrayEntry {
            file,
            symbol: about.symbol,
            shape: shape.to_vec(),
            dtype: npy::DTYPE,
            unit: about.unit,
            equation: about.equation.to_owned(),
            layer: of.layer.map(str::to_owned),
            term: of.term.map(str::to_owned),
            painting: of.painting,
        });
        Ok(())
    }

    /// The manifest, last: a folder that has one is whole.
    pub(super) fn finish(self, manifest: &Manifest) -> Result<Dumped, DumpError> {
        let text = serde_json::to_string_pretty(manifest).map_err(io::Error::other);
        let text = text.map_err(|source| DumpError::Folder { path: self.path.clone(), source })?;
        write_atomically(&self.path.join(manifest::FILE), |out| out.write_all(text.as_bytes()))?;
        let bytes = self.arrays.iter().map(|array| npy::largest_bytes(&array.shape)).sum();
        Ok(Dumped { arrays: self.arrays.len(), bytes })
    }
}

/// Makes the folder, and tries whether there is room for so many bytes. One that holds anything but an earlier dump is refused: nothing
/// of somebody else is replaced.
pub(super) fn prepare(path: &Path, bytes: u64) -> Result<(), DumpError> {
    let cannot = |source| DumpError::Folder { path: path.into(), source };
    match fs::read_dir(path) {
        Ok(mut entries) => {
            if entries.next().is_some() && !manifest::is_dump(path) {
                return Err(DumpError::Taken { path: path.into() });
            }
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error)),
        Err(_) => {}
    }
    fs::create_dir_all(path).map_err(cannot)?;
    Ok(probe(&path.join(manifest::FILE), bytes)?)
}
