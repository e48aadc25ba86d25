//! Options: what is read, what is refused, what follows from them.

use std::f64::consts::SQRT_2;

use impasto_style::{
    Border, Choices, Effort, Iterations, LayerWeights, LossScale, Picture, Pooling, Preset, Scales, StyleLoss,
};
use proptest::prelude::*;

fn layers(text: &str) -> Result<LayerWeights, String> {
    text.parse().map_err(|error: impasto_style::OptionsError| error.to_string())
}

#[test]
fn layers_without_weights_share_one() {
    assert_eq!(layers("conv1_1, relu2_1"), layers("conv1_1:0.5,conv2_1:0.5"));
    assert_eq!(layers("conv4_2"), layers("relu4_2:1"));
}

#[test]
fn broken_lists_of_layers_are_explained() {
    for (text, problem) in [
        ("", "name is missing"),
        ("conv1_1,", "name is missing"),
        ("conv1_1:", "not a number"),
        ("conv1_1:nan", "must be 0 or more"),
        ("conv1_1:-2", "must be 0 or more"),
        ("conv1_1:1,conv2_1", "every layer a weight, or none"),
        ("conv1_1,relu1_1", "named twice"),
    ] {
        let message = layers(text).unwrap_err();
        assert!(message.contains(problem), "{text:?}: {message}");
    }
}

#[test]
fn presets_are_valid() {
    for (preset, _) in Preset::ALL {
        preset.options().validate().unwrap();
    }
}

#[test]
fn paper_preset_is_the_papers() {
    let paper = Preset::Paper.options();
    assert_eq!(paper.content_weight / paper.style_weight, 1e-3);
    assert!(paper.style_layers.of(0).0.iter().all(|entry| entry.weight == 1.0 / 5.0));
    assert_eq!(paper.loss_scale, LossScale::Paper);
}

#[test]
fn the_default_of_version_0_1_stays_what_it_was() {
    let old = Preset::V01.options();
    assert_eq!((old.iterations, old.scales, old.pooling), (150.into(), Scales::Count(1), Pooling::Average));
    assert_eq!((old.content_weight, old.loss_scale), (1e-4, LossScale::Balanced));
}

#[test]
fn the_default_after_version_0_1_stays_what_it_was() {
    let expected = Preset::V01
        .options()
        .with_iterations(100)
        .with_scales(Scales::Auto)
        .with_content_weight(4e-4)
        .with_style_loss(StyleLoss::Gram)
        .with_pooling(Pooling::Max)
        .with_border(Border::Zero);
    assert_eq!(Preset::V011.options(), expected);
}

#[test]
fn crowsonkb_preset_is_the_programs() {
    let options = Preset::Crowsonkb.options();
    let scales: Vec<_> = options.schedule(512).iter().map(|scale| (scale.size, scale.iterations)).collect();
    assert_eq!(scales, [(128, 1000), (181, 500), (256, 500), (362, 500), (512, 500)]);
    let share = |layer| options.style_weight * options.style_layers.of(0).weight_of(layer);
    assert_eq!(share("conv1_1") / share("conv5_1"), 256.0);
    let sum: f64 = options.style_layers.of(0).0.iter().map(|entry| entry.weight).sum();
    assert!((sum * options.style_weight - 1.0).abs() < 1e-15);
    assert_eq!(options.optimiser.adam().map(|adam| adam.learning_rate), Some(5.1), "0.02 of 0 to 1");
}

/// Means of squares, of responses divided by 58 and of values from 0 to 1.
#[test]
fn crowsonkb_losses_are_means_in_its_scale() {
    let scale = LossScale::Crowsonkb;
    let (difference, filters, positions) = (29.0_f64, 64, 100);
    let content = 0.5 * difference.powi(2) * (filters * positions) as f64;
    assert!((scale.content(9999, filters, positions) * content - 0.25).abs() < 1e-12);
    let (gram, n) = (58.0 * 58.0 / 2.0, filters as f64);
    let style = gram * gram * n * n / (4.0 * n * n);
    assert!((scale.style(filters) * style - 0.25).abs() < 1e-12);
    assert!((scale.wasserstein(filters) * 58.0 * 58.0 - 1.0).abs() < 1e-12);
    let tv = 0.5 * 51.0 * 51.0 * (3 * positions) as f64;
    assert!((scale.total_variation(positions) * tv - 0.04).abs() < 1e-12);
}

#[test]
fn scales_by_size_go_down_to_about_128() {
    let sizes = |size| {
        let options = Preset::Paper.options().with_scales(Scales::Auto);
        options.schedule(size).into_iter().map(|scale| scale.size).collect::<Vec<_>>()
    };
    assert_eq!(sizes(128), [128]);
    assert_eq!(sizes(191), [191]);
    assert_eq!(sizes(192), [96, 192]);
    assert_eq!(sizes(512), [128, 256, 512]);
    assert_eq!(sizes(1024), [128, 256, 512, 1024]);
}

