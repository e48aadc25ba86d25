//! The objective in `f64` by the plain path: against the fast one, and against central differences; and weights that are changed.
#![cfg(feature = "embedded-weights")]

use impasto_autodiff::AutodiffError;
use impasto_autodiff::check::{Direction, Ladder, Verdict, check_gradient};
use impasto_style::{
    Breakdown, LossKind, Mask, Network, Objective, Photo, PlainObjective, PreparedNetwork, Preset, Region,
    RegionMask, Size, StyleImage, Subject, TransferError, TransferOptions, Weight, white_noise,
};

const SIZE: (usize, usize) = (27, 33);

/// The preset at that size, with total variation, and styles at layers of few filters, whose square roots are quick.
fn options(preset: Preset) -> TransferOptions {
    preset
        .options()
        .with_size(Size::Longest(SIZE.1))
        .with_tv_weight(0.01)
        .with_content_layers("conv2_2:1,conv3_2:0.5".parse().unwrap())
        .with_style_layers("conv1_1:1,conv2_1:0.5".parse().unwrap())
}

/// Two regions with a soft edge, a painting in each, and a content mask.
fn subject() -> Subject {
    let across = |value: fn(f32) -> f32| {
        let values = (0..SIZE.0 * SIZE.1).map(|i| value((i % SIZE.1) as f32 / SIZE.1 as f32));
        Mask::new(SIZE.0, SIZE.1, values.collect()).unwrap()
    };
    let photo = Photo {
        picture: white_noise(SIZE.0, SIZE.1, 1).unwrap(),
        keep: None,
        content_mask: Some(across(|x| 0.2 + 0.8 * x)),
    };
    let painting =
        |seed, region| StyleImage { picture: white_noise(24, 30, seed).unwrap().into(), part: None, region };
    let regions = vec![
        Region {
            name: "left".to_owned(),
            mask: RegionMask::Mask(across(|x| (2.0 - 3.0 * x).clamp(0.0, 1.0))),
        },
        Region { name: "right".to_owned(), mask: RegionMask::Rest },
    ];
    Subject::compose(photo, vec![painting(2, 0), painting(3, 1)], regions).unwrap()
}

/// The same objective twice.
fn both(options: &TransferOptions, subject: &Subject) -> (Objective, PlainObjective) {
    let network = Network::embedded().unwrap();
    let prepared = PreparedNetwork::new(network.clone(), options).unwrap();
    let targets = subject.at(SIZE.1, options).unwrap().measure(&prepared, options).unwrap();
    let fast = Objective::new(&prepared, targets.clone(), SIZE, options).unwrap();
    (fast, PlainObjective::new(&network, targets, SIZE, options).unwrap())
}

fn simple() -> Subject {
    Subject::new(white_noise(SIZE.0, SIZE.1, 1).unwrap(), white_noise(24, 30, 2).unwrap())
}

fn start() -> Vec<f32> {
    white_noise(SIZE.0, SIZE.1, 7).unwrap().into_data()
}

fn as_f64(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// |a - b| / |b| of two vectors.
fn distance(a: &[f32], b: &[f64]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(&a, b)| f64::from(a) - b)) / norm(&mut b.iter().copied())
}

fn assert_agree(fast: &Breakdown, plain: &Breakdown) {
    assert!((fast.total / plain.total - 1.0).abs() < 1e-5, "{} and {}", fast.total, plain.total);
    assert_eq!(fast.terms.len(), plain.terms.len());
    for (a, b) in fast.terms.iter().zip(&plain.terms) {
        assert_eq!((a.kind, &a.layer, &a.region, a.weight), (b.kind, &b.layer, &b.region, b.weight));
        assert!(
            (a.loss / b.loss - 1.0).abs() < 1e-4,
            "{:?} {:?}: {} and {}",
            a.kind,
            a.layer,
            a.loss,
            b.loss
        );
    }
}

#[test]
fn the_fast_objective_agrees_with_the_plain_one() {
    for preset in [Preset::Paper, Preset::Default, Preset::NeuralStyle, Preset::Crowsonkb] {
        for subject in [simple(), subject()] {
            let (mut fast, plain) = both(&options(preset), &subject);
            assert_eq!(fast.terms(), plain.terms());
            let x = start();
            let (mut gradient, mut in_f64) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            let losses = fast.evaluate(&x, &mut gradient).unwrap();
            let plain_losses = plain.evaluate(&as_f64(&x), &mut in_f64).unwrap();
            assert_agree(&losses, &plain_losses);
            assert_eq!(plain.losses(&as_f64(&x)).unwrap(), plain_losses);
            let distance = distance(&gradient, &in_f64);
            assert!(distance < 1e-4, "{preset:?}: {distance:e}");
        }
    }
}

