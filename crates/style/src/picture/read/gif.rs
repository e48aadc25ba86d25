//! GIF, by the `gif` crate.

use std::io::{BufRead, Seek};
use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};
use image::metadata::Orientation;

use super::ReadError;
use super::limits::{Limits, METADATA_LIMIT, zeros};
use super::raster::{Alpha, Colour, Model, Raster, Samples};

/// Decodes a picture, or the first of a film, on its screen, which is transparent around it.
///
/// # Errors
/// [`ReadError`].
pub(super) fn read<R: BufRead + Seek>(reader: R, limits: &Limits<'_>) -> Result<Raster, ReadError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    // Of what stands before the first frame; that itself is decoded into memory of our own.
    options.set_memory_limit(
        NonZeroU64::new(METADATA_LIMIT as u64).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes),
    );
    let mut decoder = options.read_info(reader).map_err(explain)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    let Some(frame) = decoder.next_frame_info().map_err(explain)? else {
        return Err(ReadError::Damaged("it holds no picture".to_owned()));
    };
    let [left, top] = [frame.left, frame.top].map(usize::from);
    let [frame_width, frame_height] = [frame.width, frame.height].map(usize::from);
    let bytes = |height: usize, width: usize| height * width * 4;
    let frame_bytes = bytes(frame_height, frame_width);
    limits.admit((height, width), true, bytes(height, width) as u64, frame_bytes as u64)?;
    let mut samples = zeros(frame_bytes)?;
    decoder.read_into_buffer(&mut samples).map_err(explain)?;
    if (left, top, frame_width, frame_height) != (0, 0, width, height) {
        let frame = std::mem::replace(&mut samples, zeros(bytes(height, width))?);
        let visible = frame_width.min(width.saturating_sub(left)) * 4;
        let rows = frame.chunks_exact((frame_width * 4).max(1));
        for (to, from) in samples.chunks_exact_mut(width * 4).skip(top).zip(rows) {
            to[left.min(width) * 4..][..visible].copy_from_slice(&from[..visible]);
        }
    }
    Ok(Raster {
        height,
        width,
        samples: Samples::U8(samples),
        model: Model::Rgb,
        alpha: Alpha::Straight,
        colour: decoder.icc_profile().map_or(Colour::Srgb, |profile| Colour::Icc(profile.to_vec())),
        orientation: Orientation::NoTransforms,
        warnings: Vec::new(),
    })
}

fn explain(error: DecodingError) -> ReadError {
    match error {
        DecodingError::Io(error) => error.into(),
        DecodingError::MemoryLimit => {
            ReadError::Unsupported("a GIF with more than 16 MiB beside its pixels".to_owned())
        }
        other => ReadError::Damaged(other.to_string()),
    }
}
