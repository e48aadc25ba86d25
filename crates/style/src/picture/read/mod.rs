//! From a picture file to H x W x 3 sRGB and alpha, or to a mask: the file's kind by its first bytes, its pixels at the file's
//! own depth, and then strip by strip colours and size.

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
mod text;
mod tiff;
mod warning;
mod webp;

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use fast_image_resize::pixels::{F32, F32x3};

pub use options::{Profile, ReadOptions, ReadPicture, Transparency};
pub(crate) use text::MOST_TEXT;
pub(super) use text::{text_of_file, text_of_stream};
pub use warning::Warning;

use super::alpha::{from_premultiplied, from_straight};
use super::resize::{LANCZOS, TRIANGLE, is_worth_shrinking, with_longest_side};
use super::{Mask, Picture, PictureError, ReadMask};
use colour::Converter;
use error::ReadError;
use kind::{FIRST_BYTES, Kind};
use limits::Limits;
use raster::{Colour, Raster};
use strips::Strips;

/// Reads a picture of a file; of a pipe to its end.
pub(super) fn picture_of_file(path: &Path, options: &ReadOptions) -> Result<ReadPicture, PictureError> {
    let decoded = decode_file(path, options)?;
    finish(decoded, options).map_err(|error| error.of(path))
}

/// Reads a picture of a stream, which is first read to its end; `path` is for the messages.
pub(super) fn picture_of_stream(
    stream: impl Read,
    path: &Path,
    options: &ReadOptions,
) -> Result<ReadPicture, PictureError> {
    let decoded = decode_stream(stream, options).map_err(|error| error.of(path))?;
    finish(decoded, options).map_err(|error| error.of(path))
}

/// Reads a picture of what can be read anywhere; `path` is for the messages, and `held` bytes of it are in memory.
pub(super) fn picture_of_reader(
    reader: impl BufRead + Seek,
    held: u64,
    path: &Path,
    options: &ReadOptions,
) -> Result<ReadPicture, PictureError> {
    let read = || finish(decode_from_start(reader, held, options)?, options);
    read().map_err(|error| error.of(path))
}

/// Reads a mask of a file.
pub(super) fn mask_of_file(path: &Path, options: &ReadOptions) -> Result<ReadMask, PictureError> {
    let options = on_black(options);
    let decoded = decode_file(path, &options)?;
    finish_mask(decoded, &options).map_err(|error| error.of(path))
}

/// Reads a mask of a stream, which is first read to its end; `path` is for the messages.
pub(super) fn mask_of_stream(
    stream: impl Read,
    path: &Path,
    options: &ReadOptions,
) -> Result<ReadMask, PictureError> {
    let options = on_black(options);
    let decoded = decode_stream(stream, &options).map_err(|error| error.of(path))?;
    finish_mask(decoded, &options).map_err(|error| error.of(path))
}

/// Reads a mask of what can be read anywhere; `path` is for the messages, and `held` bytes of it are in memory.
pub(super) fn mask_of_reader(
    reader: impl BufRead + Seek,
    held: u64,
    path: &Path,
    options: &ReadOptions,
) -> Result<ReadMask, PictureError> {
    let options = on_black(options);
    let read = || finish_mask(decode_from_start(reader, held, &options)?, &options);
    read().map_err(|error| error.of(path))
}

/// What is transparent of a mask is black.
fn on_black(options: &ReadOptions) -> ReadOptions {
    ReadOptions { transparency: Transparency::On([0; 3]), ..*options }
}

/// A picture as its file holds it, and the bytes that reading it takes in all.
struct Decoded {
    raster: Raster,
    bytes: u64,
}

fn decode_file(path: &Path, options: &ReadOptions) -> Result<Decoded, PictureError> {
    let open = |source| PictureError::Open { path: path.into(), source };
    let file = File::open(path).map_err(open)?;
    let metadata = file.metadata().map_err(open)?;
    if metadata.is_dir() {
        return Err(open(ErrorKind::IsADirectory.into()));
    }
    let decoded = if metadata.is_file() {
        decode(BufReader::new(file), 0, options)
    } else {
        decode_stream(file, options)
    };
    decoded.map_err(|error| error.of(path))
}

