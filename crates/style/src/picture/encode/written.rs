//! How a picture's file is written, as far as somebody said: each by the name of its option, as a text.

use super::{Depth, Dither, Encoding, Writing, WrittenProfile};

/// How the file of a picture is written, as far as it was said. None is the usual: quality 95, 8 bits (of a TIFF 16), diffusion, sRGB,
/// no pixels to the inch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Quality of a JPEG, 1 to 100.
    pub quality: Option<u8>,
    /// Bits of each number.
    pub depth: Option<Depth>,
    /// How 8 bits are made; a JPEG is never dithered.
    pub dither: Option<Dither>,
    /// Colour profile in the file.
    pub profile: Option<Whose>,
    /// Pixels to the inch that the file says it has.
    pub dpi: Option<u16>,
}

/// Whose colour profile a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// That of sRGB.
    Srgb,
    /// The photo's own, with the colours brought to its space.
    Photo,
    /// None, which stands for sRGB.
    Nobodys,
}

/// Something that was said of a file and cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrittenError {
    /// No such value.
    #[error("{name} must be {requirement}, not {value}")]
    Value {
        /// The option.
        name: String,
        /// What it must be.
        requirement: &'static str,
        /// What it is.
        value: String,
    },
    /// 16 bits of a format that has 8.
    #[error("{file} is a {format}, which has 8 bits: `depth` 16 is for a PNG or TIFF")]
    Depth {
        /// What the file is called.
        file: String,
        /// Its format.
        format: &'static str,
    },
}

/// The quality of a JPEG, unless it is said.
const QUALITY: u8 = 95;

/// How 8 bits are made, unless it is said.
const DITHER: Dither = Dither::Diffusion;

impl Written {
    /// The names of all that can be said.
    pub const NAMES: [&str; 5] = ["quality", "depth", "dither", "profile", "dpi"];
    /// The depths by their names.
    pub const DEPTHS: [(Depth, &str); 2] = [(Depth::Eight, "8"), (Depth::Sixteen, "16")];
    /// The kinds of dithering by their names.
    pub const DITHERS: [(Dither, &str); 2] = [(Dither::None, "none"), (Dither::Diffusion, "diffusion")];
    /// The profiles by their names.
    pub const PROFILES: [(Whose, &str); 3] =
        [(Whose::Srgb, "srgb"), (Whose::Photo, "keep"), (Whose::Nobodys, "none")];

    /// What is said under a name, as the text that [`Self::set`] reads.
    pub fn get(&self, name: &str) -> Option<String> {
        match name {
            "quality" => self.quality.map(|quality| quality.to_string()),
            "depth" => name_of(&Self::DEPTHS, self.depth),
            "dither" => name_of(&Self::DITHERS, self.dither),
            "profile" => name_of(&Self::PROFILES, self.profile),
            "dpi" => self.dpi.map(|dpi| dpi.to_string()),
            _ => None,
        }
    }

    /// Says something under a name of [`Self::NAMES`].
    ///
    /// # Errors
    /// [`WrittenError::Value`]: what the value must be, if it is not.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), WrittenError> {
        let wrong =
            |requirement| WrittenError::Value { name: name.to_owned(), requirement, value: text.to_owned() };
        match name {
            "quality" => {
                let quality = text.parse().ok().filter(|quality| (1..=100).contains(quality));
                self.quality = Some(quality.ok_or_else(|| wrong("from 1 to 100"))?);
            }
            "depth" => self.depth = Some(named(&Self::DEPTHS, text).ok_or_else(|| wrong("8 or 16"))?),
            "dither" => {
                self.dither = Some(named(&Self::DITHERS, text).ok_or_else(|| wrong("none or diffusion"))?);
            }
            "profile" => {
                self.profile = Some(named(&Self::PROFILES, text).ok_or_else(|| wrong("srgb, keep or none"))?);
            }
            _ => {
                let dpi = text.parse().ok().filter(|&dpi| dpi > 0);
                self.dpi = Some(dpi.ok_or_else(|| wrong("from 1 to 65535"))?);
            }
        }
        Ok(())
    }

    /// All that is said, by name.
    pub fn said(&self) -> impl Iterator<Item = (&'static str, String)> {
        Self::NAMES.into_iter().filter_map(|name| Some((name, self.get(name)?)))
    }

    /// What of it makes a file of that format another one than the usual, by name.
    pub fn unusual(&self, encoding: Encoding) -> impl Iterator<Item = (&'static str, String)> {
        let depth = self.depth.unwrap_or(encoding.usual_depth());
        let is_jpeg = matches!(encoding, Encoding::Jpeg { .. });
        let counting = Self {
            quality: self.quality.filter(|&quality| is_jpeg && quality != QUALITY),
            depth: self.depth.filter(|&depth| depth != encoding.usual_depth()),
            dither: self.dither.filter(|&dither| !is_jpeg && depth == Depth::Eight && dither != DITHER),
            profile: self.profile.filter(|&profile| profile != Whose::Srgb),
            dpi: self.dpi,
        };
        Self::NAMES.into_iter().filter_map(move |name| Some((name, counting.get(name)?)))
    }

    /// This, and what another says where nothing is said.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            quality: self.quality.or(other.quality),
            depth: self.depth.or(other.depth),
            dither: self.dither.or(other.dither),
            profile: self.profile.or(other.profile),
            dpi: self.dpi.or(other.dpi),
        }
    }

    /// What of it a format can have: nobody asked for the rest of this picture.
    #[must_use]
    pub fn fitting(&self, encoding: Encoding) -> Self {
        Self { depth: self.depth.filter(|&depth| encoding.takes(depth)), ..self.clone() }
    }

    /// The quality of a JPEG, 1 to 100.
    pub fn quality_of_jpeg(&self) -> u8 {
        self.quality.unwrap_or(QUALITY)
    }

    /// How a picture of that format is written, in sRGB as long as the photo's profile is not known. `file` is for the message.
    ///
    /// # Errors
    /// [`WrittenError::Depth`] for 16 bits of a format that has 8.
    pub fn writing(&self, encoding: Encoding, file: &str) -> Result<Writing, WrittenError> {
        let depth = self.depth.unwrap_or(encoding.usual_depth());
        if !encoding.takes(depth) {
            let format = if encoding == Encoding::WebP { "WebP" } else { "JPEG" };
            return Err(WrittenError::Depth { file: file.to_owned(), format });
        }
        let profile = match self.profile {
            Some(Whose::Nobodys) => WrittenProfile::None,
            _ => WrittenProfile::Srgb,
        };
        let dither = self.dither.unwrap_or(DITHER);
        Ok(Writing { depth, dither, profile, dpi: self.dpi, ..encoding.into() })
    }
}

