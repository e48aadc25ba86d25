//! How a picture is written.

use super::{Encoding, WrittenProfile};

/// How a picture is written: the format, its numbers, and what the file says beside them.
///
/// Of an [`Encoding`] alone it is the plainest file: 8 bits (TIFF: 16), rounded, and nothing beside the pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writing {
    /// The format.
    pub encoding: Encoding,
    /// Bits of a number; [`Encoding::takes`] says which formats have which.
    pub depth: Depth,
    /// How 8 bits are made, but of a JPEG.
    pub dither: Dither,
    /// The space of the colours, and whether the file says so.
    pub profile: WrittenProfile,
    /// Pixels to the inch, if the file says so.
    pub dpi: Option<u16>,
    /// A text that the file carries, in ASCII without control characters: [`Encoding::longest_text`] says how long it may be.
    /// [`Provenance`](crate::Provenance) is one.
    pub text: Option<String>,
}

/// Bits of a number in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Depth {
    /// 0 to 255.
    Eight,
    /// 0 to 65535.
    Sixteen,
}

/// How real numbers become whole ones of 8 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dither {
    /// Each is rounded by itself.
    None,
    /// What rounding takes from a number its neighbours are given, so that the mean over a few pixels stays what it was.
    Diffusion,
}

impl Writing {
    /// The plainest file of a format: rounded, at its usual depth, with nothing beside the pixels.
    pub const fn plain(encoding: Encoding) -> Self {
        Self {
            encoding,
            depth: encoding.usual_depth(),
            dither: Dither::None,
            profile: WrittenProfile::None,
            dpi: None,
            text: None,
        }
    }
}

/// [`Writing::plain`].
impl From<Encoding> for Writing {
    fn from(encoding: Encoding) -> Self {
        Self::plain(encoding)
    }
}

impl From<&Self> for Writing {
    fn from(writing: &Self) -> Self {
        writing.clone()
    }
}

impl Writing {
    /// The most bytes that a file of H x W pixels can have, with alpha or without, whatever they are; noise comes near it.
    ///
    /// PNG and lossless WebP fall back on the bytes themselves, and a little for their frame. Of a JPEG's 64 coefficients in a
    /// block each takes 20 bits at most on the average: a code of up to 16 bits comes with large numbers, which only some can be.
    pub fn largest_bytes(&self, height: usize, width: usize, alpha: bool) -> u64 {
        const FRAME: u64 = 4096;
        let (height, width) = (height as u64, width as u64);
        let bytes = if self.depth == Depth::Sixteen { 2 } else { 1 };
        let samples = bytes * (3 + u64::from(alpha)) * height * width;
        let pixels = match self.encoding {
            Encoding::Png => samples + height + samples / 32,
            Encoding::WebP => samples + samples / 8,
            Encoding::Jpeg { .. } => 3 * height.next_multiple_of(8) * width.next_multiple_of(8) * 20 / 8,
            Encoding::Tiff => samples,
        };
        FRAME + pixels + self.said_bytes()
    }

    /// The most bytes of profile and text: packed where that makes them no smaller.
    fn said_bytes(&self) -> u64 {
        let profile = self.profile.icc().map_or(0, <[u8]>::len);
        let text = self.text.as_ref().map_or(0, String::len);
        (profile + profile / 32 + text) as u64
    }
}
