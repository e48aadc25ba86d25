//! BMP, by the `image` crate.

use std::io::{BufRead, Seek};

use image::codecs::bmp::BmpDecoder;
use image::error::ImageError;
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder};

use super::ReadError;
use super::limits::{Limits, zeros};
use super::raster::{Alpha, Colour, Model, Raster, Samples};

/// Decodes a picture.
///
/// # Errors
/// [`ReadError`].
pub(super) fn read<R: BufRead + Seek>(reader: R, limits: &Limits<'_>) -> Result<Raster, ReadError> {
    let decoder = BmpDecoder::new(reader).map_err(explain)?;
    let (width, height) = decoder.dimensions();
    let (height, width) = (height as usize, width as usize);
    let (model, alpha) = match decoder.color_type() {
        ColorType::L8 => (Model::Grey, Alpha::None),
        ColorType::Rgba8 => (Model::Rgb, Alpha::Straight),
        _ => (Model::Rgb, Alpha::None),
    };
    limits.admit((height, width), alpha != Alpha::None, decoder.total_bytes(), 0)?;
    let mut samples = zeros(decoder.total_bytes() as usize)?;
    decoder.read_image(&mut samples).map_err(explain)?;
    Ok(Raster {
        height,
        width,
        samples: Samples::U8(samples),
        model,
        alpha,
        colour: Colour::Srgb,
        orientation: Orientation::NoTransforms,
        warnings: Vec::new(),
    })
}

fn explain(error: ImageError) -> ReadError {
    match error {
        ImageError::IoError(error) => error.into(),
        ImageError::Unsupported(error) => ReadError::Unsupported(format!("a BMP of a rare kind ({error})")),
        other => ReadError::Damaged(other.to_string()),
    }
}
