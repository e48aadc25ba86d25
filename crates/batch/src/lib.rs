//! Many jobs, each of which makes one picture, shared by any number of processes and machines. What a job paints, and how, is no matter
//! of this crate: it knows rows, files and who works at what.
//!
//! | part | file |
//! |---|---|
//! | files that patterns name, and the names of outputs | [`expand`], [`Template`] |
//! | rows of a manifest: JSON lines or TOML | [`Manifest`] |
//! | the part of the jobs that one of N calls does | [`Shard`] |
//! | the folder of state: a file for each job, claims, checkpoints | [`State`] |
//! | who holds a claim, and whether it is still there | [`Holder`] |
//! | what a file was when it was read or written | [`Stamp`] |
//! | which job is next, and when all is over | [`Queue`] |
//! | one page about all of them | [`report`] |
//!
//! # The folder
//! ```text
//! jobs/NAME.json          a job that is done, failed or was interrupted: what it was asked for, of which files, and what came of it
//! claims/NAME.json        a job at work: host, boot, process; touched every 10 seconds
//! checkpoints/NAME.run    how far an interrupted job had come
//! strips/NAME.jpg         photo, painting and picture, small, for the report
//! report.html             the report
//! lock                    locked for the moment in which a claim changes hands
//! ```
//! NAME is the output's own name with a few digits of the hash of its whole path: two jobs have never one output, so it names a job.
//!
//! # Claims
//! A job is worked at by whoever holds its claim. A claim is free again when its process is gone, which can be known on the same host since the same
//! boot, and within the same namespace of processes; any other one when it was not touched for two minutes, by the clock of the file system.
//! Where files can be locked, claims are exclusive. Without locks (some NFS), two processes may at worst take over one abandoned claim at once:
//! both then paint the same picture, and each writes it whole.
#![forbid(unsafe_code)]

mod manifest;
mod pattern;
mod queue;
mod report;
mod shard;
mod stamp;
mod state;

pub use manifest::{Anything, Field, MOST_MANIFEST, Manifest, ManifestError, Row, Scalar};
pub use pattern::{Names, PLACEHOLDERS, PatternError, Template, expand};
pub use queue::{Asked, Outcome, Queue, Turn};
pub use report::{Entry, report};
pub use shard::{Shard, ShardError};
pub use stamp::{Stamp, Stamps};
pub use state::{Claim, Figures, Holder, JobFile, State, StateError, Status};
