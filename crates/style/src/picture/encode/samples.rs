//! From real numbers to those of a file.

use super::{Depth, Writing};
use crate::{Mask, Picture};

/// H x W x (R, G, B, then alpha if there is any), as whole numbers.
pub(super) enum Samples {
    Eight(Vec<u8>),
    Sixteen(Vec<u16>),
}

impl Samples {
    pub(super) fn of(picture: &Picture, writing: &Writing) -> Self {
        let (data, alpha) = (picture.data(), picture.alpha());
        match writing.depth {
            Depth::Eight => Self::Eight(interleaved(data, alpha, to_8_bits)),
            Depth::Sixteen => Self::Sixteen(interleaved(data, alpha, to_16_bits)),
        }
    }
}

/// RGB, or RGB and alpha, as whole numbers.
fn interleaved<T: Copy>(data: &[f32], alpha: Option<&Mask>, convert: fn(f32) -> T) -> Vec<T> {
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
