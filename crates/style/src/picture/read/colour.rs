//! From the colours of a file to sRGB.

use std::sync::Arc;

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout,
    MatrixCoefficients, ToneReprCurve, TransferCharacteristics, TransformF32Executor, TransformOptions,
};

use super::Profile;
use super::raster::{Colour, Model};
use crate::picture::encode::SRGB;

/// What turns the pixels of one picture into sRGB, strip by strip.
pub(super) struct Converter {
    model: Model,
    step: Step,
    /// Whether the numbers leave room below black and above white (16 to 235 of 255).
    narrow: bool,
}

enum Step {
    /// Grey and RGB as they are.
    Same,
    Profile(Arc<TransformF32Executor>),
    /// CMYK without a profile.
    Inks,
    /// L*a*b* of D50; the matrix from XYZ to linear sRGB, row by row.
    Lab([f64; 9]),
}

/// The gamma of PNG's gAMA chunk that stands for sRGB.
const SRGB_GAMMA: f32 = 0.45455;
/// x and y of white, red, green, blue of sRGB.
const SRGB_CHROMATICITIES: [f32; 8] = [0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06];

impl Converter {
    /// For pixels of `model` whose numbers mean `colour`; and what became of the file's profile.
    ///
    /// A profile that cannot be used leaves grey and RGB as they are. CMYK without a profile is R = (1 - C)(1 - K), and so on:
    /// inks that are filters without faults, as PDF (ISO 32000-1, 10.3.5) and most programs take them.
    pub(super) fn new(colour: &Colour, model: Model) -> (Self, Profile) {
        let plain = match model {
            Model::Grey | Model::Rgb => Step::Same,
            Model::Cmyk => Step::Inks,
            Model::Lab => Step::Lab(xyz_to_srgb()),
        };
        let (step, profile) = match source(colour, model) {
            Source::Srgb => (plain, Profile::Absent),
            Source::Lab => (plain, Profile::Converted),
            Source::Unusable => (plain, Profile::Unusable),
            Source::Profile(source) => match transform(&source, model) {
                Some(transform) => (Step::Profile(transform), Profile::Converted),
                None => (plain, Profile::Unusable),
            },
        };
        let narrow = matches!(colour, Colour::Cicp { full_range: false, .. });
        (Self { model, step, narrow }, profile)
    }

    /// Converts n pixels of the model's channels, each from 0 to 1, to n x RGB in sRGB, 0 to 1 or slightly beyond.
    pub(super) fn convert(&self, pixels: &[f32], rgb: &mut [f32]) {
        if self.narrow {
            let full: Vec<f32> = pixels.iter().map(|value| (value * 255.0 - 16.0) / 219.0).collect();
            self.step(&full, rgb);
        } else {
            self.step(pixels, rgb);
        }
    }

    fn step(&self, pixels: &[f32], rgb: &mut [f32]) {
        let channels = self.model.channels();
        let pairs = pixels.chunks_exact(channels).zip(rgb.chunks_exact_mut(3));
        match &self.step {
            Step::Profile(transform) => {
                // It refuses only slices that are not of as many whole pixels. What is no number is found by the caller, who
                // then goes without the profile.
                if transform.transform(pixels, rgb).is_err() {
                    rgb.fill(f32::NAN);
                }
            }
            Step::Same if channels == 1 => pairs.for_each(|(grey, rgb)| rgb.fill(grey[0])),
            Step::Same => rgb.copy_from_slice(pixels),
            Step::Inks => pairs.for_each(|(inks, rgb)| {
                for (value, ink) in rgb.iter_mut().zip(inks) {
                    *value = (1.0 - ink) * (1.0 - inks[3]);
                }
            }),
            Step::Lab(matrix) => pairs.for_each(|(lab, rgb)| lab_to_srgb(lab, rgb, matrix)),
        }
    }
}

/// Where the colours of a file are defined.
enum Source {
    Srgb,
    /// A profile for L*a*b* itself, which says nothing more.
    Lab,
    Profile(Box<ColorProfile>),
    Unusable,
}

