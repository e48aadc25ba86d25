//! The planned evaluator against the reference.

mod common;

use std::sync::Arc;

use common::terms::{Terms, each};
use common::{distance_to_a_kink, engine_chain, noise_picture, relative_error};
use impasto_autodiff::{
    AutodiffError, Chain, ConvMode, Evaluator, EvaluatorOptions, Losses, Pooling, PreparedChain, ops,
    reference,
};
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

const LAYERS: [&str; 5] = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"];

struct Case {
    chain: Chain<f32>,
    image: Tensor<f32>,
    terms: Terms<f32>,
}

impl Case {
    /// Losses at the layers whose bit is set, the targets from another picture.
    fn new(size: (usize, usize), pooling: Pooling, content: u8, style: u8, seed: u64) -> Self {
        let chain = engine_chain(pooling, seed);
        let image = noise_picture(size.0, size.1, seed + 10);
        let other = noise_picture(size.0, size.1, seed + 11);
        let responses = reference::responses(&chain, &other, chain.layers.len() - 1).unwrap();
        let chosen = |bits: u8| {
            let chosen = LAYERS.iter().enumerate().filter(move |(bit, _)| bits >> bit & 1 == 1);
            chosen.map(|(bit, &layer)| (layer, 0.5 + bit as f64, &responses[chain.position(layer).unwrap()]))
        };
        let mut terms = Terms::default();
        for (layer, weight, response) in chosen(content) {
            terms = terms.content(layer, weight, response.clone());
        }
        for (layer, weight, response) in chosen(style) {
            terms = terms.style(layer, 1e4 * weight, response);
        }
        Self { chain, image, terms }
    }

    /// The same case with a picture that is nowhere nearer to a kink than the rounding of f32 can carry it: the first
    /// such of a few.
    fn away_from_kinks(mut self, seed: u64) -> Option<Self> {
        let (chain, deepest) = (self.chain.cast::<f64>(), self.terms.deepest(&self.chain)?);
        let Shape { height, width, .. } = self.image.shape();
        let mut pictures = (0..30).map(|number| noise_picture(height, width, seed + 1000 * number));
        self.image = pictures.find(|picture| distance_to_a_kink(&chain, &picture.cast(), deepest) > 1e-5)?;
        Some(self)
    }

    fn evaluator(&self, mode: ConvMode, memory_limit: Option<u64>) -> Evaluator {
        let network = Arc::new(PreparedChain::new(self.chain.clone(), mode).unwrap());
        let Shape { height, width, .. } = self.image.shape();
        let mut evaluator =
            Evaluator::new(network, height, width, EvaluatorOptions { memory_limit }).unwrap();
        self.terms.set(&mut evaluator).unwrap();
        evaluator
    }

    fn evaluate(&self, evaluator: &mut Evaluator) -> (Losses, Vec<f32>) {
        let mut gradient = vec![f32::NAN; self.image.data().len()];
        let losses = evaluator.evaluate(self.image.data(), &mut gradient).unwrap();
        (losses, gradient)
    }

    /// In f64.
    fn reference(&self) -> (Losses, Vec<f64>) {
        let (losses, gradient) = self.terms.cast().evaluate(&self.chain.cast(), &self.image.cast()).unwrap();
        (losses, gradient.into_vec())
    }
}

fn losses_agree(a: &Losses, b: &Losses, tolerance: f64) -> bool {
    let all = |losses: &Losses| [each(losses), vec![losses.total]].concat();
    let (a, b) = (all(a), all(b));
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= tolerance * b.abs().max(1e-12))
}

/// Sides up to 60, but few positions: a picture of more than that is hardly ever away from all kinks.
fn small_sizes() -> impl Strategy<Value = (usize, usize)> {
    (4_usize..=60)
        .prop_flat_map(|long| (Just(long), 4..=long.min(600 / long).max(4)))
        .prop_flat_map(|(long, short)| prop_oneof![Just((long, short)), Just((short, long))])
}

