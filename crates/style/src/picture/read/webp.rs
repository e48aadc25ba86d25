//! WebP, by the `image-webp` crate.

use std::io::{self, BufRead, Seek, SeekFrom};

use image::metadata::Orientation;
use image_webp::{DecodingError, WebPDecoder};

use super::limits::{Limits, METADATA_LIMIT, zeros};
use super::raster::{Alpha, Colour, Model, Raster, Samples};
use super::{ReadError, Warning};

/// Decodes a picture, or the first of a film.
///
/// # Errors
/// [`ReadError`].
pub(super) fn read<R: BufRead + Seek>(mut reader: R, limits: &Limits<'_>) -> Result<Raster, ReadError> {
    let bytes_of_file = reader.seek(SeekFrom::End(0))?;
    reader.rewind()?;
    let largest = largest_frame(&mut reader)?;
    reader.rewind()?;
    let mut decoder = WebPDecoder::new(reader).map_err(explain)?;
    decoder.set_memory_limit(METADATA_LIMIT);
    let (width, height) = decoder.dimensions();
    if largest.0 > width || largest.1 > height {
        return Err(ReadError::Damaged("a frame of it is larger than the picture".to_owned()));
    }
    let (height, width) = (height as usize, width as usize);
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let pixels = height as u64 * width as u64;
    let decoder_bytes = bytes_of_decoder(&mut decoder, pixels) + 2 * bytes_of_file;
    limits.admit((height, width), decoder.has_alpha(), channels * pixels, decoder_bytes)?;
    let mut warnings = Vec::new();
    let colour = match decoder.icc_profile() {
        Ok(None) => Colour::Srgb,
        Ok(Some(profile)) => Colour::Icc(profile),
        Err(_) => {
            warnings.push(Warning::Profile);
            Colour::Srgb
        }
    };
    let exif = decoder.exif_metadata().unwrap_or(None);
    let orientation = exif.and_then(|exif| Orientation::from_exif_chunk(&exif));
    let mut samples = zeros(height * width * channels as usize)?;
    decoder.read_image(&mut samples).map_err(explain)?;
    Ok(Raster {
        height,
        width,
        samples: Samples::U8(samples),
        model: Model::Rgb,
        alpha: if decoder.has_alpha() { Alpha::Straight } else { Alpha::None },
        colour,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        warnings,
    })
}

/// What the decoder takes beside the raster and the file: four bytes a pixel of what is lossless and, of a film, of the
/// canvas and the frame; one and a half of YCbCr; and where a lossy picture has alpha, five for that.
fn bytes_of_decoder<R: BufRead + Seek>(decoder: &mut WebPDecoder<R>, pixels: u64) -> u64 {
    let film = if decoder.is_animated() { 8 } else { 0 };
    let frame = match (decoder.is_lossy(), decoder.has_alpha()) {
        (true, true) => 7,
        (true, false) => 2,
        (false, _) => 4,
    };
    (film + frame) * pixels
}

/// Width and height that no lossy frame exceeds which the decoder may decode: it takes memory for a frame's own size before it
/// compares that with the picture's.
fn largest_frame<R: BufRead + Seek>(reader: &mut R) -> Result<(u32, u32), ReadError> {
    let mut largest = (0, 0);
    reader.rewind()?;
    let mut file = Scan { reader, position: 0 };
    file.go_to(12)?;
    while let Some((name, length)) = file.next_chunk()? {
        let end = file.position + length;
        if name == *b"ANMF" {
            file.go_to(file.position + 16)?;
            for _ in 0..2 {
                let Some((name, length)) = file.next_chunk()? else { break };
                let end = file.position + length;
                largest = larger(largest, file.frame_size(name)?);
                file.go_to(end)?;
            }
        } else {
            largest = larger(largest, file.frame_size(name)?);
        }
        file.go_to(end)?;
    }
    Ok(largest)
}

fn larger(one: (u32, u32), other: (u32, u32)) -> (u32, u32) {
    (one.0.max(other.0), one.1.max(other.1))
}

/// A file that is looked through from chunk to chunk. Small steps stay within what is buffered: a file may have millions of chunks.
struct Scan<'r, R> {
    reader: &'r mut R,
    position: u64,
}

impl<R: BufRead + Seek> Scan<'_, R> {
    /// The next bytes; none at the end of the file.
    fn next<const N: usize>(&mut self) -> Result<Option<[u8; N]>, ReadError> {
        let mut bytes = [0; N];
        match self.reader.read_exact(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.position = self.reader.stream_position()?;
                Ok(None)
            }
            other => {
                other?;
                self.position += N as u64;
                Ok(Some(bytes))
            }
        }
    }

    fn go_to(&mut self, position: u64) -> Result<(), ReadError> {
        self.reader.seek_relative(position.wrapping_sub(self.position) as i64)?;
        self.position = position;
        Ok(())
    }

    /// A chunk's name, and its length with padding. None at the end of the file.
    fn next_chunk(&mut self) -> Result<Option<([u8; 4], u64)>, ReadError> {
        Ok(self.next()?.map(|[a, b, c, d, length @ ..]: [u8; 8]| {
            let length = u64::from(u32::from_le_bytes(length));
            ([a, b, c, d], length + length % 2)
        }))
    }

    /// Width and height of a lossy frame (RFC 6386, section 9.1: a frame's tag, three bytes, 14 bits each).
    fn frame_size(&mut self, name: [u8; 4]) -> Result<(u32, u32), ReadError> {
        if name != *b"VP8 " {
            return Ok((0, 0));
        }
        let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
        Ok(self
            .next()?
            .map_or((0, 0), |header: [u8; 10]| (side(header[6], header[7]), side(header[8], header[9]))))
    }
}

fn explain(error: DecodingError) -> ReadError {
    match error {
        DecodingError::IoError(error) => error.into(),
        DecodingError::UnsupportedFeature(what) => ReadError::Unsupported(format!("a WebP with {what}")),
        other => ReadError::Damaged(other.to_string()),
    }
}
