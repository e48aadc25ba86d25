//! Files that are written whole or not at all, and never over what was read.
//!
//! A picture is the work of minutes to hours, and its file may stand where an older one stood. So:
//!
//! | rule | where |
//! |---|---|
//! | before the work it is tried whether the file can be written, at the largest size that it may have | [`probe`], [`probe_replaceable`] |
//! | no output is an input, by device and inode | [`keep_apart`] |
//! | what is written goes to a temporary file beside its place, is synced, and takes the place by a renaming | [`write_atomically`] |
//! | what then cannot be written all the same is kept in the temporary folder, and the error says where | [`write_or_keep`], [`keep`] |
//! | a temporary file has no name where the system can do that, so that nothing is left of it however the process ends; elsewhere it is locked, and those of dead processes are removed | `temporary.rs` |
//! | a process that a signal ends removes those with names itself | [`remove_temporary_files`] |
//! | links are followed; pipes and devices are written to, not replaced; a file that may not be written is refused | `place.rs` |
#![forbid(unsafe_code)]

mod apart;
mod error;
mod listed;
mod one_line;
mod place;
mod probe;
mod quoted;
mod temporary;
mod write;

pub use apart::keep_apart;
pub use error::FileError;
pub use listed::remove_temporary_files;
pub use one_line::one_line;
pub use probe::{probe, probe_replaceable};
pub use quoted::{quoted, quoted_word};
pub use write::{keep, write_atomically, write_or_keep};
