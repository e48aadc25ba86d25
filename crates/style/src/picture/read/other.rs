//! WebP, GIF and BMP, by the `image` crate.

use std::io::{BufRead, Seek};

use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader};

use super::ReadError;
use super::limits::Limits;
use super::raster::{Alpha, Colour, Model, Raster, Samples};

/// Decodes the first picture of a file.
///
/// # Errors
/// [`ReadError`].
pub(super) fn read<R: BufRead + Seek>(reader: R, limits: &Limits<'_>) -> Result<Raster, ReadError> {
    let mut decoder = ImageReader::new(reader).with_guessed_format()?.into_decoder().map_err(explain)?;
    let (width, height) = decoder.dimensions();
    limits.admit((height as usize, width as usize), decoder.total_bytes(), 0)?;
    let mut own = image::Limits::default();
    own.max_alloc = Some(limits.left());
    decoder.set_limits(own).map_err(explain)?;
    // Broken metadata is no reason to refuse a picture whose pixels are sound.
    let profile = decoder.icc_profile().unwrap_or(None);
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let decoded = DynamicImage::from_decoder(decoder).map_err(explain)?;
    let (height, width) = (decoded.height() as usize, decoded.width() as usize);
    let model = if decoded.color().has_color() { Model::Rgb } else { Model::Grey };
    let alpha = if decoded.color().has_alpha() { Alpha::Straight } else { Alpha::None };
    let samples = match decoded {
        DynamicImage::ImageLuma8(image) => Samples::U8(image.into_raw()),
        DynamicImage::ImageLumaA8(image) => Samples::U8(image.into_raw()),
        DynamicImage::ImageRgb8(image) => Samples::U8(image.into_raw()),
        DynamicImage::ImageRgba8(image) => Samples::U8(image.into_raw()),
        DynamicImage::ImageLuma16(image) => Samples::U16(image.into_raw()),
        DynamicImage::ImageLumaA16(image) => Samples::U16(image.into_raw()),
        DynamicImage::ImageRgb16(image) => Samples::U16(image.into_raw()),
        DynamicImage::ImageRgba16(image) => Samples::U16(image.into_raw()),
        other => Samples::F32(if alpha == Alpha::None {
            other.into_rgb32f().into_raw()
        } else {
            other.into_rgba32f().into_raw()
        }),
    };
    let colour = profile.map_or(Colour::Srgb, Colour::Icc);
    Ok(Raster { height, width, samples, model, alpha, colour, orientation, warnings: Vec::new() })
}

fn explain(error: ImageError) -> ReadError {
    match error {
        ImageError::Unsupported(_) => ReadError::NotAPicture,
        other => ReadError::Damaged(other.to_string()),
    }
}
