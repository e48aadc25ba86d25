//! TIFF. Right values are those of TIFF 6.0; files of each kind were read with libtiff and Pillow to the same numbers.

use std::io::Write;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use impasto_style::picture::Warning;
use proptest::prelude::*;

use super::tiff_bytes::Tiff;
use super::{assert_close, read, refusal, values};

const GREY: u64 = 1;
const RGB: u64 = 2;

#[test]
fn grey_integers_of_every_depth_spread_from_black_to_white() {
    let tiff = |width, bits, chunk: &[u8]| Tiff::new((1, width), GREY, 1, bits).with_chunk(chunk).bytes();
    let thrice = |grey: &[f32]| grey.iter().flat_map(|&value| [value; 3]).collect::<Vec<_>>();
    let cases: [(u64, u64, &[u8], &[f32]); 5] = [
        (3, 1, &[0b1010_0000], &[255.0, 0.0, 255.0]),
        (3, 2, &[0b1001_1100], &[170.0, 85.0, 255.0]),
        (3, 4, &[0x1f, 0x70], &[17.0, 255.0, 119.0]),
        (2, 16, &[0x01, 0x80, 0xff, 0xff], &[32_769.0 / 257.0, 255.0]),
        (2, 32, &[0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff], &[127.5, 255.0]),
    ];
    for (width, bits, chunk, grey) in cases {
        assert_close(&values(&tiff(width, bits, chunk)), &thrice(grey), 0.01);
    }
}

#[test]
fn floats_of_16_32_and_64_bits_are_read() {
    let tiff =
        |bits, chunk: &[u8]| Tiff::new((1, 2), GREY, 1, bits).with(339, &[3]).with_chunk(chunk).bytes();
    let expected = [127.5, 127.5, 127.5, 63.75, 63.75, 63.75];
    // 0.5 and 0.25 are 0x3800 and 0x3400 in 16 bits.
    assert_close(&values(&tiff(16, &[0x00, 0x38, 0x00, 0x34])), &expected, 0.0);
    assert_close(
        &values(&tiff(32, &[0.5_f32.to_le_bytes(), 0.25_f32.to_le_bytes()].concat())),
        &expected,
        0.0,
    );
    assert_close(
        &values(&tiff(64, &[0.5_f64.to_le_bytes(), 0.25_f64.to_le_bytes()].concat())),
        &expected,
        0.0,
    );
}

#[test]
fn white_may_be_zero() {
    let tiff = Tiff::new((1, 2), 0, 1, 8).with_chunk([0, 200]);
    assert_close(&values(&tiff.bytes()), &[255.0, 255.0, 255.0, 55.0, 55.0, 55.0], 0.001);
    let tiff = Tiff::new((1, 4), 0, 1, 1).with_chunk([0b0101_0000]);
    let expected: Vec<f32> = [255.0, 0.0, 255.0, 0.0].into_iter().flat_map(|value| [value; 3]).collect();
    assert_close(&values(&tiff.bytes()), &expected, 0.0);
}

#[test]
fn bits_may_be_in_reverse() {
    let tiff = Tiff::new((1, 8), GREY, 1, 1).with(266, &[2]).with_chunk([0b0000_0101]);
    let expected: Vec<f32> =
        [255.0, 0.0, 255.0, 0.0, 0.0, 0.0, 0.0, 0.0].into_iter().flat_map(|v| [v; 3]).collect();
    assert_close(&values(&tiff.bytes()), &expected, 0.0);
}

#[test]
fn fax_pages_are_read() {
    // ITU-T T.6: a row as the one above (V0 is 1, of an imaginary white one); a horizontal run of 0 white (00110101) and 8
    // black (000101) pixels after 001; V0 twice for a row as that.
    let tiff = Tiff::new((3, 8), 0, 1, 1).with(259, &[4]).with_chunk([
        0b1001_0011,
        0b0101_0001,
        0b0111_0000,
        0,
        0x10,
        0x01,
    ]);
    let data = values(&tiff.bytes());
    assert!(data[..24].iter().all(|&value| value == 255.0), "{data:?}");
    assert!(data[24..].iter().all(|&value| value == 0.0), "{data:?}");
}

