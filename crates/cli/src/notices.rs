//! What is said of a transfer's pictures before it starts.

use std::path::{Path, PathBuf};

use impasto_style::picture::STANDARD_INPUT;
use impasto_style::{Source, Subject, TransferOptions};

use crate::failure::with_dashes;
use crate::streams::warn;

/// Says which pictures are smaller than they should be, by the names of their files, unless it shall be quiet.
pub(crate) fn tell_notices(
    subject: &Subject,
    options: &TransferOptions,
    (photo, paintings): (&Path, &[PathBuf]),
    quiet: bool,
) {
    for notice in subject.notices(options) {
        let path = match notice.source {
            Source::Photo => Some(photo),
            // The parts of one painting are several in a subject: what is said of the first is said of all.
            Source::Painting(number) => paintings.get(number).map(PathBuf::as_path),
        };
        let Some(path) = path else { continue };
        let name = if path == Path::new("-") { Path::new(STANDARD_INPUT) } else { path };
        warn(quiet, &format!("{} {}", name.display(), with_dashes(&notice)));
    }
}
