//! PNG, through the crate `png`: what it says about colours is read in the order of the standard (PNG, third edition, 4.3):
//! cICP, iCCP, sRGB, then gAMA with cHRM.

use std::io::{BufRead, Read, Seek, SeekFrom};

use image::metadata::Orientation;
use png::{BitDepth, ColorType, Decoder, DecodingError, Info, Transformations};

use super::limits::{Limits, METADATA_LIMIT, zeros};
use super::raster::{Alpha, Colour, Model, Raster, Samples};
use super::{ReadError, Warning};

/// Reads a PNG; of an animation the picture that programs without animation show.
///
/// # Errors
/// [`ReadError`] if it is damaged, of high dynamic range (PQ or HLG), or takes more than `limits` allow.
pub(super) fn read<R: BufRead + Seek>(mut reader: R, limits: &Limits) -> Result<Raster, ReadError> {
    let claims = Claims::of(&mut reader)?;
    reader.rewind()?;
    let mut decoder = Decoder::new(reader);
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    let header = decoder.read_header_info().map_err(explain)?;
    let (height, width) = (header.height as usize, header.width as usize);
    // EXPAND makes a palette RGB, and transparency of any kind an alpha, of which the header does not know yet.
    let channels =
        if header.color_type == ColorType::Indexed { 4 } else { header.color_type.samples() as u64 + 1 };
    let depth = if header.bit_depth == BitDepth::Sixteen { 2 } else { 1 };
    let row = width as u64 * channels * depth;
    let alpha =
        claims.transparency || matches!(header.color_type, ColorType::Rgba | ColorType::GrayscaleAlpha);
    limits.admit((height, width), alpha, row.saturating_mul(height as u64), row.saturating_mul(4))?;
    let row = usize::try_from(row.saturating_mul(4)).unwrap_or(usize::MAX);
    decoder.set_limits(png::Limits { bytes: row.saturating_add(4 * METADATA_LIMIT) });

    let mut decoder = decoder.read_info().map_err(explain)?;
    let (colour, warnings) = colour(decoder.info(), claims.profile)?;
    let exif = decoder.info().exif_metadata.as_deref();
    let orientation = exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms);
    let (kind, depth) = decoder.output_color_type();
    let length =
        decoder.output_buffer_size().ok_or_else(|| ReadError::Damaged("it is too large".to_owned()))?;
    let samples = if depth == BitDepth::Sixteen {
        let mut values: Vec<u16> = zeros(length / 2)?;
        decoder.next_frame(bytemuck::cast_slice_mut(&mut values)).map_err(explain)?;
        for value in &mut values {
            *value = u16::from_be(*value);
        }
        Samples::U16(values)
    } else {
        let mut values: Vec<u8> = zeros(length)?;
        decoder.next_frame(&mut values).map_err(explain)?;
        Samples::U8(values)
    };
    let (model, alpha) = match kind {
        ColorType::Grayscale => (Model::Grey, Alpha::None),
        ColorType::GrayscaleAlpha => (Model::Grey, Alpha::Straight),
        ColorType::Rgb | ColorType::Indexed => (Model::Rgb, Alpha::None),
        ColorType::Rgba => (Model::Rgb, Alpha::Straight),
    };
    Ok(Raster { height, width, samples, model, alpha, colour, orientation, warnings })
}

/// Which chunks there are before the pixels.
struct Claims {
    /// iCCP: the crate passes over one that is damaged or too large.
    profile: bool,
    /// tRNS.
    transparency: bool,
}

impl Claims {
    fn of<R: BufRead + Seek>(reader: &mut R) -> Result<Self, ReadError> {
        let mut claims = Self { profile: false, transparency: false };
        reader.seek(SeekFrom::Start(8))?;
        let mut start = [0; 8];
        while reader.by_ref().take(8).read_exact(&mut start).is_ok() {
            match &start[4..] {
                b"iCCP" => claims.profile = true,
                b"tRNS" => claims.transparency = true,
                b"IDAT" | b"IEND" => break,
                _ => {}
            }
            let length = u32::from_be_bytes([start[0], start[1], start[2], start[3]]);
            // The chunk's data, and its checksum.
            reader.seek_relative(i64::from(length) + 4)?;
        }
        Ok(claims)
    }
}

/// What the numbers mean, by the first chunk that says so in a way that is understood. gAMA without cHRM is of sRGB's primaries;
/// cHRM without gAMA says nothing.
fn colour(info: &Info, claims_profile: bool) -> Result<(Colour, Vec<Warning>), ReadError> {
    if let Some(cicp) = &info.coding_independent_code_points {
        let (primaries, transfer) = (cicp.color_primaries, cicp.transfer_function);
        if let Some(name) = match transfer {
            16 => Some("PQ"),
            18 => Some("HLG"),
            _ => None,
        } {
            return Err(ReadError::Values(format!(
                "is of high dynamic range ({name}), which is not read: convert it to sRGB first"
            )));
        }
        // Unknown points, and YCbCr, which PNG forbids.
        let known = matches!(primaries, 1 | 4..=12 | 22) && matches!(transfer, 1 | 4..=17);
        if known && cicp.matrix_coefficients == 0 {
            let full_range = cicp.is_video_full_range_image;
            return Ok((Colour::Cicp { primaries, transfer, full_range }, Vec::new()));
        }
    }
    if claims_profile {
        return Ok(match &info.icc_profile {
            Some(profile) if profile.len() <= METADATA_LIMIT => (Colour::Icc(profile.to_vec()), Vec::new()),
            _ => (Colour::Srgb, vec![Warning::Profile]),
        });
    }
    let colour = match info.gama_chunk {
        Some(gamma) if info.srgb.is_none() && gamma.into_scaled() > 0 => {
            let chromaticities = info.chrm_chunk.map(|points| {
                let [white, red, green, blue] = [points.white, points.red, points.green, points.blue];
                [white.0, white.1, red.0, red.1, green.0, green.1, blue.0, blue.1]
                    .map(png::ScaledFloat::into_value)
            });
            Colour::Gamma { gamma: gamma.into_value(), chromaticities }
        }
        _ => Colour::Srgb,
    };
    Ok((colour, Vec::new()))
}

fn explain(error: DecodingError) -> ReadError {
    match error {
        DecodingError::IoError(error) => error.into(),
        DecodingError::LimitsExceeded => {
            ReadError::Damaged(format!("a chunk beside its pixels has more than {METADATA_LIMIT} bytes"))
        }
        other => ReadError::Damaged(other.to_string()),
    }
}
