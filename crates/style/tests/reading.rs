//! Reading keeps to its memory limit whatever a file claims, reads streams as files, and says what it does not read.

#[path = "../../../tests/left_out/mod.rs"]
mod left_out;

use std::alloc::System;
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use cap::Cap;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, RgbImage, RgbaImage};
use impasto_style::picture::{
    Mask, Picture, PictureError, Profile, ReadMask, ReadOptions, ReadPicture, Transparency, Warning,
};
use impasto_style::{Preset, Size, Subject, available_memory};
use left_out::left_out;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const MIB: u64 = 1 << 20;

/// One at a time, so that the peaks do not add up.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn within(bytes: u64) -> ReadOptions {
    ReadOptions { memory_limit: Some(bytes), ..ReadOptions::default() }
}

fn read(bytes: &[u8], options: &ReadOptions) -> Result<ReadPicture, PictureError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture");
    fs::write(&path, bytes).unwrap();
    Picture::read(&path, options)
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Smooth with a little grain, so that no format packs it to nothing.
fn scene(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| {
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 29;
        image::Rgb(
            [(x / 8) as u8, (y / 8) as u8, ((x + y) / 16) as u8].map(|c| c.saturating_add(grain as u8)),
        )
    })
    .into()
}

/// The peak of memory beyond what is held while something is done. The allocator knows the peak since the process started:
/// ballast, which is never touched, brings what is held up to that.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let ballast = Vec::<u8>::with_capacity(ALLOCATOR.max_allocated() - ALLOCATOR.allocated());
    let before = ALLOCATOR.allocated();
    let result = work();
    let peak = ALLOCATOR.max_allocated() - before;
    drop(ballast);
    (result, peak as u64)
}

const FORMATS: [ImageFormat; 6] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Tiff,
    ImageFormat::Bmp,
    ImageFormat::Gif,
];

/// What a reader announces is what its limit compares with, and no less than what it takes; the files themselves are on disk.
#[test]
fn what_reading_announces_covers_its_peak_in_every_format() {
    let _alone = alone();
    let scene = scene(3000, 2000);
    for format in FORMATS {
        let bytes = encoded(&scene, format);
        for longest in [None, Some(96), Some(1000)] {
            let size = longest.map_or(Size::Original, Size::Longest);
            let transparency = Transparency::Kept;
            let options =
                |limit| ReadOptions { memory_limit: limit, held: 0, size, transparency, profile: true };
            let (whole, peak) = peak_of(|| read(&bytes, &options(None)).unwrap());
            assert!(
                peak <= whole.bytes,
                "{format:?} to {longest:?}: {} announced, {peak} taken",
                whole.bytes
            );
            let enough = read(&bytes, &options(Some(whole.bytes))).unwrap();
            assert!(enough.picture == whole.picture && enough.bytes == whole.bytes);
            let error = read(&bytes, &options(Some(whole.bytes - 1))).unwrap_err();
            let PictureError::TooLarge { needed, limit, .. } = error else { panic!("{format:?}: {error}") };
            assert_eq!((needed, limit), (whole.bytes, whole.bytes - 1));
        }
    }
}

/// Not damaged, as a decoder says of a file of which it is given a part.
#[test]
fn a_file_that_there_is_no_room_for_is_too_large() {
    let _alone = alone();
    let scene = scene(900, 700);
    for format in FORMATS {
        let bytes = encoded(&scene, format);
        for (limit, held) in [(0, 0), (1000, 0), (1000, 5000), (bytes.len() as u64, 0), (MIB, 0)] {
            let options = ReadOptions { memory_limit: Some(limit), held, ..ReadOptions::default() };
            let error = read(&bytes, &options).unwrap_err();
            assert!(
                matches!(error, PictureError::TooLarge { width: 900, height: 700, .. }),
                "{format:?}: {error}"
            );
        }
    }
}

/// A photo that is shrunk is never in memory as a whole but as its file has it.
#[test]
fn a_large_photo_takes_little_more_than_its_samples() {
    let _alone = alone();
    let bytes = encoded(&scene(6000, 4000), ImageFormat::Jpeg);
    let options = Preset::Default.options().with_size(Size::Longest(128));
    let (_, peak) = peak_of(|| read(&bytes, &options.reading_photo(0)).unwrap());
    let samples = 6000 * 4000 * 3;
    assert!(peak < samples + 40 * MIB, "{} MiB for {} MiB of samples", peak / MIB, samples / MIB);
}

