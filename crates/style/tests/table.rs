//! The table of options: each option describes itself, reads what it prints and refuses what it cannot be.

use std::f64::consts::SQRT_2;

use impasto_style::picture::ReadOptions;
use impasto_style::{
    Accepts, AdamOptions, Border, Choices, ConvMode, Each, Effort, Init, Iterations, LayerWeights, LossScale,
    OPTIONS, Optimiser, OptionRow, Paper, Pooling, Preset, Reach, SYNONYMS, Scales, Sheet, Size,
    TransferOptions, TvPoints, option_name,
};
use proptest::prelude::*;

/// Options that Adam alone has.
const OF_ADAM: [&str; 5] = ["learning-rate", "adam-beta2", "average-decay", "pixel-range", "moments"];

/// Options in which the row applies.
fn with(row: &OptionRow) -> TransferOptions {
    let adam = Optimiser::Adam(AdamOptions::default());
    let lbfgs = Preset::Default.options();
    if row.get(&lbfgs).is_some() { lbfgs } else { lbfgs.with_optimiser(adam) }
}

#[test]
fn every_option_has_a_name_of_its_own_and_help() {
    for (index, row) in OPTIONS.iter().enumerate() {
        assert!(!row.help.is_empty() && !row.value_name.is_empty(), "{}", row.name);
        assert!(OPTIONS[..index].iter().all(|other| other.name != row.name), "{}", row.name);
        assert!(row.get(&with(row)).is_some(), "{} applies with one of the methods", row.name);
    }
}

