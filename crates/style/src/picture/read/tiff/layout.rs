//! What a TIFF holds and how, from its tags (TIFF 6.0; the numbers of its supplements are in libtiff's tiff.h). What is not
//! read is called by its name.

use std::io::{Read, Seek};

use super::directory::Directory;
use crate::picture::read::ReadError;

/// A picture in a TIFF, as its tags describe it.
pub(super) struct Layout {
    pub(super) height: u32,
    pub(super) width: u32,
    pub(super) colours: Colours,
    /// Samples of a pixel, with the extra ones.
    pub(super) samples: u16,
    /// The sample that is the alpha, and whether the colours are multiplied by it.
    pub(super) alpha: Option<(usize, bool)>,
    /// Bits of a sample: 1, 2, 4, 8, 16, 32, or 64 for floats.
    pub(super) bits: u16,
    pub(super) float: bool,
    /// Whether each sample has chunks of its own.
    pub(super) planar: bool,
    pub(super) compression: Compression,
    pub(super) predictor: u16,
    /// Whether the bits of each byte are in reverse.
    pub(super) reversed: bool,
    pub(super) chunks: Chunks,
}

/// What the samples of a pixel are, before the extra ones.
pub(super) enum Colours {
    Grey {
        white_is_zero: bool,
    },
    Rgb,
    /// 2^bits reds, as many greens, as many blues.
    Palette(Vec<u16>),
    Cmyk,
    /// L*, a*, b*: a and b as signed integers (`CIELab`), or with 128 added (ICC).
    Lab {
        signed: bool,
    },
    YCbCr(YCbCr),
}

/// How luminance and chroma stand for red, green, blue (TIFF 6.0, section 21).
pub(super) struct YCbCr {
    /// Columns and rows of luminance to one of chroma.
    pub(super) subsampling: (u16, u16),
    /// Shares of red, green, blue in the luminance.
    pub(super) luminance: [f32; 3],
    /// Black and white of Y, zero and largest of Cb and Cr.
    pub(super) reference: [f32; 6],
}

/// How strips and tiles are packed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// What the crate `tiff` unpacks, by its number in the file.
    Plain(u16),
    /// A JPEG each, with tables that all share.
    Jpeg,
    Lzw,
    Zstd,
}

/// Strips or tiles, row by row; of planar pictures plane by plane.
pub(super) struct Chunks {
    pub(super) tiled: bool,
    pub(super) height: u32,
    pub(super) width: u32,
    pub(super) offsets: Vec<u64>,
    pub(super) lengths: Vec<u64>,
}

/// The most samples of a pixel.
const MOST_SAMPLES: u16 = 64;

/// The most strips or tiles: 2^20. Millions of them are no picture, but memory.
const MOST_CHUNKS: u64 = 1 << 20;

fn unsupported<T>(with: &str) -> Result<T, ReadError> {
    Err(ReadError::Unsupported(format!("a TIFF with {with}")))
}

fn damaged<T>(detail: &str) -> Result<T, ReadError> {
    Err(ReadError::Damaged(detail.to_owned()))
}

impl Layout {
    /// Reads the tags.
    ///
    /// # Errors
    /// [`ReadError`] if they contradict each other, or tell of a kind that is not read.
    pub(super) fn read<R: Read + Seek>(tags: &mut Directory<R>) -> Result<Self, ReadError> {
        let side = |length: u64| match u32::try_from(length) {
            Ok(length) if length > 0 => Ok(length),
            _ => damaged("a TIFF without its height or width"),
        };
        let (width, height) = (side(tags.number_or(256, 0)?)?, side(tags.number_or(257, 0)?)?);
        let compression = compression(tags.number_or(259, 1)?)?;
        let samples = u16::try_from(tags.number_or(277, 1)?).unwrap_or(0);
        if samples > MOST_SAMPLES {
            return unsupported(&format!("{samples} samples a pixel"));
        }
        let (bits, float) = depth(tags)?;
        let planar = tags.number_or(284, 1)? == 2 && samples > 1;
        let colours = colours(tags, bits, float, compression)?;
        let alpha = alpha(tags, &colours, samples)?;
        let predictor = tags.number_or(317, 1)? as u16;
        let layout = Self {
            height,
            width,
            samples,
            alpha,
            bits,
            float,
            planar,
            compression,
            predictor,
            reversed: tags.number_or(266, 1)? == 2 && compression != Compression::Jpeg,
            chunks: chunks(tags, (height, width), if planar { samples } else { 1 })?,
            colours,
        };
        layout.check()?;
        Ok(layout)
    }

