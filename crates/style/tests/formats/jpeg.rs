//! JPEG: files without an end, inks, and profiles in several pieces.

use impasto_style::picture::{Profile, Warning};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use moxcms::ColorProfile;
use proptest::prelude::*;

use super::colours::inks;
use super::{assert_close, clamped, read, refusal, values};

const SIDE: u16 = 40;

/// A JPEG of smooth colours.
fn jpeg(progressive: bool, restarts: bool, subsampled: bool) -> Vec<u8> {
    let pixels: Vec<u8> = (0..SIDE)
        .flat_map(|y| (0..SIDE).flat_map(move |x| [x * 6, y * 6, (x + y) * 3].map(|v| v as u8)))
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    encoder.set_progressive(progressive);
    if restarts {
        encoder.set_restart_interval(3);
    }
    encoder.set_sampling_factor(if subsampled { SamplingFactor::F_2_2 } else { SamplingFactor::F_1_1 });
    encoder.encode(&pixels, SIDE, SIDE, ColorType::Rgb).unwrap();
    bytes
}

fn kinds() -> impl Strategy<Value = Vec<u8>> {
    any::<[bool; 3]>().prop_map(|[progressive, restarts, subsampled]| jpeg(progressive, restarts, subsampled))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_file_without_its_end_marker_is_shown_and_said(file in kinds(), half in any::<bool>()) {
        let whole = read(&file).unwrap();
        prop_assert_eq!(&whole.warnings, &[]);
        let cut = read(&file[..file.len() - if half { 1 } else { 2 }]).unwrap();
        prop_assert_eq!(cut.warnings, [Warning::NoEnd]);
        prop_assert!(cut.picture == whole.picture);
    }

    #[test]
    fn a_file_that_is_cut_in_its_data_is_refused(file in kinds(), lost in 4_usize..600) {
        let message = refusal(&file[..file.len() - lost.min(file.len() - 1)]);
        prop_assert!(message.contains("is damaged or cut short"), "{}", message);
    }
}

/// Of subsampled files the last blocks are hardly seen: few tails tell that they are not there.
#[test]
fn every_cut_of_every_kind_is_noticed() {
    for kind in 0..8 {
        let file = jpeg(kind & 1 > 0, kind & 2 > 0, kind & 4 > 0);
        for lost in 4..600 {
            let message = refusal(&file[..file.len() - lost]);
            assert!(message.contains("is damaged or cut short"), "{kind}, {lost}: {message}");
        }
    }
}

/// 8 x 8 pixels of one colour of four inks, as Adobe's programs write them: inverted.
fn one_colour(inks: [u8; 4], kind: ColorType, profile: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 100);
    if let Some(profile) = profile {
        encoder.add_icc_profile(profile).unwrap();
    }
    encoder.encode(&inks.repeat(64), 8, 8, kind).unwrap();
    bytes
}

const KINDS: [ColorType; 2] = [ColorType::Cmyk, ColorType::CmykAsYcck];

#[test]
fn inks_without_a_profile_are_filters() {
    for kind in KINDS {
        // (255 - C)(255 - K) / 255, and so on.
        let data = values(&one_colour([51, 102, 0, 51], kind, None));
        assert_close(&data[..3], &[163.2, 122.4, 204.0], 2.0);
    }
}

#[test]
fn inks_are_those_of_the_profile() {
    let profile = inks();
    let cases = [
        ([0, 0, 0, 0], [255.0; 3]),
        ([255, 0, 0, 0], [0.0, 0.0, 255.0]),
        ([0, 255, 0, 0], [255.0, 0.0, 0.0]),
        ([0, 0, 255, 0], [0.0, 255.0, 0.0]),
        ([0, 0, 0, 255], [0.0; 3]),
    ];
    for kind in KINDS {
        for (inks, expected) in cases {
            let picture = read(&one_colour(inks, kind, Some(&profile))).unwrap();
            assert_eq!((picture.profile, picture.warnings), (Profile::Converted, Vec::new()));
            let got = clamped(&picture.picture.data()[..3]);
            assert_close(&got, &expected, 10.0);
        }
    }
}

/// A grey JPEG with the pieces of a profile, each with its number and the count.
fn with_pieces(pieces: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, 100).encode(&[128; 64], 8, 8, ColorType::Luma).unwrap();
    let mut segments = Vec::new();
    for &(number, count, piece) in pieces {
        segments.extend([0xff, 0xe2]);
        segments.extend((piece.len() as u16 + 16).to_be_bytes());
        segments.extend(b"ICC_PROFILE\0");
        segments.extend([number, count]);
        segments.extend(piece);
    }
    // Behind the marker of the start.
    bytes.splice(2..2, segments);
    bytes
}

#[test]
fn a_profile_in_several_pieces_is_put_together_whatever_count_they_give() {
    let profile = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let (first, rest) = profile.split_at(100);
    let (second, third) = rest.split_at(90);
    // 128 of linear light is 187.84 of sRGB's curve.
    let cases: [[(u8, u8, &[u8]); 3]; 4] = [
        [(1, 3, first), (2, 3, second), (3, 3, third)],
        [(3, 3, third), (1, 3, first), (2, 3, second)],
        [(1, 9, first), (2, 9, second), (3, 9, third)],
        [(1, 1, first), (1, 1, second), (1, 1, third)],
    ];
    for pieces in cases {
        let picture = read(&with_pieces(&pieces)).unwrap();
        assert_eq!(picture.profile, Profile::Converted);
        assert_close(&picture.picture.data()[..3], &[187.84; 3], 0.3);
    }
}

#[test]
fn a_profile_without_a_piece_or_too_large_is_said() {
    let profile = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let large = vec![0; 65_000];
    let pieces: Vec<(u8, u8, &[u8])> = (0..=255).flat_map(|k| [(k, 255, &large[..]); 2]).collect();
    for file in [with_pieces(&[(1, 2, &profile[..100])]), with_pieces(&pieces)] {
        let picture = read(&file).unwrap();
        assert_eq!((picture.profile, picture.warnings), (Profile::Unusable, vec![Warning::Profile]));
        assert_close(&picture.picture.data()[..3], &[128.0; 3], 1.0);
    }
}

#[test]
fn kinds_that_are_not_read_are_called_by_their_names() {
    let mut file = jpeg(false, false, false);
    let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    file[frame + 1] = 0xc9;
    assert!(refusal(&file).contains("a JPEG with arithmetic coding"), "{}", refusal(&file));
    file[frame + 1] = 0xc1;
    file[frame + 4] = 12;
    assert!(refusal(&file).contains("a JPEG with 12-bit samples"), "{}", refusal(&file));
}