#[test]
fn palettes_have_8_or_16_bits() {
    let with = |reds: [u64; 4], chunk: u8| {
        let colours = [reds.to_vec(), vec![0, 0, 0, 0], vec![0, 0, 0, 0]].concat();
        values(&Tiff::new((1, 2), 3, 1, 2).with(320, &colours).with_chunk([chunk]).bytes())
    };
    let pixels = |first, second| [first, 0.0, 0.0, second, 0.0, 0.0];
    // The indices 1 and 3.
    assert_close(&with([0, 257 * 7, 0, 65_535], 0b0111_0000), &pixels(7.0, 255.0), 0.001);
    assert_close(&with([0, 256 * 7, 0, 65_280], 0b0111_0000), &pixels(7.0, 255.0), 0.001);
    assert_close(&with([0, 7, 0, 255], 0b0111_0000), &pixels(7.0, 255.0), 0.001);
    assert_close(&with([0, 32_767, 0, 65_535], 0b0111_0000), &pixels(32_767.0 / 257.0, 255.0), 0.001);
}

#[test]
fn associated_alpha_is_multiplied_once() {
    let tiff =
        |extra, pixel: [u8; 4]| Tiff::new((1, 1), RGB, 4, 8).with(338, &[extra]).with_chunk(pixel).bytes();
    // Over white, a c + (255 - a): the same picture both ways.
    let expected = [100.0 + 127.0, 50.0 + 127.0, 25.0 + 127.0];
    assert_close(&values(&tiff(1, [100, 50, 25, 128])), &expected, 0.01);
    assert_close(&values(&tiff(2, [199, 100, 50, 128])), &expected, 0.5);
    // An extra sample that is no alpha.
    assert_close(&values(&tiff(0, [100, 50, 25, 128])), &[100.0, 50.0, 25.0], 0.001);
}

#[test]
fn grey_may_have_an_alpha() {
    let tiff = Tiff::new((1, 2), GREY, 2, 8).with(338, &[2]).with_chunk([0, 255, 0, 51]);
    assert_close(&values(&tiff.bytes()), &[0.0, 0.0, 0.0, 204.0, 204.0, 204.0], 0.001);
}

#[test]
fn inks_without_a_profile_are_filters() {
    let tiff = Tiff::new((1, 3), 5, 4, 8).with_chunk([0, 0, 0, 0, 255, 0, 0, 0, 51, 102, 0, 51]);
    // (255 - C)(255 - K) / 255, and so on.
    let expected = [255.0, 255.0, 255.0, 0.0, 255.0, 255.0, 163.2, 122.4, 204.0];
    assert_close(&values(&tiff.bytes()), &expected, 0.001);
}

#[test]
fn luminance_and_chroma_become_rgb() {
    // Red, grey: JFIF 1.02.
    let tiff = Tiff::new((1, 2), 6, 3, 8).with(530, &[1, 1]).with_chunk([76, 85, 255, 128, 128, 128]);
    assert_close(&values(&tiff.bytes()), &[254.0, 0.0, 0.0, 128.0, 128.0, 128.0], 1.0);
    // 3 x 3 pixels in blocks of 2 x 2: luminance row by row, then Cb and Cr.
    let blocks = [
        [10, 20, 40, 50, 128, 128],
        [30, 0, 60, 0, 128, 128],
        [70, 80, 0, 0, 128, 128],
        [90, 0, 0, 0, 128, 128],
    ];
    let tiff = Tiff::new((3, 3), 6, 3, 8).with(530, &[2, 2]).with_chunk(blocks.concat());
    let expected: Vec<f32> = (1..=9).flat_map(|k| [10.0 * k as f32; 3]).collect();
    assert_close(&values(&tiff.bytes()), &expected, 0.001);
}

