//! Where pictures go: a file, or `-` for standard output.

use std::path::Path;

use impasto_style::picture::{Encoding, Writing, Written, WrittenProfile};
use impasto_style::{Picture, PictureError};

use crate::failure::Failure;
use crate::pictures::name_of;
use crate::place::{Kind, Place, is_standard, to_standard_output};
use crate::streams::warn;

/// A checked place for a picture.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    place: Place,
    /// The format that the file's extension names, PNG on standard output, and the rest of what was said.
    writing: Writing,
    /// Whether pictures have alpha.
    alpha: bool,
}

impl Output {
    /// Checks the place before any work is done.
    pub(crate) fn new(path: &Path, written: &Written) -> Result<Self, Failure> {
        let writing = written.writing(encoding(path, written)?, &path.display().to_string())?;
        Ok(Self { place: Place::new(path, Kind::Data("a picture"))?, writing, alpha: false })
    }

    /// The same place for pictures that have alpha, or have none; says what becomes of alpha, unless it shall be quiet.
    pub(crate) fn with_alpha(self, alpha: bool, quiet: bool) -> Self {
        if alpha && !self.writing.encoding.keeps_alpha() {
            let name = self.name();
            warn(
                quiet,
                &format!("{name} is a JPEG, which has no transparency: the picture is laid on white"),
            );
        }
        Self { alpha, ..self }
    }

    /// The same place for pictures in the space of a photo's own profile; says why they are in sRGB all the same, unless it shall
    /// be quiet.
    pub(crate) fn with_profile(
        mut self,
        profile: Result<WrittenProfile, String>,
        photo: &Path,
        quiet: bool,
    ) -> Self {
        match profile {
            Ok(profile) => self.writing.profile = profile,
            Err(problem) => {
                let photo = name_of(photo).display();
                warn(quiet, &format!("{photo}: its colours {problem}: the picture is written in sRGB"));
            }
        }
        self
    }

    /// Checks that there is room for a picture of H x W that carries a text, before it is painted.
    pub(crate) fn reserve(
        &self,
        (height, width): (usize, usize),
        text: Option<String>,
    ) -> Result<(), Failure> {
        self.place.reserve(self.with_text(text).largest_bytes(height, width, self.alpha))
    }

    /// How a picture is written that carries a text.
    fn with_text(&self, text: Option<String>) -> Writing {
        Writing { text, ..self.writing.clone() }
    }

    /// Writes a picture that carries a text, if there is one.
    pub(crate) fn write(&self, picture: &Picture, text: Option<String>) -> Result<(), Failure> {
        let writing = self.with_text(text);
        match &self.place {
            Place::File(path) => Ok(picture.write(path, writing)?),
            Place::Stdout => Ok(to_standard_output("the picture", |out| picture.write_to(out, &writing))?),
        }
    }

    /// [`Self::write`] of the picture that the run was for. If that fails, it is kept in the temporary folder, and the failure
    /// says where.
    pub(crate) fn write_or_keep(&self, picture: &Picture, text: Option<String>) -> Result<(), Failure> {
        let writing = self.with_text(text);
        match &self.place {
            Place::File(path) => Ok(picture.write_or_keep(path, writing)?),
            Place::Stdout => {
                self.place.write_or_keep(("the picture", ".png"), |out| picture.write_to(out, &writing))
            }
        }
    }

    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.place.path()
    }

    /// How pictures are written.
    pub(crate) const fn writing(&self) -> &Writing {
        &self.writing
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

/// The format of a place: PNG on standard output.
pub(crate) fn encoding(path: &Path, written: &Written) -> Result<Encoding, PictureError> {
    if is_standard(path) { Ok(Encoding::Png) } else { Encoding::from_path(path, written.quality_of_jpeg()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intermediate_pictures_sort_by_iteration() {
        let output = Output::new(Path::new("a.b.png"), &Written::default()).unwrap();
        assert_eq!(output.numbered(40, 1000).unwrap().name(), "a.b-0040.png");
        let output = Output { place: Place::Stdout, ..output };
        assert!(output.numbered(1, 2).is_none());
    }
}
