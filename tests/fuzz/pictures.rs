//! Small sound pictures of every format and kind, to be broken.

use std::io::Cursor;
use std::path::Path;

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, tiff::TiffEncoder, webp::WebPEncoder};
use image::{DynamicImage, ImageEncoder, ImageFormat, ImageResult};
use impasto_style::picture::{Encoding, Writing};
use impasto_style::{Input, Preset, Provenance, Record, Role, white_noise};
use moxcms::ColorProfile;

const WIDTH: u32 = 12;
const HEIGHT: u32 = 8;

/// Names, with the usual extensions, and bytes.
pub(crate) fn pictures() -> Vec<(String, Vec<u8>)> {
    let mut all = plain();
    all.extend(with_metadata());
    all.extend(png_with_chunks());
    all.extend(tiffs());
    all.extend(foreign());
    all.extend(with_provenance());
    all.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// With what made them.
fn with_provenance() -> [Named; 4] {
    let picture = white_noise(HEIGHT as usize, WIDTH as usize, 1).expect("a picture");
    let input = Input::picture(Role::Content, Some(Path::new("photo.jpg")), &picture);
    let said = Provenance::new(&Record::new(&Preset::Default.options(), vec![input])).to_string();
    let file = |encoding: Encoding| {
        let writing = Writing { text: Some(said.clone()), ..encoding.into() };
        picture.encode(writing).expect("a picture that the format can hold")
    };
    [
        ("said.png", file(Encoding::Png)),
        ("said.jpg", file(Encoding::Jpeg { quality: 90 })),
        ("said.webp", file(Encoding::WebP)),
        ("said.tif", file(Encoding::Tiff)),
    ]
}

/// A tag of a TIFF, and its shorts.
type Entry<'a> = (u16, &'a [u16]);

