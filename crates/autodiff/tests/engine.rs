//! The planned evaluator against the reference.

use std::sync::Arc;

use impasto_autodiff::{
    Chain, ContentTerm, ConvLayer, ConvMode, Evaluator, EvaluatorOptions, GramMatrix, Layer, Losses, Pooling,
    PreparedChain, StyleTerm, reference,
};
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

fn numbers(len: usize, seed: u64, scale: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * scale
        })
        .collect()
}

fn conv(name: &str, in_channels: usize, out_channels: usize, seed: u64) -> Layer<f32> {
    let scale = (2.0 / (9 * in_channels) as f32).sqrt() * 1.7;
    Layer::Conv(ConvLayer {
        name: name.to_owned(),
        in_channels,
        out_channels,
        kernel: numbers(9 * in_channels * out_channels, seed, scale),
        bias: numbers(out_channels, seed + 100, 0.1),
    })
}

/// A VGG in small: two convolutions, a pooling, two convolutions, a pooling, one more.
fn chain(pooling: Pooling, seed: u64) -> Chain<f32> {
    let layers = vec![
        conv("conv1_1", 3, 16, seed),
        conv("conv1_2", 16, 16, seed + 1),
        Layer::Pool,
        conv("conv2_1", 16, 32, seed + 2),
        conv("conv2_2", 32, 32, seed + 3),
        Layer::Pool,
        conv("conv3_1", 32, 48, seed + 4),
    ];
    Chain { layers, pooling }
}

const LAYERS: [&str; 5] = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"];

struct Case {
    chain: Chain<f32>,
    image: Tensor<f32>,
    content: Vec<ContentTerm>,
    style: Vec<StyleTerm>,
}

impl Case {
    /// Losses at the layers whose bit is set, the targets from another picture.
    fn new(size: (usize, usize), pooling: Pooling, content: u8, style: u8, seed: u64) -> Self {
        let chain = chain(pooling, seed);
        let picture = |seed| {
            let shape = Shape::new(size.0, size.1, 3);
            Tensor::from_vec(shape, numbers(shape.len(), seed, 1.0)).unwrap()
        };
        let (image, other) = (picture(seed + 10), picture(seed + 11));
        let responses = reference::responses(&chain, &other, chain.layers.len() - 1).unwrap();
        let chosen =
            |bits: u8| {
                let chain = &chain;
                LAYERS.iter().enumerate().filter(move |(bit, _)| bits >> bit & 1 == 1).map(
                    move |(bit, name)| ((*name).to_owned(), 0.5 + bit as f64, chain.position(name).unwrap()),
                )
            };
        let content = chosen(content)
            .map(|(layer, weight, at)| ContentTerm { layer, weight, target: responses[at].clone() })
            .collect();
        let style = chosen(style)
            .map(|(layer, weight, at)| {
                let target: GramMatrix = impasto_autodiff::ops::style::gram(&responses[at]).unwrap();
                StyleTerm { layer, weight: 1e4 * weight, target }
            })
            .collect();
        Self { chain, image, content, style }
    }

    fn evaluator(&self, mode: ConvMode, memory_limit: Option<u64>) -> Evaluator {
        let network = Arc::new(PreparedChain::new(self.chain.clone(), mode).unwrap());
        let Shape { height, width, .. } = self.image.shape();
        let mut evaluator =
            Evaluator::new(network, height, width, EvaluatorOptions { memory_limit }).unwrap();
        evaluator.set_terms(self.content.clone(), self.style.clone()).unwrap();
        evaluator
    }

    fn evaluate(&self, evaluator: &mut Evaluator) -> (Losses, Vec<f32>) {
        let mut gradient = vec![f32::NAN; self.image.data().len()];
        let losses = evaluator.evaluate(self.image.data(), &mut gradient).unwrap();
        (losses, gradient)
    }