fn pooling() -> impl Strategy<Value = Pooling> {
    prop_oneof![Just(Pooling::Average), Just(Pooling::Max)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn evaluator_matches_the_reference_for_any_taps(
        size in small_sizes(),
        pooling in pooling(),
        content in 0_u8..32,
        style in 0_u8..32,
        seed in 0_u64..1000,
    ) {
        prop_assume!(content | style != 0);
        let case = Case::new(size, pooling, content, style, seed).away_from_kinks(seed + 10);
        prop_assume!(case.is_some());
        let case = case.expect("a picture was found");
        let (losses, gradient) = case.reference();
        for (mode, of_losses, of_gradient) in [(ConvMode::Exact, 1e-5, 1e-4), (ConvMode::Fast, 1e-4, 1e-3)] {
            let (ours, our_gradient) = case.evaluate(&mut case.evaluator(mode, None));
            prop_assert!(losses_agree(&ours, &losses, of_losses), "{mode:?} {ours:?} {losses:?}");
            let error = relative_error(&our_gradient, &gradient);
            prop_assert!(error < of_gradient, "{mode:?} {error}");
        }
    }

    #[test]
    fn bands_add_up_to_the_whole(
        size in (40_usize..120, 8_usize..40),
        pooling in pooling(),
        content in 0_u8..32,
        style in 1_u8..32,
        seed in 0_u64..1000,
    ) {
        let case = Case::new(size, pooling, content, style, seed);
        let mut whole = case.evaluator(ConvMode::Exact, None);
        let (losses, gradient) = case.evaluate(&mut whole);
        // The tightest limit that some plan still fits.
        let [content_layers, style_layers] = case.terms.layers();
        let network = PreparedChain::new(case.chain.clone(), ConvMode::Exact).unwrap();
        let options = EvaluatorOptions { memory_limit: Some(1) };
        let refused = network.plan(size.0, size.1, &content_layers, &style_layers, options).unwrap_err();
        let AutodiffError::Memory { needed, .. } = refused else { panic!("{refused}") };
        let mut banded = case.evaluator(ConvMode::Exact, Some(needed));
        let (ours, our_gradient) = case.evaluate(&mut banded);
        prop_assert!(losses_agree(&ours, &losses, 1e-5), "{ours:?} {losses:?}");
        let gradient: Vec<f64> = gradient.iter().map(|&g| f64::from(g)).collect();
        let error = relative_error(&our_gradient, &gradient);
        prop_assert!(error < 1e-4, "{error} with {} bands", banded.plan().unwrap().bands());
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let case = Case::new((75, 91), Pooling::Average, 0b01000, 0b10101, 3);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| case.evaluate(&mut case.evaluator(ConvMode::Fast, None)))
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert!(one == run(threads), "{threads} threads");
    }
}

#[test]
fn a_tall_picture_under_a_tight_limit_runs_in_several_bands() {
    let case = Case::new((400, 24), Pooling::Average, 0b01000, 0b10101, 3);
    let whole = case.evaluator(ConvMode::Exact, None).bytes();
    let mut banded = case.evaluator(ConvMode::Exact, Some(whole * 2 / 3));
    assert!(banded.plan().unwrap().bands() > 1);
    assert!(banded.bytes() <= whole * 2 / 3);
    let (losses, gradient) = case.reference();
    let (ours, our_gradient) = case.evaluate(&mut banded);
    assert!(losses_agree(&ours, &losses, 1e-5));
    assert!(relative_error(&our_gradient, &gradient) < 1e-3);
}

#[test]
fn measured_targets_are_the_references() {
    let case = Case::new((37, 42), Pooling::Average, 0, 1, 8);
    let network = Arc::new(PreparedChain::new(case.chain.clone(), ConvMode::Exact).unwrap());
    let mut evaluator = Evaluator::new(network, 37, 42, EvaluatorOptions::default()).unwrap();
    let layers = LAYERS.map(str::to_owned);
    let (features, grams) = evaluator.measure(case.image.data(), &layers, &layers).unwrap();
    let responses = reference::responses(&case.chain.cast::<f64>(), &case.image.cast(), 6).unwrap();
    for ((layer, feature), gram) in layers.iter().zip(&features).zip(&grams) {
        let response = &responses[case.chain.position(layer).unwrap()];
        assert_eq!(feature.shape(), response.shape());
        assert!(relative_error(feature.data(), response.data()) < 1e-5, "{layer}");
        let expected = ops::style::gram(response).unwrap();
        assert!(relative_error(&gram.data, &expected.data) < 1e-5, "{layer}");
    }
    // At its own targets a picture has no loss and no gradient.
    let mut terms = Terms::default();
    for ((layer, feature), gram) in layers.iter().zip(features).zip(grams) {
        terms = terms.content(layer, 1.0, feature).gram(layer, 1.0, gram);
    }
    terms.set(&mut evaluator).unwrap();
    let mut gradient = vec![1.0; case.image.data().len()];
    let losses = evaluator.evaluate(case.image.data(), &mut gradient).unwrap();
    assert_eq!(losses.total, 0.0);
    assert!(gradient.iter().all(|&g| g == 0.0));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let case = Case::new((16, 16), Pooling::Average, 1, 1, 1);
    let network = Arc::new(PreparedChain::new(case.chain.clone(), ConvMode::Fast).unwrap());
    let layers = |name: &str| vec![name.to_owned()];
    let mut evaluator = Evaluator::new(Arc::clone(&network), 3, 16, EvaluatorOptions::default()).unwrap();
    let image = vec![0.0; 3 * 16 * 3];
    let error = evaluator.measure(&image, &layers("conv3_1"), &[]).unwrap_err().to_string();
    assert!(error.contains("too small for conv3_1") && error.contains("4 x 4"), "{error}");
    let error = evaluator.measure(&image, &layers("conv9_9"), &[]).unwrap_err().to_string();
    assert!(error.contains("no layer conv9_9") && error.contains("conv2_2"), "{error}");
    let error = evaluator.measure(&image[1..], &layers("conv1_1"), &[]).unwrap_err().to_string();
    assert!(error.contains("3 x 16 x 3"), "{error}");
    let mut other = Evaluator::new(network, 18, 16, EvaluatorOptions::default()).unwrap();
    let error = case.terms.set(&mut other).unwrap_err().to_string();
    assert!(error.contains("16 x 16 x 16") && error.contains("18 x 16 x 16"), "{error}");
}