#[test]
fn lab_becomes_srgb() {
    // sRGB's red, green and blue in L*a*b* of D50, by Bradford's adaptation (Lindbloom): (54.29, 80.80, 69.89),
    // (87.82, -79.27, 80.99), (29.57, 68.30, -112.03).
    let expected = [255.0, 0.0, 0.0, 0.0, 255.0, 0.0, 0.0, 0.0, 255.0, 255.0, 255.0, 255.0];
    let lab = [[54.29, 80.80, 69.89], [87.82, -79.27, 80.99], [29.57, 68.30, -112.03], [100.0, 0.0, 0.0]];
    let wide = |offset: f64, l: f64| {
        lab.iter()
            .flat_map(|&[a, b, c]| [a / 100.0 * l, (b + offset) * 256.0, (c + offset) * 256.0])
            .flat_map(|v: f64| (v.round() as i32 as u16).to_le_bytes())
            .collect::<Vec<_>>()
    };
    let signed = Tiff::new((1, 4), 8, 3, 16).with_chunk(wide(0.0, 65_535.0));
    assert_close(&values(&signed.bytes()), &expected, 1.5);
    let shifted = Tiff::new((1, 4), 9, 3, 16).with_chunk(wide(128.0, 65_280.0));
    assert_close(&values(&shifted.bytes()), &expected, 1.5);
    let narrow: Vec<u8> = lab
        .iter()
        .flat_map(|&[a, b, c]| [(a * 2.55_f64).round() as u8, b.round() as i8 as u8, c.round() as i8 as u8])
        .collect();
    assert_close(&values(&Tiff::new((1, 4), 8, 3, 8).with_chunk(narrow).bytes()), &expected, 12.0);
}

#[test]
fn the_orientation_tag_is_applied() {
    let tiff = Tiff::new((1, 2), GREY, 1, 8).with(274, &[6]).with_chunk([0, 255]);
    let picture = read(&tiff.bytes()).unwrap().picture;
    assert_eq!((picture.height(), picture.width()), (2, 1));
    assert_eq!(picture.data(), [0.0, 0.0, 0.0, 255.0, 255.0, 255.0]);
}

fn floats(values: &[f32]) -> Vec<u8> {
    let chunk: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Tiff::new((2, values.len() as u64 / 2), GREY, 1, 32).with(339, &[3]).with_chunk(chunk).bytes()
}

#[test]
fn a_float_that_is_no_number_is_named() {
    let message = refusal(&floats(&[0.0, 0.5, 0.5, 0.5, f32::NAN, 0.5]));
    assert!(message.contains("not a number (NaN) at row 2, column 2"), "{message}");
    let message = refusal(&floats(&[0.0, 0.5, f32::INFINITY, 0.5, 0.5, 0.5]));
    assert!(message.contains("infinite at row 1, column 3"), "{message}");
}

#[test]
fn floats_of_another_range_are_refused_with_it() {
    let message = refusal(&floats(&[0.0, 128.0, 255.0, 64.0]));
    assert!(message.contains("from 0.0 to 255.0"), "{message}");
    let message = refusal(&floats(&[-3.0, -1.0, -0.5, 1.0]));
    assert!(message.contains("from -3.0 to 1.0"), "{message}");
    assert!(refusal(&floats(&[1e30; 4])).contains("1e30"));
}

#[test]
fn a_few_floats_beyond_white_are_clamped_and_said() {
    let picture = read(&floats(&[0.0, 0.5, 1.25, -0.5, 0.5, 0.5])).unwrap();
    assert_eq!(picture.warnings, [Warning::Clamped { count: 2, least: -0.5, most: 1.25 }]);
    let grey: Vec<f32> = picture.picture.data().iter().copied().step_by(3).collect();
    assert_eq!(grey, [0.0, 127.5, 255.0, 0.0, 127.5, 127.5]);
}

