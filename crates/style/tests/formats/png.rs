//! PNG: what it says about its colours. Right values by the equations of the standards named, computed in f64 with the matrices of
//! the primaries' chromaticities.

use impasto_style::picture::{Profile, Warning};
use moxcms::ColorProfile;

use super::{assert_close, read, refusal, values};

/// Three colours, and as greys.
pub(crate) const PIXELS: [u8; 9] = [200, 100, 50, 120, 130, 140, 90, 160, 110];
const AS_THEY_ARE: [f32; 9] = [200.0, 100.0, 50.0, 120.0, 130.0, 140.0, 90.0, 160.0, 110.0];
/// Linear light to sRGB (IEC 61966-2-1).
const FROM_LINEAR: [f32; 9] = [229.10, 168.11, 122.42, 182.49, 189.15, 195.52, 160.29, 207.51, 175.49];
/// Display P3 (SMPTE EG 432-1) to sRGB.
const FROM_P3: [f32; 9] = [214.90, 92.61, 30.95, 117.60, 130.40, 141.10, 60.66, 162.14, 105.12];
/// BT.2020 with its transfer to sRGB.
const FROM_BT2020: [f32; 9] = [245.79, 94.07, 50.29, 124.91, 142.70, 152.13, 0.0, 175.71, 117.34];
/// Adobe RGB's primaries and a gamma of 2.2 to sRGB.
const FROM_ADOBE_PRIMARIES: [f32; 9] = [227.06, 100.03, 42.32, 116.37, 131.05, 141.66, 0.0, 161.46, 107.55];
/// sRGB's primaries and a gamma of 1.8 to sRGB.
const FROM_GAMMA_1_8: [f32; 9] = [210.19, 119.29, 65.25, 138.83, 148.28, 157.56, 109.16, 175.64, 129.17];

/// Levels of 255 by which the colour library's tables are off at most.
const TOLERANCE: f32 = 1.1;

const SRGB_POINTS: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];
const ADOBE_POINTS: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6_000];

type Chunk = ([u8; 4], Vec<u8>);

fn gama(gamma: u32) -> Chunk {
    (*b"gAMA", gamma.to_be_bytes().to_vec())
}

fn chrm(points: [u32; 8]) -> Chunk {
    (*b"cHRM", points.iter().flat_map(|point| point.to_be_bytes()).collect())
}

fn cicp(primaries: u8, transfer: u8, full: u8) -> Chunk {
    (*b"cICP", vec![primaries, transfer, 0, full])
}

