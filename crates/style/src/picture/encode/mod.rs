//! From H x W x 3 and alpha to the bytes of a picture file: colours in the space of the written profile, then whole numbers,
//! then the format.

mod dither;
mod exif;
mod jpeg;
mod png;
mod profile;
mod samples;
mod tiff;
mod webp;
mod writing;
mod written;

use std::borrow::Cow;
use std::io;
use std::path::Path;

pub(super) use profile::SRGB;
pub use profile::{KeptProfile, NotKept, WrittenProfile};
use samples::Samples;
pub use writing::{Depth, Dither, Writing};
pub use written::{Whose, Written, WrittenError};

use super::{MOST_TEXT, Picture, PictureError};

/// The format of a written picture. All but JPEG keep alpha, at the depth of the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// PNG, 8 or 16 bits.
    Png,
    /// JPEG, 8 bits, full colour resolution; on white where the picture is transparent.
    Jpeg {
        /// 1 (small) to 100 (good).
        quality: u8,
    },
    /// WebP, 8 bits, lossless.
    WebP,
    /// TIFF, 8 or 16 bits, for those who go on working on the picture.
    Tiff,
}

impl Encoding {
    /// The format that the extension of a file's name stands for.
    ///
    /// # Errors
    /// [`PictureError::UnknownExtension`] for another extension, or none.
    pub fn from_path(path: &Path, jpeg_quality: u8) -> Result<Self, PictureError> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "png" => Ok(Self::Png),
            "jpg" | "jpeg" => Ok(Self::Jpeg { quality: jpeg_quality.clamp(1, 100) }),
            "webp" => Ok(Self::WebP),
            "tif" | "tiff" => Ok(Self::Tiff),
            _ => Err(PictureError::UnknownExtension { path: path.into() }),
        }
    }

    /// Whether a file of this format can hold alpha.
    pub const fn keeps_alpha(self) -> bool {
        !matches!(self, Self::Jpeg { .. })
    }

    /// Whether a file of this format can have numbers of that many bits.
    pub const fn takes(self, depth: Depth) -> bool {
        matches!((self, depth), (Self::Png | Self::Tiff, _) | (_, Depth::Eight))
    }

    /// The longest text that a file of this format can carry, in bytes. That of a JPEG is in one segment.
    pub const fn longest_text(self) -> usize {
        if matches!(self, Self::Jpeg { .. }) { 65_000 } else { MOST_TEXT }
    }

    /// The depth of this format where none is asked for: 16 bits for TIFF, 8 for the others.
    pub const fn usual_depth(self) -> Depth {
        if matches!(self, Self::Tiff) { Depth::Sixteen } else { Depth::Eight }
    }
}

/// What a file that carries a text says painted it.
const SOFTWARE: &str = concat!("impasto ", env!("CARGO_PKG_VERSION"));

/// A picture as a format takes it.
struct Frame {
    width: u32,
    height: u32,
    /// Whether there are four numbers a pixel, and not three.
    alpha: bool,
    /// H x W x (R, G, B, then alpha if there is any).
    samples: Samples,
}

pub(super) fn encode(picture: &Picture, writing: &Writing) -> io::Result<Vec<u8>> {
    if !writing.encoding.takes(writing.depth) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this format has 8 bits, and no 16"));
    }
    check_text(writing)?;
    let picture = match picture.alpha() {
        Some(_) if !writing.encoding.keeps_alpha() => Cow::Owned(picture.clone().on([255; 3])),
        _ => Cow::Borrowed(picture),
    };
    let side = |length: usize| u32::try_from(length).map_err(io::Error::other);
    let frame = Frame {
        width: side(picture.width)?,
        height: side(picture.height)?,
        alpha: picture.alpha().is_some(),
        samples: Samples::of(&picture, writing)?,
    };
    match writing.encoding {
        Encoding::Png => png::encode(frame, writing),
        Encoding::Jpeg { quality } => jpeg::encode(&frame, quality, writing),
        Encoding::WebP => webp::encode(&frame, writing),
        Encoding::Tiff => tiff::encode(&frame, writing),
    }
}

/// Checks that the format can carry the text.
fn check_text(writing: &Writing) -> io::Result<()> {
    let wrong = |problem: String| Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    let (text, most) = (writing.text.as_deref().unwrap_or_default(), writing.encoding.longest_text());
    if text.len() > most {
        return wrong(format!("its text has {} bytes, and this format holds {most}", text.len()));
    }
    if !text.chars().all(|c| (' '..='~').contains(&c)) {
        return wrong("its text is not all ASCII".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