    /// What single tags do not tell.
    fn check(&self) -> Result<(), ReadError> {
        if usize::from(self.samples) < self.colours.samples() {
            return damaged("a TIFF with fewer samples than its colours need");
        }
        if !matches!(self.predictor, 1..=3) || self.bits < 8 && self.predictor != 1 {
            return unsupported(&format!("predictor {} of {}-bit samples", self.predictor, self.bits));
        }
        if self.compression == Compression::Jpeg && self.bits != 8 {
            return unsupported(&format!("JPEG compression of {}-bit samples", self.bits));
        }
        if let Colours::YCbCr(YCbCr { subsampling, .. }) = &self.colours {
            let subsampled = *subsampling != (1, 1);
            if subsampled && (self.planar || self.predictor != 1 || self.samples != 3) {
                return unsupported(
                    "subsampled YCbCr colours in planes, with a predictor or with extra samples",
                );
            }
            let Chunks { height, width, .. } = self.chunks;
            let splits = |length: u32, whole: u32, block: u16| {
                length < whole && !length.is_multiple_of(u32::from(block))
            };
            if splits(height, self.height, subsampling.1) || splits(width, self.width, subsampling.0) {
                return damaged("a TIFF whose strips or tiles split the blocks of its chroma");
            }
        }
        Ok(())
    }
}

impl Colours {
    /// Samples of a pixel without the extra ones.
    pub(super) fn samples(&self) -> usize {
        match self {
            Self::Grey { .. } | Self::Palette(_) => 1,
            Self::Rgb | Self::Lab { .. } | Self::YCbCr(_) => 3,
            Self::Cmyk => 4,
        }
    }
}

fn compression(number: u64) -> Result<Compression, ReadError> {
    let name = match number {
        1 | 4 | 8 | 32_773 | 32_946 => return Ok(Compression::Plain(number as u16)),
        5 => return Ok(Compression::Lzw),
        7 => return Ok(Compression::Jpeg),
        50_000 => return Ok(Compression::Zstd),
        2 => "CCITT run-length compression",
        3 => "CCITT group 3 compression",
        6 => "JPEG compression of the old kind",
        9 | 10 | 34_661 => "JBIG compression",
        32_766 => "NeXT compression",
        32_809 => "ThunderScan compression",
        34_676 | 34_677 => "SGI LogLuv compression",
        33_003 | 33_005 | 34_712 => "JPEG 2000 compression",
        34_887 => "LERC compression",
        34_925 => "LZMA compression",
        50_001 => "WebP compression",
        50_002 | 52_546 => "JPEG XL compression",
        _ => return unsupported(&format!("compression of an unknown kind (number {number})")),
    };
    unsupported(name)
}

/// Bits of a sample, and whether it is a float.
fn depth<R: Read + Seek>(tags: &mut Directory<R>) -> Result<(u16, bool), ReadError> {
    let all = tags.numbers(258, MOST_SAMPLES.into())?.unwrap_or_else(|| vec![1]);
    let Some(&bits) = all.first() else { return damaged("a TIFF without the depth of its samples") };
    if all.iter().any(|&other| other != bits) {
        return unsupported("samples of different depths");
    }
    let formats = tags.numbers(339, MOST_SAMPLES.into())?.unwrap_or_else(|| vec![1]);
    let format = formats.first().copied().unwrap_or(1);
    if formats.iter().any(|&other| other != format) && tags.number_or(262, 0)? != 8 {
        return unsupported("samples of different formats");
    }
    match (format, bits) {
        (1 | 4, 1 | 2 | 4 | 8 | 16 | 32) => Ok((bits as u16, false)),
        (2, 8 | 16) if tags.number_or(262, 0)? == 8 => Ok((bits as u16, false)),
        (3, 16 | 32 | 64) => Ok((bits as u16, true)),
        (3, _) => unsupported(&format!("{bits}-bit floating-point samples")),
        (2, _) => unsupported(&format!("signed {bits}-bit samples")),
        (5 | 6, _) => unsupported("complex samples"),
        _ => unsupported(&format!("{bits}-bit samples")),
    }
}

fn colours<R: Read + Seek>(
    tags: &mut Directory<R>,
    bits: u16,
    float: bool,
    compression: Compression,
) -> Result<Colours, ReadError> {
    let narrow = |name: &str, colours| {
        if float || !matches!(bits, 8 | 16) {
            return unsupported(&format!(
                "{name} of {bits}-bit {}",
                if float { "floats" } else { "samples" }
            ));
        }
        Ok(colours)
    };
    // The tag is missing from some old files, which are fax pages.
    match tags.number_or(262, 0)? {
        0 => Ok(Colours::Grey { white_is_zero: true }),
        1 => Ok(Colours::Grey { white_is_zero: false }),
        2 => Ok(Colours::Rgb),
        3 => palette(tags, bits, float).map(Colours::Palette),
        5 if tags.number_or(332, 1)? != 1 => unsupported("inks other than cyan, magenta, yellow and black"),
        5 => Ok(Colours::Cmyk),
        6 if bits != 8 || float => unsupported(&format!("YCbCr colours of {bits}-bit samples")),
        6 => ycbcr(tags, compression).map(Colours::YCbCr),
        8 => narrow("L*a*b* colours", Colours::Lab { signed: true }),
        9 => narrow("L*a*b* colours", Colours::Lab { signed: false }),
        4 => unsupported("a mask instead of a picture"),
        10 => unsupported("L*a*b* colours of the ITU's kind"),
        32_803 | 34_892 => unsupported("raw values of a camera's sensor"),
        32_844 | 32_845 => unsupported("LogLuv colours"),
        number => unsupported(&format!("colours of an unknown kind (number {number})")),
    }
}

