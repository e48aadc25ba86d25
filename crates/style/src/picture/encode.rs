//! From H x W x 3 to the bytes of a picture file.

use std::io;
use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::tiff::TiffEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::{Picture, PictureError};

/// The format of a written picture. All are sRGB, without a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// PNG, 8 bits.
    Png,
    /// JPEG, 8 bits, full colour resolution.
    Jpeg {
        /// 1 (small) to 100 (good).
        quality: u8,
    },
    /// WebP, 8 bits, lossless.
    WebP,
    /// TIFF, 16 bits, for those who go on working on the picture.
    Tiff,
}

impl Encoding {
    /// The format that the extension of a file's name stands for.
    ///
    /// # Errors
    /// [`PictureError::UnknownExtension`] for another extension, or none.
    pub fn from_path(path: &Path, jpeg_quality: u8) -> Result<Self, PictureError> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "png" => Ok(Self::Png),
            "jpg" | "jpeg" => Ok(Self::Jpeg { quality: jpeg_quality.clamp(1, 100) }),
            "webp" => Ok(Self::WebP),
            "tif" | "tiff" => Ok(Self::Tiff),
            _ => Err(PictureError::UnknownExtension { path: path.into() }),
        }
    }
}

pub(super) fn encode(picture: &Picture, encoding: Encoding) -> io::Result<Vec<u8>> {
    let side = |length: usize| u32::try_from(length).map_err(io::Error::other);
    let (width, height) = (side(picture.width)?, side(picture.height)?);
    let mut bytes = Vec::new();
    let rgb8 = ExtendedColorType::Rgb8;
    match encoding {
        Encoding::Png => {
            PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive)
                .write_image(&to_8_bits(&picture.data), width, height, rgb8)
        }
        Encoding::Jpeg { quality } => JpegEncoder::new_with_quality(&mut bytes, quality).write_image(
            &to_8_bits(&picture.data),
            width,
            height,
            rgb8,
        ),
        Encoding::WebP => {
            WebPEncoder::new_lossless(&mut bytes).write_image(&to_8_bits(&picture.data), width, height, rgb8)
        }
        Encoding::Tiff => TiffEncoder::new(Cursor::new(&mut bytes)).write_image(
            bytemuck::cast_slice(&to_16_bits(&picture.data)),
            width,
            height,
            ExtendedColorType::Rgb16,
        ),
    }
    .map_err(io::Error::other)?;
    Ok(bytes)
}

fn to_8_bits(data: &[f32]) -> Vec<u8> {
    data.iter().map(|value| value.clamp(0.0, 255.0).round() as u8).collect()
}

/// 255 becomes 65535 = 255 * 257.
fn to_16_bits(data: &[f32]) -> Vec<u16> {
    data.iter().map(|value| (value.clamp(0.0, 255.0) * 257.0).round() as u16).collect()
}
