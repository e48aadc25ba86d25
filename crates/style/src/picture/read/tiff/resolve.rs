//! From samples as a TIFF has them to those of a raster.

use super::layout::{Colours, Layout, YCbCr};
use crate::picture::read::raster::Samples;

/// Spreads small integers over a byte, turns white to the largest value, palettes and YCbCr to RGB, L*a*b* to the raster's
/// convention.
pub(super) fn resolve(mut samples: Samples, layout: &Layout) -> Samples {
    if let Colours::Palette(colours) = &layout.colours {
        return palette(samples, colours);
    }
    let channels = layout.colours.samples() + usize::from(layout.alpha.is_some());
    if let Samples::U8(values) = &mut samples
        && layout.bits < 8
    {
        let step = 255 / ((1 << layout.bits) - 1) as u8;
        values.iter_mut().for_each(|value| *value *= step);
    }
    match &layout.colours {
        Colours::Grey { white_is_zero: true } => invert_first(&mut samples, channels),
        Colours::YCbCr(colours) => {
            if let Samples::U8(values) = &mut samples {
                values.chunks_exact_mut(channels).for_each(|pixel| ycbcr(pixel, colours));
            }
        }
        Colours::Lab { signed } => lab(&mut samples, *signed),
        Colours::Grey { .. } | Colours::Palette(_) | Colours::Rgb | Colours::Cmyk => {}
    }
    samples
}

fn invert_first(samples: &mut Samples, channels: usize) {
    match samples {
        Samples::U8(values) => values.iter_mut().step_by(channels).for_each(|value| *value = !*value),
        Samples::U16(values) => values.iter_mut().step_by(channels).for_each(|value| *value = !*value),
        Samples::U32(values) => values.iter_mut().step_by(channels).for_each(|value| *value = !*value),
        Samples::F32(values) => values.iter_mut().step_by(channels).for_each(|value| *value = 1.0 - *value),
    }
}

/// The colours of indices. A palette has 16 bits; the picture has 8 if these are 8 bits twice, 8 bits and zeros, or as some old
/// files have them zeros and 8 bits.
fn palette(samples: Samples, colours: &[u16]) -> Samples {
    let Samples::U8(indices) = samples else { return samples };
    let size = colours.len() / 3;
    let rgb = |index: u8| [0, 1, 2].map(|channel| colours[channel * size + usize::from(index)]);
    let low = colours.iter().all(|&value| value < 256);
    let high = colours.iter().all(|&value| value % 256 == 0) || colours.iter().all(|&value| value % 257 == 0);
    if low || high {
        let byte = |value: u16| if low { value as u8 } else { (value >> 8) as u8 };
        return Samples::U8(indices.iter().flat_map(|&index| rgb(index).map(byte)).collect());
    }
    Samples::U16(indices.iter().flat_map(|&index| rgb(index)).collect())
}

/// RGB of one pixel (TIFF 6.0, section 21): with the shares k of red, green, blue in the luminance, and Y, Cb, Cr spread over
/// 0..255 and -127..127,
/// ```text
/// R = Y + 2 (1 - k_r) Cr,  B = Y + 2 (1 - k_b) Cb,  G = (Y - k_r R - k_b B) / k_g
/// ```
fn ycbcr(pixel: &mut [u8], colours: &YCbCr) {
    let [black, white, zero_b, most_b, zero_r, most_r] = colours.reference;
    let [red, green, blue] = colours.luminance;
    let spread =
        |value: u8, zero: f32, most: f32, range: f32| (f32::from(value) - zero) * range / (most - zero);
    let y = spread(pixel[0], black, white, 255.0);
    let b = y + 2.0 * (1.0 - blue) * spread(pixel[1], zero_b, most_b, 127.0);
    let r = y + 2.0 * (1.0 - red) * spread(pixel[2], zero_r, most_r, 127.0);
    let g = (y - red * r - blue * b) / green;
    for (value, colour) in pixel.iter_mut().zip([r, g, b]) {
        *value = colour.round() as u8;
    }
}

/// Over the whole range of the integers, L from 0 to 100 and a, b from -128 to 127.
///
/// 8 bits are so but for the sign. In 16 bits, a and b are 256 steps to one; ICC's L of 100 is 65,280 (ICC.1:2001-04, annex A).
fn lab(samples: &mut Samples, signed: bool) {
    match samples {
        Samples::U8(values) if signed => {
            values
                .chunks_exact_mut(3)
                .for_each(|pixel| pixel[1..].iter_mut().for_each(|value| *value ^= 0x80));
        }
        Samples::U16(values) => {
            let widen = |value: u16| (u32::from(value) * 257 / 256).min(65_535) as u16;
            for pixel in values.chunks_exact_mut(3) {
                if !signed {
                    pixel[0] = widen(pixel[0]);
                }
                let flip = if signed { 0x8000 } else { 0 };
                pixel[1..].iter_mut().for_each(|value| *value = widen(*value ^ flip));
            }
        }
        _ => {}
    }
}