/// A transfer's pictures are shrunk while they are read exactly as they would be after it.
#[test]
fn shrinking_while_reading_is_shrinking_after_it() {
    let _alone = alone();
    let mut transparent = scene(700, 400).to_rgba8();
    // A disc of any alpha, with hidden colours around it.
    for (x, y, pixel) in transparent.enumerate_pixels_mut() {
        let distance = (f64::from(x) - 350.0).hypot(f64::from(y) - 200.0);
        pixel.0[3] = ((220.0 - distance) * 4.0).clamp(0.0, 255.0) as u8;
    }
    for picture in [scene(700, 400), transparent.into()] {
        let bytes = encoded(&picture, ImageFormat::Png);
        let options = Preset::Paper.options();
        let whole = || read(&bytes, &options.reading_whole(0)).unwrap().picture;
        for (size, style_scale) in [
            (64.into(), 1.0),
            (200.into(), 0.4),
            (300.into(), 2.5),
            (512.into(), 1.0),
            (699.into(), 1.0),
            (2000.into(), 0.2),
            (Size::Within { width: 400, height: 150 }, 1.0),
            (Size::Original, 0.3),
        ] {
            let options = options.clone().with_size(size).with_style_scale(style_scale);
            let after = Subject::new(whole(), whole()).shrunk(&options).unwrap();
            let photo = read(&bytes, &options.reading_photo(0)).unwrap().picture;
            let painting = read(&bytes, &options.reading_painting(0, &photo, 0)).unwrap().picture;
            assert!(Subject::new(photo, painting) == after, "size {size}, style scale {style_scale}");
        }
    }
}

/// A mask is its light: grey, colours by their luma, black where it is transparent; shrunk without swinging beyond an edge.
#[test]
fn masks_are_read_as_their_light_on_black() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let read = |image: DynamicImage, options: &ReadOptions| {
        let path = folder.path().join("mask.png");
        fs::write(&path, encoded(&image, ImageFormat::Png)).unwrap();
        Mask::read(&path, options).unwrap()
    };
    let colours = vec![255, 255, 255, 255, 255, 0, 0, 255, 255, 255, 255, 51, 9, 9, 9, 0];
    let image = RgbaImage::from_raw(4, 1, colours).unwrap();
    let ReadMask { mask, warnings, .. } = read(image.into(), &ReadOptions::default());
    assert!(warnings.is_empty());
    for (got, expected) in mask.values().iter().zip([1.0, 0.299, 0.2, 0.0]) {
        assert!((got - expected).abs() < 1e-6, "{got} for {expected}");
    }
    let half = image::GrayImage::from_fn(600, 300, |x, _| image::Luma([if x < 300 { 255 } else { 0 }]));
    let whole = read(half.clone().into(), &ReadOptions::default()).mask;
    let options = ReadOptions { size: Size::Longest(150), ..ReadOptions::default() };
    let shrunk = read(half.into(), &options).mask;
    assert_eq!((shrunk.height(), shrunk.width()), (75, 150));
    assert_eq!(shrunk, whole.resized(75, 150).unwrap());
    let (left, right) = (&shrunk.values()[..74], &shrunk.values()[76..150]);
    assert!(left.iter().all(|&value| value == 1.0) && right.iter().all(|&value| value == 0.0));
    let limited = within(1 << 20);
    fs::write(folder.path().join("large.png"), encoded(&scene(900, 900), ImageFormat::Png)).unwrap();
    let refused = Mask::read(&folder.path().join("large.png"), &limited).unwrap_err();
    assert!(matches!(refused, PictureError::TooLarge { .. }), "{refused}");
}

