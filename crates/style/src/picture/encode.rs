//! From H x W x 3 and alpha to the bytes of a picture file.

use std::io::{self, Cursor};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};
use tiff::TiffError;
use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::{RGB16, RGBA16};
use tiff::tags::{ExtraSamples, Tag};

use super::{Mask, Picture, PictureError};

/// The format of a written picture. All are sRGB, without a profile; all but JPEG keep alpha, at the depth of the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// PNG, 8 bits.
    Png,
    /// JPEG, 8 bits, full colour resolution; on white where the picture is transparent.
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

    /// Whether a file of this format can hold alpha.
    pub const fn keeps_alpha(self) -> bool {
        !matches!(self, Self::Jpeg { .. })
    }

    /// The most bytes that a file of H x W pixels can have, with alpha or without, whatever they are; noise comes near it.
    ///
    /// PNG and lossless WebP fall back on the bytes themselves, and a little for their frame. Of a JPEG's 64 coefficients in a
    /// block each takes 20 bits at most on the average: a code of up to 16 bits comes with large numbers, which only some can be.
    pub fn largest_bytes(self, height: usize, width: usize, alpha: bool) -> u64 {
        const FRAME: u64 = 4096;
        let (height, width) = (height as u64, width as u64);
        let samples = (3 + u64::from(alpha)) * height * width;
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
    let laid;
    let picture = match picture.alpha() {
        Some(_) if !encoding.keeps_alpha() => {
            laid = picture.clone().on([255; 3]);
            &laid
        }
        _ => picture,
    };
    let alpha = picture.alpha();
    let side = |length: usize| u32::try_from(length).map_err(io::Error::other);
    let (width, height) = (side(picture.width)?, side(picture.height)?);
    let samples8 = || samples(&picture.data, alpha, to_8_bits);
    let kind8 = if alpha.is_some() { ExtendedColorType::Rgba8 } else { ExtendedColorType::Rgb8 };
    let mut bytes = Vec::new();
    match encoding {
        Encoding::Png => {
            PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive)
                .write_image(&samples8(), width, height, kind8)
                .map_err(io::Error::other)?;
        }
        Encoding::Jpeg { quality } => JpegEncoder::new_with_quality(&mut bytes, quality)
            .write_image(&samples8(), width, height, kind8)
            .map_err(io::Error::other)?,
        Encoding::WebP => WebPEncoder::new_lossless(&mut bytes)
            .write_image(&samples8(), width, height, kind8)
            .map_err(io::Error::other)?,
        Encoding::Tiff => {
            let samples = samples(&picture.data, alpha, to_16_bits);
            encode_tiff(&mut bytes, (width, height), &samples, alpha.is_some()).map_err(io::Error::other)?;
        }
    }
    Ok(bytes)
}

/// A TIFF of 16 bits, RGB or RGB and alpha that the colours are not multiplied by.
fn encode_tiff(
    bytes: &mut Vec<u8>,
    (width, height): (u32, u32),
    samples: &[u16],
    alpha: bool,
) -> Result<(), TiffError> {
    let mut encoder = TiffEncoder::new(Cursor::new(bytes))?;
    if !alpha {
        return encoder.write_image::<RGB16>(width, height, samples);
    }
    let mut image = encoder.new_image::<RGBA16>(width, height)?;
    let what = [ExtraSamples::UnassociatedAlpha.to_u16()];
    image.encoder().write_tag(Tag::ExtraSamples, &what[..])?;
    image.write_data(samples)
}

/// RGB, or RGB and alpha, as whole numbers.
fn samples<T: Copy>(data: &[f32], alpha: Option<&Mask>, convert: fn(f32) -> T) -> Vec<T> {
    let Some(alpha) = alpha else { return data.iter().map(|&value| convert(value)).collect() };
    let pixels = data.chunks_exact(3).zip(alpha.values());
    pixels.flat_map(|(rgb, a)| [rgb[0], rgb[1], rgb[2], a * 255.0].map(convert)).collect()
}

fn to_8_bits(value: f32) -> u8 {
    value.clamp(0.0, 255.0).round() as u8
}

/// 255 becomes 65535 = 255 * 257.
fn to_16_bits(value: f32) -> u16 {
    (value.clamp(0.0, 255.0) * 257.0).round() as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::white_noise;

    /// Noise, or the sharpest edges that there are: black and white at random, and the same of alpha.
    fn picture(height: usize, width: usize, seed: u64, edges: bool, covers: bool) -> Picture {
        let mut picture = white_noise(height, width, seed).unwrap();
        let mut alpha = white_noise(height, width, seed ^ 1).unwrap();
        if edges {
            for picture in [&mut picture, &mut alpha] {
                picture
                    .data_mut()
                    .iter_mut()
                    .for_each(|value| *value = if *value < 127.5 { 0.0 } else { 255.0 });
            }
        }
        if covers { picture } else { picture.with_alpha(Mask::of(&alpha)).unwrap() }
    }

    proptest! {
        #[test]
        fn no_picture_takes_more_than_the_most_bytes(
            height in 1_usize..200, width in 1_usize..200, seed: u64, edges: bool, covers: bool, quality in 1_u8..=100,
        ) {
            let picture = picture(height, width, seed, edges, covers);
            for encoding in [Encoding::Png, Encoding::Jpeg { quality }, Encoding::Jpeg { quality: 100 }, Encoding::WebP, Encoding::Tiff] {
                let bytes = picture.encode(encoding).unwrap().len() as u64;
                let most = encoding.largest_bytes(height, width, !covers);
                prop_assert!(bytes <= most, "{encoding:?} of {height} x {width}: {bytes} > {most}");
            }
        }
    }
}
