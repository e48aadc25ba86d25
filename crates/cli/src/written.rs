//! How the picture of a transfer is written: what the command line, a checkpoint or settings say of it.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use impasto_style::picture::{Depth, Dither, Encoding, Writing, WrittenProfile};

use crate::failure::Failure;

/// How the picture is written, as far as it was said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Written {
    /// Quality of a JPEG, 1 to 100 [default: 95]
    #[arg(long, value_name = "Q", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) quality: Option<u8>,

    /// Bits of each number of a PNG or TIFF [default: 8, of a TIFF 16]
    #[arg(long, value_name = "BITS", value_parser = parser(&DEPTHS))]
    pub(crate) depth: Option<Depth>,

    /// How 8 bits are made: each number is rounded, or its neighbours are given what rounding takes from it, so that nothing
    /// plain has bands. A JPEG is never dithered [default: diffusion]
    #[arg(long, value_name = "NAME", value_parser = parser(&DITHERS))]
    pub(crate) dither: Option<Dither>,

    /// Colour profile in the file: sRGB's, the photo's own with the colours brought to its space, or none, which stands for sRGB
    /// [default: srgb]
    #[arg(long, value_name = "WHOSE", value_parser = parser(&PROFILES))]
    pub(crate) profile: Option<Whose>,

    /// Pixels to the inch that the file says it has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) dpi: Option<u16>,
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

    /// What is said under a name, as the text that [`Self::set`] reads.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        match name {
            "quality" => self.quality.map(|quality| quality.to_string()),
            "depth" => name_of(&DEPTHS, self.depth),
            "dither" => name_of(&DITHERS, self.dither),
            "profile" => name_of(&PROFILES, self.profile),
            "dpi" => self.dpi.map(|dpi| dpi.to_string()),
            _ => None,
        }
    }

    /// Says something under a name.
    ///
    /// # Errors
    /// What the value must be, if it is not.
    pub(crate) fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        let wrong = |requirement: &str| format!("{name} must be {requirement}, not {text}");
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

    /// All that is said, by name.
    pub(crate) fn said(&self) -> impl Iterator<Item = (&'static str, String)> {
        Self::NAMES.into_iter().filter_map(|name| Some((name, self.get(name)?)))
    }

    /// What of it makes a file of that format another one than the usual, by name.
    pub(crate) fn unusual(&self, encoding: Encoding) -> impl Iterator<Item = (&'static str, String)> {
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
    pub(crate) fn or(self, other: &Self) -> Self {
        Self {
            quality: self.quality.or(other.quality),
            depth: self.depth.or(other.depth),
            dither: self.dither.or(other.dither),
            profile: self.profile.or(other.profile),
            dpi: self.dpi.or(other.dpi),
        }
    }

    /// What of it a format can have: nobody asked for the rest of this picture.
    pub(crate) fn fitting(&self, encoding: Encoding) -> Self {
        Self { depth: self.depth.filter(|&depth| encoding.takes(depth)), ..self.clone() }
    }

    /// The quality of a JPEG.
    pub(crate) fn quality_of_jpeg(&self) -> u8 {
        self.quality.unwrap_or(QUALITY)
    }

    /// How a picture of that format is written, in sRGB as long as the photo's profile is not known. `name` is for the message.
    pub(crate) fn writing(&self, encoding: Encoding, name: &str) -> Result<Writing, Failure> {
        let depth = self.depth.unwrap_or(encoding.usual_depth());
        if !encoding.takes(depth) {
            let format = if encoding == Encoding::WebP { "WebP" } else { "JPEG" };
            return Err(Failure::wrong_use(format!(
                "{name} is a {format}, which has 8 bits: --depth 16 is for a PNG or TIFF"
            )));
        }
        let profile = match self.profile {
            Some(Whose::Nobodys) => WrittenProfile::None,
            _ => WrittenProfile::Srgb,
        };
        let dither = self.dither.unwrap_or(DITHER);
        Ok(Writing { depth, dither, profile, dpi: self.dpi, ..encoding.into() })
    }
}

/// Reads one of these names.
fn parser<T: Copy + Send + Sync + 'static>(
    names: &'static [(T, &'static str)],
) -> impl TypedValueParser<Value = T> {
    let texts = names.iter().map(|&(_, name)| name);
    PossibleValuesParser::new(texts).try_map(|text| named(names, &text).ok_or("it is no such name"))
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
            let message = Written::default().set(name, text).unwrap_err();
            assert!(message.starts_with(&format!("{name} must be ")), "{message}");
        }
    }

    #[test]
    fn jpeg_and_webp_have_no_16_bits() {
        for encoding in [Encoding::WebP, Encoding::Jpeg { quality: 9 }] {
            let message = all().writing(encoding, "out").unwrap_err().to_string();
            assert!(message.ends_with("--depth 16 is for a PNG or TIFF"), "{message}");
            assert_eq!(all().fitting(encoding).writing(encoding, "out").unwrap().depth, Depth::Eight);
        }
        for encoding in [Encoding::Png, Encoding::Tiff] {
            assert_eq!(all().fitting(encoding).writing(encoding, "out").unwrap().depth, Depth::Sixteen);
        }
    }
}