    /// In f64.
    fn reference(&self) -> (Losses, Vec<f64>) {
        let content: Vec<ContentTerm<f64>> = self
            .content
            .iter()
            .map(|t| ContentTerm { layer: t.layer.clone(), weight: t.weight, target: t.target.cast() })
            .collect();
        let style: Vec<StyleTerm<f64>> = self
            .style
            .iter()
            .map(|t| {
                let data = t.target.data.iter().map(|&v| f64::from(v)).collect();
                let target = GramMatrix { channels: t.target.channels, data };
                StyleTerm { layer: t.layer.clone(), weight: t.weight, target }
            })
            .collect();
        let (losses, gradient) =
            reference::evaluate(&self.chain.cast(), &self.image.cast(), &content, &style).unwrap();
        (losses, gradient.into_vec())
    }
}

fn relative(a: &[f32], b: &[f64]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(&a, b)| f64::from(a) - b)) / norm(&mut b.iter().copied()).max(1e-30)
}

fn losses_agree(a: &Losses, b: &Losses, tolerance: f64) -> bool {
    let all = |losses: &Losses| {
        losses.content.iter().chain(&losses.style).chain([&losses.total]).copied().collect::<Vec<f64>>()
    };
    let (a, b) = (all(a), all(b));
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= tolerance * b.abs().max(1e-12))
}

fn pooling() -> impl Strategy<Value = Pooling> {
    prop_oneof![Just(Pooling::Average), Just(Pooling::Max)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn evaluator_matches_the_reference_for_any_taps(
        size in (4_usize..50, 4_usize..50),
        pooling in pooling(),
        content in 0_u8..32,
        style in 0_u8..32,
        seed in 0_u64..1000,
    ) {
        prop_assume!(content | style != 0);
        let case = Case::new(size, pooling, content, style, seed);
        let (losses, gradient) = case.reference();
        for (mode, tolerance) in [(ConvMode::Exact, 1e-5), (ConvMode::Fast, 1e-4)] {
            let (ours, our_gradient) = case.evaluate(&mut case.evaluator(mode, None));
            prop_assert!(losses_agree(&ours, &losses, tolerance), "{mode:?} {ours:?} {losses:?}");
            // A response within rounding of zero may fall on the other side of the ReLU, or of a maximum.
            let error = relative(&our_gradient, &gradient);
            prop_assert!(error < 2e-2, "{mode:?} {error}");
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
        let (content_layers, style_layers): (Vec<String>, Vec<String>) = (
            case.content.iter().map(|t| t.layer.clone()).collect(),
            case.style.iter().map(|t| t.layer.clone()).collect(),
        );
        let network = PreparedChain::new(case.chain.clone(), ConvMode::Exact).unwrap();
        let options = EvaluatorOptions { memory_limit: Some(1) };
        let refused = network.plan(size.0, size.1, &content_layers, &style_layers, options).unwrap_err();
        let impasto_autodiff::AutodiffError::Memory { needed, .. } = refused else { panic!("{refused}") };
        let mut banded = case.evaluator(ConvMode::Exact, Some(needed));
        let (ours, our_gradient) = case.evaluate(&mut banded);
        prop_assert!(losses_agree(&ours, &losses, 1e-5), "{ours:?} {losses:?}");
        let gradient: Vec<f64> = gradient.iter().map(|&g| f64::from(g)).collect();
        let error = relative(&our_gradient, &gradient);
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
    assert!(relative(&our_gradient, &gradient) < 1e-3);
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
        assert!(relative(feature.data(), response.data()) < 1e-5, "{layer}");
        let expected = impasto_autodiff::ops::style::gram(response).unwrap();
        assert!(relative(&gram.data, &expected.data) < 1e-5, "{layer}");
    }
    // At its own targets a picture has no loss and no gradient.
    let content = layers.iter().zip(features).map(|(layer, target)| ContentTerm {
        layer: layer.clone(),
        weight: 1.0,
        target,
    });
    let style = layers.iter().zip(grams).map(|(layer, target)| StyleTerm {
        layer: layer.clone(),
        weight: 1.0,
        target,
    });
    evaluator.set_terms(content.collect(), style.collect()).unwrap();
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
    let error = other.set_terms(case.content, case.style).unwrap_err().to_string();
    assert!(error.contains("16 x 16 x 16") && error.contains("18 x 16 x 16"), "{error}");
}
