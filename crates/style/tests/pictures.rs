//! Picture files: what is read is what the file means, and broken files are refused with a reason.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat};
use impasto_files::FileError;
use impasto_style::picture::{Encoding, Mask, Picture, PictureError, Profile, ReadOptions, Transparency};
use proptest::prelude::*;

/// A folder that goes away at the end of the test, with a file in it.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// What a reader with 1 GiB makes of a file.
fn read(bytes: &[u8]) -> Result<(Picture, Profile), PictureError> {
    let (_folder, path) = file("picture", bytes);
    let read = Picture::read(&path, &within(1 << 30))?;
    Ok((read.picture, read.profile))
}

fn within(bytes: u64) -> ReadOptions {
    ReadOptions { memory_limit: Some(bytes), ..ReadOptions::default() }
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// 3 x 2 (width x height) with six different colours.
fn six() -> Picture {
    let data = (0..18).map(|i| (i * 14) as f32).collect();
    Picture::new(2, 3, data).unwrap()
}

#[test]
fn lossless_formats_give_back_every_value() {
    for encoding in [Encoding::Png, Encoding::WebP, Encoding::Tiff] {
        let (picture, profile) = read(&six().encode(encoding).unwrap()).unwrap();
        assert_eq!((picture.height(), picture.width()), (2, 3));
        for (got, expected) in picture.data().iter().zip(six().data()) {
            assert!((got - expected).abs() < 1e-4, "{encoding:?}: {got} for {expected}");
        }
        assert_eq!(profile, Profile::Absent);
    }
}

#[test]
fn jpeg_gives_back_nearly_every_value() {
    let grey = Picture::new(16, 16, vec![100.0; 768]).unwrap();
    let (picture, _) = read(&grey.encode(Encoding::Jpeg { quality: 95 }).unwrap()).unwrap();
    assert!(picture.data().iter().all(|value| (value - 100.0).abs() <= 1.0));
}

#[test]
fn values_are_clamped_and_rounded_on_writing() {
    let wild = Picture::new(1, 2, vec![-40.0, 300.0, 99.5, 99.49, 0.4, 254.6]).unwrap();
    let (picture, _) = read(&wild.encode(Encoding::Png).unwrap()).unwrap();
    let rounded: Vec<f32> = picture.data().iter().map(|value| value.round()).collect();
    assert_eq!(rounded, [0.0, 255.0, 100.0, 99.0, 0.0, 255.0]);
}

#[test]
fn exif_orientation_is_applied() {
    // Little-endian TIFF with one entry: orientation (0x0112), a short, 6 (turn clockwise).
    let exif = [b"II*\0\x08\0\0\0\x01\0".as_slice(), b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"].concat();
    // 16 x 8: left half black, right half white; turned clockwise the black half is on top.
    let pixels: Vec<u8> = (0..16 * 8).flat_map(|i| [if i % 16 < 8 { 0 } else { 255 }; 3]).collect();
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 100);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.write_image(&pixels, 16, 8, ExtendedColorType::Rgb8).unwrap();
    let (picture, _) = read(&bytes).unwrap();
    assert_eq!((picture.height(), picture.width()), (16, 8));
    assert!(picture.data()[0] < 5.0 && picture.data()[3 * 16 * 8 - 1] > 250.0);
}

#[test]
fn transparent_pixels_show_white() {
    let image = DynamicImage::ImageRgba8(
        image::RgbaImage::from_raw(3, 1, vec![10, 20, 30, 255, 10, 20, 30, 0, 0, 0, 0, 51]).unwrap(),
    );
    let (picture, _) = read(&encoded(&image, ImageFormat::Png)).unwrap();
    let rounded: Vec<f32> = picture.data().iter().map(|value| value.round()).collect();
    assert_eq!(rounded, [10.0, 20.0, 30.0, 255.0, 255.0, 255.0, 204.0, 204.0, 204.0]);
}

#[test]
fn alpha_is_kept_when_it_is_asked_for() {
    let kept = ReadOptions { transparency: Transparency::Kept, ..within(1 << 30) };
    let read = |bytes: Vec<u8>| {
        let image = DynamicImage::ImageRgba8(image::RgbaImage::from_raw(3, 1, bytes).unwrap());
        let (_folder, path) = file("picture", &encoded(&image, ImageFormat::Png));
        Picture::read(&path, &kept).map(|read| read.picture)
    };
    // A colour that nobody sees is the mean of the others, weighted by their alpha.
    let picture = read(vec![10, 10, 10, 255, 1, 2, 3, 0, 210, 210, 210, 64]).unwrap();
    let mean = (10.0 + 210.0 * 64.0 / 255.0) / (1.0 + 64.0 / 255.0);
    for (got, expected) in picture.data().iter().zip([[10.0; 3], [mean; 3], [210.0; 3]].concat()) {
        assert!((got - expected).abs() < 1e-3, "{got} for {expected}");
    }
    assert_eq!(picture.alpha().unwrap().values(), [1.0, 0.0, 64.0 / 255.0]);
    let nothing = read([7, 7, 7, 0].repeat(3)).unwrap_err();
    assert!(matches!(nothing, PictureError::Transparent { .. }), "{nothing}");
    let opaque = read([7, 8, 9, 255].repeat(3)).unwrap();
    assert!(opaque.alpha().is_none());
    assert!(picture.with_alpha(Mask::new(3, 1, vec![0.5; 3]).unwrap()).is_err(), "of another size");
}

#[test]
fn a_jpeg_shows_transparency_on_white() {
    let half = Mask::new(16, 16, vec![0.5; 256]).unwrap();
    let picture = Picture::new(16, 16, vec![55.0; 768]).unwrap().with_alpha(half).unwrap();
    let (on_white, _) = read(&picture.encode(Encoding::Jpeg { quality: 95 }).unwrap()).unwrap();
    assert!(on_white.data().iter().all(|value| (value - 155.0).abs() <= 1.0));
}

#[test]
fn a_tiff_says_that_its_fourth_channel_is_alpha() {
    let alpha = Mask::new(2, 3, vec![0.0, 0.25, 0.5, 0.75, 1.0, 1.0]).unwrap();
    let bytes = six().with_alpha(alpha).unwrap().encode(Encoding::Tiff).unwrap();
    let mut decoder = tiff::decoder::Decoder::new(Cursor::new(bytes)).unwrap();
    assert_eq!(decoder.get_tag_u16_vec(tiff::tags::Tag::ExtraSamples).unwrap(), [2]);
}

#[test]
fn grey_becomes_rgb_and_16_bits_keep_their_precision() {
    let image = image::ImageBuffer::<image::Luma<u16>, _>::from_raw(2, 1, vec![257 * 100 + 128, 7]).unwrap();
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        let (picture, _) = read(&encoded(&DynamicImage::ImageLuma16(image.clone()), format)).unwrap();
        for (got, expected) in
            picture.data().iter().zip([25828.0 / 257.0, 7.0 / 257.0].map(|v| [v; 3]).concat())
        {
            assert!((got - expected).abs() < 1e-4, "{got} for {expected}");
        }
    }
}