fn named<T: Copy>(names: &[(T, &str)], text: &str) -> Option<T> {
    names.iter().find(|(_, name)| *name == text).map(|&(value, _)| value)
}

fn name_of<T: PartialEq>(names: &[(T, &str)], value: Option<T>) -> Option<String> {
    let value = value?;
    names.iter().find(|(known, _)| *known == value).map(|(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Written {
        let mut written = Written::default();
        for (name, value) in Written::NAMES.iter().zip(["80", "16", "none", "keep", "240"]) {
            written.set(name, value).unwrap();
        }
        written
    }

    #[test]
    fn what_is_said_is_read_back() {
        let mut again = Written::default();
        for (name, text) in all().said() {
            again.set(name, &text).unwrap();
        }
        assert_eq!(again, all());
        assert_eq!(again.said().map(|(name, _)| name).collect::<Vec<_>>(), Written::NAMES);
        assert_eq!(Written::default().said().next(), None);
        assert_eq!(Written { depth: None, ..all() }.or(&all()), all());
        assert_eq!(Written { dpi: Some(72), ..Written::default() }.or(&all()).dpi, Some(72));
    }

    #[test]
    fn what_is_usual_or_changes_nothing_is_left_out() {
        let names =
            |written: &Written, encoding| written.unusual(encoding).map(|(name, _)| name).collect::<Vec<_>>();
        let (png, jpeg) = (Encoding::Png, Encoding::Jpeg { quality: 80 });
        assert_eq!(names(&all(), png), ["depth", "profile", "dpi"]);
        assert_eq!(names(&Written { depth: None, ..all() }, png), ["dither", "profile", "dpi"]);
        assert_eq!(names(&all(), Encoding::Tiff), ["profile", "dpi"]);
        assert_eq!(names(&Written { depth: None, ..all() }, jpeg), ["quality", "profile", "dpi"]);
        let mut usual = Written::default();
        for (name, text) in [("quality", "95"), ("depth", "8"), ("dither", "diffusion"), ("profile", "srgb")]
        {
            usual.set(name, text).unwrap();
        }
        assert_eq!([names(&usual, png), names(&usual, jpeg)], [[""; 0]; 2]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (name, text) in
            [("quality", "0"), ("depth", "12"), ("dither", "noise"), ("profile", "p3"), ("dpi", "0")]
        {
            let message = Written::default().set(name, text).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{name} must be ")), "{message}");
        }
    }

    #[test]
    fn jpeg_and_webp_have_no_16_bits() {
        for encoding in [Encoding::WebP, Encoding::Jpeg { quality: 9 }] {
            let message = all().writing(encoding, "out").unwrap_err().to_string();
            assert!(message.ends_with("`depth` 16 is for a PNG or TIFF"), "{message}");
            assert_eq!(all().fitting(encoding).writing(encoding, "out").unwrap().depth, Depth::Eight);
        }
        for encoding in [Encoding::Png, Encoding::Tiff] {
            assert_eq!(all().fitting(encoding).writing(encoding, "out").unwrap().depth, Depth::Sixteen);
        }
    }
}
