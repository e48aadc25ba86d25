//! How pictures are written: depth, dithering, colour profile, pixels to the inch and paper; at the end of a run and within it.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use crate::command::{Folder, code_and_message, succeed};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ColorType, DynamicImage, ImageDecoder, ImageEncoder, ImageReader};
use impasto_style::Picture;
use impasto_style::picture::ReadOptions;
use moxcms::ColorProfile;

const QUICK: &str = "--iterations 2 --content-layers conv2_1 --style-layers conv1_1,conv2_1 --size 48";

/// Runs a small transfer that must succeed; what it says.
#[track_caller]
fn transfer(folder: &Folder, options: &str) -> String {
    succeed(folder, &format!("transfer photo.png painting.webp {QUICK} {options}"))
}

#[track_caller]
fn refused(folder: &Folder, options: &str, words: &[&str]) {
    let arguments = format!("transfer photo.png painting.webp {options}");
    let (code, message) = code_and_message(&folder.run(&arguments));
    assert_eq!(code, 2, "{arguments}: {message}");
    for word in words {
        assert!(message.contains(word), "{arguments}: {message:?} does not say {word:?}");
    }
}

/// The ICC profile of a picture, and what its numbers are.
fn profile_and_kind(path: &Path) -> (Option<Vec<u8>>, ColorType) {
    let decoder = ImageReader::open(path).unwrap().into_decoder().unwrap();
    let read = Picture::read(path, &ReadOptions { profile: true, ..ReadOptions::default() }).unwrap();
    (read.icc, decoder.color_type())
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The example photo with a profile, as a PNG.
fn photo_with(profile: &ColorProfile, folder: &Folder, name: &str) -> Vec<u8> {
    let icc = profile.encode().unwrap();
    let photo = image::open(folder.path("photo.png")).unwrap().into_rgb8();
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(icc.clone()).unwrap();
    encoder.write_image(&photo, photo.width(), photo.height(), image::ExtendedColorType::Rgb8).unwrap();
    fs::write(folder.path(name), bytes).unwrap();
    icc
}

#[test]
fn every_format_says_its_profile_unless_it_shall_say_none() {
    let folder = Folder::new();
    for name in ["out.png", "out.jpg", "out.webp", "out.tif"] {
        transfer(&folder, &format!("-o {name}"));
        let (icc, _) = profile_and_kind(&folder.path(name));
        let profile = ColorProfile::new_from_slice(&icc.unwrap()).unwrap();
        assert_eq!(profile.color_space, moxcms::DataColorSpace::Rgb, "{name}");
        transfer(&folder, &format!("-o {name} --profile none"));
        assert_eq!(profile_and_kind(&folder.path(name)).0, None, "{name}");
    }
}

#[test]
fn depths_are_those_of_the_format() {
    let folder = Folder::new();
    for (options, kind) in [
        ("-o out.png", ColorType::Rgb8),
        ("-o out.png --depth 16", ColorType::Rgb16),
        ("-o out.tif", ColorType::Rgb16),
        ("-o out.tif --depth 8", ColorType::Rgb8),
        ("-o out.webp --depth 8", ColorType::Rgb8),
    ] {
        transfer(&folder, options);
        let name = options.split(' ').nth(1).unwrap();
        assert_eq!(profile_and_kind(&folder.path(name)).1, kind, "{options}");
    }
    refused(&folder, "-o out.jpg --depth 16", &["out.jpg is a JPEG", "--depth 16 is for a PNG or TIFF"]);
    refused(&folder, "-o none.webp --depth 16", &["none.webp is a WebP"]);
    refused(&folder, "-o out.png --depth 12", &["--depth"]);
    assert!(!folder.path("out.jpg").exists() && !folder.path("none.webp").exists());
    let output = folder.run(&format!("transfer photo.png painting.webp {QUICK} -o - --depth 16 --quiet"));
    let picture = image::load_from_memory(&output.stdout).unwrap();
    assert!(matches!(picture, DynamicImage::ImageRgb16(_)), "{:?}", code_and_message(&output));
}

#[test]
fn dithering_moves_numbers_by_a_level_and_has_no_effect_where_there_is_none() {
    let folder = Folder::new();
    for (name, options) in [("a.png", ""), ("b.png", "--dither none"), ("fine.png", "--depth 16")] {
        transfer(&folder, &format!("-o {name} {options}"));
    }
    let open = |name: &str| image::open(folder.path(name)).unwrap();
    let (dithered, rounded, fine) =
        (open("a.png").into_rgb8(), open("b.png").into_rgb8(), open("fine.png").into_rgb16());
    assert!(dithered != rounded);
    let mut sums = [0.0; 2];
    for (k, true_one) in fine.iter().enumerate() {
        let true_one = f64::from(*true_one) / 257.0;
        let [dithered, rounded] = [&dithered, &rounded].map(|picture| f64::from(picture.as_raw()[k]));
        assert!((rounded - true_one).abs() <= 0.51 && (dithered - true_one).abs() < 2.0);
        sums[0] += dithered - true_one;
        sums[1] += 1.0;
    }
    assert!((sums[0] / sums[1]).abs() < 0.05, "{sums:?}");
    for options in ["-o out.jpg", "-o out.tif", "-o out.png --depth 16"] {
        let message = transfer(&folder, &format!("{options} --dither diffusion"));
        assert!(message.contains("Warning: --dither has no effect on a JPEG"), "{options}: {message}");
        assert!(!transfer(&folder, options).contains("Warning"), "{options}");
    }
}

#[test]
fn a_picture_keeps_the_space_of_its_photo_through_resume_and_within_the_run() {
    let folder = Folder::new();
    let icc = photo_with(&ColorProfile::new_display_p3(), &folder, "wide.png");
    let run =
        format!("transfer wide.png painting.webp {QUICK} --depth 16 --dpi 240 --save-every 2 --no-metadata");
    succeed(&folder, &format!("{run} -o srgb.png"));
    succeed(&folder, &format!("{run} -o out.png --profile keep --checkpoint run"));
    assert_eq!(profile_and_kind(&folder.path("out.png")), (Some(icc.clone()), ColorType::Rgb16));
    let bytes = |name: &str| fs::read(folder.path(name)).unwrap();
    assert!(bytes("out.png") == bytes("out-2.png"), "pictures within the run are written in the same way");
    // The same colours by other numbers.
    let open = |name: &str| image::open(folder.path(name)).unwrap().into_rgb8();
    assert!(open("out.png") != open("srgb.png"));
    succeed(&folder, "transfer --resume run -o again.png");
    assert!(bytes("again.png") == bytes("out.png"));
    // What a run was said to have in one format need not be there in another.
    succeed(&folder, "transfer --resume run -o again.jpg");
    let (again, kind) = profile_and_kind(&folder.path("again.jpg"));
    assert_eq!((again, kind), (Some(icc), ColorType::Rgb8));
    succeed(&folder, "transfer --resume run -o plain.png --profile srgb --depth 16 --dpi 240");
    assert!(bytes("plain.png") == bytes("srgb.png"));
}

#[test]
fn a_profile_that_cannot_be_kept_is_said() {
    let folder = Folder::new();
    let photo = image::open(folder.path("photo.png")).unwrap().into_luma8();
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(ColorProfile::new_gray_with_gamma(1.8).encode().unwrap()).unwrap();
    encoder.write_image(&photo, photo.width(), photo.height(), image::ExtendedColorType::L8).unwrap();
    fs::write(folder.path("grey.png"), bytes).unwrap();
    let message =
        succeed(&folder, &format!("transfer grey.png painting.webp {QUICK} -o out.png --profile keep"));
    let warning = "grey.png: its colours have a profile that is not of red, green and blue: the picture is written in sRGB";
    assert!(message.contains(warning), "{message}");
    transfer(&folder, "-o srgb.png");
    let profile = |name: &str| profile_and_kind(&folder.path(name)).0;
    assert_eq!(profile("out.png"), profile("srgb.png"));
    // Of a photo that says nothing sRGB is the own space.
    image::open(folder.path("photo.png")).unwrap().into_rgb8().save(folder.path("bare.png")).unwrap();
    let bare = |options: &str| {
        let message = succeed(
            &folder,
            &format!("transfer bare.png painting.webp {QUICK} -o bare-out.png --no-metadata {options}"),
        );
        assert!(!message.contains("Warning"), "{message}");
        fs::read(folder.path("bare-out.png")).unwrap()
    };
    assert!(bare("--profile keep") == bare("--profile srgb"));
}

#[test]
fn paper_is_filled_as_the_photo_lies() {
    let folder = Folder::new();
    let quick = QUICK.replace("--size 48", "");
    let print = |photo: &str, options: &str| {
        succeed(&folder, &format!("transfer {photo} painting.webp {quick} -o out.png {options}"));
        let size = image::image_dimensions(folder.path("out.png")).unwrap();
        (size, fs::read(folder.path("out.png")).unwrap())
    };
    // 105 x 148 mm at 20 pixels to the inch are 83 x 117 pixels; the photo has 451 x 300.
    let (size, bytes) = print("photo.png", "--print A6 --dpi 20");
    assert_eq!(size, (117, 78));
    assert!(holds(&bytes, &[b"pHYs", &787_u32.to_be_bytes()[..], &787_u32.to_be_bytes(), &[1]].concat()));
    let upright = image::open(folder.path("photo.png")).unwrap().rotate90();
    upright.save(folder.path("upright.png")).unwrap();
    assert_eq!(print("upright.png", "--print a6 --dpi 20").0, (78, 117));
    // The same size, and nothing said of inches.
    let (size, bytes) = print("photo.png", "--size A6@20");
    assert!(size == (117, 78) && !holds(&bytes, b"pHYs"));
    refused(&folder, "-o out.png --print A4 --size 100", &["--print", "--size"]);
    refused(&folder, "-o out.png --print A7", &["A7", "it is one of A0, A1"]);
    refused(&folder, "-o out.png --print A0", &["A0 at 300", "9933 x 14043", "give --dpi 213 or less"]);
    refused(&folder, "-o out.png --dpi 0", &["--dpi"]);
    succeed(
        &folder,
        &format!("transfer photo.png painting.webp {quick} -o a.png --print A6 --dpi 20 --checkpoint run"),
    );
    let (code, message) = code_and_message(&folder.run("transfer --resume run --print A4"));
    assert!(code == 2 && message.contains("--print"), "{message}");
}

#[test]
fn settings_say_how_pictures_are_written() {
    let folder = Folder::new();
    fs::create_dir(folder.path("settings")).unwrap();
    let settings = "depth = 16\nprofile = 'none'\ndpi = 254\ndither = 'none'";
    fs::write(folder.path("settings/impasto.toml"), settings).unwrap();
    let message = transfer(&folder, "-o out.png");
    assert!(message.contains("impasto.toml: depth, dither, profile, dpi\n"), "{message}");
    assert_eq!(profile_and_kind(&folder.path("out.png")), (None, ColorType::Rgb16));
    assert!(holds(&fs::read(folder.path("out.png")).unwrap(), &10_000_u32.to_be_bytes()));
    // A format that has no 16 bits is no mistake of settings; arguments count more.
    transfer(&folder, "-o out.jpg");
    assert_eq!(profile_and_kind(&folder.path("out.jpg")).1, ColorType::Rgb8);
    transfer(&folder, "-o out.png --depth 8 --profile srgb");
    assert!(profile_and_kind(&folder.path("out.png")).0.is_some());
}

/// Where and by whom a photo was taken is nobody's business.
#[test]
fn nothing_private_of_a_photo_is_carried_over() {
    let folder = Folder::new();
    let photo = image::open(folder.path("photo.png")).unwrap().into_rgb8();
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new(&mut bytes);
    // A little-endian TIFF with the name of an artist.
    let secret = b"SECRET PLACE";
    let exif = [
        &b"II*\0\x08\0\0\0\x01\0"[..],
        &[0x3b, 0x01, 2, 0, 13, 0, 0, 0, 26, 0, 0, 0],
        &[0; 4],
        secret,
        b"\0",
    ];
    encoder.set_exif_metadata(exif.concat()).unwrap();
    encoder.write_image(&photo, photo.width(), photo.height(), image::ExtendedColorType::Rgb8).unwrap();
    let xmp = [&b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>"[..], secret, b"</x:xmpmeta>"].concat();
    let segment = [&[0xff, 0xe1][..], &(xmp.len() as u16 + 2).to_be_bytes(), &xmp].concat();
    bytes.splice(2..2, segment);
    fs::write(folder.path("private.jpg"), &bytes).unwrap();
    assert_eq!(bytes.windows(secret.len()).filter(|window| window == secret).count(), 2);
    for name in ["out.png", "out.jpg", "out.webp", "out.tif"] {
        succeed(
            &folder,
            &format!("transfer private.jpg painting.webp {QUICK} -o {name} --profile keep --dpi 300"),
        );
        let written = fs::read(folder.path(name)).unwrap();
        assert!(!holds(&written, secret) && !holds(&written, b"ns.adobe.com"), "{name}");
        assert!(ImageReader::new(Cursor::new(&written)).with_guessed_format().unwrap().decode().is_ok());
    }
}
