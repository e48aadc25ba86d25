//! How the file of a picture is written: what [`Painting.save`](crate::painting::Painting) is told.

use impasto_style::Value;
use impasto_style::picture::{Depth, Dither, Encoding, Writing, WrittenProfile};

use crate::error::{Failure, Result};

/// How a file is written, as far as it was said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    quality: Option<u8>,
    depth: Option<Depth>,
    dither: Option<Dither>,
    profile: Option<Whose>,
    dpi: Option<u16>,
}

/// Whose colour profile the file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Srgb,
    Photo,
    Nobodys,
}

const DEPTHS: [(Depth, &str); 2] = [(Depth::Eight, "8"), (Depth::Sixteen, "16")];
const DITHERS: [(Dither, &str); 2] = [(Dither::None, "none"), (Dither::Diffusion, "diffusion")];
const PROFILES: [(Whose, &str); 3] =
    [(Whose::Srgb, "srgb"), (Whose::Photo, "keep"), (Whose::Nobodys, "none")];

/// The quality of a JPEG, unless it is said.
const QUALITY: u8 = 95;

/// How 8 bits are made, unless it is said.
const DITHER: Dither = Dither::Diffusion;

impl Written {
    /// The names of all that can be said.
    pub(crate) const NAMES: [&str; 5] = ["quality", "depth", "dither", "profile", "dpi"];

    /// Says something under a name.
    pub(crate) fn set(&mut self, name: &str, text: &str) -> Result<()> {
        let wrong = |requirement: &str| Failure::value(format!("`{name}` must be {requirement}, not {text}"));
        match name {
            "quality" => {
                let quality = text.parse().ok().filter(|quality| (1..=100).contains(quality));
                self.quality = Some(quality.ok_or_else(|| wrong("from 1 to 100"))?);
            }
            "depth" => self.depth = Some(named(&DEPTHS, text).ok_or_else(|| wrong("8 or 16"))?),
            "dither" => self.dither = Some(named(&DITHERS, text).ok_or_else(|| wrong("none or diffusion"))?),
            "profile" => {
                self.profile = Some(named(&PROFILES, text).ok_or_else(|| wrong("srgb, keep or none"))?);
            }
            _ => {
                let dpi = text.parse().ok().filter(|&dpi| dpi > 0);
                self.dpi = Some(dpi.ok_or_else(|| wrong("from 1 to 65535"))?);
            }
        }
        Ok(())
    }

    /// The same, with pixels to the inch where none were said.
    pub(crate) fn or_dpi(self, dpi: Option<u16>) -> Self {
        Self { dpi: self.dpi.or(dpi), ..self }
    }

    pub(crate) fn dpi(&self) -> Option<u16> {
        self.dpi
    }

    /// The quality of a JPEG.
    pub(crate) fn quality_of_jpeg(&self) -> u8 {
        self.quality.unwrap_or(QUALITY)
    }

    /// Whether the colours are to be in the photo's own space.
    pub(crate) fn keeps_profile(&self) -> bool {
        self.profile == Some(Whose::Photo)
    }

    /// How a picture of that format is written, in sRGB where the photo's profile is asked for.
    pub(crate) fn writing(&self, encoding: Encoding, name: &str) -> Result<Writing> {
        let depth = self.depth.unwrap_or(encoding.usual_depth());
        if !encoding.takes(depth) {
            let format = if encoding == Encoding::WebP { "WebP" } else { "JPEG" };
            return Err(Failure::value(format!(
                "{name} is a {format}, which has 8 bits: `depth` 16 is for a PNG or TIFF"
            )));
        }
        let profile = match self.profile {
            Some(Whose::Nobodys) => WrittenProfile::None,
            _ => WrittenProfile::Srgb,
        };
        let dither = self.dither.unwrap_or(DITHER);
        Ok(Writing { depth, dither, profile, dpi: self.dpi, ..encoding.into() })
    }

    /// What of it makes a file of that format another one than the usual, by name: what the file says of itself.
    pub(crate) fn unusual(&self, encoding: Encoding) -> Vec<(String, Value)> {
        let depth = self.depth.unwrap_or(encoding.usual_depth());
        let is_jpeg = matches!(encoding, Encoding::Jpeg { .. });
        let is_dithered = !is_jpeg && depth == Depth::Eight;
        let said = [
            ("quality", self.quality.filter(|&it| is_jpeg && it != QUALITY).map(|it| it.to_string())),
            ("depth", name_of(&DEPTHS, self.depth.filter(|&it| it != encoding.usual_depth()))),
            ("dither", name_of(&DITHERS, self.dither.filter(|&it| is_dithered && it != DITHER))),
            ("profile", name_of(&PROFILES, self.profile.filter(|&it| it != Whose::Srgb))),
            ("dpi", self.dpi.map(|dpi| dpi.to_string())),
        ];
        said.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))).collect()
    }
}

fn named<T: Copy>(names: &[(T, &str)], text: &str) -> Option<T> {
    names.iter().find(|(_, name)| *name == text).map(|&(value, _)| value)
}

fn name_of<T: PartialEq>(names: &[(T, &str)], value: Option<T>) -> Option<String> {
    let value = value?;
    names.iter().find(|(known, _)| *known == value).map(|(_, name)| (*name).to_owned())
}
