//! From a picture file to H x W x 3 sRGB: the file's kind by its first bytes, its pixels at the file's own depth, and then
//! strip by strip colours and size.

mod bmp;
mod colour;
mod error;
mod gif;
mod jpeg;
mod kind;
mod limits;
mod options;
mod png;
mod raster;
mod shrink;
mod strips;
#[cfg(test)]
mod tests;
mod tiff;
mod warning;
mod webp;

use std::cell::Cell;
use std::io::{BufRead, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use fast_image_resize::pixels::{F32, F32x3};

pub use options::{Profile, ReadOptions, ReadPicture};
pub use warning::Warning;

use super::resize::{is_worth_shrinking, with_longest_side};
use super::{Picture, PictureError};
use colour::Converter;
use error::ReadError;
use kind::{FIRST_BYTES, Kind};
use limits::Limits;
use raster::{Alpha, Colour, Raster};
use strips::Strips;

/// Reads a picture of a file that can be read at any place; `path` is for the messages.
pub(super) fn read<R: BufRead + Seek>(
    reader: R,
    path: &Path,
    options: &ReadOptions,
) -> Result<ReadPicture, PictureError> {
    read_beside(reader, 0, options).map_err(|error| error.of(path))
}

/// Reads a picture of a stream, which is first read to its end.
pub(super) fn read_stream(
    stream: impl Read,
    path: &Path,
    options: &ReadOptions,
) -> Result<ReadPicture, PictureError> {
    let file = to_end(stream, options).map_err(|error| error.of(path))?;
    let bytes = file.capacity() as u64;
    read_beside(Cursor::new(file), bytes, options).map_err(|error| error.of(path))
}

/// The bytes of a stream. What is no picture by its first bytes is not read on.
fn to_end(mut stream: impl Read, options: &ReadOptions) -> Result<Vec<u8>, ReadError> {
    const AT_ONCE: usize = 1 << 20;
    let limit = options.memory_limit.unwrap_or(u64::MAX);
    let mut file = Vec::new();
    stream.by_ref().take(FIRST_BYTES as u64).read_to_end(&mut file)?;
    kind_of(&file)?;
    loop {
        // By a quarter each time: what is not yet filled takes no memory, and little is copied.
        let more = AT_ONCE.max(file.len() / 4);
        file.try_reserve_exact(more)
            .map_err(|_| ReadError::NoMemory { bytes: (file.len() + more) as u64 })?;
        let read = stream.by_ref().take(more as u64).read_to_end(&mut file)?;
        if file.len() as u64 + options.held > limit {
            return Err(ReadError::LongStream { limit });
        }
        if read < more {
            return Ok(file);
        }
    }
}

fn kind_of(first: &[u8]) -> Result<Kind, ReadError> {
    if first.is_empty() {
        return Err(ReadError::Empty);
    }
    match Kind::of(first) {
        Ok(Some(kind)) => Ok(kind),
        Ok(None) => Err(ReadError::NotAPicture),
        Err(foreign) => Err(ReadError::Foreign { kind: foreign.name, advice: foreign.advice }),
    }
}

/// Reads a picture while `held` bytes are taken already.
fn read_beside<R: BufRead + Seek>(
    mut reader: R,
    held: u64,
    options: &ReadOptions,
) -> Result<ReadPicture, ReadError> {
    let mut first = Vec::new();
    reader.by_ref().take(FIRST_BYTES as u64).read_to_end(&mut first)?;
    reader.seek(SeekFrom::Start(0))?;
    let kind = kind_of(&first)?;
    let after = |height, width| bytes_after(height, width, options);
    let limits = Limits {
        bytes: options.memory_limit,
        held: options.held + held,
        after: &after,
        admitted: Cell::new(0),
    };
    let raster = match kind {
        Kind::Jpeg => jpeg::read(reader, &limits)?,
        Kind::Png => png::read(reader, &limits)?,
        Kind::Tiff => tiff::read(reader, &limits)?,
        Kind::WebP => webp::read(reader, &limits)?,
        Kind::Gif => gif::read(reader, &limits)?,
        Kind::Bmp => bmp::read(reader, &limits)?,
    };
    finish(raster, held + limits.admitted.get(), options)
}

/// The size (H, W) that a picture of that size is brought to while it is read, if it is.
fn shrunk_size(size: (usize, usize), options: &ReadOptions) -> Option<(usize, usize)> {
    let longest = options.longest?.clamp(1, size.0.max(size.1));
    Some(with_longest_side(size, longest)).filter(|&smaller| is_worth_shrinking(size, smaller))
}

/// The most bytes that a picture of that size takes beside its raster once it is decoded.
fn bytes_after(height: usize, width: usize, options: &ReadOptions) -> u64 {
    let (height, width) = (height as u64, width as u64);
    let channels = 3 + u64::from(options.alpha);
    let numbers = match shrunk_size((height as usize, width as usize), options) {
        // At the new width and the old height, turned or not; then at the new height too.
        Some((less_high, less_wide)) => {
            let (less_high, less_wide) = (less_high as u64, less_wide as u64);
            3 * (height * less_wide).max(width * less_high) + channels * less_high * less_wide
        }
        None => channels * height * width,
    };
    numbers * size_of::<f32>() as u64 + Strips::bytes(height, width)
}

/// From a raster to the picture that it means.
fn finish(raster: Raster, bytes: u64, options: &ReadOptions) -> Result<ReadPicture, ReadError> {
    let (converter, mut profile) = Converter::new(&raster.colour, raster.model);
    let rgb = |converter: &Converter| {
        let mut strips = Strips::new(&raster, converter);
        let size = strips.size();
        let fill = |rows, rgb: &mut [f32]| strips.rgb(rows, rgb);
        Ok(match shrunk_size(size, options) {
            Some(smaller) => (smaller, shrink::shrunk::<F32x3>(size, smaller, Strips::of(size), fill)?),
            None => (size, shrink::whole(size, 3, fill)?),
        })
    };
    let ((height, width), data) = match rgb(&converter) {
        Err(ReadError::NotFinite) if profile == Profile::Converted => {
            profile = Profile::Unusable;
            rgb(&Converter::new(&Colour::Srgb, raster.model).0)
        }
        other => other,
    }?;
    let alpha = if options.alpha { alpha(&raster, options)? } else { None };
    let mut warnings = raster.warnings;
    match profile {
        Profile::Unusable if !warnings.contains(&Warning::Profile) => warnings.push(Warning::Profile),
        Profile::Absent if warnings.contains(&Warning::Profile) => profile = Profile::Unusable,
        _ => {}
    }
    let icc = match raster.colour {
        Colour::Icc(icc) if options.profile => Some(icc),
        _ => None,
    };
    let picture = Picture { height, width, data };
    Ok(ReadPicture { picture, profile, warnings, alpha, icc, bytes })
}

/// The alpha of a raster at the size of its picture.
fn alpha(raster: &Raster, options: &ReadOptions) -> Result<Option<Vec<f32>>, ReadError> {
    if raster.alpha == Alpha::None {
        return Ok(None);
    }
    let (no_colours, _) = Converter::new(&Colour::Srgb, raster.model);
    let strips = Strips::new(raster, &no_colours);
    let size = strips.size();
    let fill = |rows, alpha: &mut [f32]| {
        strips.alpha(rows, alpha);
        Ok(())
    };
    let mut alpha = match shrunk_size(size, options) {
        Some(smaller) => shrink::shrunk::<F32>(size, smaller, Strips::of(size), fill)?,
        None => shrink::whole(size, 1, fill)?,
    };
    // Lanczos swings beyond an edge.
    for a in &mut alpha {
        *a = a.clamp(0.0, 1.0);
    }
    Ok(Some(alpha))
}