#[test]
fn what_is_not_read_is_called_by_its_name() {
    let tiff = |photometric, samples, bits| Tiff::new((1, 1), photometric, samples, bits).with_chunk([0; 64]);
    let cases = [
        (tiff(RGB, 3, 8).with(259, &[34_925]), "a TIFF with LZMA compression"),
        (tiff(RGB, 3, 8).with(259, &[6]), "a TIFF with JPEG compression of the old kind"),
        (tiff(RGB, 3, 8).with(259, &[12_345]), "compression of an unknown kind (number 12345)"),
        (tiff(RGB, 3, 12), "a TIFF with 12-bit samples"),
        (tiff(GREY, 1, 64), "a TIFF with 64-bit samples"),
        (tiff(GREY, 1, 16).with(339, &[2]), "a TIFF with signed 16-bit samples"),
        (tiff(GREY, 1, 64).with(339, &[6]), "a TIFF with complex samples"),
        (tiff(32_844, 1, 16), "a TIFF with LogLuv colours"),
        (tiff(5, 4, 8).with(332, &[2]), "a TIFF with inks other than"),
        (tiff(32_803, 1, 16), "a TIFF with raw values of a camera's sensor"),
    ];
    for (tiff, name) in cases {
        let message = refusal(&tiff.bytes());
        assert!(message.contains(name), "{message}");
        assert!(!message.contains("damaged"), "{message}");
    }
}

#[test]
fn jpegs_within_are_read() {
    let pixels: Vec<u8> =
        (0..16 * 16).flat_map(|k| [(k % 16 * 16) as u8, (k / 16 * 16) as u8, 128]).collect();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 100).encode(&pixels, 16, 16, ExtendedColorType::Rgb8).unwrap();
    let expected = values(&jpeg);
    let tiff = |width, jpeg: &[u8]| Tiff::new((16, width), 6, 3, 8).with(259, &[7]).with_chunk(jpeg).bytes();
    // Rounded once more than the decoder does.
    assert_close(&values(&tiff(16, &jpeg)), &expected, 1.0);
    let message = refusal(&tiff(24, &jpeg));
    assert!(message.contains("another size than its strip"), "{message}");
}

/// A picture, and how it is cut and packed in a file.
#[derive(Debug, Clone)]
struct Cut {
    height: usize,
    width: usize,
    chunk: (usize, usize),
    tiled: bool,
    planar: bool,
    big_endian: bool,
    /// Bytes of an offset: 4, or 8 in a `BigTIFF`.
    word: u8,
    /// 1 for none, 2 for differences.
    predictor: u64,
    compression: u64,
    /// Bits of a sample, 8 or 16.
    depth: u64,
}

fn cut() -> impl Strategy<Value = Cut> {
    let size = (1_usize..40, 1_usize..40, 1_usize..4, 1_usize..4, 1_usize..20);
    let flags = (any::<[bool; 6]>(), prop::sample::select(vec![1_u64, 5, 8, 32_773, 50_000]));
    (size, flags).prop_map(|((height, width, down, across, rows), (flags, compression))| {
        let [tiled, planar, big_endian, big, predictor, wide] = flags;
        let chunk = if tiled { (16 * down, 16 * across) } else { (rows.min(height), width) };
        let (word, predictor) = (if big { 8 } else { 4 }, if predictor { 2 } else { 1 });
        let depth = if wide { 16 } else { 8 };
        Cut { height, width, chunk, tiled, planar, big_endian, word, predictor, compression, depth }
    })
}

/// The sample `channel` of a pixel, of 8 or 16 bits.
fn sample(cut: &Cut, row: usize, column: usize, channel: usize) -> u16 {
    let byte = (row * 7 + column * 11 + channel * 83) as u8;
    if cut.depth == 16 { u16::from(byte) * 257 } else { u16::from(byte) }
}

fn packed(cut: &Cut, bytes: &[u8]) -> Vec<u8> {
    match cut.compression {
        5 => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(bytes).unwrap(),
        8 => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        // PackBits, as runs of different bytes only.
        32_773 => bytes.chunks(128).flat_map(|run| [&[run.len() as u8 - 1], run].concat()).collect(),
        50_000 => ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest),
        _ => bytes.to_vec(),
    }
}

