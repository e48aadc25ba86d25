//! TIFF: through the crate `tiff`, which unpacks strips and tiles; what the samples mean is read here, from the tags.
//!
//! Read: grey (black or white is zero) of 1, 2, 4, 8, 16, 32 bits, palettes, RGB, CMYK, YCbCr (also subsampled), L*a*b*,
//! floats of 16, 32 and 64 bits; straight and associated alpha; strips, tiles, planes, predictors, `BigTIFF`, reversed bits;
//! PackBits, LZW, Deflate, JPEG, ZSTD, CCITT group 4. The first picture of a file is taken.

mod directory;
mod floats;
mod layout;
mod place;
mod resolve;
mod unpacked;

use std::io::{self, BufRead, Seek};

use image::metadata::Orientation;
use tiff::TiffError;
use tiff::decoder::Decoder;

use super::ReadError;
use super::Warning;
use super::limits::{Limits, METADATA_LIMIT, ask_for};
use super::raster::{Alpha, Colour, Model, Raster};
pub(super) use directory::Directory;
use layout::{Colours, Compression, Layout};
use unpacked::Unpacked;

/// Reads the first picture of a TIFF.
///
/// # Errors
/// [`ReadError`] if it is damaged, of a kind that is not read (which is named), holds numbers that are no colours, or takes
/// more than `limits` allow.
pub(super) fn read<R: BufRead + Seek>(reader: R, limits: &Limits) -> Result<Raster, ReadError> {
    let mut tags = Directory::read(reader)?;
    let layout = Layout::read(&mut tags)?;
    let geometry = place::geometry(&layout);
    admit(&layout, geometry.chunk_bytes(&layout), limits)?;

    let mut warnings = Vec::new();
    // Broken metadata is no reason to refuse a picture whose pixels are sound.
    let profile = tags.bytes(ICC_PROFILE, METADATA_LIMIT).unwrap_or_else(|_| {
        warnings.push(Warning::Profile);
        None
    });
    let orientation = tags.number_or(ORIENTATION, 1).unwrap_or(1);
    let tables = tags.bytes(JPEG_TABLES, MOST_TABLES)?;
    let little_endian = tags.little_endian();
    let file = Unpacked::new(tags.into_reader(), &layout, geometry, little_endian, tables.as_deref());
    // The size of a chunk was admitted above, from the header.
    let unlimited = ::tiff::decoder::Limits::unlimited();
    let mut decoder = Decoder::new(file).map_err(explain)?.with_limits(unlimited);
    let samples = place::decode(&mut decoder, &layout)?;
    drop(decoder);

    let samples = resolve::resolve(samples, &layout);
    let model = match layout.colours {
        Colours::Grey { .. } => Model::Grey,
        Colours::Rgb | Colours::Palette(_) | Colours::YCbCr(_) => Model::Rgb,
        Colours::Cmyk => Model::Cmyk,
        Colours::Lab { .. } => Model::Lab,
    };
    let alpha = match layout.alpha {
        None => Alpha::None,
        Some((_, false)) => Alpha::Straight,
        Some((_, true)) => Alpha::Associated,
    };
    let mut raster = Raster {
        height: layout.height as usize,
        width: layout.width as usize,
        samples,
        model,
        alpha,
        colour: profile.map_or(Colour::Srgb, Colour::Icc),
        orientation: Orientation::from_exif(orientation as u8).unwrap_or(Orientation::NoTransforms),
        warnings,
    };
    floats::check(&mut raster)?;
    Ok(raster)
}

const JPEG_TABLES: u16 = 347;
const ORIENTATION: u16 = 274;
const ICC_PROFILE: u16 = 34_675;

/// Bytes of the tables of a JPEG: far more than the most that one can have.
const MOST_TABLES: usize = 1 << 16;

/// Bytes that each chunk takes for its place in the file, 8 for its offset and 8 for its length: in the layout; and beside that in
/// the directory that is made for the crate, and in what the crate makes of it, which takes 32 for a number before it has 8.
const BYTES_OF_A_PLACE: u64 = 16;
const BYTES_OF_A_PLACE_IN_THE_CRATE: u64 = 16 + 8 + 32 + 8;

/// Bytes of the file's buffer and of other tags.
const BYTES_OF_THE_REST: u64 = 1 << 16;

/// Whether there is room for the picture: its samples as they are kept, and beside them where each chunk is, and one chunk, as the
/// crate hands it on, with one sample a byte or a float, and, if it is unpacked here, packed and unpacked.
fn admit(layout: &Layout, chunk: u64, limits: &Limits) -> Result<(), ReadError> {
    let size = (layout.height as usize, layout.width as usize);
    let pixels = u64::from(layout.height).saturating_mul(u64::from(layout.width));
    let depth = if layout.float { 4 } else { u64::from(layout.bits.div_ceil(8)) };
    let channels = layout.colours.samples() as u64 + u64::from(layout.alpha.is_some());
    // A palette's indices become colours of 16 bits in the worst case.
    let palette = if matches!(layout.colours, Colours::Palette(_)) { 6 } else { 0 };
    let raster = pixels.saturating_mul(depth * channels + palette);
    let converted = match layout.bits {
        bits @ 1..8 => 8 / u64::from(bits),
        16 | 64 if layout.float => 2,
        _ => 0,
    };
    let packed = layout.chunks.lengths.iter().copied().max().unwrap_or(0).min(unpacked::most_packed(chunk));
    let (unpacked, packed) = match layout.compression {
        Compression::Plain(_) => (0, 0),
        Compression::Lzw => (1, packed),
        // The window holds the whole chunk in the worst case, and grows by doubling.
        Compression::Zstd => (3, packed.saturating_add(unpacked::ZSTD_WINDOW)),
        // Coefficients of two bytes if the JPEG is progressive; tables in front of what is packed.
        Compression::Jpeg => (3, packed.saturating_add(2 * MOST_TABLES as u64)),
    };
    let chunks = layout.chunks.lengths.len() as u64;
    let (held, places) = (BYTES_OF_A_PLACE * chunks, BYTES_OF_A_PLACE_IN_THE_CRATE * chunks);
    let decoder =
        chunk.saturating_mul(1 + converted + unpacked).saturating_add(packed).saturating_add(places);
    limits.admit(size, layout.alpha.is_some(), raster, decoder.saturating_add(held + BYTES_OF_THE_REST))?;
    // The crate aborts where it is not given memory: what it takes is asked for before.
    ask_for(raster.saturating_add(decoder))
}

/// What the crate says.
fn explain(error: TiffError) -> ReadError {
    match error {
        TiffError::IoError(error) => match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
                ReadError::Damaged(error.to_string())
            }
            _ => error.into(),
        },
        TiffError::UnsupportedError(what) => {
            ReadError::Unsupported(format!("a TIFF of an unusual kind: {what}"))
        }
        other => ReadError::Damaged(other.to_string()),
    }
}