fn iccp(profile: &[u8]) -> Chunk {
    (*b"iCCP", [b"name\0\0".to_vec(), deflated(profile)].concat())
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

/// A PNG of three pixels with chunks before them.
pub(crate) fn png(rgb: bool, chunks: &[Chunk]) -> Vec<u8> {
    let step = if rgb { 1 } else { 3 };
    let row: Vec<u8> = std::iter::once(0).chain(PIXELS.into_iter().step_by(step)).collect();
    let header = [&[0, 0, 0, 3, 0, 0, 0, 1, 8, if rgb { 2 } else { 0 }, 0, 0, 0][..]].concat();
    let mut all = vec![(*b"IHDR", header)];
    all.extend_from_slice(chunks);
    all.extend([(*b"IDAT", deflated(&row)), (*b"IEND", Vec::new())]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in all {
        let mut check = flate2::Crc::new();
        check.update(&name);
        check.update(&data);
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(name.iter().chain(&data));
        file.extend(check.sum().to_be_bytes());
    }
    file
}

fn colours(chunks: &[Chunk]) -> Vec<f32> {
    values(&png(true, chunks))
}

#[test]
fn gamma_of_srgb_changes_no_bit() {
    let plain = colours(&[]);
    assert_eq!(plain, AS_THEY_ARE);
    assert_eq!(colours(&[gama(45_455)]), plain);
    assert_eq!(colours(&[gama(45_455), chrm(SRGB_POINTS)]), plain);
    assert_eq!(values(&png(false, &[gama(45_455), chrm(ADOBE_POINTS)])), values(&png(false, &[])));
    // Primaries without a gamma say nothing, and a gamma of 0 is none.
    assert_eq!(colours(&[chrm(ADOBE_POINTS)]), plain);
    assert_eq!(colours(&[gama(0)]), plain);
}

#[test]
fn other_gammas_and_primaries_are_converted() {
    assert_close(&colours(&[gama(100_000)]), &FROM_LINEAR, TOLERANCE);
    assert_close(&colours(&[gama(55_556), chrm(SRGB_POINTS)]), &FROM_GAMMA_1_8, TOLERANCE);
    assert_close(&colours(&[gama(45_455), chrm(ADOBE_POINTS)]), &FROM_ADOBE_PRIMARIES, TOLERANCE);
    let grey = values(&png(false, &[gama(100_000)]));
    assert_close(&grey, &[229.10, 229.10, 229.10, 182.49, 182.49, 182.49, 160.29, 160.29, 160.29], 0.2);
}

#[test]
fn code_points_are_converted() {
    assert_eq!(colours(&[cicp(1, 13, 1)]), AS_THEY_ARE);
    assert_close(&colours(&[cicp(12, 13, 1)]), &FROM_P3, TOLERANCE);
    assert_close(&colours(&[cicp(9, 1, 1)]), &FROM_BT2020, TOLERANCE);
    assert_close(&colours(&[cicp(9, 14, 1)]), &FROM_BT2020, TOLERANCE);
    assert_close(&colours(&[cicp(1, 8, 1)]), &FROM_LINEAR, TOLERANCE);
    let narrow: Vec<f32> = AS_THEY_ARE.iter().map(|value| (value - 16.0) * 255.0 / 219.0).collect();
    assert_close(&colours(&[cicp(1, 13, 0)]), &narrow, 0.01);
}

#[test]
fn the_first_of_cicp_iccp_srgb_and_gama_counts() {
    let srgb = (*b"sRGB", vec![0]);
    let adobe = iccp(&ColorProfile::new_adobe_rgb().encode().unwrap());
    let p3 = || cicp(12, 13, 1);
    assert_close(&colours(&[gama(100_000), srgb.clone(), p3()]), &FROM_P3, TOLERANCE);
    assert_close(&colours(&[adobe.clone(), gama(100_000), p3()]), &FROM_P3, TOLERANCE);
    assert_close(&colours(&[gama(100_000), adobe.clone()]), &FROM_ADOBE_PRIMARIES, TOLERANCE);
    assert_eq!(colours(&[gama(100_000), chrm(ADOBE_POINTS), srgb]), AS_THEY_ARE);
    // Points that say nothing leave it to the next.
    assert_close(&colours(&[cicp(2, 2, 1), gama(100_000)]), &FROM_LINEAR, TOLERANCE);
    assert_close(&colours(&[cicp(1, 2, 1), adobe]), &FROM_ADOBE_PRIMARIES, TOLERANCE);
}

#[test]
fn high_dynamic_range_is_refused_by_its_name() {
    assert!(refusal(&png(true, &[cicp(9, 16, 1)])).contains("high dynamic range (PQ)"));
    assert!(refusal(&png(true, &[cicp(9, 18, 1)])).contains("high dynamic range (HLG)"));
}

#[test]
fn a_profile_that_is_no_profile_or_too_large_is_said() {
    for profile in [b"nothing".to_vec(), vec![0; (16 << 20) + 1], vec![0; 200 << 20]] {
        let picture = read(&png(true, &[iccp(&profile)])).unwrap();
        assert_eq!(picture.profile, Profile::Unusable);
        assert_eq!(picture.warnings, [Warning::Profile]);
        assert_eq!(picture.picture.data(), AS_THEY_ARE);
    }
    // Not even packed as it should be.
    let picture = read(&png(true, &[(*b"iCCP", b"name\0\0no deflate".to_vec())])).unwrap();
    assert_eq!(picture.warnings, [Warning::Profile]);
}