type Named = (&'static str, Vec<u8>);

fn rgb() -> DynamicImage {
    let colour = |x, y| image::Rgb([x as u8 * 20, y as u8 * 30, (x * y) as u8]);
    image::RgbImage::from_fn(WIDTH, HEIGHT, colour).into()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("a picture that the format can hold");
    bytes.into_inner()
}

fn plain() -> Vec<Named> {
    let rgb = rgb();
    let (grey, rgba): (DynamicImage, DynamicImage) = (rgb.to_luma8().into(), rgb.to_rgba8().into());
    let (deep, deep_alpha): (DynamicImage, DynamicImage) =
        (rgb.to_rgb16().into(), rgb.to_luma_alpha16().into());
    vec![
        ("rgb.png", encoded(&rgb, ImageFormat::Png)),
        ("rgba.png", encoded(&rgba, ImageFormat::Png)),
        ("grey.png", encoded(&grey, ImageFormat::Png)),
        ("rgb16.png", encoded(&deep, ImageFormat::Png)),
        ("la16.png", encoded(&deep_alpha, ImageFormat::Png)),
        ("rgb.jpg", encoded(&rgb, ImageFormat::Jpeg)),
        ("grey.jpg", encoded(&grey, ImageFormat::Jpeg)),
        ("rgba.webp", encoded(&rgba, ImageFormat::WebP)),
        ("rgb16.tif", encoded(&deep, ImageFormat::Tiff)),
        ("rgb.bmp", encoded(&rgb, ImageFormat::Bmp)),
        ("rgba.bmp", encoded(&rgba, ImageFormat::Bmp)),
        ("rgba.gif", encoded(&rgba, ImageFormat::Gif)),
    ]
}

/// Little-endian TIFF with one entry: orientation (0x0112), a short, 6 (turn clockwise).
fn exif() -> Vec<u8> {
    [b"II*\0\x08\0\0\0\x01\0".as_slice(), b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"].concat()
}

fn profile() -> Vec<u8> {
    ColorProfile::new_display_p3().encode().expect("a profile that can be written")
}

/// With a colour profile, and EXIF where the encoder can.
fn with_metadata() -> Vec<Named> {
    fn write<E: ImageEncoder>(mut encoder: E) -> ImageResult<()> {
        encoder.set_icc_profile(profile()).expect("an encoder of profiles");
        // The encoder of TIFF has no EXIF.
        let _ = encoder.set_exif_metadata(exif());
        encoder.write_image(rgb().as_bytes(), WIDTH, HEIGHT, image::ExtendedColorType::Rgb8)
    }
    let (mut png, mut jpeg, mut webp, mut tiff) =
        (Vec::new(), Vec::new(), Vec::new(), Cursor::new(Vec::new()));
    write(PngEncoder::new(&mut png)).expect("a PNG");
    write(JpegEncoder::new(&mut jpeg)).expect("a JPEG");
    write(WebPEncoder::new_lossless(&mut webp)).expect("a WebP");
    write(TiffEncoder::new(&mut tiff)).expect("a TIFF");
    vec![("p3.png", png), ("p3.jpg", jpeg), ("p3.webp", webp), ("p3.tif", tiff.into_inner())]
}

/// PNGs that say their colours in chunks, and one with a palette.
fn png_with_chunks() -> Vec<Named> {
    let rgb = encoded(&rgb(), ImageFormat::Png);
    // Behind the signature and the header.
    let with = |kind: [u8; 4], data: &[u8]| [&rgb[..33], &png_chunk(kind, data), &rgb[33..]].concat();
    let primaries: Vec<u8> =
        [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000_u32].map(u32::to_be_bytes).concat();
    let header = [&WIDTH.to_be_bytes()[..], &HEIGHT.to_be_bytes(), &[8, 3, 0, 0, 0]].concat();
    let rows = [[0; 1 + WIDTH as usize], [1; 1 + WIDTH as usize]].concat().repeat(HEIGHT as usize / 2);
    let palette = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        png_chunk(*b"IHDR", &header),
        png_chunk(*b"PLTE", &[0, 0, 0, 255, 128, 0]),
        png_chunk(*b"tRNS", &[255, 100]),
        png_chunk(*b"IDAT", &zlib(&rows)),
        png_chunk(*b"IEND", &[]),
    ];
    vec![
        ("gamma.png", with(*b"gAMA", &100_000_u32.to_be_bytes())),
        ("primaries.png", with(*b"cHRM", &primaries)),
        ("coding.png", with(*b"cICP", &[12, 13, 0, 1])),
        ("text.png", with(*b"zTXt", &[b"key\0\0".as_slice(), &zlib(&[b'a'; 1000])].concat())),
        ("palette.png", palette.concat()),
    ]
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory can be written")
}

/// Length, kind, data, checksum.
fn png_chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [&kind[..], data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &body, &crc32fast::hash(&body).to_be_bytes()].concat()
}

/// Makes the checksums of a PNG's chunks right again, so that what is broken in them is looked at. Other files stay.
pub(crate) fn mend_checksums(bytes: &mut [u8]) {
    if !bytes.starts_with(b"\x89PNG") {
        return;
    }
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
        let end = at + 8 + length;
        let Some(body) = bytes.get(at + 4..end) else { return };
        let sum = crc32fast::hash(body).to_be_bytes();
        let Some(place) = bytes.get_mut(end..end + 4) else { return };
        place.copy_from_slice(&sum);
        at = end + 4;
    }
}