#[test]
fn alpha_and_profile_are_handed_on_when_they_are_asked_for() {
    let _alone = alone();
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(profile.clone()).unwrap();
    encoder.write_image(&[9, 9, 9, 255, 9, 9, 9, 51, 9, 9, 9, 0], 3, 1, ExtendedColorType::Rgba8).unwrap();
    let plain = read(&bytes, &ReadOptions::default()).unwrap();
    assert!(plain.picture.alpha().is_none() && plain.icc.is_none() && plain.profile == Profile::Converted);
    let kept = ReadOptions { transparency: Transparency::Kept, ..ReadOptions::default() };
    let both = read(&bytes, &ReadOptions { profile: true, ..kept }).unwrap();
    assert_eq!(both.picture.alpha().unwrap().values(), [1.0, 0.2, 0.0]);
    assert_eq!(both.icc, Some(profile));
    assert_eq!(both.picture.on([255; 3]), plain.picture);
    // The left half covers; the edge is where it was, and nothing is beyond 0 to 1.
    let half = RgbaImage::from_fn(600, 300, |x, _| image::Rgba([0, 0, 0, if x < 300 { 255 } else { 0 }]));
    let options = ReadOptions { size: Size::Longest(150), ..kept };
    let shrunk = read(&encoded(&half.into(), ImageFormat::Png), &options).unwrap();
    let alpha = shrunk.picture.alpha().unwrap();
    assert_eq!((alpha.height(), alpha.width(), shrunk.picture.width()), (75, 150, 150));
    let (left, right) = (&alpha.values()[..74], &alpha.values()[76..150]);
    assert!(left.iter().all(|a| *a == 1.0) && right.iter().all(|a| *a == 0.0));
    let opaque = RgbaImage::from_pixel(4, 4, image::Rgba([1, 2, 3, 255]));
    for file in [encoded(&scene(4, 4), ImageFormat::Png), encoded(&opaque.into(), ImageFormat::Png)] {
        assert_eq!(read(&file, &options).unwrap().picture.alpha(), None);
    }
}

/// A RIFF container of WebP with these chunks.
fn webp(chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, length, data) in chunks {
        body.extend(*name);
        body.extend(length.to_le_bytes());
        body.extend(*data);
        body.extend(vec![0; data.len() % 2]);
    }
    [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat()
}

/// The extended header: flags, and width and height less one in 24 bits.
fn extended(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let side = |length: u32| (length - 1).to_le_bytes()[..3].to_vec();
    [vec![flags, 0, 0, 0], side(width), side(height)].concat()
}

/// A whole lossless picture of one colour, as its chunk has it.
fn lossless(width: u32, height: u32) -> Vec<u8> {
    encoded(&RgbImage::from_pixel(width, height, image::Rgb([200, 100, 50])).into(), ImageFormat::WebP)[20..]
        .to_vec()
}