fn source(colour: &Colour, model: Model) -> Source {
    let profile = match *colour {
        Colour::Srgb | Colour::Cicp { primaries: 1, transfer: 13, .. } => return Source::Srgb,
        // Of the pictures that are written here: the numbers are left as they are.
        Colour::Icc(ref bytes) if *bytes == *SRGB => return Source::Srgb,
        Colour::Icc(ref bytes) => match ColorProfile::new_from_slice(bytes) {
            Ok(profile) if profile.color_space == DataColorSpace::Lab && model == Model::Lab => {
                return Source::Lab;
            }
            Ok(profile) => Some(profile),
            Err(_) => None,
        },
        Colour::Cicp { primaries, transfer, .. } => from_cicp(primaries, transfer),
        Colour::Gamma { gamma, chromaticities } => {
            let close = |a: f32, b: f32, tolerance: f32| (a - b).abs() <= tolerance;
            let primaries = chromaticities.unwrap_or(SRGB_CHROMATICITIES);
            let srgb = primaries.iter().zip(SRGB_CHROMATICITIES).all(|(&a, b)| close(a, b, 0.001));
            if close(gamma, SRGB_GAMMA, 0.0005) && (srgb || model == Model::Grey) {
                return Source::Srgb;
            }
            from_gamma(gamma, primaries)
        }
    };
    profile.map_or(Source::Unusable, |profile| Source::Profile(Box::new(profile)))
}

/// RGB with primaries and transfer of ITU-T H.273; grey has the same curve.
fn from_cicp(primaries: u8, transfer: u8) -> Option<ColorProfile> {
    let cicp = CicpProfile {
        color_primaries: CicpColorPrimaries::try_from(primaries).ok()?,
        transfer_characteristics: TransferCharacteristics::try_from(transfer).ok()?,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    };
    let mut profile = ColorProfile::new_from_cicp(cicp);
    profile.gray_trc = Some(profile.red_trc.clone()?);
    Some(profile)
}

/// RGB whose numbers are linear light to the power `gamma`, with x and y of white, red, green, blue; grey has the same curve.
fn from_gamma(
    gamma: f32,
    [white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y]: [f32; 8],
) -> Option<ColorProfile> {
    if !(gamma.is_finite() && gamma > 0.01 && gamma < 100.0) {
        return None;
    }
    let mut profile = ColorProfile::new_srgb();
    profile.cicp = None;
    let primaries = ColorPrimaries {
        red: Chromaticity::new(red_x, red_y),
        green: Chromaticity::new(green_x, green_y),
        blue: Chromaticity::new(blue_x, blue_y),
    };
    profile.update_rgb_colorimetry(Chromaticity::new(white_x, white_y).to_xyyb(), primaries);
    let curve = ToneReprCurve::Parametric(vec![1.0 / gamma]);
    profile.red_trc = Some(curve.clone());
    profile.green_trc = Some(curve.clone());
    profile.blue_trc = Some(curve.clone());
    profile.gray_trc = Some(curve);
    Some(profile)
}

/// The transform from a profile to sRGB; none if the profile is of another model, or of a kind that is not understood. Without
/// black-point compensation.
fn transform(source: &ColorProfile, model: Model) -> Option<Arc<TransformF32Executor>> {
    let mut source = source.clone();
    let layout = match (source.color_space, model) {
        (DataColorSpace::Rgb, Model::Rgb) => Layout::Rgb,
        (DataColorSpace::Gray, Model::Grey) => Layout::Gray,
        (DataColorSpace::Rgb, Model::Grey) if source.gray_trc.is_some() => {
            source.color_space = DataColorSpace::Gray;
            Layout::Gray
        }
        // Four channels, whatever their names.
        (DataColorSpace::Cmyk, Model::Cmyk) => Layout::Rgba,
        _ => return None,
    };
    let srgb = ColorProfile::new_srgb();
    source.create_transform_f32(layout, &srgb, Layout::Rgb, TransformOptions::default()).ok()
}

/// From XYZ of D50 to linear sRGB.
fn xyz_to_srgb() -> [f64; 9] {
    let rows = ColorProfile::new_srgb().rgb_to_xyz_matrix().inverse().v;
    std::array::from_fn(|k| rows[k / 3][k % 3])
}

/// CIE L*a*b* of D50 (CIE 15:2004), L / 100, (a + 128) / 255, (b + 128) / 255, to sRGB (IEC 61966-2-1).
fn lab_to_srgb(lab: &[f32], rgb: &mut [f32], matrix: &[f64; 9]) {
    let [l, a, b] =
        [f64::from(lab[0]) * 100.0, f64::from(lab[1]) * 255.0 - 128.0, f64::from(lab[2]) * 255.0 - 128.0];
    let y = (l + 16.0) / 116.0;
    let inverse = |t: f64| if t > 6.0 / 29.0 { t.powi(3) } else { (t - 4.0 / 29.0) * 108.0 / 841.0 };
    // The white of D50.
    let xyz = [0.9642 * inverse(y + a / 500.0), inverse(y), 0.8249 * inverse(y - b / 200.0)];
    for (value, row) in rgb.iter_mut().zip(matrix.chunks_exact(3)) {
        let linear: f64 = row.iter().zip(xyz).map(|(m, x)| m * x).sum();
        let encoded =
            if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
        *value = encoded.clamp(0.0, 1.0) as f32;
    }
}
