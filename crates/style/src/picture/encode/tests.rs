use std::io::Cursor;

use ::tiff::encoder::TiffEncoder;
use ::tiff::encoder::colortype::RGB16;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};
use moxcms::ColorProfile;
use proptest::prelude::*;

use super::*;
use crate::{Mask, white_noise};

/// Noise, or the sharpest edges that there are: black and white at random, and the same of alpha.
fn picture(height: usize, width: usize, seed: u64, edges: bool, covers: bool) -> Picture {
    let mut picture = white_noise(height, width, seed).unwrap();
    let mut alpha = white_noise(height, width, seed ^ 1).unwrap();
    if edges {
        for picture in [&mut picture, &mut alpha] {
            picture.data_mut().iter_mut().for_each(|value| *value = if *value < 127.5 { 0.0 } else { 255.0 });
        }
    }
    if covers { picture } else { picture.with_alpha(Mask::of(&alpha)).unwrap() }
}

/// Of every format and depth.
fn encodings(quality: u8) -> [(Encoding, Depth); 7] {
    [
        (Encoding::Png, Depth::Eight),
        (Encoding::Png, Depth::Sixteen),
        (Encoding::Jpeg { quality }, Depth::Eight),
        (Encoding::Jpeg { quality: 100 }, Depth::Eight),
        (Encoding::WebP, Depth::Eight),
        (Encoding::Tiff, Depth::Eight),
        (Encoding::Tiff, Depth::Sixteen),
    ]
}

/// A profile with so many bytes more, which do not get smaller.
fn large_profile(bytes: usize, seed: u64) -> WrittenProfile {
    let mut icc = ColorProfile::new_display_p3().encode().unwrap();
    let noise = white_noise(1, bytes / 3 + 1, seed).unwrap();
    icc.extend(noise.data().iter().map(|&value| value as u8));
    WrittenProfile::kept(&icc).unwrap()
}

proptest! {
    #[test]
    fn no_picture_takes_more_than_the_most_bytes(
        (height, width) in (1_usize..200, 1_usize..200), seed: u64, edges: bool, covers: bool, quality in 1_u8..=100,
        (icc, text, dpi) in (prop::option::of(0_usize..200_000), prop::option::of(0_usize..60_000), prop::option::of(1_u16..)),
    ) {
        let picture = picture(height, width, seed, edges, covers);
        for (encoding, depth) in encodings(quality) {
            let writing = Writing {
                depth,
                dither: Dither::Diffusion,
                profile: icc.map_or(WrittenProfile::Srgb, |bytes| large_profile(bytes, seed)),
                dpi,
                text: text.map(|length| "{\"x\": 1}".chars().cycle().take(length).collect()),
                ..encoding.into()
            };
            let bytes = picture.encode(&writing).unwrap().len() as u64;
            let most = writing.largest_bytes(height, width, !covers);
            prop_assert!(bytes <= most, "{encoding:?}, {depth:?} of {height} x {width}: {bytes} > {most}");
        }
    }

    /// So was every picture written before there was more to say of it.
    #[test]
    fn of_an_encoding_alone_the_bytes_are_those_of_the_plain_encoders(
        height in 1_usize..60, width in 1_usize..60, seed: u64, quality in 1_u8..=100,
    ) {
        let picture = white_noise(height, width, seed).unwrap();
        let eight: Vec<u8> = picture.data().iter().map(|value| value.clamp(0.0, 255.0).round() as u8).collect();
        let sixteen: Vec<u16> =
            picture.data().iter().map(|value| (value.clamp(0.0, 255.0) * 257.0).round() as u16).collect();
        let (w, h) = (width as u32, height as u32);
        let (mut png, mut jpeg, mut webp, mut tiff) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        PngEncoder::new_with_quality(&mut png, CompressionType::Default, FilterType::Adaptive)
            .write_image(&eight, w, h, ExtendedColorType::Rgb8).unwrap();
        JpegEncoder::new_with_quality(&mut jpeg, quality)
            .write_image(&eight, w, h, ExtendedColorType::Rgb8).unwrap();
        WebPEncoder::new_lossless(&mut webp).write_image(&eight, w, h, ExtendedColorType::Rgb8).unwrap();
        TiffEncoder::new(Cursor::new(&mut tiff)).unwrap().write_image::<RGB16>(w, h, &sixteen).unwrap();
        for (encoding, plain) in [
            (Encoding::Png, png),
            (Encoding::Jpeg { quality }, jpeg),
            (Encoding::WebP, webp),
            (Encoding::Tiff, tiff),
        ] {
            prop_assert!(picture.encode(encoding).unwrap() == plain, "{encoding:?}");
        }
    }

    #[test]
    fn the_same_picture_has_the_same_bytes(height in 1_usize..40, width in 1_usize..40, seed: u64, covers: bool) {
        let picture = picture(height, width, seed, false, covers);
        for (encoding, depth) in encodings(90) {
            let profile = large_profile(0, 1);
            let writing = Writing { depth, dither: Dither::Diffusion, profile, dpi: Some(300), ..encoding.into() };
            prop_assert!(picture.encode(&writing).unwrap() == picture.encode(&writing).unwrap());
        }
    }
}

#[test]
fn formats_of_8_bits_refuse_16() {
    let picture = white_noise(2, 2, 1).unwrap();
    for encoding in [Encoding::WebP, Encoding::Jpeg { quality: 90 }] {
        let writing = Writing { depth: Depth::Sixteen, ..encoding.into() };
        let error = picture.encode(&writing).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
    }
}

/// What cannot be seen is rounded, so that it stays plain, and alpha is rounded too.
#[test]
fn alpha_and_what_it_hides_are_not_dithered() {
    let (height, width) = (20, 20);
    let alpha = (0..400).map(|k| if k % 20 < 10 { 0.0 } else { 0.7 }).collect();
    let plain = Picture::new(height, width, vec![100.5; 1200]).unwrap();
    let picture = plain.with_alpha(Mask::new(height, width, alpha).unwrap()).unwrap();
    let writing = Writing { dither: Dither::Diffusion, ..Encoding::Png.into() };
    let Samples::Eight(samples) = Samples::of(&picture, &writing).unwrap() else { panic!("8 bits") };
    for (k, pixel) in samples.as_chunks::<4>().0.iter().enumerate() {
        let seen = k % 20 >= 10;
        assert_eq!(pixel[3], if seen { 179 } else { 0 });
        assert!(seen || pixel[..3] == [101; 3], "{pixel:?}");
    }
    assert!(samples.as_chunks::<4>().0.iter().any(|pixel| pixel[0] == 100), "what is seen is dithered");
}

#[test]
fn a_jpeg_is_never_dithered() {
    let picture = Picture::new(16, 16, vec![100.4; 768]).unwrap();
    let encoding = Encoding::Jpeg { quality: 95 };
    let writing = Writing { dither: Dither::Diffusion, ..encoding.into() };
    assert!(picture.encode(&writing).unwrap() == picture.encode(encoding).unwrap());
}
