//! JPEG, through the crate `zune-jpeg`.
//!
//! The decoder fills what is missing of a cut file with grey and says nothing, so its file is looked at here: one with its
//! end-of-image marker is decoded. One without is decoded with several bytes put behind it. If the pixels are the same
//! whatever comes there, and scans for every bit of every coefficient have begun, then every block was in the file; if not,
//! data are missing.

mod segments;

use std::io::{BufRead, Read, Seek, SeekFrom};

use image::metadata::Orientation;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::limits::{Limits, METADATA_LIMIT, zeros};
use super::raster::{Alpha, Colour, Model, Raster, Samples};
use super::{ReadError, Warning};
use segments::Segments;

/// So much of a file is read however little may be taken: all that comes before the pixels, of nearly every picture.
const HEADER: u64 = 1 << 20;

/// Reads a JPEG.
///
/// Four components are CMYK or YCCK, with the inks inverted as Adobe's programs write them. Without a profile they become RGB by
/// R = (1 - C)(1 - K), and so on, in the decoder.
///
/// # Errors
/// [`ReadError`] if it is damaged or cut short, of a kind that is not read, or takes more than `limits` allow.
pub(super) fn read<R: BufRead + Seek>(mut reader: R, limits: &Limits) -> Result<Raster, ReadError> {
    reader.rewind()?;
    let mut file = Vec::new();
    reader.by_ref().take(limits.left().max(HEADER).saturating_add(1)).read_to_end(&mut file)?;
    // Of a file that there is no room for, the beginning is here. It serves to say how large the picture is, and nothing else.
    let no_room = file.len() as u64 > limits.left();
    let mut segments = Segments::read(&file);
    check_kind(&segments)?;
    let mut warnings = Vec::new();
    if segments.profile.as_ref().is_some_and(|profile| profile.len() > METADATA_LIMIT) {
        segments.profile = None;
        warnings.push(Warning::Profile);
    }

    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file.as_slice()), options());
    if let Err(error) = decoder.decode_headers() {
        return Err(if no_room {
            ReadError::NoMemory { bytes: reader.seek(SeekFrom::End(0))? }
        } else {
            explain(error)
        });
    }
    let input = decoder.input_colorspace().unwrap_or(ColorSpace::Unknown);
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let output = match input {
        ColorSpace::Luma => input,
        ColorSpace::CMYK | ColorSpace::YCCK if segments.profile.is_some() => input,
        _ => ColorSpace::RGB,
    };
    let samples = width as u64 * height as u64 * output.num_components() as u64;
    // Coefficients have 2 bytes, and the picture is rounded up to whole blocks.
    let coefficients =
        if segments.several_scans { samples.max(width as u64 * height as u64 * 4) * 2 } else { 0 };
    let twice = if segments.ended { 0 } else { samples };
    limits.admit((height, width), false, samples, file.len() as u64 * 2 + coefficients + twice)?;

    let mut pixels;
    if segments.ended {
        pixels = decode(&file, output)?;
    } else {
        pixels = decode_without_end(file, output, &segments)?;
        warnings.push(Warning::NoEnd);
    }
    let model = match output {
        ColorSpace::Luma => Model::Grey,
        ColorSpace::CMYK | ColorSpace::YCCK => {
            pixels.chunks_exact_mut(4).for_each(|pixel| inks(pixel, output));
            Model::Cmyk
        }
        _ => Model::Rgb,
    };
    Ok(Raster {
        height,
        width,
        samples: Samples::U8(pixels),
        model,
        alpha: Alpha::None,
        colour: segments.profile.map_or(Colour::Srgb, Colour::Icc),
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        warnings,
    })
}

fn options() -> DecoderOptions {
    DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX)
}

fn decode(file: &[u8], output: ColorSpace) -> Result<Vec<u8>, ReadError> {
    let options = options().jpeg_set_out_colorspace(output);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(explain)?;
    let mut pixels = zeros(decoder.output_buffer_size().unwrap_or(0))?;
    decoder.decode_into(&mut pixels).map_err(explain)?;
    Ok(pixels)
}

/// Tails of bytes that would be taken for coded data if the decoder still needed some.
const TAILS: usize = 9;

/// One of the tails, even ones and uneven ones, so that one of them gives other pixels; without 0xff, which begins a marker.
fn tail(number: usize) -> [u8; 64] {
    if let Some(&byte) = [0x55, 0xaa, 0x36].get(number) {
        return [byte; 64];
    }
    let mut state = number as u32 + 1;
    std::array::from_fn(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 & 0xfe
    })
}

/// The pixels of a file without its end-of-image marker, if they are all there.
fn decode_without_end(
    mut file: Vec<u8>,
    output: ColorSpace,
    segments: &Segments,
) -> Result<Vec<u8>, ReadError> {
    let cut = || ReadError::Damaged("a JPEG without its end".to_owned());
    if !segments.all_scans() {
        return Err(cut());
    }
    // Half a marker.
    while file.last() == Some(&0xff) {
        file.pop();
    }
    let length = file.len();
    let mut decode_with = |tail: &[u8]| {
        file.truncate(length);
        file.extend_from_slice(tail);
        file.extend_from_slice(&[0xff, 0xd9]);
        decode(&file, output)
    };
    let pixels = decode_with(&[])?;
    for number in 0..TAILS {
        if decode_with(&tail(number)).map_err(|_| cut())? != pixels {
            return Err(cut());
        }
    }
    Ok(pixels)
}

/// Inks of a pixel, 0 for none, from CMYK or YCCK as Adobe's programs write them: 255 - K, and CMY inverted or as luminance and
/// chroma of it (Adobe Technical Note 5116).
fn inks(pixel: &mut [u8], space: ColorSpace) {
    pixel[3] = 255 - pixel[3];
    if space == ColorSpace::CMYK {
        pixel[..3].iter_mut().for_each(|value| *value = 255 - *value);
        return;
    }
    let [y, b, r] = [f32::from(pixel[0]), f32::from(pixel[1]) - 128.0, f32::from(pixel[2]) - 128.0];
    let cyan_magenta_yellow = [y + 1.402 * r, y - 0.344_136 * b - 0.714_136 * r, y + 1.772 * b];
    for (value, ink) in pixel.iter_mut().zip(cyan_magenta_yellow) {
        *value = ink.round() as u8;
    }
}

/// Whether the coding is one that is decoded: baseline or progressive, in 8 bits. The decoder takes other frames for segments
/// that it may skip.
fn check_kind(segments: &Segments) -> Result<(), ReadError> {
    let with = match segments.frame {
        0xc3 | 0xc7 | 0xcb | 0xcf => "lossless coding".to_owned(),
        0xc5 | 0xc6 => "hierarchical coding".to_owned(),
        0xc9 | 0xca | 0xcd | 0xce => "arithmetic coding".to_owned(),
        0 => return Ok(()),
        _ if segments.precision != 8 => format!("{}-bit samples", segments.precision),
        _ => return Ok(()),
    };
    Err(ReadError::Unsupported(format!("a JPEG with {with}")))
}

fn explain(error: DecodeErrors) -> ReadError {
    ReadError::Damaged(match error {
        DecodeErrors::Format(detail) => detail,
        DecodeErrors::FormatStatic(detail) => detail.to_owned(),
        other => other.to_string(),
    })
}
