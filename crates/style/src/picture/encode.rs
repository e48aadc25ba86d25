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

    /// The most bytes that a file of H x W pixels can have, whatever they are; noise comes near it.
    ///
    /// PNG and lossless WebP fall back on the bytes themselves, and a little for their frame. Of a JPEG's 64 coefficients in a
    /// block each takes 20 bits at most on the average: a code of up to 16 bits comes with large numbers, which only some can be.
    pub fn largest_bytes(self, height: usize, width: usize) -> u64 {
        const FRAME: u64 = 4096;
        let (height, width) = (height as u64, width as u64);
        let samples = 3 * height * width;
        FRAME
            + match self {
                Self::Png => samples + height + samples / 32,
                Self::WebP => samples + samples / 8,
                Self::Jpeg { .. } => 3 * height.next_multiple_of(8) * width.next_multiple_of(8) * 20 / 8,
                Self::Tiff => 2 * samples,
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::white_noise;

    /// Noise, or the sharpest edges that there are: black and white at random.
    fn picture(height: usize, width: usize, seed: u64, edges: bool) -> Picture {
        let mut picture = white_noise(height, width, seed).unwrap();
        if edges {
            picture.data_mut().iter_mut().for_each(|value| *value = if *value < 127.5 { 0.0 } else { 255.0 });
        }
        picture
    }

    proptest! {
        #[test]
        fn no_picture_takes_more_than_the_most_bytes(
            height in 1_usize..200, width in 1_usize..200, seed: u64, edges: bool, quality in 1_u8..=100,
        ) {
            let picture = picture(height, width, seed, edges);
            for encoding in [Encoding::Png, Encoding::Jpeg { quality }, Encoding::Jpeg { quality: 100 }, Encoding::WebP, Encoding::Tiff] {
                let (bytes, most) = (picture.encode(encoding).unwrap().len() as u64, encoding.largest_bytes(height, width));
                prop_assert!(bytes <= most, "{encoding:?} of {height} x {width}: {bytes} > {most}");
            }
        }
    }
}
