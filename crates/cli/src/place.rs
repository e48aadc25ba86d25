//! Where a file goes that is no picture: its path, or `-` for standard output.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use impasto_files::{FileError, keep, probe, write_or_keep};

use crate::failure::Failure;
use crate::streams::output_is_closed;

/// Whether a path is `-`, which is standard input or output. A file of that name is `./-`.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// A place for a file.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    File(PathBuf),
    Stdout,
}

/// What goes to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Lines that people read.
    Text,
    /// What would not look good on a terminal, as a message calls it.
    Data(&'static str),
}

impl Place {
    /// The place that an argument names, checked before any work is done.
    pub(crate) fn new(path: &Path, kind: Kind) -> Result<Self, Failure> {
        if !is_standard(path) {
            probe(path, 0)?;
            return Ok(Self::File(path.into()));
        }
        if let Kind::Data(what) = kind
            && io::stdout().is_terminal()
        {
            return Err(Failure::wrong_use(format!(
                "{what} would not look good as text: send standard output to a file or another program"
            )));
        }
        if output_is_closed() {
            return Err(Failure::failed("standard output is closed: send it to a file or another program"));
        }
        Ok(Self::Stdout)
    }

    /// Checks that there is room for so many bytes.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<(), Failure> {
        self.path().map_or(Ok(()), |path| Ok(probe(path, bytes)?))
    }

    /// Writes the content. If that fails, it is kept in the temporary folder in a file with that ending, and the failure says
    /// where. `what` is what messages call it.
    pub(crate) fn write_or_keep(
        &self,
        (what, ending): (&'static str, &str),
        content: impl Fn(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        match self {
            Self::File(path) => Ok(write_or_keep(path, content)?),
            Self::Stdout => {
                Ok(to_standard_output(what, &content).map_err(|error| keep(error, ending, content))?)
            }
        }
    }

    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Stdout => None,
        }
    }

    /// For messages.
    pub(crate) fn name(&self) -> String {
        self.path().map_or_else(|| "standard output".to_owned(), |path| path.display().to_string())
    }
}

/// Writes the content to standard output, all of it.
pub(crate) fn to_standard_output(
    what: &'static str,
    content: impl Fn(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FileError> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = content(&mut out).and_then(|()| out.flush());
    written.map_err(|source| FileError::StandardOutput { what, source })
}