#[test]
fn sizes_by_a_factor_are_the_nearest_down_to_the_smallest() {
    let sizes = |size, factor, smallest_scale| {
        let options = Preset::Paper
            .options()
            .with_scales(Scales::Auto)
            .with_scale_factor(factor)
            .with_smallest_scale(smallest_scale);
        options.sizes(size)
    };
    assert_eq!(sizes(512, SQRT_2, 128), [128, 181, 256, 362, 512]);
    assert_eq!(sizes(400, SQRT_2, 128), [141, 200, 283, 400]);
    assert_eq!(sizes(1000, 4.0, 96), [250, 1000]);
    assert_eq!(sizes(1027, 2.0, 200), [256, 513, 1027]);
    assert_eq!(sizes(6, 1.1, 1), [1, 2, 3, 4, 5, 6], "no size twice");
}

#[test]
fn iterations_are_those_of_the_coarsest_sizes_and_then_the_last() {
    let iterations = |text: &str, size| {
        let options = Preset::Default.options().with_iterations(text.parse::<Iterations>().unwrap());
        options.schedule(size).iter().map(|scale| scale.iterations).collect::<Vec<_>>()
    };
    assert_eq!(iterations("7", 512), [7, 7, 7]);
    assert_eq!(iterations("1000,500", 1024), [1000, 500, 500, 500]);
    assert_eq!(iterations("1000,500", 128), [1000]);
    assert_eq!(iterations("3, 2,1", 256), [3, 2]);
    for text in ["", "1,", ",1", "1;2", "-1", "1.5"] {
        assert!(text.parse::<Iterations>().is_err(), "{text:?}");
    }
}

#[test]
fn an_effort_chooses_iterations_by_size_unless_they_are_numbers() {
    let choose = |choices: &[(&str, &str)]| {
        let mut chosen = Choices::default();
        for (name, value) in choices {
            chosen.set(name, value).unwrap();
        }
        chosen.options().unwrap()
    };
    let iterations = |choices: &[(&str, &str)]| {
        choose(choices).schedule(512).iter().map(|scale| scale.iterations).collect::<Vec<_>>()
    };
    let of = |effort: Effort| [128, 256, 512].map(|size| effort.iterations(size)).to_vec();
    assert_eq!(iterations(&[("effort", "draft")]), of(Effort::Draft));
    assert_eq!(iterations(&[("preset", "default"), ("effort", "best")]), of(Effort::Best));
    assert_eq!(iterations(&[("iterations", "auto")]), of(Effort::Normal));
    assert_eq!(iterations(&[("effort", "draft"), ("iterations", "7,5")]), [7, 5, 5]);
}

#[test]
fn efforts_differ_at_every_size_and_never_grow_with_it() {
    let of = |size| Effort::ALL.map(|(effort, _)| effort.iterations(size));
    assert_eq!([128, 512, 4096].map(of), [[8, 30, 90], [6, 25, 75], [3, 12, 36]]);
    for size in 1..10_000 {
        let (now, larger) = (of(size), of(size + 1));
        assert!(0 < now[0] && now[0] < now[1] && now[1] < now[2]);
        assert!(larger.iter().zip(&now).all(|(larger, now)| larger <= now));
    }
}

#[test]
fn a_size_that_has_no_iteration_is_refused() {
    for text in ["0", "0,5", "5,0"] {
        let options = Preset::Default.options().with_iterations(text.parse::<Iterations>().unwrap());
        assert!(options.validate().unwrap_err().to_string().contains("iterations"), "{text}");
    }
}

#[test]
fn scales_are_read_back_as_they_are_written() {
    for scales in [Scales::Auto, Scales::Count(1), Scales::Count(16)] {
        assert_eq!(scales.to_string().parse(), Ok(scales));
    }
    assert!("many".parse::<Scales>().is_err());
}

#[test]
fn balanced_losses_are_the_papers_at_512() {
    for (height, width) in [(512, 512), (256, 1024)] {
        assert_eq!(LossScale::Balanced.content(height * width, 512, 64 * 64), 1.0);
    }
    assert_eq!(LossScale::Balanced.content(256 * 256, 512, 32 * 32), 4.0);
}

proptest! {
    #[test]
    fn a_list_of_layers_is_read_back_as_it_was_written(
        entries in prop::collection::btree_map((1_u8..6, 1_u8..5), 0.0_f64..1e6, 1..8),
    ) {
        let text: Vec<String> = entries.iter().map(|((block, index), weight)| format!("conv{block}_{index}:{weight}")).collect();
        let parsed = layers(&text.join(",")).unwrap();
        prop_assert_eq!(layers(&parsed.to_string()).unwrap(), parsed);
    }

    #[test]
    fn schedules_double_up_to_the_size(size in 1_usize..3000, scales in 1_usize..8) {
        let options = Preset::Default.options().with_scales(Scales::Count(scales));
        let schedule = options.schedule(size);
        prop_assert_eq!(schedule.last().unwrap().size, size);
        prop_assert!(schedule.len() <= scales);
        for pair in schedule.windows(2) {
            prop_assert_eq!(pair[1].size / 2, pair[0].size);
            prop_assert!(pair[0].size >= 96);
        }
    }

    #[test]
    fn a_painting_is_never_enlarged(size in 1_usize..500, scale in 0.01_f64..10.0) {
        let style = Picture::new(60, 80, vec![0.0; 3 * 60 * 80]).unwrap();
        let options = Preset::Default.options().with_style_scale(scale);
        let (height, width) = options.style_size(0, &style, size);
        prop_assert!((1..=60).contains(&height) && (1..=80).contains(&width));
        prop_assert_eq!(width, ((size as f64 * scale).round() as usize).clamp(1, 80));
    }
}