#[test]
fn every_format_is_told_by_its_content() {
    let image = DynamicImage::ImageRgb8(image::RgbImage::from_pixel(4, 4, image::Rgb([200, 100, 50])));
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
        ImageFormat::Gif,
    ] {
        let (_folder, path) = file("misnamed.txt", &encoded(&image, format));
        let picture = Picture::read(&path, &within(1 << 30)).unwrap().picture;
        assert!((picture.data()[0] - 200.0).abs() < 3.0, "{format:?}");
    }
}

#[test]
fn colour_profiles_are_converted_to_srgb() {
    let read_with_profile = |profile: Vec<u8>| {
        let mut bytes = Vec::new();
        let mut encoder = PngEncoder::new(&mut bytes);
        encoder.set_icc_profile(profile).unwrap();
        encoder.write_image(&[200, 100, 50, 90, 90, 90], 2, 1, ExtendedColorType::Rgb8).unwrap();
        read(&bytes).unwrap()
    };
    let (picture, profile) = read_with_profile(moxcms::ColorProfile::new_display_p3().encode().unwrap());
    assert_eq!(profile, Profile::Converted);
    // The same colour needs more saturated numbers in the smaller sRGB; grey stays grey.
    assert!(picture.data()[0] > 203.0 && picture.data()[2] < 45.0, "{:?}", picture.data());
    assert!(picture.data()[3..].iter().all(|value| (value - 90.0).abs() < 1.0), "{:?}", picture.data());
    let (picture, profile) = read_with_profile(vec![1, 2, 3]);
    assert_eq!(profile, Profile::Unusable);
    assert_eq!(picture.data()[0].round(), 200.0);
}