#[test]
fn every_option_refuses_nonsense_under_its_own_name() {
    for row in OPTIONS {
        let refuses = |text: &str| {
            let error = row.set(&mut with(row), text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{}` must be ", row.name)), "{text:?}: {error}");
        };
        refuses("");
        match row.name {
            "init" => {}
            name if name.ends_with("-layers") => refuses("conv1_1:many"),
            _ => refuses("no such value"),
        }
    }
}

#[test]
fn every_name_that_an_option_lists_is_read() {
    for row in OPTIONS {
        if let Accepts::Names(names) = row.accepts {
            for name in names {
                let mut options = with(row);
                row.set(&mut options, name).unwrap();
                assert_eq!(row.get(&options).as_deref(), Some(*name));
            }
        }
    }
}

#[test]
fn every_preset_has_every_option_and_is_read_back() {
    for (preset, name) in Preset::ALL {
        let options = preset.options();
        let method = options.optimiser.name();
        for row in OPTIONS {
            let others = if method == "adam" { &["history"][..] } else { &OF_ADAM };
            assert_eq!(row.get(&options).is_none(), others.contains(&row.name), "{} of {name}", row.name);
        }
        assert_eq!(copied(&options), options);
        let mut choices = Choices::default();
        choices.set("preset", name).unwrap();
        assert_eq!(choices.options().unwrap(), options);
    }
}

#[test]
fn what_belongs_to_the_other_method_is_refused() {
    for (chosen, message) in [
        ([("optimizer", "adam"), ("history", "5")], "`history` is for `optimizer` lbfgs"),
        ([("optimizer", "lbfgs"), ("learning-rate", "1")], "`learning-rate` is for `optimizer` adam"),
    ] {
        let mut choices = Choices::default();
        for (name, value) in chosen {
            choices.set(name, value).unwrap();
        }
        assert_eq!(choices.options().unwrap_err().to_string(), message);
    }
}

#[test]
fn the_largest_size_is_that_of_a_square_that_can_be_read() {
    let size = |size| Preset::Default.options().with_size(Size::Longest(size)).validate();
    assert!(size(10_000).is_ok());
    assert_eq!(
        size(10_001).unwrap_err().to_string(),
        "`size` must be from 1 to 10000 pixels, or a box of such sides like 800x600, or paper of such sides like A3@200, or original, not 10001"
    );
}

#[test]
fn synonyms_are_other_names_of_what_there_is() {
    // Colours are an option of their own.
    for (other, name) in SYNONYMS.into_iter().filter(|(other, _)| *other != "colors") {
        assert!(OPTIONS.iter().any(|row| row.name == name), "{other} stands for {name}");
        assert!(OPTIONS.iter().all(|row| row.name != other), "{other} is a name of its own");
    }
    let mut choices = Choices::default();
    for (name, value) in [("pooling", "avg"), ("image-size", "300"), ("optimiser", "adam")] {
        choices.set(name, value).unwrap();
        assert!(choices.has(name) && choices.has(option_name(name)), "{name}");
    }
    let options = choices.options().unwrap();
    assert_eq!(
        (options.pooling, options.size, options.optimiser.name()),
        (Pooling::Average, Size::Longest(300), "adam")
    );
}

#[test]
fn a_misspelt_name_gets_the_nearest_one() {
    let set = |name, value| Choices::default().set(name, value).unwrap_err().to_string();
    assert_eq!(set("sizee", "300"), "there is no option sizee; did you mean size?");
    assert_eq!(set("presett", "paper"), "there is no option presett; did you mean preset?");
    assert!(set("preset", "papr").ends_with(", not papr; did you mean paper?"));
    assert_eq!(set("brightness", "2"), "there is no option brightness");
    let mut choices = Choices::default();
    choices.set("pool", "averge").unwrap();
    let error = choices.options().unwrap_err().to_string();
    assert_eq!(error, "`pool` must be average, max or scaled-average, not averge; did you mean average?");
}

#[test]
fn naming_a_file_reads_none() {
    let mut choices = Choices::default();
    choices.set("init", "no/such/file.png").unwrap();
    let options = choices.options().unwrap();
    assert_eq!(options.init, Init::File("no/such/file.png".into()));
    assert!(options.init.read(&ReadOptions::default()).unwrap_err().to_string().contains("no/such/file.png"));
}

/// Other options with the text of each value put in.
fn copied(options: &TransferOptions) -> TransferOptions {
    let mut copy = Preset::Paper.options();
    for row in OPTIONS {
        if let Some(text) = row.get(options) {
            row.set(&mut copy, &text).unwrap();
        }
    }
    copy
}

fn options() -> impl Strategy<Value = TransferOptions> {
    let positive = || prop::num::f64::POSITIVE | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO;
    let layers = prop::collection::btree_map((1_u8..6, 1_u8..3), positive(), 1..4).prop_map(|layers| {
        let text: Vec<String> =
            layers.iter().map(|((block, index), weight)| format!("conv{block}_{index}:{weight}")).collect();
        text.join(",").parse::<LayerWeights>().unwrap()
    });
    let sizes = prop_oneof![
        (1_usize..10_000).prop_map(Size::Longest),
        (1_usize..10_000, 1_usize..10_000).prop_map(|(width, height)| Size::Within { width, height }),
        (prop::sample::select(&Paper::ALL[..]), 1_u16..200)
            .prop_map(|(paper, dpi)| Size::On(Sheet { paper, dpi })),
        Just(Size::Original),
    ];
    let of_paintings = (
        prop::collection::vec(layers.clone(), 1..4).prop_map(|lists| Each::new(lists).unwrap()),
        prop::collection::vec(positive(), 1..4).prop_map(|scales| Each::new(scales).unwrap()),
        prop::collection::vec(positive(), 0..4),
        prop::sample::select(vec![Reach::Average, Reach::Inside]),
    );
    let count = prop_oneof![Just(Scales::Auto), (1_usize..17).prop_map(Scales::Count)];
    let scales = (count, prop_oneof![Just(SQRT_2), Just(2.0), 1.1_f64..16.0], 1_usize..10_000);
    let iterations = prop_oneof![
        Just(Iterations::Auto),
        (1_usize..5000).prop_map(Iterations::Same),
        prop::collection::vec(1_usize..5000, 2..5).prop_map(Iterations::List),
    ];
    let iterations = (iterations, prop::sample::select(&Effort::ALL[..]));
    let method = prop_oneof![
        prop::option::of(1_usize..200).prop_map(|history| Optimiser::Lbfgs { history }),
        (positive(), 0.0..1.0, 0.0..1.0, any::<bool>(), any::<bool>()).prop_map(
            |(learning_rate, beta2, average_decay, clamped, carried)| {
                Optimiser::Adam(AdamOptions { learning_rate, beta2, average_decay, clamped, carried })
            }
        ),
    ];
    let init = prop_oneof![
        Just(Init::Content),
        Just(Init::Noise),
        "[a-z]{8}/[0-9]{1,3}".prop_map(|p| Init::named(&p))
    ];
    let numbers = (
        (sizes, prop::option::of(any::<[u8; 3]>())),
        iterations,
        any::<u64>(),
        prop::option::of(any::<u64>()),
        scales,
        method,
    );
    let weights = prop::array::uniform3(positive());
    let poolings = prop::sample::select(vec![Pooling::Average, Pooling::Max, Pooling::ScaledAverage]);
    let names = (prop::sample::select(&LossScale::ALL[..]), poolings, any::<bool>(), init);
    (numbers, weights, names, (layers, of_paintings)).prop_map(|(numbers, weights, names, layers)| {
        let ((size, background), iterations, seed, memory_limit, scales, optimiser) = numbers;
        let [content_weight, style_weight, tv_weight] = weights;
        let (content_layers, (style_layers, style_scale, blend, mask_reach)) = layers;
        let mut options = Preset::Paper.options();
        options.size = size;
        options.background = background;
        (options.iterations, options.effort) = (iterations.0, iterations.1.0);
        (options.scales, options.scale_factor, options.smallest_scale) = scales;
        options.content_weight = content_weight;
        options.style_weight = style_weight;
        options.tv_weight = tv_weight;
        options.tv_points = TvPoints::ALL[(seed % 2) as usize].0;
        options.content_layers = content_layers;
        options.style_layers = style_layers;
        options.loss_scale = names.0.0;
        options.pooling = names.1;
        options.border = Border::ALL[(seed % 3) as usize];
        options.init = names.3;
        options.seed = seed;
        options.optimiser = optimiser;
        options.style_scale = style_scale;
        options.blend = blend;
        options.mask_reach = mask_reach;
        options.conv = if names.2 { ConvMode::Exact } else { ConvMode::Fast };
        options.memory_limit = memory_limit;
        options
    })
}

proptest! {
    #[test]
    fn every_option_reads_what_it_prints_to_the_last_bit(options in options()) {
        prop_assert_eq!(copied(&options), options);
    }
}
