//! Where pictures go: a file, or `-` for standard output.

use std::path::Path;

use impasto_style::Picture;
use impasto_style::picture::{Encoding, Writing};

use crate::failure::Failure;
use crate::place::{Kind, Place, is_standard, to_standard_output};
use crate::streams::warn;

/// A checked place for a picture.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    place: Place,
    /// What the file's extension names; PNG on standard output.
    encoding: Encoding,
    /// Whether pictures have alpha.
    alpha: bool,
}

impl Output {
    /// Checks the place before any work is done.
    pub(crate) fn new(path: &Path, jpeg_quality: u8) -> Result<Self, Failure> {
        let encoding =
            if is_standard(path) { Encoding::Png } else { Encoding::from_path(path, jpeg_quality)? };
        Ok(Self { place: Place::new(path, Kind::Data("a picture"))?, encoding, alpha: false })
    }

    /// The same place for pictures that have alpha, or have none; says what becomes of alpha, unless it shall be quiet.
    pub(crate) fn with_alpha(self, alpha: bool, quiet: bool) -> Self {
        if alpha && !self.encoding.keeps_alpha() {
            let name = self.name();
            warn(
                quiet,
                &format!("{name} is a JPEG, which has no transparency: the picture is laid on white"),
            );
        }
        Self { alpha, ..self }
    }

    /// Checks that there is room for a picture of H x W, before it is painted.
    pub(crate) fn reserve(&self, (height, width): (usize, usize)) -> Result<(), Failure> {
        self.place.reserve(Writing::from(self.encoding).largest_bytes(height, width, self.alpha))
    }

    /// Writes a picture.
    pub(crate) fn write(&self, picture: &Picture) -> Result<(), Failure> {
        match &self.place {
            Place::File(path) => Ok(picture.write(path, self.encoding)?),
            Place::Stdout => {
                Ok(to_standard_output("the picture", |out| picture.write_to(out, self.encoding))?)
            }
        }
    }

    /// Writes the picture that the run was for. If that fails, it is kept in the temporary folder, and the failure says where.
    pub(crate) fn write_or_keep(&self, picture: &Picture) -> Result<(), Failure> {
        match &self.place {
            Place::File(path) => Ok(picture.write_or_keep(path, self.encoding)?),
            Place::Stdout => {
                self.place.write_or_keep(("the picture", ".png"), |out| picture.write_to(out, self.encoding))
            }
        }
    }

    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.place.path()
    }

    /// The format.
    pub(crate) const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The place for an intermediate picture: `out.png` becomes `out-0040.png`, with as many digits as the last one needs.
    pub(crate) fn numbered(&self, iteration: usize, iterations: usize) -> Option<Self> {
        let path = self.path()?;
        let digits = iterations.to_string().len();
        let mut name = path.file_stem()?.to_os_string();
        name.push(format!("-{iteration:0digits$}."));
        name.push(path.extension()?);
        Some(Self { place: Place::File(path.with_file_name(name)), ..self.clone() })
    }

    /// For messages.
    pub(crate) fn name(&self) -> String {
        self.place.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intermediate_pictures_sort_by_iteration() {
        let output = Output::new(Path::new("a.b.png"), 90).unwrap();
        assert_eq!(output.numbered(40, 1000).unwrap().name(), "a.b-0040.png");
        let output = Output { place: Place::Stdout, encoding: Encoding::Png, alpha: false };
        assert!(output.numbered(1, 2).is_none());
    }
}
