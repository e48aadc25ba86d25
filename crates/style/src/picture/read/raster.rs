//! A picture as its file holds it: decoded, and nothing more.

use image::metadata::Orientation;

use super::Warning;

/// H x W pixels as a file holds them, not yet converted: rows from top to bottom, channels interleaved.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raster {
    /// Rows, before the picture is turned.
    pub(super) height: usize,
    /// Columns, before the picture is turned.
    pub(super) width: usize,
    /// H x W x (the model's channels, then alpha if there is any).
    pub(super) samples: Samples,
    /// What the channels are.
    pub(super) model: Model,
    /// How the last channel covers.
    pub(super) alpha: Alpha,
    /// What the numbers mean as colours.
    pub(super) colour: Colour,
    /// How to turn the picture to see it as it was meant.
    pub(super) orientation: Orientation,
    /// What is doubtful about it, and how it was decided.
    pub(super) warnings: Vec<Warning>,
}

/// The numbers at the file's own depth. Integers range over their type; floats from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Samples {
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    F32(Vec<f32>),
}

/// What the channels are. Palettes, YCbCr and YCCK are resolved by the decoders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Grey,
    Rgb,
    /// 0 is no ink.
    Cmyk,
    /// CIE L*a*b*; integers as TIFF's `CIELab` lays them out: L from 0 to 100 over the range, a and b as two's complement
    /// shifted to unsigned, so that the middle of the range is 0.
    Lab,
}

/// How the last channel covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpha {
    None,
    /// The colours are not multiplied by it.
    Straight,
    /// The colours are multiplied by it.
    Associated,
}

/// What the numbers mean as colours.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Colour {
    /// sRGB; CMYK without a profile too.
    Srgb,
    /// The bytes of an ICC profile.
    Icc(Vec<u8>),
    /// Code points of ITU-T H.273.
    Cicp { primaries: u8, transfer: u8, full_range: bool },
    /// A power of `gamma` from linear light to numbers, as PNG's gAMA says; x and y of white, red, green, blue.
    Gamma { gamma: f32, chromaticities: Option<[f32; 8]> },
}

impl Model {
    /// Channels without alpha.
    pub(super) const fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb | Self::Lab => 3,
            Self::Cmyk => 4,
        }
    }
}

impl Raster {
    /// Numbers of one pixel.
    pub(super) fn channels(&self) -> usize {
        self.model.channels() + usize::from(self.alpha != Alpha::None)
    }

    /// Whether some pixel does not fully cover what is behind it.
    pub(super) fn covers_partly(&self) -> bool {
        fn less<T: PartialOrd + Copy>(samples: &[T], channels: usize, full: T) -> bool {
            samples.iter().skip(channels - 1).step_by(channels).any(|&alpha| alpha < full)
        }
        let channels = self.channels();
        self.alpha != Alpha::None
            && match &self.samples {
                Samples::U8(samples) => less(samples, channels, u8::MAX),
                Samples::U16(samples) => less(samples, channels, u16::MAX),
                Samples::U32(samples) => less(samples, channels, u32::MAX),
                Samples::F32(samples) => less(samples, channels, 1.0),
            }
    }
}
