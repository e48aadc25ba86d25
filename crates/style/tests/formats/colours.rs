//! Profiles, the same in every format.

use impasto_style::picture::{Profile, Warning};
use moxcms::{
    ColorProfile, DataColorSpace, LutDataType, LutStore, LutType, LutWarehouse, Matrix3d, ProfileClass,
    ToneReprCurve,
};

use super::png::PIXELS;
use super::tiff_bytes::Tiff;
use super::{assert_close, clamped, read, values};

/// A profile for inks. One ink alone is a colour of sRGB in L*a*b* of D50 (Lindbloom): magenta makes red, yellow makes
/// green, cyan makes blue; no ink is white, and any two are black.
pub(crate) fn inks() -> Vec<u8> {
    let lab = |l: f64, a: f64, b: f64| {
        [l / 100.0 * 65_280.0, (a + 128.0) * 256.0, (b + 128.0) * 256.0].map(|value| value.round() as u16)
    };
    let mut table = Vec::new();
    for corner in 0..16 {
        // Cyan varies most slowly.
        table.extend(match corner {
            0b0000 => lab(100.0, 0.0, 0.0),
            0b1000 => lab(29.57, 68.30, -112.03),
            0b0100 => lab(54.29, 80.80, 69.89),
            0b0010 => lab(87.82, -79.27, 80.99),
            _ => lab(0.0, 0.0, 0.0),
        });
    }
    let straight = |channels| LutStore::Store16([0, 65_535].repeat(channels));
    let lut = LutWarehouse::Lut(LutDataType {
        num_input_channels: 4,
        num_output_channels: 3,
        num_clut_grid_points: 2,
        matrix: Matrix3d::IDENTITY,
        num_input_table_entries: 2,
        num_output_table_entries: 2,
        input_table: straight(4),
        clut_table: LutStore::Store16(table),
        output_table: straight(3),
        lut_type: LutType::Lut16,
    });
    let mut profile = ColorProfile::default();
    profile.profile_class = ProfileClass::OutputDevice;
    profile.color_space = DataColorSpace::Cmyk;
    profile.pcs = DataColorSpace::Lab;
    profile.white_point = ColorProfile::new_srgb().white_point;
    profile.lut_a_to_b_perceptual = Some(lut.clone());
    profile.lut_a_to_b_colorimetric = Some(lut);
    let mut bytes = profile.encode().unwrap();
    // Version 2.4: what 16 bits of L*a*b* are in a table depends on the version for the colour library.
    bytes[8..10].copy_from_slice(&[2, 0x40]);
    bytes
}

fn adobe() -> Vec<u8> {
    ColorProfile::new_adobe_rgb().encode().unwrap()
}

#[test]
fn a_profile_counts_in_a_tiff_whatever_its_type_and_however_small_the_picture() {
    // Adobe RGB (1998) to sRGB, gamma 563/256, in f64.
    let expected = [227.07, 100.07, 42.35, 116.41, 131.08, 141.69, 0.0, 161.49, 107.58];
    for kind in [1, 7] {
        let tiff = Tiff::new((1, 3), 2, 3, 8).with_bytes(34_675, kind, &adobe()).with_chunk(PIXELS);
        let picture = read(&tiff.bytes()).unwrap();
        assert_eq!(picture.profile, Profile::Converted);
        assert_close(&clamped(picture.picture.data()), &expected, 1.1);
    }
}

#[test]
fn a_damaged_profile_of_a_tiff_is_said() {
    let tiff = Tiff::new((1, 3), 2, 3, 8).with_bytes(34_675, 7, b"nothing").with_chunk(PIXELS);
    let picture = read(&tiff.bytes()).unwrap();
    assert_eq!((picture.profile, picture.warnings), (Profile::Unusable, vec![Warning::Profile]));
}

#[test]
fn inks_of_a_tiff_are_those_of_its_profile() {
    let tiff = Tiff::new((1, 5), 5, 4, 8).with_bytes(34_675, 7, &inks());
    let pixels = [[0, 0, 0, 0], [255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0], [0, 0, 0, 255]];
    let expected = [[255.0; 3], [0.0, 0.0, 255.0], [255.0, 0.0, 0.0], [0.0, 255.0, 0.0], [0.0; 3]];
    let got = values(&tiff.clone().with_chunk(pixels.concat()).bytes());
    assert_close(&clamped(&got), &expected.concat(), 3.0);
    let wide: Vec<u8> = pixels.concat().iter().flat_map(|&ink| [ink, ink]).collect();
    let got = values(&tiff.with(258, &[16; 4]).with_chunk(wide).bytes());
    assert_close(&clamped(&got), &expected.concat(), 3.0);
}

/// sRGB's curve from linear light (IEC 61966-2-1), 0 to 255.
fn srgb(linear: f64) -> f32 {
    let encoded = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    (encoded * 255.0) as f32
}

/// From numbers to linear light, both from 0 to 1.
type Linear = fn(f64) -> f64;

#[test]
fn grey_profiles_with_any_curve_are_converted() {
    let table = |gamma: f64, entries: i32| {
        let value = |k| ((f64::from(k) / f64::from(entries - 1)).powf(gamma) * 65_535.0).round() as u16;
        ToneReprCurve::Lut((0..entries).map(value).collect())
    };
    // Linear, by number (8.8 bits), by tables, by equations (ICC.1:2022, 10.18, types 0, 1 and 3).
    let curves: [(ToneReprCurve, Linear); 6] = [
        (ToneReprCurve::Lut(Vec::new()), |x| x),
        (ToneReprCurve::Lut(vec![461]), |x| x.powf(461.0 / 256.0)),
        (table(1.5, 256), |x| x.powf(1.5)),
        (table(2.0, 4096), |x| x.powi(2)),
        (ToneReprCurve::Parametric(vec![1.8]), |x| x.powf(1.8)),
        (ToneReprCurve::Parametric(vec![2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.04045]), |x| {
            if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
        }),
    ];
    let greys = [0, 3, 64, 128, 200, 255];
    for (curve, linear) in curves {
        let mut profile = ColorProfile::new_gray_with_gamma(1.0);
        profile.gray_trc = Some(curve.clone());
        let tiff =
            Tiff::new((1, 6), 1, 1, 8).with_bytes(34_675, 7, &profile.encode().unwrap()).with_chunk(greys);
        let expected: Vec<f32> =
            greys.iter().flat_map(|&grey| [srgb(linear(f64::from(grey) / 255.0)); 3]).collect();
        println!("{curve:?}");
        assert_close(&values(&tiff.bytes()), &expected, 0.3);
    }
}
