//! How a picture is read, and what comes of it.

use super::Warning;
use crate::picture::WrittenProfile;
use crate::{Picture, Size, available_memory};

/// How a picture is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadOptions {
    /// The most bytes that may be taken while it is read, the picture that comes of it included; none is no limit. What has
    /// more pixels than that is room for is refused before anything is decoded.
    pub memory_limit: Option<u64>,
    /// What of the limit is taken already: by the program, and by pictures that were read before.
    pub held: u64,
    /// The size at which the picture will be worked at. A much larger one is brought to that size strip by strip while it is
    /// read, by the rule of [`crate::Subject::shrunk`] and with the same bits, so that it never is in memory as a whole but as
    /// its file has it.
    pub size: Size,
    /// What becomes of transparency.
    pub transparency: Transparency,
    /// Whether to hand on the colour profile beside the picture.
    pub profile: bool,
}

/// As it is, within the memory that is free now; on white, and no profile.
impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            memory_limit: available_memory(),
            held: 0,
            size: Size::Original,
            transparency: Transparency::On([255; 3]),
            profile: false,
        }
    }
}

/// What becomes of the transparency of a picture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transparency {
    /// The picture keeps its [alpha](Picture::alpha).
    Kept,
    /// It is laid on a colour b of R, G and B: a c + (1 - a) b of its alpha a and its colour c in sRGB.
    On([u8; 3]),
}

/// A picture that was read, and what else was in its file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReadPicture {
    /// The picture.
    pub picture: Picture,
    /// What became of its colour profile.
    pub profile: Profile,
    /// What is doubtful about it, each said once.
    pub warnings: Vec<Warning>,
    /// The bytes of the file's ICC profile, if they were asked for and the file has one.
    pub icc: Option<Vec<u8>>,
    /// The most bytes that reading it took, as they were counted.
    pub bytes: u64,
}

impl ReadPicture {
    /// The space that its colours are in, as one to write in, if its ICC profile was asked for.
    ///
    /// # Errors
    /// Why that is none, after "its colours".
    pub fn own_profile(&self) -> Result<WrittenProfile, String> {
        match (&self.icc, self.profile) {
            (_, Profile::Absent) => Ok(WrittenProfile::Srgb),
            (_, Profile::Unusable) => Err("have a profile that cannot be used".to_owned()),
            (None, Profile::Converted) => Err("have a space, and no ICC profile of it".to_owned()),
            (Some(icc), Profile::Converted) => {
                WrittenProfile::kept(icc).map_err(|problem| format!("have a profile that {problem}"))
            }
        }
    }
}

/// What became of the colours that a picture file says it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Nothing was said, or sRGB: the values are taken as sRGB.
    Absent,
    /// The colours were converted from the profile's space to sRGB.
    Converted,
    /// The profile is damaged, too large or of a kind that is not understood: the values are taken as sRGB.
    Unusable,
}