#[test]
fn what_a_header_claims_costs_nothing() {
    let _alone = alone();
    // 34 bytes that claim 98 megapixels.
    let header = [&[0x2f_u8][..], &(0x3ffe_u32 | 0x176f << 14).to_le_bytes()].concat();
    let claims = webp(&[(b"VP8L", 5, &header)]);
    let (error, peak) = peak_of(|| read(&claims, &within(150 * MIB)).unwrap_err());
    assert!(matches!(error, PictureError::TooLarge { width: 16_383, height: 6_000, .. }), "{error}");
    assert!(peak < MIB, "{peak}");

    // A frame of 16,383 x 16,383 pixels in a picture of one: the decoder would take memory for it first.
    let frame = b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f rest of the frame";
    let claims = webp(&[(b"VP8X", 10, &extended(0, 1, 1)), (b"VP8 ", frame.len() as u32, frame)]);
    let (error, peak) = peak_of(|| read(&claims, &within(150 * MIB)).unwrap_err());
    assert!(matches!(error, PictureError::Damaged { .. }), "{error}");
    assert!(peak < MIB, "{peak}");

    // A GIF with a frame far larger than its screen.
    let mut gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    gif.extend(b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0;");
    let (error, peak) = peak_of(|| read(&gif, &within(150 * MIB)).unwrap_err());
    assert!(matches!(error, PictureError::TooLarge { width: 1, height: 1, .. }), "{error}");
    assert!(peak < MIB, "{peak}");
}

/// A little-endian TIFF: `body` from byte 8 on, then a directory of tags, types, counts and values or their places.
fn tiff(body: &[u8], tags: &[(u16, u16, u32, u32)]) -> Vec<u8> {
    let mut file = [b"II*\0", &(8 + body.len() as u32).to_le_bytes()[..], body].concat();
    file.extend((tags.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in tags {
        file.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        file.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
    }
    file.extend([0; 4]);
    file
}

/// Types of a tag's values.
const BYTE: u16 = 1;
const LONG: u16 = 4;

/// A column of grey pixels, each a strip. Offsets and lengths are the same bytes; there the pixels are, too.
fn column(strips: u32) -> Vec<u8> {
    let one = |tag, value| (tag, LONG, 1, value);
    let tags = [
        one(256, 1),
        one(257, strips),
        one(258, 8),
        one(262, 1),
        (273, BYTE, strips, 8),
        one(278, 1),
        (279, BYTE, strips, 8),
    ];
    tiff(&vec![9; strips as usize], &tags)
}

/// A byte in the file that tells where a strip is takes far more than a byte here.
#[test]
fn strips_of_a_tiff_are_limited_and_counted() {
    let _alone = alone();
    let column = |strips| {
        let file = column(strips);
        move |limit| peak_of(|| read(&file, &ReadOptions { memory_limit: limit, ..ReadOptions::default() }))
    };
    let most = column(1 << 20);
    let (whole, peak) = most(None);
    let whole = whole.unwrap();
    assert!(whole.picture.data().iter().all(|&value| value == 9.0));
    assert!(peak <= whole.bytes, "{} announced, {peak} taken", whole.bytes);
    let (error, peak) = most(Some(whole.bytes - 1));
    assert!(matches!(error, Err(PictureError::TooLarge { .. })), "{error:?}");
    assert!(peak < 40 * MIB, "{peak}");

    let (error, peak) = column(16 << 20)(Some(150 * MIB));
    let text = error.unwrap_err().to_string();
    assert!(text.contains("a TIFF with more than 1048576 strips or tiles"), "{text}");
    assert!(peak < MIB, "{peak}");
}

/// All of the file, as a strip says of itself; ZSTD looks back by 8 MiB.
#[test]
fn a_packed_strip_is_read_as_far_as_it_can_reach() {
    let _alone = alone();
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&[9]).unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(&[9][..], ruzstd::encoding::CompressionLevel::Fastest);
    let jpeg = encoded(&image::GrayImage::from_pixel(1, 1, image::Luma([9])).into(), ImageFormat::Jpeg);
    for (compression, mut body) in [(5, lzw), (50_000, zstd), (7, jpeg)] {
        body.resize(32 << 20, 0);
        let one = |tag, value| (tag, LONG, 1, value);
        let length = body.len() as u32;
        let tags = [
            one(256, 1),
            one(257, 1),
            one(258, 8),
            one(259, compression),
            one(262, 1),
            one(273, 8),
            one(279, length),
        ];
        let file = tiff(&body, &tags);
        let (read, peak) = peak_of(|| read(&file, &within(150 * MIB)).unwrap());
        assert_eq!(read.picture.data(), [9.0; 3], "{compression}");
        assert!(peak < 10 * MIB, "{compression}: {peak}");
    }
}

#[test]
fn tags_of_a_tiff_have_no_more_values_than_they_need() {
    let _alone = alone();
    let one = |tag, value| (tag, LONG, 1, value);
    let count = 16 << 20;
    for (tag, colours) in [(258, 1), (320, 3), (338, 1), (339, 1), (530, 6)] {
        let mut tags = vec![one(256, 1), one(257, 1), one(258, 8), one(273, 8), one(279, 1)];
        tags.retain(|&(other, ..)| other != tag);
        tags.extend([one(262, colours), (tag, BYTE, count, 8)]);
        let file = tiff(&vec![8; count as usize], &tags);
        let (error, peak) = peak_of(|| read(&file, &within(150 * MIB)).unwrap_err());
        let text = error.to_string();
        assert!(text.contains(&format!("tag {tag} has 16777216 values, more than the ")), "{text}");
        assert!(peak < MIB, "{tag}: {peak}");
    }
}

#[test]
fn a_frame_is_found_behind_any_number_of_chunks() {
    let _alone = alone();
    let frame = b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f rest of the frame";
    let header = extended(0, 1, 1);
    let mut chunks = vec![(b"VP8X", 10, &*header)];
    chunks.extend((0..100_000).map(|k| (b"junk", k % 3, &b"abc"[..k as usize % 3])));
    chunks.push((b"VP8 ", frame.len() as u32, frame));
    let text = read(&webp(&chunks), &within(150 * MIB)).unwrap_err().to_string();
    assert!(text.contains("a frame of it is larger than the picture"), "{text}");
    // Chunks that end before they begin, and one that is cut short, go by.
    for chunks in [
        &[(b"ANMF", 0, &b""[..]), (b"VP8 ", 0, b"")][..],
        &[(b"VP8 ", 2, b"ab"), (b"ANMF", 16, &[0; 16]), (b"VP8 ", u32::MAX, b"")],
        &[(b"VP8 ", 10, b"abc")],
    ] {
        let all = [&[(b"VP8X", 10, &*header)], chunks].concat();
        let error = read(&webp(&all), &within(150 * MIB)).unwrap_err();
        assert!(matches!(error, PictureError::Damaged { .. }), "{error}");
    }
}

/// 200 megapixels of black and white, 20,000 x 10,000 in 25 kB, the upper half white.
#[test]
fn two_hundred_megapixels_are_a_matter_of_memory() {
    const LARGE: u64 = 700 * MIB;
    let _alone = alone();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 20_000, 10_000);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.set_compression(png::Compression::Fast);
    let rows = (0..10_000).flat_map(|row| [if row < 5_000 { 0xff } else { 0 }; 2_500]);
    encoder.write_header().unwrap().write_image_data(&rows.collect::<Vec<u8>>()).unwrap();
    let options = |limit| ReadOptions { size: Size::Longest(200), ..within(limit) };

    let (error, peak) = peak_of(|| read(&bytes, &options(200 * MIB)).unwrap_err());
    assert!(matches!(error, PictureError::TooLarge { width: 20_000, height: 10_000, .. }), "{error}");
    assert!(peak < MIB, "{peak}");

    if available_memory().is_some_and(|available| available < LARGE) {
        return left_out("memory", "200 megapixels do not fit");
    }
    let (picture, peak) = peak_of(|| read(&bytes, &options(LARGE)).unwrap().picture);
    assert!(peak < 300 * MIB, "{} MiB", peak / MIB);
    assert_eq!((picture.height(), picture.width()), (100, 200));
    assert_eq!((picture.data()[0].round(), picture.data()[picture.data().len() - 1].round()), (255.0, 0.0));
}

#[test]
fn profiles_and_other_chunks_are_limited() {
    let _alone = alone();
    let pixels = lossless(16, 16);
    for claimed in [u32::MAX, 17 << 20] {
        let (width, height) = (16, 16);
        let file = webp(&[
            (b"VP8X", 10, &extended(0b10_0000, width, height)),
            (b"VP8L", pixels.len() as u32, &pixels),
            (b"ICCP", claimed, b"tiny"),
        ]);
        let (read, peak) = peak_of(|| read(&file, &within(150 * MIB)).unwrap());
        assert!(peak < 20 * MIB, "{peak}");
        assert_eq!((read.profile, &*read.warnings), (Profile::Unusable, &[Warning::Profile][..]));
        assert_eq!(read.picture.data()[0].round(), 200.0);
    }
    // 40 MB of zeros are 40 kB of a packed profile.
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(vec![0; 40_000_000]).unwrap();
    encoder.write_image(&[90; 3 * 256], 16, 16, ExtendedColorType::Rgb8).unwrap();
    let (read, peak) = peak_of(|| read(&bytes, &within(150 * MIB)).unwrap());
    assert!(peak < 100 * MIB, "{} MiB", peak / MIB);
    assert_eq!((read.profile, &*read.warnings), (Profile::Unusable, &[Warning::Profile][..]));
    // A GIF whose profile goes on beyond 16 MiB is refused.
    let mut gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xff\x0bICCRGBG1012".to_vec();
    for _ in 0..(17 << 20) / 255 {
        gif.push(255);
        gif.extend([7; 255]);
    }
    gif.extend(b"\0,\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;");
    let error = self::read(&gif, &within(150 * MIB)).unwrap_err();
    assert!(error.to_string().contains("a GIF with more than 16 MiB beside its pixels"), "{error}");
}

#[test]
fn a_stream_is_a_file() {
    let _alone = alone();
    for format in FORMATS {
        let bytes = encoded(&scene(40, 30), format);
        let name = Path::new("standard input");
        let of_file = read(&bytes, &within(100 * MIB)).unwrap();
        let of_stream = Picture::read_stream(&*bytes, name, &within(100 * MIB)).unwrap();
        assert!(of_stream.picture == of_file.picture, "{format:?}");
        assert!(of_stream.bytes >= of_file.bytes + bytes.len() as u64);
    }
}

#[test]
fn a_stream_without_end_is_given_up() {
    let _alone = alone();
    let read = |stream: &mut dyn Read| {
        let (result, peak) =
            peak_of(|| Picture::read_stream(stream, Path::new("standard input"), &within(20 * MIB)));
        assert!(peak < 40 * MIB, "{peak}");
        result.unwrap_err()
    };
    // Not a picture by its first bytes: nothing more is read.
    let error = read(&mut std::io::repeat(0));
    assert_eq!(error.to_string(), "standard input is not a JPEG, PNG, WebP, TIFF, BMP or GIF picture");
    let error = read(&mut b"BM".chain(std::io::repeat(1)));
    assert!(matches!(error, PictureError::LongStream { .. }), "{error}");
    let error = read(&mut std::io::empty());
    assert_eq!(error.to_string(), "standard input is empty");
}

#[cfg(unix)]
#[test]
fn pipes_are_read() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let bytes = encoded(&scene(300, 200), ImageFormat::Tiff);
    let writer = std::thread::spawn({
        let (pipe, bytes) = (pipe.clone(), bytes.clone());
        move || fs::write(pipe, bytes)
    });
    let of_pipe = Picture::read(&pipe, &within(100 * MIB)).unwrap();
    writer.join().unwrap().unwrap();
    assert!(of_pipe.picture == read(&bytes, &within(100 * MIB)).unwrap().picture);
}

