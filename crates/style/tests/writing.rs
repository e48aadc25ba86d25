//! What is written is read back: colours in every profile, format and depth, and what the file says beside them.

use std::f32::consts::TAU;
use std::fs;

use impasto_style::picture::{
    Depth, Dither, Encoding, Profile, ReadOptions, ReadPicture, Writing, WrittenProfile,
};
use impasto_style::{Picture, white_noise};
use moxcms::ColorProfile;

fn read(bytes: &[u8]) -> ReadPicture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture");
    fs::write(&path, bytes).unwrap();
    Picture::read(&path, &ReadOptions { profile: true, ..ReadOptions::default() }).unwrap()
}

/// All hues at all lights, and greys: no noise, which a JPEG would blur.
fn colours() -> Picture {
    let pixel = |k: usize| {
        let (y, x) = (k / 96, k % 96);
        let hue = |shift: f32| (0.5 + 0.5 * (x as f32 / 96.0 * TAU + shift).cos()) * y as f32 / 63.0 * 255.0;
        if x < 8 { [y as f32 / 63.0 * 255.0; 3] } else { [hue(0.0), hue(2.094), hue(4.189)] }
    };
    Picture::new(64, 96, (0..64 * 96).flat_map(pixel).collect()).unwrap()
}

const FORMATS: [(Encoding, Depth); 6] = [
    (Encoding::Png, Depth::Eight),
    (Encoding::Png, Depth::Sixteen),
    (Encoding::Tiff, Depth::Eight),
    (Encoding::Tiff, Depth::Sixteen),
    (Encoding::WebP, Depth::Eight),
    (Encoding::Jpeg { quality: 100 }, Depth::Eight),
];

/// The largest and the mean difference from the picture of what is read back.
fn differences(picture: &Picture, again: &Picture) -> (f32, f64) {
    let all = picture.data().iter().zip(again.data()).map(|(a, b)| (a - b).abs());
    let mean = all.clone().map(f64::from).sum::<f64>() / picture.data().len() as f64;
    (all.fold(0.0, f32::max), mean)
}

fn kept(profile: &ColorProfile) -> WrittenProfile {
    WrittenProfile::kept(&profile.encode().unwrap()).unwrap()
}

#[test]
fn colours_come_back_in_every_profile_format_and_depth() {
    let picture = colours();
    // Of 8 bits, the most that rounding in that space moves these colours by in sRGB, and the mean, in f64: saturated ones are where
    // sRGB has small numbers and the wider space none. 16 bits are within a level; the colour library has 14 of them.
    for (profile, most_of_8, mean_of_8) in [
        (WrittenProfile::None, 0.501, 0.26),
        (WrittenProfile::Srgb, 0.501, 0.26),
        (kept(&ColorProfile::new_display_p3()), 7.1, 0.39),
        (kept(&ColorProfile::new_adobe_rgb()), 10.0, 0.43),
        (kept(&ColorProfile::new_pro_photo_rgb()), 18.0, 0.81),
    ] {
        for (encoding, depth) in FORMATS {
            let writing = Writing { depth, profile: profile.clone(), ..encoding.into() };
            let again = read(&picture.encode(&writing).unwrap());
            let (largest, mean) = differences(&picture, &again.picture);
            let (most, most_mean) = match (encoding, depth) {
                (Encoding::Jpeg { .. }, _) => (4.0 + 2.0 * most_of_8, 3.0 * mean_of_8),
                (_, Depth::Eight) => (most_of_8, mean_of_8),
                (_, Depth::Sixteen) => (1.0, 0.05),
                (_, other) => panic!("{other:?} is a new depth"),
            };
            let what = format!(
                "{encoding:?} {depth:?} {:?}: {largest}, mean {mean}",
                profile.icc().map(<[u8]>::len)
            );
            assert!(largest <= most && mean <= most_mean, "{what}");
            assert_eq!(again.icc.as_deref(), profile.icc(), "{what}");
            let converted = matches!(profile, WrittenProfile::Kept(_));
            assert_eq!(again.profile, if converted { Profile::Converted } else { Profile::Absent }, "{what}");
        }
    }
}

/// A picture that was written with the profile of sRGB is the same input as one without.
#[test]
fn the_profile_of_srgb_moves_nothing() {
    let whole: Vec<f32> = white_noise(9, 11, 3).unwrap().data().iter().map(|value| value.round()).collect();
    let picture = Picture::new(9, 11, whole).unwrap();
    for encoding in [Encoding::Png, Encoding::WebP] {
        let writing = Writing { profile: WrittenProfile::Srgb, dither: Dither::Diffusion, ..encoding.into() };
        assert!(read(&picture.encode(&writing).unwrap()).picture == picture, "{encoding:?}");
    }
}

/// Colours beyond sRGB are brought to its edge when a photo is read, and so they come back: the space is wider than what is in it.
#[test]
fn a_saturated_photo_comes_back_as_its_colours_of_srgb() {
    let profile = kept(&ColorProfile::new_display_p3());
    // Pure red of P3, and a red of sRGB, in P3.
    let plain = Writing { depth: Depth::Sixteen, ..Encoding::Png.into() };
    let red = Picture::new(1, 1, vec![255.0, 0.0, 0.0]).unwrap();
    let written = read(&red.encode(&Writing { profile, ..plain }).unwrap()).picture;
    assert!(differences(&red, &written).0 < 0.5, "{:?}", written.data());
}

#[test]
fn files_say_how_many_pixels_an_inch_has() {
    let picture = colours();
    let bytes = |encoding: Encoding| picture.encode(Writing { dpi: Some(300), ..encoding.into() }).unwrap();
    let holds = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    // Pixels to the metre, twice, and the unit.
    let metre = [b"pHYs", &11_811_u32.to_be_bytes()[..], &11_811_u32.to_be_bytes(), &[1]].concat();
    assert!(holds(&bytes(Encoding::Png), &metre));
    let jfif = [b"JFIF\0\x01\x02\x01", &300_u16.to_be_bytes()[..], &300_u16.to_be_bytes()].concat();
    assert!(holds(&bytes(Encoding::Jpeg { quality: 90 }), &jfif));
    let ratio = [300_u32.to_le_bytes(), 1_u32.to_le_bytes()].concat();
    assert!(holds(&bytes(Encoding::WebP), &ratio) && holds(&bytes(Encoding::WebP), b"EXIF"));
    let tiff = bytes(Encoding::Tiff);
    let mut decoder = tiff::decoder::Decoder::new(std::io::Cursor::new(&tiff)).unwrap();
    assert_eq!(decoder.get_tag_u32(tiff::tags::Tag::ResolutionUnit).unwrap(), 2);
    for tag in [tiff::tags::Tag::XResolution, tiff::tags::Tag::YResolution] {
        assert_eq!(decoder.get_tag_u32_vec(tag).unwrap(), [300, 1]);
    }
    for encoding in [Encoding::Png, Encoding::WebP, Encoding::Tiff] {
        let writing = Writing { dither: Dither::None, ..encoding.into() };
        assert!(read(&bytes(encoding)).picture == read(&picture.encode(writing).unwrap()).picture);
    }
}

/// A PNG has iCCP or sRGB, and not both.
#[test]
fn a_png_says_its_space_once() {
    let writing = Writing { profile: WrittenProfile::Srgb, ..Encoding::Png.into() };
    let bytes = colours().encode(&writing).unwrap();
    let chunks = |name: &[u8]| bytes.windows(4).filter(|window| window == &name).count();
    assert_eq!((chunks(b"iCCP"), chunks(b"sRGB"), chunks(b"gAMA")), (1, 0, 0));
}
