//! Files that are written whole or not at all.
//!
//! A picture is the work of minutes to hours, and its file may stand where an older one stood. So
//!
//! | rule | where |
//! |---|---|
//! | what is written goes to a temporary file beside its place, is synced, and takes the place by a renaming | [`write_atomically`] |
//! | a temporary file has no name where the system can do that, so that nothing is left of it however the process ends; elsewhere it is locked, and those of dead processes are removed | `temporary` |
//! | links are followed; pipes and devices are written to, not replaced; mode and owner of a replaced file are kept, and one that nobody may write is refused | `place` |
#![forbid(unsafe_code)]

mod error;
mod place;
mod temporary;
mod write;

pub use error::FileError;
pub use write::write_atomically;
