//! Options through serde: by the names and texts of the table, in any format; their default; and a method for each field.

use std::f64::consts::SQRT_2;

use impasto_style::{
    AdamOptions, Choices, Init, OPTIONS, Optimiser, Preset, Reach, Record, Scales, Size, TransferOptions,
    Value, white_noise,
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn read(json: &Json) -> serde_json::Result<TransferOptions> {
    serde_json::from_value(json.clone())
}

fn refused(json: &Json) -> String {
    read(json).unwrap_err().to_string()
}

#[test]
fn the_default_is_the_default_preset() {
    assert_eq!(TransferOptions::default(), Preset::Default.options());
    assert_eq!(TransferOptions::default(), Choices::default().options().unwrap());
    assert!(TransferOptions::default().validate().is_ok());
    assert_eq!(read(&json!({})).unwrap(), TransferOptions::default());
}

#[test]
fn every_preset_is_read_as_it_was_written() {
    for (preset, _) in Preset::ALL {
        let options = preset.options();
        let json = serde_json::to_value(&options).unwrap();
        assert_eq!(read(&json).unwrap(), options);
        let toml = toml::to_string(&options).unwrap();
        assert_eq!(toml::from_str::<TransferOptions>(&toml).unwrap(), options);
        // Each option that applies, by its name; those that decide pixels as a record has them.
        let object = json.as_object().unwrap();
        let applying = OPTIONS.iter().filter(|row| row.get(&options).is_some());
        assert!(applying.map(|row| row.name).all(|name| object.contains_key(name)));
        for (name, value) in Record::in_full(&options, Vec::new()).options {
            assert_eq!(serde_json::from_value::<Value>(object[&name].clone()).unwrap(), value, "{name}");
        }
    }
}

#[test]
fn what_is_not_named_is_the_presets() {
    let json =
        json!({ "preset": "paper", "size": 300, "pooling": "avg", "scale-factor": "sqrt2", "blend": [3, 1] });
    let expected =
        Preset::Paper.options().with_size(300).with_scale_factor(SQRT_2).with_blend(vec![3.0, 1.0]);
    assert_eq!(read(&json).unwrap(), expected);
}

/// Whatever their order.
#[test]
fn a_method_may_come_after_what_it_alone_has() {
    let options: TransferOptions = toml::from_str("learning-rate = 2\noptimizer = \"adam\"").unwrap();
    let adam = Optimiser::Adam(AdamOptions { learning_rate: 2.0, ..AdamOptions::default() });
    assert_eq!(options, TransferOptions::default().with_optimiser(adam));
}

#[test]
fn what_cannot_be_is_an_error_with_the_nearest_name() {
    assert_eq!(refused(&json!({ "sizee": 3 })), "there is no option sizee; did you mean size?");
    assert_eq!(
        refused(&json!({ "style_weight": true })),
        "there is no option style_weight; did you mean style-weight?"
    );
    assert!(refused(&json!({ "preset": "papr" })).ends_with("did you mean paper?"));
    assert!(refused(&json!({ "pool": "maxx" })).ends_with("not maxx; did you mean max?"));
    assert!(refused(&json!({ "size": 0 })).starts_with("`size` must be from 1 to 10000"));
    assert!(refused(&json!({ "size": true })).contains("data did not match"));
    assert!(refused(&json!({ "content-weight": 0, "style-weight": 0 })).starts_with("nothing to optimise"));
    assert_eq!(refused(&json!({ "pool": "max", "pooling": "max" })), "the option pooling is there twice");
    assert!(
        serde_json::from_str::<TransferOptions>("[1]")
            .unwrap_err()
            .to_string()
            .contains("options by their names")
    );
}

#[test]
fn a_start_in_memory_has_no_name() {
    let start = Init::Picture(white_noise(2, 2, 1).unwrap());
    let error = serde_json::to_string(&TransferOptions::default().with_init(start)).unwrap_err();
    assert!(error.to_string().contains("no name"), "{error}");
    let file = TransferOptions::default().with_init(Init::File("a start.png".into()));
    let json = serde_json::to_value(&file).unwrap();
    assert_eq!((json["init"].as_str(), read(&json).unwrap()), (Some("a start.png"), file));
}

#[test]
fn methods_change_one_field_each() {
    let options = TransferOptions::default()
        .with_size(Size::Original)
        .with_iterations(7)
        .with_style_scale(0.5)
        .with_memory_limit(1 << 30)
        .with_scales(Scales::Count(2))
        .with_mask_reach(Reach::Inside);
    let mut expected = Preset::Default.options();
    expected.size = Size::Original;
    expected.iterations = 7.into();
    expected.style_scale = 0.5.into();
    expected.memory_limit = Some(1 << 30);
    expected.scales = Scales::Count(2);
    expected.mask_reach = Reach::Inside;
    assert_eq!(options, expected);
    assert_eq!(options.with_memory_limit(None).memory_limit, None);
}

proptest! {
    #[test]
    fn numbers_are_read_as_they_were_written(
        weights in prop::array::uniform3(prop::num::f64::POSITIVE | prop::num::f64::SUBNORMAL),
        seed in any::<u64>(),
        limit in prop::option::of(any::<u64>()),
    ) {
        let options = TransferOptions::default()
            .with_content_weight(weights[0])
            .with_style_weight(weights[1])
            .with_tv_weight(weights[2])
            .with_seed(seed)
            .with_memory_limit(limit);
        let json = serde_json::to_string(&options).unwrap();
        prop_assert_eq!(&serde_json::from_str::<TransferOptions>(&json).unwrap(), &options);
        prop_assert_eq!(toml::from_str::<TransferOptions>(&toml::to_string(&options).unwrap()).unwrap(), options);
    }
}
