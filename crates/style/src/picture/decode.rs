//! From a picture file to H x W x 3 sRGB.

use std::io::{BufRead, Seek};
use std::path::Path;

use image::error::ImageError;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::{Picture, PictureError, jpeg};

/// What became of the colour profile that a picture file may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// There was none: the values are taken as sRGB.
    Absent,
    /// The colours were converted from the profile's space to sRGB.
    Converted,
    /// The profile is damaged or of a kind that is not understood (such as CMYK): the values are taken as sRGB.
    Unusable,
}

/// Decodes the first picture of a file; `path` is for the messages.
pub(super) fn decode<R: BufRead + Seek>(
    reader: R,
    path: &Path,
    pixel_limit: u64,
) -> Result<(Picture, Profile), PictureError> {
    let explain = |error: ImageError| match error {
        ImageError::Unsupported(_) => PictureError::NotAPicture { path: path.into() },
        other => PictureError::Damaged { path: path.into(), detail: other.to_string() },
    };
    let open = |source| PictureError::Open { path: path.into(), source };
    let mut reader = ImageReader::new(reader).with_guessed_format().map_err(open)?;
    let Some(format) = reader.format() else {
        return Err(PictureError::NotAPicture { path: path.into() });
    };
    if format == ImageFormat::Jpeg {
        let mut bytes = reader.into_inner();
        if !jpeg::is_whole(&mut bytes).map_err(open)? {
            let detail = "a JPEG without its end".to_owned();
            return Err(PictureError::Damaged { path: path.into(), detail });
        }
        bytes.rewind().map_err(open)?;
        reader = ImageReader::with_format(bytes, format);
    }
    reader.limits(limits(pixel_limit));
    let mut decoder = reader.into_decoder().map_err(explain)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > pixel_limit {
        return Err(PictureError::TooManyPixels { path: path.into(), width, height, limit: pixel_limit });
    }
    decoder.set_limits(limits(pixel_limit)).map_err(explain)?;
    // Broken metadata is no reason to refuse a picture whose pixels are sound.
    let profile = decoder.icc_profile().unwrap_or(None);
    let orientation = decoder.orientation();
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(explain)?;
    if let Ok(orientation) = orientation {
        decoded.apply_orientation(orientation);
    }
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let grey = !decoded.color().has_color();
    let mut data = on_white(decoded);
    let profile = profile.map_or(Profile::Absent, |profile| to_srgb(&mut data, &profile, grey));
    for value in &mut data {
        *value *= 255.0;
    }
    Ok((Picture::new(height, width, data)?, profile))
}

/// Room for the largest picture that is accepted: 4 channels of 32 bits.
fn limits(pixel_limit: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(pixel_limit.saturating_mul(16).max(1 << 20));
    limits
}

/// RGB from 0 to 1, over white: a c + (1 - a) with the straight alpha a of the file, in gamma light as browsers do.
fn on_white(decoded: DynamicImage) -> Vec<f32> {
    if !decoded.color().has_alpha() {
        return decoded.into_rgb32f().into_raw();
    }
    let rgba = decoded.into_rgba32f().into_raw();
    rgba.chunks_exact(4)
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]].map(|c| c.mul_add(pixel[3], 1.0 - pixel[3])))
        .collect()
}

/// Converts RGB from 0 to 1 from the space of an ICC profile to sRGB, in place.
fn to_srgb(data: &mut [f32], profile: &[u8], grey: bool) -> Profile {
    let Ok(source) = ColorProfile::new_from_slice(profile) else { return Profile::Unusable };
    let layout = match (source.color_space, grey) {
        (DataColorSpace::Rgb, false) => Layout::Rgb,
        (DataColorSpace::Gray, true) => Layout::Gray,
        _ => return Profile::Unusable,
    };
    let srgb = ColorProfile::new_srgb();
    let Ok(transform) = source.create_transform_f32(layout, &srgb, Layout::Rgb, TransformOptions::default())
    else {
        return Profile::Unusable;
    };
    let input: Vec<f32> = if grey { data.iter().step_by(3).copied().collect() } else { data.to_vec() };
    let mut output = vec![0.0; data.len()];
    if transform.transform(&input, &mut output).is_err() || output.iter().any(|value| !value.is_finite()) {
        return Profile::Unusable;
    }
    data.copy_from_slice(&output);
    Profile::Converted
}
