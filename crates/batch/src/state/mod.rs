//! The folder of state.

mod claim;
mod holder;
mod job_file;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use impasto_files::{FileError, write_atomically};

pub use claim::Claim;
use claim::Claims;
pub use holder::Holder;
pub(crate) use job_file::now;
pub use job_file::{Figures, JobFile, Status};

use crate::stamp::hash;

/// Why the folder of state does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Something in it cannot be made, read or changed.
    #[error("cannot keep the state of the batch in {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of it cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The folder in which a batch keeps what it knows, shared by whoever works at it.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    claims: Claims,
}

/// Its folders.
const FOLDERS: [&str; 4] = ["jobs", "claims", "checkpoints", "strips"];

impl State {
    /// The state in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`StateError`] if it cannot be made.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        let error = |source| StateError::Folder { path: folder.into(), source };
        for name in FOLDERS {
            fs::create_dir_all(folder.join(name)).map_err(error)?;
        }
        let claims = Claims::new(folder.join("claims"), folder.join("lock"));
        Ok(Self { folder: folder.into(), claims })
    }

    /// The name of the job that has an output: the output's own, as far as it can be a name anywhere, and 8 digits of the hash of its path.
    pub fn name_of(output: &Path) -> String {
        let stem = output.file_stem().unwrap_or_default().to_string_lossy();
        let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let stem: String = stem.chars().map(plain).take(60).collect();
        format!("{stem}-{}", &hash(output.as_os_str().as_encoded_bytes())[..8])
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// This process, as claims and files have it.
    pub const fn us(&self) -> &Holder {
        self.claims.us()
    }

    /// Where the checkpoint of a job is.
    pub fn checkpoint(&self, name: &str) -> PathBuf {
        self.folder.join("checkpoints").join(format!("{name}.run"))
    }

    /// Where the strip of a job is: photo, painting and picture, small.
    pub fn strip(&self, name: &str) -> PathBuf {
        self.folder.join("strips").join(format!("{name}.jpg"))
    }

    /// Where the report is.
    pub fn report(&self) -> PathBuf {
        self.folder.join("report.html")
    }

    /// What is known of a job; none if nothing is, or its file is not what this program writes.
    pub fn job(&self, name: &str) -> Option<JobFile> {
        let path = self.job_path(name);
        fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    pub(crate) fn job_path(&self, name: &str) -> PathBuf {
        self.folder.join("jobs").join(format!("{name}.json"))
    }

    /// Writes what came of a job, whole or not at all.
    ///
    /// # Errors
    /// [`StateError`] if the file cannot be written.
    pub fn write_job(&self, name: &str, job: &JobFile) -> Result<(), StateError> {
        let text = serde_json::to_string_pretty(job).map_err(|error| self.error(error.into()))?;
        write_atomically(&self.job_path(name), |out| writeln!(out, "{text}"))?;
        Ok(())
    }

    /// Takes the claim of a job, if it is free.
    ///
    /// # Errors
    /// [`StateError`] if the folder does not serve.
    pub fn take(&self, name: &str) -> Result<Claim, StateError> {
        self.claims.take(name).map_err(|source| self.error(source))
    }

    /// Gives the claim of a job back, if it is ours.
    ///
    /// # Errors
    /// [`StateError`] if the folder does not serve.
    pub fn give_back(&self, name: &str) -> Result<(), StateError> {
        self.claims.give_back(name).map_err(|source| self.error(source))
    }

    /// Touches all claims that are ours: to be called every 10 seconds.
    ///
    /// # Errors
    /// [`StateError`] if the folder does not serve.
    pub fn touch(&self) -> Result<(), StateError> {
        self.claims.touch().map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> StateError {
        StateError::Folder { path: self.folder.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_named_by_its_output() {
        let name = |path: &str| State::name_of(Path::new(path));
        assert!(name("/out/cat-waves.png").starts_with("cat-waves-"));
        assert_ne!(name("/out/a/cat.png"), name("/out/b/cat.png"));
        assert_ne!(name("/out/cat.png"), name("/out/cat.jpg"));
        assert!(name("/out/a b\n.png").starts_with("a_b_-"));
        assert!(name(&format!("/out/{}.png", "x".repeat(250))).len() < 80);
    }
}