fn file(cut: &Cut) -> Vec<u8> {
    let mut tiff = Tiff::new((cut.height as u64, cut.width as u64), RGB, 3, cut.depth)
        .with(259, &[cut.compression])
        .with(284, &[if cut.planar { 2 } else { 1 }])
        .with(317, &[cut.predictor])
        .with(278, &[cut.chunk.0 as u64]);
    (tiff.big_endian, tiff.big, tiff.tiled) = (cut.big_endian, cut.word == 8, cut.tiled);
    if cut.tiled {
        tiff = tiff.with(322, &[cut.chunk.1 as u64]).with(323, &[cut.chunk.0 as u64]);
    }
    let planes: Vec<Vec<usize>> =
        if cut.planar { vec![vec![0], vec![1], vec![2]] } else { vec![vec![0, 1, 2]] };
    for plane in &planes {
        for top in (0..cut.height).step_by(cut.chunk.0) {
            for left in (0..cut.width).step_by(cut.chunk.1) {
                // Tiles are padded, strips are not.
                let bottom = if cut.tiled { top + cut.chunk.0 } else { (top + cut.chunk.0).min(cut.height) };
                let mut chunk = Vec::new();
                for row in top..bottom {
                    let mut before = vec![0; plane.len()];
                    for column in left..left + cut.chunk.1 {
                        for (k, &channel) in plane.iter().enumerate() {
                            let value = sample(cut, row, column, channel);
                            let stored =
                                if cut.predictor == 2 { value.wrapping_sub(before[k]) } else { value };
                            before[k] = value;
                            chunk.extend(
                                tiff.number(stored.into(), 8)[if cut.big_endian { 6 } else { 0 }..]
                                    .iter()
                                    .take(2),
                            );
                        }
                    }
                }
                if cut.depth == 8 {
                    let low = usize::from(cut.big_endian);
                    chunk = chunk.chunks_exact(2).map(|pair| pair[low]).collect();
                }
                tiff.chunks.push(packed(cut, &chunk));
            }
        }
    }
    tiff.bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_picture_does_not_depend_on_how_it_is_cut_and_packed(cut in cut()) {
        let picture = read(&file(&cut)).unwrap().picture;
        prop_assert_eq!((picture.height(), picture.width()), (cut.height, cut.width));
        let scale = if cut.depth == 16 { 65_535.0 } else { 255.0 };
        for row in 0..cut.height {
            for column in 0..cut.width {
                for channel in 0..3 {
                    let got = picture.data()[(row * cut.width + column) * 3 + channel];
                    let expected = f32::from(sample(&cut, row, column, channel)) / scale * 255.0;
                    prop_assert_eq!(got, expected);
                }
            }
        }
    }

    #[test]
    fn no_change_of_a_file_makes_the_reader_panic(
        cut in cut(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = file(&cut);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _ = read(&bytes);
        bytes.truncate(end.index(bytes.len() + 1));
        let _ = read(&bytes);
    }

    #[test]
    fn no_change_of_a_directory_makes_the_reader_panic(
        photometric in 0_u64..10,
        bits in prop::sample::select(vec![1_u64, 2, 4, 8, 16, 32, 64]),
        samples in 0_u64..6,
        tags in prop::collection::vec((prop::sample::select(TAGS.to_vec()), 0_u64..70_000), 0..5),
        chunk in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut tiff = Tiff::new((5, 7), photometric, samples, bits).with(320, &vec![99; 3 << bits.min(8)]).with_chunk(chunk);
        for (tag, number) in tags {
            tiff.set(tag, &[number, number]);
        }
        let _ = read(&tiff.bytes());
    }
}

const TAGS: [u16; 14] = [256, 257, 259, 266, 277, 278, 284, 317, 322, 323, 338, 339, 347, 530];
