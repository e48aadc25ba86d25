//! From real numbers in sRGB to those of a file: converted, then rounded or dithered, row by row.

use std::io;

use super::dither::Diffusion;
use super::{Depth, Dither, Encoding, Writing};
use crate::Picture;

/// H x W x (R, G, B, then alpha if there is any), as whole numbers.
pub(super) enum Samples {
    Eight(Vec<u8>),
    Sixteen(Vec<u16>),
}

impl Samples {
    /// The numbers of a picture. Alpha is rounded, and so are the colours of what cannot be seen.
    pub(super) fn of(picture: &Picture, writing: &Writing) -> io::Result<Self> {
        Ok(match writing.depth {
            Depth::Eight if is_dithered(writing) => {
                let mut diffusion = Diffusion::new(picture.width());
                Self::Eight(interleaved(picture, writing, to_8_bits, |row, alpha| {
                    diffusion.row(row, |x| alpha.is_none_or(|alpha| to_8_bits(alpha[x] * 255.0) > 0))
                })?)
            }
            Depth::Eight => Self::Eight(interleaved(picture, writing, to_8_bits, |row, _| {
                row.iter().copied().map(to_8_bits).collect()
            })?),
            Depth::Sixteen => Self::Sixteen(interleaved(picture, writing, to_16_bits, |row, _| {
                row.iter().copied().map(to_16_bits).collect()
            })?),
        })
    }
}

/// A JPEG is not: its rounding is of waves, which noise of one level only makes larger.
fn is_dithered(writing: &Writing) -> bool {
    writing.dither == Dither::Diffusion && !matches!(writing.encoding, Encoding::Jpeg { .. })
}

/// The rows of a picture in the space that it is written in, as whole numbers by `of_row`, each with its alpha if there is any.
fn interleaved<T: Copy>(
    picture: &Picture,
    writing: &Writing,
    of_alpha: fn(f32) -> T,
    mut of_row: impl FnMut(&[f32], Option<&[f32]>) -> Vec<T>,
) -> io::Result<Vec<T>> {
    let converter = writing.profile.converter().map_err(io::Error::other)?;
    let width = picture.width();
    let mut converted = vec![0.0; if converter.is_some() { 3 * width } else { 0 }];
    let mut samples =
        Vec::with_capacity(picture.data().len() + picture.alpha().map_or(0, |alpha| alpha.values().len()));
    for (y, row) in picture.data().chunks_exact(3 * width).enumerate() {
        let row = match &converter {
            Some(converter) => {
                converter.convert(row, &mut converted);
                &converted
            }
            None => row,
        };
        let alpha = picture.alpha().map(|alpha| &alpha.values()[y * width..(y + 1) * width]);
        let colours = of_row(row, alpha);
        match alpha {
            None => samples.extend(colours),
            Some(alpha) => {
                let pixels = colours.as_chunks::<3>().0.iter().zip(alpha);
                samples.extend(pixels.flat_map(|(&[r, g, b], a)| [r, g, b, of_alpha(a * 255.0)]));
            }
        }
    }
    Ok(samples)
}

fn to_8_bits(value: f32) -> u8 {
    value.clamp(0.0, 255.0).round() as u8
}

/// 255 becomes 65535 = 255 * 257.
fn to_16_bits(value: f32) -> u16 {
    (value.clamp(0.0, 255.0) * 257.0).round() as u16
}