#[test]
fn its_gradient_is_that_of_central_differences() {
    for preset in [Preset::Paper, Preset::Default] {
        let (_, plain) = both(&options(preset), &subject());
        let x = as_f64(&start());
        let mut gradient = vec![0.0; x.len()];
        plain.evaluate(&x, &mut gradient).unwrap();
        let loss = |x: &[f64]| plain.losses(x).map_or(f64::NAN, |losses| losses.total);
        let directions = [Direction::Random(1), Direction::Random(2), Direction::Coordinate(x.len() / 2)];
        for probe in check_gradient(&loss, &x, &gradient, &directions, &Ladder::new(1.0, 4.0, 14)) {
            let error = probe.relative_error();
            assert_eq!(probe.verdict(1e-6), Verdict::Pass, "{preset:?}, {:?}: {error:e}", probe.direction);
        }
    }
}

#[test]
fn terms_are_listed_and_their_weights_can_be_changed() {
    use LossKind::{Content, Gram, TotalVariation};

    let (mut fast, mut plain) = both(&options(Preset::Paper), &subject());
    let listed: Vec<_> =
        fast.terms().iter().map(|term| (term.kind, term.layer.as_deref(), term.region.as_deref())).collect();
    let expected = [
        (Content, Some("conv2_2"), None),
        (Content, Some("conv3_2"), None),
        (Gram, Some("conv1_1"), Some("left")),
        (Gram, Some("conv2_1"), Some("left")),
        (Gram, Some("conv1_1"), Some("right")),
        (Gram, Some("conv2_1"), Some("right")),
        (TotalVariation, None, None),
    ];
    assert_eq!(listed, expected);
    // Only the first content layer, thrice, and half of the second region's conv1_1.
    for index in 0..expected.len() {
        let own = fast.terms()[index].weight;
        let weight = match index {
            0 => Weight { sum: own.sum, share: 3.0 * own.share },
            4 => Weight::alone(0.5 * own.product()),
            _ => 0.0.into(),
        };
        fast.set_weight(index, weight).unwrap();
        plain.set_weight(index, weight).unwrap();
        assert_eq!((fast.terms()[index].weight, plain.terms()[index].weight), (weight, weight));
    }
    let x = start();
    let (mut gradient, mut in_f64) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    let losses = fast.evaluate(&x, &mut gradient).unwrap();
    let expected = losses.terms[0].weight.product() * losses.terms[0].loss
        + losses.terms[4].weight.product() * losses.terms[4].loss;
    assert!((losses.total / expected - 1.0).abs() < 1e-12);
    assert_agree(&losses, &plain.evaluate(&as_f64(&x), &mut in_f64).unwrap());
    assert!(distance(&gradient, &in_f64) < 1e-4);
}

/// As if the options had said so from the start.
#[test]
fn a_changed_weight_is_that_of_other_options_to_the_bit() {
    let before = options(Preset::Paper).with_tv_weight(0.3);
    let ((mut changed, _), (mut fresh, _)) =
        (both(&options(Preset::Paper), &simple()), both(&before, &simple()));
    let last = changed.terms().len() - 1;
    changed.set_weight(last, 0.3).unwrap();
    let x = start();
    let (mut a, mut b) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    assert_eq!(changed.evaluate(&x, &mut a).unwrap(), fresh.evaluate(&x, &mut b).unwrap());
    assert_eq!(a, b);
}

#[test]
fn what_does_not_fit_is_said() {
    let (mut fast, mut plain) = both(&options(Preset::Paper), &simple());
    let terms = fast.terms().len();
    let no_term = AutodiffError::NoTerm { index: terms, terms };
    assert_eq!(fast.set_weight(terms, 1.0), Err(no_term.clone()));
    assert_eq!(plain.set_weight(terms, 1.0), Err(no_term.clone()));
    for weight in [f64::NAN, f64::INFINITY] {
        assert!(matches!(fast.set_weight(0, weight), Err(AutodiffError::Weight { .. })));
        assert!(matches!(plain.set_weight(0, weight), Err(AutodiffError::Weight { .. })));
    }
    assert_eq!(no_term.to_string(), "there is no term 5: the objective has 5, the first one being 0");
    let mut gradient = vec![0.0; 3 * SIZE.0 * SIZE.1];
    assert!(matches!(plain.evaluate(&[0.0; 3], &mut gradient), Err(AutodiffError::Pixels { got: 3, .. })));
    let x = as_f64(&start());
    assert!(matches!(plain.evaluate(&x, &mut [0.0; 6]), Err(AutodiffError::Pixels { got: 6, .. })));

    let options = options(Preset::Paper);
    let network = Network::embedded().unwrap();
    let prepared = PreparedNetwork::new(network.clone(), &options).unwrap();
    let targets = simple().at(SIZE.1, &options).unwrap().measure(&prepared, &options).unwrap();
    let other = PlainObjective::new(&network, targets.clone(), (40, 33), &options);
    assert!(matches!(other, Err(TransferError::Autodiff(AutodiffError::Target { .. }))));
    let small = PlainObjective::new(&network, targets.clone(), (1, 33), &options);
    assert!(matches!(small, Err(TransferError::Autodiff(AutodiffError::TooSmall { .. }))));
    let cut = network.up_to("conv2_1").unwrap();
    assert!(matches!(PlainObjective::new(&cut, targets, SIZE, &options), Err(TransferError::Weights(_))));
}