#[test]
fn what_is_not_read_is_called_by_its_name() {
    let _alone = alone();
    let cr2 = b"II*\0\x10\0\0\0CR\x02\0";
    let dng =
        b"II*\0\x08\0\0\0\x02\0\xfe\0\x04\0\x01\0\0\0\x01\0\0\0\x12\xc6\x01\0\x04\0\0\0\x01\x04\0\0\0\0\0\0";
    for (first, words) in [
        (&b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "a HEIC picture"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "an AVIF picture"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "an AVIF picture"),
        (b"\xff\x0a\xfa\x1f", "a JPEG XL picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
        (b"\xff\x4f\xff\x51\0\x2f", "a JPEG 2000 picture"),
        (b"8BPS\0\x01", "a Photoshop document"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<?xml version='1.0'?>\n<!-- made by hand -->\n<svg/>", "an SVG drawing"),
        (b"\x76\x2f\x31\x01\x02", "an OpenEXR picture"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "a camera's raw file"),
        (&cr2[..], "a camera's raw file"),
        (&dng[..], "a camera's raw file"),
        (b"IIRO\x08\0\0\0", "a camera's raw file"),
    ] {
        let error =
            Picture::read_stream(first, Path::new("my photo.x"), &ReadOptions::default()).unwrap_err();
        let text = error.to_string();
        let start = format!("my photo.x is {words}, which is not read: convert it first, with `");
        assert!(text.starts_with(&start) && text.contains("'my photo") && !text.contains("IN"), "{text}");
    }
}

/// The name of the file, in quotes where a shell needs them, whatever it holds.
#[test]
fn the_advice_can_be_pasted() {
    let _alone = alone();
    for (name, command) in [
        ("INDIA.OUT.psd", "`magick INDIA.OUT.psd'[0]' INDIA.OUT.png`"),
        ("it's.psd", r"`magick 'it'\''s.psd''[0]' 'it'\''s'.png`"),
        ("standard input", "`magick FILE'[0]' FILE.png`"),
    ] {
        let error =
            Picture::read_stream(&b"8BPS\0\x01"[..], Path::new(name), &ReadOptions::default()).unwrap_err();
        assert!(error.to_string().ends_with(command), "{error}");
    }
}

#[test]
fn errors_are_one_line() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two\nlines\u{1b}[31m.png");
    fs::write(&path, "no picture").unwrap();
    let text = Picture::read(&path, &ReadOptions::default()).unwrap_err().to_string();
    assert!(text.contains(r"two\nlines\u{1b}[31m.png is not"), "{text}");
    let detail = "one\r\ntwo".to_owned();
    let text = PictureError::Damaged { path: "a.jpg".into(), detail }.to_string();
    assert_eq!(text, r"a.jpg is damaged or cut short: one\r\ntwo");
}
