//! Records: read back as they were written, refused when not understood, and different whenever the picture may be.
#![cfg(feature = "embedded-weights")]

use std::path::Path;

use impasto_style::{
    AdamOptions, Init, Input, Mask, Network, OPTIONS, Optimiser, OptionRow, Picture, Preset, Record,
    RecordError, Role, TransferOptions, white_noise,
};
use proptest::prelude::*;

fn picture(seed: u64) -> Picture {
    white_noise(6, 9, seed).unwrap()
}

fn record(options: &TransferOptions) -> Record {
    Record::new(options, vec![Input::picture(Role::Content, Some(Path::new("photo.jpg")), &picture(1))])
}

#[test]
fn a_record_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.json");
    for (preset, _) in Preset::ALL {
        let written = record(&preset.options());
        written.write(&path).unwrap();
        assert_eq!(Record::read(&path).unwrap(), written);
    }
    assert!(matches!(Record::read(&folder.path().join("none")), Err(RecordError::Read { .. })));
}

#[test]
fn a_record_is_text_for_people() {
    let text = record(&Preset::Default.options()).to_string();
    for line in [
        "\"version\": 1,",
        "\"content-weight\": 0.0008,",
        "\"size\": 512,",
        "\"scales\": \"auto\",",
        "\"content-layers\": \"conv4_2:1\",",
        "\"role\": \"content\",",
        "\"path\": \"photo.jpg\",",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_a_sentence() {
    let text = record(&Preset::Default.options()).to_string();
    for (from, to, message) in [
        ("\"version\": 1", "\"version\": 2", "the record has version 2, and this program reads version 1"),
        ("\"version\": 1", "\"version\": \"1\"", "the record has version \"1\""),
        ("\"version\": 1,", "", "missing field `version`"),
        ("\"version\": 1", "\"version\": 1, \"author\": \"me\"", "unknown field `author`"),
        ("\"role\": \"content\"", "\"role\": \"frame\"", "unknown variant `frame`"),
        ("\"sha256\"", "\"md5\"", "unknown field `md5`"),
        ("\"size\": 512", "\"size\": [512]", "this is no record of impasto"),
        ("\"size\"", "\"colour\"", "the record has an option colour, which this program does not know"),
        ("\"size\"", "\"memory-limit\"", "the record has an option memory-limit"),
        ("{", "", "this is no record of impasto"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = Record::from_json(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(message) && !error.contains('\n'), "{to}: {error}");
    }
}

/// Some value of an option that is not the one that `options` have.
fn another(row: &OptionRow, options: &TransferOptions) -> TransferOptions {
    let texts = [
        "7",
        "0.5",
        "auto",
        "noise",
        "conv1_1",
        "average",
        "paper",
        "adam",
        "exact",
        "white",
        "inside",
        "histogram",
        "9",
        "gram",
        "zero",
        "draft",
        "clamped",
        "carried",
    ];
    let changed = texts.iter().find_map(|text| {
        let mut other = options.clone();
        row.set(&mut other, text).ok()?;
        (other.validate().is_ok() && row.get(&other) != row.get(options)).then_some(other)
    });
    changed.unwrap_or_else(|| panic!("no other value of {} is known", row.name))
}

#[test]
fn every_option_that_decides_pixels_changes_the_record_and_no_other_does() {
    let lbfgs = Preset::Default.options();
    let adam = lbfgs.clone().with_optimiser(Optimiser::Adam(AdamOptions::default()));
    for row in OPTIONS {
        let options = if row.get(&lbfgs).is_some() { &lbfgs } else { &adam };
        let differs = !record(&another(row, options)).same_picture(&record(options));
        assert_eq!(differs, row.decides_pixels(), "{}", row.name);
    }
}

#[test]
fn what_asks_for_nothing_is_not_recorded() {
    let options = Preset::Paper.options();
    let names = |record: &Record| record.options.keys().cloned().collect::<Vec<_>>();
    let new = ["background", "blend", "colours", "mask-reach", "border", "style-loss", "effort", "tv-points"];
    assert!(names(&record(&options)).iter().all(|name| !new.contains(&&**name)));
    let full = Record::in_full(&options, Vec::new());
    assert!(new.iter().all(|name| names(&full).contains(&(*name).to_owned())));
    assert_eq!(full.transfer_options().unwrap(), record(&options).transfer_options().unwrap());
}

#[test]
fn inputs_are_known_by_their_numbers_and_not_by_their_paths() {
    let options = Preset::Default.options();
    let record = |input| Record::new(&options, vec![input]);
    let here = record(Input::picture(Role::Content, Some(Path::new("a.png")), &picture(1)));
    let there = record(Input::picture(Role::Content, None, &picture(1)));
    assert!(here != there && here.same_picture(&there));
    assert!(!here.same_picture(&record(Input::picture(Role::Content, None, &picture(2)))));
    assert!(!here.same_picture(&record(Input::picture(Role::Style, None, &picture(1)))));
    let turned = Picture::new(9, 6, picture(1).data().to_vec()).unwrap();
    assert!(!here.same_picture(&record(Input::picture(Role::Content, None, &turned))));
    let alpha = Mask::new(6, 9, vec![0.5; 54]).unwrap();
    let transparent = picture(1).with_alpha(alpha).unwrap();
    assert!(!here.same_picture(&record(Input::picture(Role::Content, None, &transparent))));
}

#[test]
fn a_network_is_known_by_every_weight() {
    let network = Network::embedded().unwrap();
    let known = Input::network(None, &network).sha256;
    assert_eq!(known.as_ref().map(String::len), Some(64));
    let mut other = network.clone();
    other.convs[12].kernel[1234] += 1e-3;
    assert_ne!(Input::network(None, &other).sha256, known);
    let mut other = network.clone();
    other.convs[0].bias[3] += 1e-3;
    assert_ne!(Input::network(None, &other).sha256, known);
    let mut other = network;
    other.preprocessing.mean[0] += 1.0;
    assert_ne!(Input::network(None, &other).sha256, known);
}

#[test]
fn a_picture_in_memory_to_start_from_has_no_name() {
    let options = Preset::Default.options().with_init(Init::Picture(picture(1)));
    assert!(!record(&options).to_string().contains("\"init\": "));
}

proptest! {
    /// Whatever the numbers are, the options that are read are those that were written.
    #[test]
    fn numbers_are_read_back_to_the_last_bit(
        weights in prop::array::uniform2(prop::num::f64::POSITIVE), seed in any::<u64>(), path in "[0-9.e]{1,6}",
    ) {
        let options = Preset::Paper.options().with_content_weight(weights[0]).with_style_scale(weights[1]).with_seed(seed).with_init(Init::named(&path));
        let read = Record::from_json(&record(&options).to_string()).unwrap();
        prop_assert_eq!(read.transfer_options().unwrap(), options);
    }
}