#[test]
fn a_header_over_the_limit_is_refused_before_decoding() {
    // A bitmap header of 40,000 x 40,000 pixels without a single one behind it.
    let mut bytes = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bytes.extend(40_000_u32.to_le_bytes());
    bytes.extend(40_000_u32.to_le_bytes());
    bytes.extend(b"\x01\0\x18\0");
    bytes.extend([0; 24]);
    let error = read(&bytes).unwrap_err();
    assert!(matches!(error, PictureError::TooLarge { width: 40_000, height: 40_000, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("1024 MiB are free or allowed, room for about 71 million pixels"), "{text}");
}

#[test]
fn a_picture_that_memory_does_not_hold_is_an_error() {
    let side = 1 << 22;
    let no_room = |result: Result<Picture, PictureError>| matches!(result, Err(PictureError::NoRoom { .. }));
    assert!(no_room(six().resized(side, side)));
    assert!(no_room(impasto_style::white_noise(side, side, 1)));
    assert!(no_room(impasto_style::mean_noise(side, side, 1, [0.0; 3])));
}

#[test]
fn broken_files_are_told_apart() {
    let (_folder, missing) = file("here", b"");
    assert!(matches!(Picture::read(&missing, &within(1 << 30)), Err(PictureError::Empty { .. })));
    let missing = missing.with_file_name("not here");
    assert!(matches!(Picture::read(&missing, &within(1 << 30)), Err(PictureError::Open { .. })));
    assert!(matches!(
        Picture::read(missing.parent().unwrap(), &within(1 << 30)),
        Err(PictureError::Open { .. })
    ));
    assert!(matches!(read(b"hello, this is no picture"), Err(PictureError::NotAPicture { .. })));
}

#[test]
fn truncated_files_are_damaged() {
    let noise: Vec<f32> = (0..3 * 64 * 64).map(|i| ((i * 7919) % 256) as f32).collect();
    let picture = Picture::new(64, 64, noise).unwrap();
    for encoding in [Encoding::Jpeg { quality: 90 }, Encoding::Png, Encoding::WebP, Encoding::Tiff] {
        let bytes = picture.encode(encoding).unwrap();
        for length in [bytes.len() / 10, bytes.len() / 2, bytes.len() * 9 / 10] {
            let error = read(&bytes[..length]).err();
            let damaged = matches!(error, Some(PictureError::Damaged { .. }));
            assert!(damaged, "{encoding:?} cut to {length}: {error:?}");
        }
    }
}

#[test]
fn writing_replaces_whole_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.png");
    six().write(&path, Encoding::Png).unwrap();
    six().write(&path, Encoding::Png).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    assert!(Picture::read(&path, &ReadOptions::default()).is_ok());
}

#[test]
fn a_picture_that_cannot_be_written_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for place in [folder.path().join("no/out.png"), folder.path().into()] {
        assert!(six().write(&place, Encoding::Png).is_err());
        let error = six().write_or_keep(&place, Encoding::Png).unwrap_err();
        let PictureError::File(FileError::Kept { kept, .. }) = error else { panic!("{error}") };
        assert!(Picture::read(&kept, &ReadOptions::default()).unwrap().picture == six());
        fs::remove_file(kept).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_devices_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let (link, target) = (folder.path().join("link.png"), folder.path().join("target.png"));
    fs::write(&target, b"old").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    six().write(&link, Encoding::Png).unwrap();
    assert!(link.is_symlink() && fs::read(&target).unwrap().starts_with(b"\x89PNG"));
    six().write(Path::new("/dev/null"), Encoding::Png).unwrap();
    assert!(!Path::new("/dev/null").is_file());
}

#[test]
fn extensions_name_formats() {
    let encoding = |name: &str| Encoding::from_path(Path::new(name), 90).ok();
    assert_eq!(encoding("a.PNG"), Some(Encoding::Png));
    assert_eq!(encoding("a.b.jpeg"), Some(Encoding::Jpeg { quality: 90 }));
    assert_eq!(encoding("a.webp"), Some(Encoding::WebP));
    assert_eq!(encoding("a.tif"), Some(Encoding::Tiff));
    assert_eq!(encoding("a.gif"), None);
    assert_eq!(encoding("png"), None);
}

proptest! {
    #[test]
    fn resizing_a_flat_picture_leaves_it_flat(
        (height, width, to_height, to_width) in (1_usize..40, 1_usize..40, 1_usize..40, 1_usize..40),
        colour in prop::array::uniform3(0.0_f32..255.0),
    ) {
        let flat = Picture::new(height, width, colour.repeat(height * width)).unwrap();
        let resized = flat.resized(to_height, to_width).unwrap();
        prop_assert_eq!((resized.height(), resized.width()), (to_height, to_width));
        for pixel in resized.data().chunks_exact(3) {
            for (got, expected) in pixel.iter().zip(colour) {
                prop_assert!((got - expected).abs() < 1e-2);
            }
        }
    }

    #[test]
    fn alpha_is_written_and_read_back(
        (height, width) in (1_usize..12, 1_usize..12),
        bytes in prop::collection::vec(any::<u8>(), 4 * 12 * 12),
        encoding in prop::sample::select(vec![Encoding::Png, Encoding::WebP, Encoding::Tiff]),
    ) {
        let pixels: Vec<&[u8]> = bytes.chunks_exact(4).take(height * width).collect();
        let alpha = pixels.iter().map(|pixel| f32::from(pixel[3]) / 255.0).collect();
        let alpha = Mask::new(height, width, alpha).unwrap();
        prop_assume!(!alpha.is_empty());
        let data = pixels.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]].map(f32::from)).collect();
        let picture = Picture::new(height, width, data).unwrap().with_alpha(alpha).unwrap();
        let (_folder, path) = file("picture", &picture.encode(encoding).unwrap());
        let options = ReadOptions { transparency: Transparency::Kept, ..within(1 << 30) };
        let again = Picture::read(&path, &options).unwrap().picture;
        let one = Mask::new(height, width, vec![1.0; height * width]).unwrap();
        let (alpha, alpha_again) = (picture.alpha().unwrap_or(&one), again.alpha().unwrap_or(&one));
        for (a, b) in alpha.values().iter().zip(alpha_again.values()) {
            prop_assert!((a - b).abs() < 1e-5, "alpha {} for {}", b, a);
        }
        let pixels = picture.data().chunks_exact(3).zip(again.data().chunks_exact(3));
        for ((a, b), _) in pixels.zip(alpha.values()).filter(|(_, alpha)| **alpha > 0.0) {
            prop_assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-2), "{:?} for {:?}", b, a);
        }
    }

    /// Whatever colour a transparent pixel has in its file: it is in no other pixel at any size.
    #[test]
    fn hidden_colours_never_bleed(
        (height, width, to_height, to_width) in (2_usize..30, 2_usize..30, 1_usize..60, 1_usize..60),
        alphas in prop::collection::vec(0_u8..4, 30 * 30),
    ) {
        let covers: Vec<f32> = alphas.iter().take(height * width).map(|&a| f32::from(a) / 3.0).collect();
        prop_assume!(covers.iter().any(|&a| a > 0.0));
        // What is seen has 100 to 102, what is not 255.
        let colour = |(k, &a): (usize, &f32)| [if a > 0.0 { 100.0 + (k % 3) as f32 } else { 255.0 }; 3];
        let data = covers.iter().enumerate().flat_map(colour).collect();
        let picture = Picture::new(height, width, data).unwrap();
        let picture = picture.with_alpha(Mask::new(height, width, covers).unwrap()).unwrap();
        let resized = picture.resized(to_height, to_width).unwrap();
        prop_assert!(resized.alpha().is_none_or(|alpha| alpha.values().iter().all(|a| (0.0..=1.0).contains(a))));
        for value in resized.data() {
            prop_assert!((99.99..=102.01).contains(value), "{}", value);
        }
    }

    #[test]
    fn an_alpha_of_1_is_none(
        (height, width, to_height, to_width) in (1_usize..30, 1_usize..30, 1_usize..30, 1_usize..30),
        bytes in prop::collection::vec(any::<u8>(), 3 * 30 * 30),
    ) {
        let data = bytes.iter().take(3 * height * width).map(|&value| f32::from(value)).collect();
        let plain = Picture::new(height, width, data).unwrap();
        let full = Mask::new(height, width, vec![1.0; height * width]).unwrap();
        let opaque = plain.clone().with_alpha(full).unwrap();
        prop_assert!(opaque == plain && opaque.clone().on([0; 3]) == plain);
        prop_assert!(opaque.resized(to_height, to_width).unwrap() == plain.resized(to_height, to_width).unwrap());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..300),
        magic in prop::sample::select(vec![&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff", b"BM", b"GIF89a", b"II*\0", b"RIFF....WEBP"]),
    ) {
        bytes.splice(0..0, magic.iter().copied());
        let _ = read(&bytes);
    }
}
