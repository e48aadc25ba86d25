//! Why a run cannot go on from a file, or be kept in one.

use std::fmt;
use std::io;
use std::path::PathBuf;

use impasto_files::{FileError, one_line};
use impasto_lbfgs::StateError;

use super::format::VERSION;
use crate::Role;

/// Why a checkpoint cannot be read, used or written, as one sentence. Names of options stand between backquotes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is another kind of file.
    #[error("{} is no checkpoint of impasto", path.display())]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// It is laid out as another version of the format says.
    #[error("the checkpoint {} has version {found}, and this program reads version {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// Its bytes are not those that were written, or say what cannot be.
    #[error("the checkpoint {} is damaged: {}", path.display(), one_line(what))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The optimiser's state in it cannot be read.
    #[error("cannot go on from {}: {source}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with the state.
        source: StateError,
    },
    /// It is of a run that paints something else, or rounds differently.
    #[error("cannot go on from {}: {}", path.display(), one_line(difference))]
    Differs {
        /// The file.
        path: PathBuf,
        /// The first difference.
        difference: Difference,
    },
    /// It cannot be written.
    #[error("no checkpoint: {0}")]
    Write(#[from] FileError),
}

/// What differs between the run of a checkpoint and the one that shall go on from it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The version of the program.
    Program {
        /// That of the checkpoint.
        theirs: String,
        /// This one.
        ours: String,
    },
    /// The instruction set.
    InstructionSet {
        /// That of the checkpoint.
        theirs: String,
        /// This machine's.
        ours: String,
    },
    /// An option that decides pixels.
    Option {
        /// Its name.
        name: String,
        /// Its value in the checkpoint; none where it does not apply.
        theirs: Option<String>,
        /// Its value now.
        ours: Option<String>,
    },
    /// A picture or the weights.
    Input {
        /// What it is used as.
        role: Role,
        /// Where it was read from now, if from a file.
        path: Option<String>,
    },
    /// How many of a kind there are.
    Inputs {
        /// The kind.
        role: Role,
        /// In the checkpoint.
        theirs: usize,
        /// Now.
        ours: usize,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program { theirs, ours } => write!(
                f,
                "it was written by impasto {theirs}, and this is {ours}, which may paint other pixels: use {theirs}"
            ),
            Self::InstructionSet { theirs, ours } => write!(
                f,
                "its run computed with {theirs} instructions, and this one would with {ours}, which round differently: \
                 go on where there are {theirs} instructions (IMPASTO_ISA={theirs} chooses them), or start anew"
            ),
            Self::Option { name, theirs, ours } => {
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
                write!(f, "its run has `{name}` {}, and this one {}", value(theirs), value(ours))
            }
            Self::Input { role, path } => {
                let role = noun(*role);
                let now = path.as_deref().map(|path| format!(", now read from {path},")).unwrap_or_default();
                write!(
                    f,
                    "the {role}{now} is not the one that its run was started with: give the same, or start anew"
                )
            }
            Self::Inputs { role, theirs, ours } => {
                let s = if *theirs == 1 { "" } else { "s" };
                write!(f, "its run was started with {theirs} {}{s}, and this one with {ours}", noun(*role))
            }
        }
    }
}

/// What a message calls an input.
const fn noun(role: Role) -> &'static str {
    match role {
        Role::Content => "content picture",
        Role::Style => "style picture",
        Role::StyleMask => "style mask",
        Role::Mask => "mask",
        Role::Keep => "keep mask",
        Role::ContentMask => "content mask",
        Role::RegionsPhoto => "segmentation of the photo",
        Role::RegionsPainting => "segmentation of the painting",
        Role::Init => "picture to start from",
        Role::Weights => "network",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_stays_on_one_line() {
        let path = PathBuf::from("run");
        let damaged =
            CheckpointError::Damaged { path: path.clone(), what: "unknown field `a\u{7f}\n`".into() };
        assert_eq!(damaged.to_string(), "the checkpoint run is damaged: unknown field `a\\u{7f}\\n`");
        let difference = Difference::Program { theirs: "0\n1".into(), ours: "2".into() };
        let differs = CheckpointError::Differs { path, difference }.to_string();
        assert!(differs.contains("0\\n1"), "{differs}");
    }
}