fn palette<R: Read + Seek>(tags: &mut Directory<R>, bits: u16, float: bool) -> Result<Vec<u16>, ReadError> {
    if bits > 8 || float {
        return unsupported(&format!("a palette of {bits}-bit samples"));
    }
    let colours: Vec<u16> =
        tags.numbers(320, 3 << bits)?.unwrap_or_default().into_iter().map(|value| value as u16).collect();
    if colours.len() != 3 << bits {
        return damaged("a TIFF without the colours of its palette");
    }
    Ok(colours)
}

fn ycbcr<R: Read + Seek>(tags: &mut Directory<R>, compression: Compression) -> Result<YCbCr, ReadError> {
    let subsampling = match tags.numbers(530, 2)?.as_deref() {
        // The JPEG decoder brings chroma to the size of luminance.
        _ if compression == Compression::Jpeg => (1, 1),
        None => (2, 2),
        Some(&[across @ (1 | 2 | 4), down @ (1 | 2 | 4)]) => (across as u16, down as u16),
        Some(_) => return damaged("a TIFF with a strange subsampling of its chroma"),
    };
    let luminance: [f32; 3] = tags.fractions(529)?.unwrap_or([0.299, 0.587, 0.114]);
    let reference: [f32; 6] = tags.fractions(532)?.unwrap_or([0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
    let ranges = [0, 2, 4].map(|k| reference[k + 1] - reference[k]);
    if !luminance.iter().chain(&ranges).all(|value| value.is_finite() && *value > 0.0) {
        return damaged("a TIFF with strange coefficients of its YCbCr colours");
    }
    Ok(YCbCr { subsampling, luminance, reference })
}

/// The first extra sample that is an alpha. A fourth sample of RGB that no tag explains is taken as one.
fn alpha<R: Read + Seek>(
    tags: &mut Directory<R>,
    colours: &Colours,
    samples: u16,
) -> Result<Option<(usize, bool)>, ReadError> {
    let first = colours.samples();
    let extra = match tags.numbers(338, MOST_SAMPLES.into())? {
        Some(extra) => extra,
        None if matches!(colours, Colours::Rgb) && samples == 4 => vec![2],
        None => Vec::new(),
    };
    let alpha = extra.iter().position(|&kind| matches!(kind, 1 | 2));
    let alpha = alpha.map(|k| (first + k, extra[k] == 1)).filter(|&(k, _)| k < usize::from(samples));
    if alpha.is_some() && matches!(colours, Colours::Palette(_) | Colours::Lab { .. }) {
        return unsupported("a palette or L*a*b* colours, and transparency");
    }
    Ok(alpha)
}

fn chunks<R: Read + Seek>(
    tags: &mut Directory<R>,
    (height, width): (u32, u32),
    planes: u16,
) -> Result<Chunks, ReadError> {
    let tiled = tags.count(324) > 0;
    let (offsets, lengths) = if tiled { (324, 325) } else { (273, 279) };
    let side = |length: u64| u32::try_from(length).unwrap_or(u32::MAX);
    let (chunk_height, chunk_width) = if tiled {
        (side(tags.number_or(323, 0)?), side(tags.number_or(322, 0)?))
    } else {
        (side(tags.number_or(278, u64::from(height))?).min(height), width)
    };
    // Tiles of a small picture may be larger than it; a file that claims much more is hostile.
    let strange = |length: u32, whole: u32| length == 0 || length > whole.max(1 << 12);
    if strange(chunk_height, height) || strange(chunk_width, width) {
        return damaged(
            "a TIFF with empty strips or tiles, or with some that are far larger than the picture",
        );
    }
    let (across, down) = (width.div_ceil(chunk_width), height.div_ceil(chunk_height));
    let count = (u64::from(across) * u64::from(down)).saturating_mul(planes.into());
    if count > MOST_CHUNKS {
        return unsupported(&format!("more than {MOST_CHUNKS} strips or tiles"));
    }
    if tags.count(offsets) != count || tags.count(lengths) != count {
        return damaged("a TIFF whose strips or tiles are not as many as its size needs");
    }
    let count = count as usize;
    Ok(Chunks {
        tiled,
        height: chunk_height,
        width: chunk_width,
        offsets: tags.numbers(offsets, count)?.unwrap_or_default(),
        lengths: tags.numbers(lengths, count)?.unwrap_or_default(),
    })
}