/// TIFFs that encoders do not make: (name, photometric interpretation, bits, samples, sample format, more entries).
fn tiffs() -> Vec<Named> {
    let map: Vec<u16> = (0..3 * 256).map(|i| i * 80).collect();
    let kinds: [(_, u16, u16, u16, u16, &[Entry]); 12] = [
        ("white_is_zero.tif", 0, 1, 1, 1, &[]),
        ("grey_alpha.tif", 1, 8, 2, 1, &[(338, &[2])]),
        ("associated.tif", 2, 8, 4, 1, &[(338, &[1])]),
        ("float.tif", 2, 32, 3, 3, &[]),
        ("half.tif", 2, 16, 3, 3, &[]),
        ("predictor.tif", 2, 32, 3, 3, &[(317, &[3])]),
        ("integer.tif", 2, 32, 3, 1, &[]),
        ("palette.tif", 3, 8, 1, 1, &[(320, &map)]),
        ("cmyk.tif", 5, 8, 4, 1, &[]),
        ("ycbcr.tif", 6, 8, 3, 1, &[(530, &[1, 1])]),
        ("lab.tif", 8, 8, 3, 1, &[]),
        ("planes.tif", 2, 8, 3, 1, &[(284, &[2])]),
    ];
    let made = kinds.map(|(name, photometric, bits, samples, format, more)| {
        let entries: [Entry; 8] = [
            (256, &[WIDTH as u16]),
            (257, &[HEIGHT as u16]),
            (258, &[bits; 4][..samples as usize]),
            (259, &[1]),
            (262, &[photometric]),
            (277, &[samples]),
            (278, &[HEIGHT as u16]),
            (339, &[format; 4][..samples as usize]),
        ];
        let count = (WIDTH * HEIGHT * u32::from(samples)) as usize;
        (name, tiff(&[&entries, more].concat(), &sample_bytes(bits, format, count)))
    });
    made.into()
}

/// Samples in the middle of the range.
fn sample_bytes(bits: u16, format: u16, count: usize) -> Vec<u8> {
    match (bits, format) {
        (32, 3) => 0.5_f32.to_le_bytes().repeat(count),
        (16, 3) => 0x3800_u16.to_le_bytes().repeat(count),
        (1, _) => vec![0x5a; count.div_ceil(8) + HEIGHT as usize],
        _ => vec![0x7f; count * usize::from(bits) / 8],
    }
}

/// A little-endian TIFF of one strip, with entries of shorts; what does not fit an entry comes between them and the strip.
fn tiff(entries: &[Entry], strip: &[u8]) -> Vec<u8> {
    let mut sorted = entries.to_vec();
    let directory_end = 8 + 2 + 12 * (entries.len() + 2) + 4;
    let values: usize = entries.iter().map(|(_, values)| values.len() * 2).filter(|&bytes| bytes > 4).sum();
    let place = ((directory_end + values) as u32).to_le_bytes();
    let length = (strip.len() as u32).to_le_bytes();
    let halves =
        |bytes: [u8; 4]| [u16::from_le_bytes([bytes[0], bytes[1]]), u16::from_le_bytes([bytes[2], bytes[3]])];
    let (place, length) = (halves(place), halves(length));
    sorted.extend([(273, place.as_slice()), (279, length.as_slice())]);
    sorted.sort_by_key(|(tag, _)| *tag);
    let mut directory = [b"II*\0\x08\0\0\0".as_slice(), &(sorted.len() as u16).to_le_bytes()].concat();
    let mut behind = Vec::new();
    for (tag, values) in sorted {
        // The strip's place and length are single longs, the others shorts.
        let (kind, count) = if matches!(tag, 273 | 279) { (4_u16, 1) } else { (3, values.len()) };
        directory.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        directory.extend((count as u32).to_le_bytes());
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        if bytes.len() > 4 {
            directory.extend(((directory_end + behind.len()) as u32).to_le_bytes());
            behind.extend(bytes);
        } else {
            directory.extend(bytes.iter().chain(&[0; 4]).take(4));
        }
    }
    [directory, vec![0; 4], behind, strip.to_vec()].concat()
}

/// The first bytes of what is told by its kind and not read.
fn foreign() -> Vec<Named> {
    let boxed = |brand: &[u8; 4]| [b"\0\0\0\x18ftyp".as_slice(), brand, b"\0\0\0\0mif1", brand].concat();
    vec![
        ("photo.heic", boxed(b"heic")),
        ("photo.avif", boxed(b"avif")),
        ("photo.jxl", b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ".to_vec()),
        ("drawing.svg", b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec()),
    ]
}