fn decode_stream(stream: impl Read, options: &ReadOptions) -> Result<Decoded, ReadError> {
    let file = to_end(stream, options)?;
    let bytes = file.capacity() as u64;
    decode(Cursor::new(file), bytes, options)
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

/// Decodes a picture from the beginning of its file, wherever the reader stands.
fn decode_from_start(
    mut reader: impl BufRead + Seek,
    held: u64,
    options: &ReadOptions,
) -> Result<Decoded, ReadError> {
    reader.rewind()?;
    decode(reader, held, options)
}

/// Decodes a picture while `held` bytes are taken already.
fn decode<R: BufRead + Seek>(mut reader: R, held: u64, options: &ReadOptions) -> Result<Decoded, ReadError> {
    let mut first = Vec::new();
    reader.by_ref().take(FIRST_BYTES as u64).read_to_end(&mut first)?;
    reader.seek(SeekFrom::Start(0))?;
    let kind = kind_of(&first)?;
    let after = |size, alpha| bytes_after(size, alpha, options);
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
    Ok(Decoded { raster, bytes: held + limits.admitted.get() })
}

/// The size (H, W) that a picture of that size is brought to while it is read, if it is.
fn shrunk_size(size: (usize, usize), options: &ReadOptions) -> Option<(usize, usize)> {
    let longest = options.size.longest_side_for(size).min(size.0.max(size.1));
    Some(with_longest_side(size, longest)).filter(|&smaller| is_worth_shrinking(size, smaller))
}

/// The most bytes that a picture of that size, with alpha or without, takes beside its raster once it is decoded.
fn bytes_after(size: (usize, usize), alpha: bool, options: &ReadOptions) -> u64 {
    let (height, width) = (size.0 as u64, size.1 as u64);
    let channels = 3 + u64::from(alpha && options.transparency == Transparency::Kept);
    let numbers = match shrunk_size(size, options) {
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
fn finish(Decoded { raster, bytes }: Decoded, options: &ReadOptions) -> Result<ReadPicture, ReadError> {
    let keep = options.transparency == Transparency::Kept && raster.covers_partly();
    let (picture, profile) = with_profile(&raster, |converter| {
        if keep {
            with_alpha(&raster, converter, options)
        } else {
            on_background(&raster, converter, options)
        }
    })?;
    if picture.alpha().is_some_and(Mask::is_empty) {
        return Err(ReadError::Transparent);
    }
    let mut warnings = raster.warnings;
    let profile = warn_of_profile(&mut warnings, profile);
    let icc = match raster.colour {
        Colour::Icc(icc) if options.profile => Some(icc),
        _ => None,
    };
    Ok(ReadPicture { picture, profile, warnings, icc, bytes })
}

/// From a raster to the mask that it means.
fn finish_mask(Decoded { raster, bytes }: Decoded, options: &ReadOptions) -> Result<ReadMask, ReadError> {
    let (mask, profile) = with_profile(&raster, |converter| mask(&raster, converter, options))?;
    let mut warnings = raster.warnings;
    warn_of_profile(&mut warnings, profile);
    Ok(ReadMask { mask, warnings, bytes })
}

/// What is made of a raster with its colour profile, or without, if that leads to numbers that are not finite.
fn with_profile<T>(
    raster: &Raster,
    make: impl Fn(&Converter) -> Result<T, ReadError>,
) -> Result<(T, Profile), ReadError> {
    let (converter, profile) = Converter::new(&raster.colour, raster.model);
    match make(&converter) {
        Err(ReadError::NotFinite) if profile == Profile::Converted => {
            Ok((make(&Converter::new(&Colour::Srgb, raster.model).0)?, Profile::Unusable))
        }
        other => Ok((other?, profile)),
    }
}

/// What became of a profile, with a warning if it could not be used.
fn warn_of_profile(warnings: &mut Vec<Warning>, profile: Profile) -> Profile {
    match profile {
        Profile::Unusable if !warnings.contains(&Warning::Profile) => warnings.push(Warning::Profile),
        Profile::Absent if warnings.contains(&Warning::Profile) => return Profile::Unusable,
        _ => {}
    }
    profile
}

/// The picture without alpha, on white or another colour where the file has it.
fn on_background(
    raster: &Raster,
    converter: &Converter,
    options: &ReadOptions,
) -> Result<Picture, ReadError> {
    let background = match options.transparency {
        Transparency::On(background) => background,
        // It covers everything.
        Transparency::Kept => [255; 3],
    };
    let mut strips = Strips::new(raster, converter);
    let size = strips.size();
    let fill = |rows: Range<usize>, rgb: &mut [f32]| strips.on(background, rows, rgb);
    let ((height, width), data) = match shrunk_size(size, options) {
        Some(smaller) => (smaller, shrink::shrunk::<F32x3>(size, smaller, LANCZOS, Strips::of(size), fill)?),
        None => (size, shrink::whole(size, 3, fill)?),
    };
    Ok(Picture { height, width, data, alpha: None })
}

/// The picture with its alpha.
fn with_alpha(raster: &Raster, converter: &Converter, options: &ReadOptions) -> Result<Picture, ReadError> {
    let mut strips = Strips::new(raster, converter);
    let size = strips.size();
    let Some(smaller) = shrunk_size(size, options) else {
        let rgb = shrink::whole(size, 3, |rows, rgb| strips.straight(rows, rgb))?;
        let alpha = shrink::whole(size, 1, |rows, alpha| {
            strips.alpha(rows, alpha);
            Ok(())
        })?;
        return Ok(from_straight(rgb, Mask::settled(size.0, size.1, alpha)));
    };
    let rgb = shrink::shrunk::<F32x3>(size, smaller, TRIANGLE, Strips::of(size), |rows, rgb| {
        strips.premultiplied(rows, rgb)
    })?;
    let alpha = shrink::shrunk::<F32>(size, smaller, TRIANGLE, Strips::of(size), |rows, alpha| {
        strips.alpha(rows, alpha);
        Ok(())
    })?;
    Ok(from_premultiplied(rgb, Mask::settled(smaller.0, smaller.1, alpha)))
}

/// The light of the picture on black.
fn mask(raster: &Raster, converter: &Converter, options: &ReadOptions) -> Result<Mask, ReadError> {
    let mut strips = Strips::new(raster, converter);
    let size = strips.size();
    let mut rgb = Vec::new();
    let fill = |rows: Range<usize>, light: &mut [f32]| {
        rgb.resize(3 * light.len(), 0.0);
        strips.on([0; 3], rows, &mut rgb)?;
        for (light, pixel) in light.iter_mut().zip(rgb.as_chunks::<3>().0) {
            *light = (crate::colour::light(*pixel) / 255.0).clamp(0.0, 1.0);
        }
        Ok(())
    };
    let ((height, width), values) = match shrunk_size(size, options) {
        Some(smaller) => (smaller, shrink::shrunk::<F32>(size, smaller, TRIANGLE, Strips::of(size), fill)?),
        None => (size, shrink::whole(size, 1, fill)?),
    };
    Ok(Mask::settled(height, width, values))
}
