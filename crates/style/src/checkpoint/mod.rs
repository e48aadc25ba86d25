//! Checkpoints: a run in a file, from which it goes on exactly, to the bit.
//!
//! A saved picture is not enough to go on from: the optimiser's history and all but 8 bits of each number are lost with it,
//! and with them the ground of 20 to 40 iterations. A checkpoint holds the state itself, what it was made from (options, and
//! the inputs by their hashes), and what decides rounding beside them: the program's version and the instruction set.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use std::path::Path;
//! use impasto_style::picture::ReadOptions;
//! use impasto_style::{
//!     Checkpoint, Checkpoints, Input, Network, Picture, PreparedNetwork, Preset, Record, Role, Run, Subject, transfer_with,
//! };
//!
//! let photo = Picture::read(Path::new("photo.jpg"), &ReadOptions::default())?.picture;
//! let painting = Picture::read(Path::new("painting.jpg"), &ReadOptions::default())?.picture;
//! let (options, network) = (Preset::Default.options(), Network::embedded()?);
//! let inputs = vec![
//!     Input::picture(Role::Content, Some(Path::new("photo.jpg")), &photo),
//!     Input::picture(Role::Style, Some(Path::new("painting.jpg")), &painting),
//!     Input::network(None, &network),
//! ];
//! let record = Record::new(&options, inputs);
//! // Go on where an earlier run stopped, if there was one.
//! let file = Path::new("run.checkpoint");
//! let resume = if file.exists() { Some(Checkpoint::open(file)?.fitting(&record)?) } else { None };
//! let run = Run { resume, checkpoints: Some(Checkpoints::new(file, record)), ..Run::default() };
//! let network = PreparedNetwork::new(network, &options)?;
//! let subject = Subject::new(photo, painting);
//! let painting = transfer_with(&network, &subject, &options, run, |_| ControlFlow::Continue(()))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod fit;
mod format;
mod keep;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Take};
use std::path::{Path, PathBuf};

use impasto_lbfgs::{StateError, read_vector};

pub use error::{CheckpointError, Difference};
pub(crate) use format::Header;
pub use keep::{Checkpoints, Saved};
pub(crate) use keep::{Keeper, Place};

use crate::{Iterations, Record};

/// A checkpoint file that is whole: its checksum is right. Whether it fits is another question, [`Self::fitting`].
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    header: Header,
    body: Take<File>,
}

/// A checkpoint that a run with the same options and inputs can go on from: for [`Run::resume`](crate::Run::resume).
#[derive(Debug)]
pub struct Resume {
    path: PathBuf,
    header: Header,
    body: BufReader<Take<File>>,
}

impl Checkpoint {
    /// Opens a file and reads through it once, to see whether it is whole. The state stays in the file until the run needs it:
    /// the file may be replaced meanwhile, as new checkpoints do, but not changed in place.
    ///
    /// # Errors
    /// [`CheckpointError`] if it cannot be read, is no checkpoint, is of another version, or is damaged.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let read = |source| CheckpointError::Read { path: path.into(), source };
        // Asked for before it is opened: opening a pipe waits.
        if !std::fs::metadata(path).map_err(read)?.is_file() {
            return Err(CheckpointError::NotACheckpoint { path: path.into() });
        }
        let mut file = File::open(path).map_err(read)?;
        let (header, length) = format::read_header(&mut file, path)?;
        Ok(Self { path: path.into(), header, body: file.take(length) })
    }

    /// Options and inputs of its run. The option `iterations` is that of the last scale.
    pub fn record(&self) -> &Record {
        &self.header.record
    }

    /// What whoever wrote it wanted to find again ([`Checkpoints::notes`]).
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.header.notes
    }

    /// What its run was first asked for: the iterations of each scale but the last, whose number may have changed since.
    pub fn coarse_iterations(&self) -> &Iterations {
        &self.header.coarse_iterations
    }

    /// Iterations that are done, of all scales.
    pub fn iterations(&self) -> usize {
        self.header.iterations_before + self.header.iterations
    }

    /// The checkpoint, if a run of `record` on this machine would have written the same: the program's version, the instruction
    /// set, all options that decide pixels but the number of `iterations`, and all inputs are equal.
    ///
    /// # Errors
    /// [`CheckpointError::Differs`], with the first difference.
    pub fn fitting(self, record: &Record) -> Result<Resume, CheckpointError> {
        let Self { path, header, body } = self;
        match fit::difference(&header, record) {
            Some(difference) => Err(CheckpointError::Differs { path, difference }),
            None => Ok(Resume { path, header, body: BufReader::with_capacity(1 << 16, body) }),
        }
    }
}

impl Resume {
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn damaged(&self, what: &str) -> CheckpointError {
        CheckpointError::Damaged { path: self.path.clone(), what: what.to_owned() }
    }

    /// The numbers that the coordinates are around; to be read before the state.
    pub(crate) fn read_numbers(&mut self, numbers: usize) -> Result<Vec<f32>, CheckpointError> {
        read_vector(&mut self.body, numbers).map_err(|source| self.state_error(source))
    }

    /// The state by `read`, which must leave nothing over.
    pub(crate) fn read_state<S>(
        &mut self,
        read: impl FnOnce(&mut BufReader<Take<File>>) -> Result<S, StateError>,
    ) -> Result<S, CheckpointError> {
        let state = read(&mut self.body).map_err(|source| self.state_error(source))?;
        match self.body.read(&mut [0]) {
            Ok(0) => Ok(state),
            Ok(_) => Err(self.damaged("it is longer than the state in it")),
            Err(source) => Err(CheckpointError::Read { path: self.path.clone(), source }),
        }
    }

    fn state_error(&self, source: StateError) -> CheckpointError {
        CheckpointError::State { path: self.path.clone(), source }
    }
}
