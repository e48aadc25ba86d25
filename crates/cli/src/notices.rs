//! What is said of a transfer's pictures when it starts.

use std::path::{Path, PathBuf};

use impasto_style::picture::STANDARD_INPUT;
use impasto_style::{Notice, Source, Subject, TransferOptions};

use crate::failure::with_dashes;

/// Which pictures are smaller than they should be, by the names of their files, a line each.
pub(crate) fn notices(
    subject: &Subject,
    options: &TransferOptions,
    (photo, paintings): (&Path, &[PathBuf]),
) -> Vec<String> {
    let line = |notice: Notice| {
        let path = match notice.source {
            Source::Photo => Some(photo),
            // The parts of one painting are several in a subject: what is said of the first is said of all.
            Source::Painting(number) => paintings.get(number).map(PathBuf::as_path),
        };
        let name = path.map(|path| if path == Path::new("-") { Path::new(STANDARD_INPUT) } else { path })?;
        Some(format!("Warning: {} {}", name.display(), with_dashes(&notice)))
    };
    subject.notices(options).into_iter().filter_map(line).collect()
}
