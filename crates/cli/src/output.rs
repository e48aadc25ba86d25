//! Where pictures go: a file, or `-` for standard output.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use impasto_files::{FileError, keep, probe};
use impasto_style::Picture;
use impasto_style::picture::Encoding;

use crate::failure::Failure;
use crate::streams::output_is_closed;

/// A checked place for a picture.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// A file, in the format that its extension names, for a picture with alpha or without.
    File { path: PathBuf, encoding: Encoding, alpha: bool },
    /// A PNG on standard output.
    Stdout,
}

impl Output {
    /// Checks the place before any work is done.
    pub(crate) fn new(path: &Path, jpeg_quality: u8) -> Result<Self, Failure> {
        if path == Path::new("-") {
            if io::stdout().is_terminal() {
                return Err(Failure::wrong_use(
                    "a picture would not look good as text: send standard output to a file or another program",
                ));
            }
            if output_is_closed() {
                return Err(Failure::failed(
                    "standard output is closed: send it to a file or another program",
                ));
            }
            return Ok(Self::Stdout);
        }
        let encoding = Encoding::from_path(path, jpeg_quality)?;
        probe(path, 0)?;
        Ok(Self::File { path: path.into(), encoding, alpha: false })
    }

    /// The same place for a picture that has alpha, or has none.
    pub(crate) fn with_alpha(self, alpha: bool) -> Self {
        match self {
            Self::File { path, encoding, .. } => Self::File { path, encoding, alpha },
            Self::Stdout => Self::Stdout,
        }
    }

    /// Whether alpha is lost there.
    pub(crate) fn loses_alpha(&self) -> bool {
        matches!(self, Self::File { encoding, alpha: true, .. } if !encoding.keeps_alpha())
    }

    /// Checks that there is room for a picture of H x W, before it is painted.
    pub(crate) fn reserve(&self, (height, width): (usize, usize)) -> Result<(), Failure> {
        match self {
            Self::File { path, encoding, alpha } => {
                Ok(probe(path, encoding.largest_bytes(height, width, *alpha))?)
            }
            Self::Stdout => Ok(()),
        }
    }

    /// Writes a picture.
    pub(crate) fn write(&self, picture: &Picture) -> Result<(), Failure> {
        match self {
            Self::File { path, encoding, .. } => Ok(picture.write(path, *encoding)?),
            Self::Stdout => Ok(to_standard_output(picture)?),
        }
    }

    /// Writes the picture that the run was for. If that fails, it is kept in the temporary folder, and the failure says where.
    pub(crate) fn write_or_keep(&self, picture: &Picture) -> Result<(), Failure> {
        match self {
            Self::File { path, encoding, .. } => Ok(picture.write_or_keep(path, *encoding)?),
            Self::Stdout => to_standard_output(picture)
                .map_err(|error| keep(error, ".png", |out| picture.write_to(out, Encoding::Png)).into()),
        }
    }

    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => Some(path),
            Self::Stdout => None,
        }
    }

    /// The place for an intermediate picture: `out.png` becomes `out-0040.png`, with as many digits as the last one needs.
    pub(crate) fn numbered(&self, iteration: usize, iterations: usize) -> Option<Self> {
        let Self::File { path, encoding, alpha } = self else { return None };
        let digits = iterations.to_string().len();
        let mut name = path.file_stem()?.to_os_string();
        name.push(format!("-{iteration:0digits$}."));
        name.push(path.extension()?);
        Some(Self::File { path: path.with_file_name(name), encoding: *encoding, alpha: *alpha })
    }

    /// For messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Stdout => "standard output".to_owned(),
        }
    }
}

fn to_standard_output(picture: &Picture) -> Result<(), FileError> {
    let written = picture.write_to(io::stdout().lock(), Encoding::Png);
    written.map_err(|source| FileError::StandardOutput { what: "the picture", source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intermediate_pictures_sort_by_iteration() {
        let output = Output::new(Path::new("a.b.png"), 90).unwrap();
        assert_eq!(output.numbered(40, 1000).unwrap().name(), "a.b-0040.png");
        assert!(Output::Stdout.numbered(1, 2).is_none());
    }
}
