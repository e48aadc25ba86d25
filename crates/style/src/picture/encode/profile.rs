//! The space that colours are written in.

use std::sync::{Arc, LazyLock};

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformF32Executor, TransformOptions, Xyzd};

/// The space that colours are written in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WrittenProfile {
    /// sRGB, and the file does not say so.
    None,
    /// sRGB, with its ICC profile.
    Srgb,
    /// The space of an RGB profile, which is embedded.
    Kept(KeptProfile),
}

/// The bytes of an ICC profile for RGB, to whose space sRGB can be converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptProfile(Arc<[u8]>);

/// Why a picture cannot be written in the space of a profile. The text completes "a profile that ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotKept {
    /// It is of grey, of inks, or of another model.
    #[error("is not of red, green and blue")]
    NotRgb,
    /// It is damaged, or says only how to come from its space and not how to get there.
    #[error("cannot be written with")]
    Unusable,
    /// It has more bytes than a profile that is embedded may have.
    #[error("has more than {} MiB", MOST_BYTES >> 20)]
    TooLarge,
}

/// The most bytes of a profile that is embedded: a JPEG's segments hold no more than 15.9 MiB.
const MOST_BYTES: usize = 8 << 20;

impl WrittenProfile {
    /// The bytes of the profile that is embedded, if there is one.
    pub fn icc(&self) -> Option<&[u8]> {
        match self {
            Self::None => None,
            Self::Srgb => Some(&SRGB),
            Self::Kept(KeptProfile(icc)) => Some(icc),
        }
    }

    /// The space of an ICC profile, such as that of a photo.
    ///
    /// # Errors
    /// [`NotKept`] if sRGB cannot be converted to it.
    pub fn kept(icc: &[u8]) -> Result<Self, NotKept> {
        if icc.len() > MOST_BYTES {
            return Err(NotKept::TooLarge);
        }
        let converter = Converter::to(icc)?;
        // What a hostile profile makes of colours need not be numbers.
        let steps = || (0..=4).map(|step| step as f32 * 63.75);
        let colours = steps().flat_map(|r| steps().flat_map(move |g| steps().map(move |b| [r, g, b])));
        let colours: Vec<f32> = colours.flatten().collect();
        let mut converted = vec![0.0; colours.len()];
        converter.convert(&colours, &mut converted);
        if !converted.iter().all(|value| value.is_finite()) {
            return Err(NotKept::Unusable);
        }
        Ok(Self::Kept(KeptProfile(icc.into())))
    }

    /// What converts to the space, where that is not sRGB.
    pub(super) fn converter(&self) -> Result<Option<Converter>, NotKept> {
        if let Self::Kept(KeptProfile(icc)) = self { Converter::to(icc).map(Some) } else { Ok(None) }
    }
}

/// From sRGB to the space of a profile.
pub(super) struct Converter {
    transform: Arc<TransformF32Executor>,
}

impl Converter {
    fn to(icc: &[u8]) -> Result<Self, NotKept> {
        let profile = ColorProfile::new_from_slice(icc).map_err(|_| NotKept::Unusable)?;
        if profile.color_space != DataColorSpace::Rgb {
            return Err(NotKept::NotRgb);
        }
        let transform = ColorProfile::new_srgb().create_transform_f32(
            Layout::Rgb,
            &profile,
            Layout::Rgb,
            TransformOptions::default(),
        );
        Ok(Self { transform: transform.map_err(|_| NotKept::Unusable)? })
    }

    /// Converts n x RGB from 0 to 255, clamped to that range.
    pub(super) fn convert(&self, rgb: &[f32], converted: &mut [f32]) {
        let unit: Vec<f32> = rgb.iter().map(|value| value.clamp(0.0, 255.0) / 255.0).collect();
        // It refuses only slices that are not of as many whole pixels.
        if self.transform.transform(&unit, converted).is_err() {
            converted.copy_from_slice(&unit);
        }
        for value in converted {
            *value *= 255.0;
        }
    }
}

/// The ICC profile of sRGB (IEC 61966-2-1), version 4, by moxcms: the same bytes always, so without the date of today.
pub(in super::super) static SRGB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut profile = ColorProfile::new_srgb();
    // Of version 4 the white of a display is the one that it is adapted to, D50 (ICC.1:2022, 7.2.16); and code points say nothing
    // more.
    profile.white_point = Xyzd { x: 0.9642, y: 1.0, z: 0.8249 };
    profile.media_white_point = Some(profile.white_point);
    profile.cicp = None;
    let mut bytes = profile.encode().expect("a profile of three curves and a matrix can be encoded");
    bytes[DATE].copy_from_slice(&[0x07, 0xcf, 0, 10, 0, 18, 0, 0, 0, 0, 0, 0]);
    bytes
});

/// Where a profile has the date and time of its creation: here 18 October 1999, when sRGB was published.
const DATE: std::ops::Range<usize> = 24..36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_of_srgb_is_small_and_changes_nothing() {
        assert!(SRGB.len() < 1024, "{}", SRGB.len());
        let colours: Vec<f32> = (0..768).map(|value| (value % 256) as f32).collect();
        let mut converted = vec![0.0; colours.len()];
        Converter::to(&SRGB).unwrap().convert(&colours, &mut converted);
        for (value, again) in colours.iter().zip(&converted) {
            assert!((value - again).abs() < 0.1, "{value} {again}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_said() {
        let grey = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        assert_eq!(WrittenProfile::kept(&grey), Err(NotKept::NotRgb));
        assert_eq!(WrittenProfile::kept(b"no profile"), Err(NotKept::Unusable));
        assert_eq!(WrittenProfile::kept(&SRGB[..SRGB.len() / 2]), Err(NotKept::Unusable));
        assert_eq!(WrittenProfile::kept(&vec![0; MOST_BYTES + 1]), Err(NotKept::TooLarge));
        let wide = ColorProfile::new_pro_photo_rgb().encode().unwrap();
        assert_eq!(WrittenProfile::kept(&wide).unwrap().icc(), Some(&*wide));
    }
}
