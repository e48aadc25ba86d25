//! How the picture of a transfer is written: what the command line says of it.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use impasto_style::picture::{Depth, Dither, Whose, Written};

/// How the picture is written, as far as the command line says.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct WrittenArguments {
    /// Quality of a JPEG, 1 to 100 [default: 95]
    #[arg(long, value_name = "Q", value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: Option<u8>,

    /// Bits of each number of a PNG or TIFF [default: 8, of a TIFF 16]
    #[arg(long, value_name = "BITS", value_parser = parser(&Written::DEPTHS))]
    depth: Option<Depth>,

    /// How 8 bits are made: each number is rounded, or its neighbours are given what rounding takes from it, so that nothing
    /// plain has bands. A JPEG is never dithered [default: diffusion]
    #[arg(long, value_name = "NAME", value_parser = parser(&Written::DITHERS))]
    dither: Option<Dither>,

    /// Colour profile in the file: sRGB's, the photo's own with the colours brought to its space, or none, which stands for sRGB
    /// [default: srgb]
    #[arg(long, value_name = "WHOSE", value_parser = parser(&Written::PROFILES))]
    profile: Option<Whose>,

    /// Pixels to the inch that the file says it has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    dpi: Option<u16>,
}

impl WrittenArguments {
    pub(crate) fn written(&self) -> Written {
        let Self { quality, depth, dither, profile, dpi } = *self;
        Written { quality, depth, dither, profile, dpi }
    }
}

/// Reads one of these names.
fn parser<T: Copy + Send + Sync + 'static>(
    names: &'static [(T, &'static str)],
) -> impl TypedValueParser<Value = T> {
    let texts = names.iter().map(|&(_, name)| name);
    let named = |text: String| names.iter().find(|(_, name)| *name == text).map(|&(value, _)| value);
    PossibleValuesParser::new(texts).try_map(move |text| named(text).ok_or("it is no such name"))
}
