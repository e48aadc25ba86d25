//! The planned evaluator against the reference.

use std::sync::Arc;

use crate::common::case::{
    Case, LAYERS, bits, border, losses_agree, pooling, small_sizes, style_kinds, tolerances,
};
use crate::common::terms::Terms;
use crate::common::{engine_chain, noise, noise_picture, relative_error};
use impasto_autodiff::{
    AutodiffError, Border, Cancel, Chain, ConvLayer, ConvMode, Cuts, Evaluator, EvaluatorOptions, Kernels,
    Layer, Loss, LossKind, PlanBytes, Pooling, PreparedChain, Preprocessing, Tap, Term, Weight, reference,
};
use impasto_tensor::{Gram, Isa, Shape, Tensor};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn evaluator_matches_the_reference_for_any_taps(
        size in small_sizes(),
        (pooling, border, kind) in (pooling(), border(), style_kinds()),
        (content, style) in (0_u8..32, 0_u8..32),
        seed in 0_u64..1000,
    ) {
        prop_assume!(content | style != 0);
        let case = Case::of_kind(kind, size, pooling, (content, style), seed).bordered(border).away_from_kinks(seed + 10);
        prop_assume!(case.is_some());
        let case = case.expect("a picture was found");
        let (losses, gradient) = case.reference();
        for (mode, of_losses, of_gradient) in tolerances(kind) {
            let (ours, our_gradient) = case.evaluate(&mut case.evaluator(mode, None));
            prop_assert!(case.losses_agree(kind, &ours, &losses, of_losses), "{mode:?} {ours:?} {losses:?}");
            let error = relative_error(&our_gradient, &gradient);
            prop_assert!(error < of_gradient, "{mode:?} {error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Weights that are set later are those of an evaluator that has them from the start; that of a term that is not there is refused.
    #[test]
    fn a_weight_can_be_changed_between_evaluations(
        size in small_sizes(),
        weights in prop::collection::vec((0.0..10.0, 0.0..2.0), 2),
        seed in 0_u64..1000,
    ) {
        let mut case = Case::new(size, Pooling::Average, 0b00010, 0b00100, seed);
        let mut changed = case.evaluator(ConvMode::Exact, None);
        case.evaluate(&mut changed);
        for (index, (sum, share)) in weights.into_iter().enumerate() {
            let weight = Weight { sum, share };
            changed.set_weight(index, weight)?;
            case.terms.0[index].weight = weight;
        }
        let expected = case.evaluate(&mut case.evaluator(ConvMode::Exact, None));
        prop_assert_eq!(case.evaluate(&mut changed), expected);
        let refused = changed.set_weight(2, Weight::alone(1.0));
        prop_assert_eq!(refused, Err(AutodiffError::NoTerm { index: 2, terms: 2 }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Inputs, options and instruction set alone decide the bits: not the bands, their number and heights, nor the threads, nor whether
    /// kernels are kept or streamed.
    #[test]
    fn a_picture_has_the_same_bits_however_it_is_cut(
        size in (8_usize..200, 8_usize..40),
        (mode, pooling, border) in (prop_oneof![Just(ConvMode::Exact), Just(ConvMode::Fast)], pooling(), border()),
        (kind, content, style) in (style_kinds(), 0_u8..32, 0_u8..32),
        rows in prop::collection::btree_set(1_usize..200, 0..9),
        kernels in prop_oneof![Just(Kernels::Kept), Just(Kernels::LargeStreamed), Just(Kernels::Streamed)],
        threads in 1_usize..8,
        seed in 0_u64..1000,
    ) {
        prop_assume!(content | style != 0);
        let case = Case::of_kind(kind, size, pooling, (content, style), seed).bordered(border);
        let both = |layer: &&str| [LossKind::Content, kind].map(|kind| Tap::new(*layer, kind));
        let taps: Vec<Tap> = LAYERS.iter().flat_map(both).collect();
        let cuts = Cuts { rows: rows.into_iter().collect(), kernels };
        case.assert_same_bits(mode, (&taps, &[]), cuts, threads)?;
    }
}

/// Pictures of which a border is a large part: of one row or column, of two, of three.
fn slim_sizes() -> impl Strategy<Value = (usize, usize)> {
    (1_usize..4, 1_usize..200, any::<bool>())
        .prop_map(|(slim, long, tall)| if tall { (long, slim) } else { (slim, long) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A border in slim pictures, down to one pixel, with losses at the layers in front of the first pooling: the plain path's, and
    /// the same bits however it is cut.
    #[test]
    fn slim_pictures_have_their_border(
        size in slim_sizes(),
        (mode, border) in (prop_oneof![Just(ConvMode::Exact), Just(ConvMode::Fast)], border()),
        (first, second) in (any::<bool>(), any::<bool>()),
        rows in prop::collection::btree_set(1_usize..200, 0..9),
        (threads, seed) in (1_usize..8, 0_u64..1000),
    ) {
        prop_assume!(first || second);
        let (chain, image) = (engine_chain(Pooling::Max, seed), noise_picture(size.0, size.1, seed + 10));
        let target = |layer: &str, filters: usize| {
            let shape = Shape::new(size.0, size.1, filters);
            Tensor::from_vec(shape, noise(shape.len(), seed + layer.len() as u64, 1.0)).unwrap()
        };
        let mut terms = Terms::default();
        for (layer, _) in [("conv1_1", first), ("conv1_2", second)].into_iter().filter(|(_, wanted)| *wanted) {
            terms = terms.content(layer, 0.7, target(layer, 16)).style(layer, 1e3, &target(layer, 16));
        }
        let case = Case { chain, image, terms }.bordered(border);
        let taps: Vec<Tap> = case.terms.taps();
        let cuts = Cuts { rows: rows.into_iter().collect(), kernels: Kernels::Kept };
        case.assert_same_bits(mode, (&taps, &[]), cuts, threads)?;
        let case = case.away_from_kinks(seed + 10);
        prop_assume!(case.is_some());
        let case = case.expect("a picture was found");
        let ((losses, gradient), (ours, our_gradient)) = (case.reference(), case.evaluate(&mut case.evaluator(mode, None)));
        prop_assert!(losses_agree(&ours, &losses, 1e-4), "{ours:?} {losses:?}");
        let error = relative_error(&our_gradient, &gradient);
        prop_assert!(error < 1e-3, "{error}");
    }
}

/// Kernels that are large enough to be streamed.
#[test]
fn large_kernels_have_the_same_bits_kept_or_streamed() {
    let mut case = Case::new((50, 44), Pooling::Max, 0b00010, 0b00101, 3);
    let widths = [16, 256, 512, 512, 256];
    let mut inputs = 3;
    let layer = |(at, &outputs): (usize, &usize)| {
        let name = LAYERS[at].to_owned();
        let scale = (2.0 / (9 * inputs) as f32).sqrt();
        let kernel = noise(9 * inputs * outputs, at as u64, scale);
        inputs = outputs;
        let in_channels = kernel.len() / 9 / outputs;
        Layer::Conv(ConvLayer {
            name,
            in_channels,
            out_channels: outputs,
            kernel,
            bias: noise(outputs, 9, 0.1),
        })
    };
    let mut layers: Vec<Layer<f32>> = widths.iter().enumerate().map(layer).collect();
    layers.insert(2, Layer::Pool);
    case.chain = Chain { input: None, layers, pooling: Pooling::Max, border: Border::Zero };
    case.terms = Terms::default();
    let target =
        |channels: usize| Tensor::from_vec(Shape::new(50, 44, channels), noise(50 * 44 * channels, 5, 1.0));
    case.terms =
        case.terms.content("conv1_2", 1.0, target(256).unwrap()).style("conv1_1", 1e4, &target(16).unwrap());
    let deep = Tensor::from_vec(Shape::new(25, 22, 256), noise(25 * 22 * 256, 6, 1.0)).unwrap();
    case.terms = case.terms.style("conv3_1", 1e4, &deep);
    let run = |cuts: Cuts| {
        let mut evaluator = case.evaluator_for(ConvMode::Fast, cuts);
        let packed = evaluator.plan().bytes().packed;
        let (losses, gradient) = case.evaluate(&mut evaluator);
        (bits(&losses, &gradient, &[]), packed)
    };
    let (whole, kept) = run(Cuts::default());
    for rows in [vec![], vec![11], vec![7, 20, 33, 34]] {
        let (cut, packed) = run(Cuts { rows: rows.clone(), kernels: Kernels::LargeStreamed });
        assert!(cut == whole, "{rows:?}");
        assert!(packed < kept / 2, "{packed} of {kept} bytes");
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    for kind in [LossKind::Gram, LossKind::Wasserstein] {
        let case = Case::of_kind(kind, (75, 91), Pooling::Average, (0b01000, 0b10101), 3);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| case.evaluate(&mut case.evaluator(ConvMode::Fast, None)))
        };
        let one = run(1);
        for threads in [2, 3, 8] {
            assert!(one == run(threads), "{kind:?}, {threads} threads");
        }
    }
}

/// Dead filters, a picture of one colour, fewer positions than filters, numbers far from what pictures have: the loss and its
/// gradient are numbers.
#[test]
fn a_distance_of_gaussians_is_a_number_whatever_the_responses_are() {
    let all = (0b00000, 0b11111);
    for (size, colour, dead) in [((4, 4), 0.0, false), ((16, 12), 1e6, false), ((9, 30), 0.3, true)] {
        let mut case = Case::of_kind(LossKind::Wasserstein, size, Pooling::Average, all, 3);
        case.image.data_mut().fill(colour);
        for layer in case.chain.layers.iter_mut().filter(|_| dead) {
            if let Layer::Conv(conv) = layer {
                conv.bias.iter_mut().step_by(3).for_each(|bias| *bias = -1e9);
            }
        }
        for mode in [ConvMode::Exact, ConvMode::Fast] {
            let (losses, gradient) = case.evaluate(&mut case.evaluator(mode, None));
            assert!(losses.each.iter().all(|loss| loss.is_finite()), "{losses:?}");
            assert!(gradient.iter().all(|g| g.is_finite()));
        }
    }
}

#[test]
fn a_tall_picture_under_a_tight_limit_runs_in_several_bands() {
    let case = Case::new((400, 24), Pooling::Average, 0b01000, 0b10101, 3);
    let mut whole = case.evaluator(ConvMode::Exact, None);
    let limit = whole.bytes() * 2 / 3;
    let mut banded = case.evaluator(ConvMode::Exact, Some(limit));
    assert!(banded.plan().bands() > 1);
    assert!(banded.bytes() <= limit);
    assert!(case.evaluate(&mut banded) == case.evaluate(&mut whole));
}

/// The chain with a preprocessing in front, and TV beside the losses of layers: all on the picture's own numbers.
#[test]
fn preprocessing_and_total_variation_belong_to_the_evaluation() {
    for pooling in [Pooling::Average, Pooling::Max] {
        let mut case = Case::new((21, 18), pooling, 0b00100, 0b10001, 5);
        let scale = 1.0 / 40.0;
        case.chain.input = Some(Preprocessing { scale, mean: [0.1, -0.2, 0.3], std: [0.5, 0.7, 0.9] });
        let grey = |z: &f32| 127.0 + 40.0 * z;
        let pixels = case.image.data().iter().map(grey).collect();
        case.image = Tensor::from_vec(case.image.shape(), pixels).unwrap();
        case.terms = case.terms.total_variation(0.3);
        let (losses, gradient) = case.reference();
        let (ours, our_gradient) = case.evaluate(&mut case.evaluator(ConvMode::Exact, None));
        assert!(losses_agree(&ours, &losses, 1e-4), "{ours:?} {losses:?}");
        assert!(relative_error(&our_gradient, &gradient) < 1e-3);
    }
}

#[test]
fn total_variation_alone_needs_no_layer() {
    let mut case = Case::new((9, 7), Pooling::Average, 0, 0, 2);
    case.terms = case.terms.total_variation(2.0);
    let (losses, gradient) = case.reference();
    let mut evaluator = case.evaluator(ConvMode::Fast, None);
    assert_eq!((evaluator.plan().bands(), evaluator.bytes()), (0, 0));
    let (ours, our_gradient) = case.evaluate(&mut evaluator);
    assert!(losses_agree(&ours, &losses, 1e-5) && relative_error(&our_gradient, &gradient) < 1e-5);
}

#[test]
fn a_sum_is_weighed_as_a_whole() {
    let case = Case::new((20, 20), Pooling::Average, 0b01100, 0b10101, 4);
    let weighed = |sum: f64, shares: f64| {
        let mut case =
            Case { terms: case.terms.clone(), chain: case.chain.clone(), image: case.image.clone() };
        for term in &mut case.terms.0 {
            term.weight = Weight { sum, share: shares * term.weight.sum };
        }
        case.evaluate(&mut case.evaluator(ConvMode::Exact, None))
    };
    let ((whole, gradient), (parts, part_gradient)) = (weighed(4.0, 1.0), weighed(1.0, 4.0));
    assert!((whole.total / parts.total - 1.0).abs() < 1e-12);
    assert!(gradient == part_gradient && whole.each == parts.each);
}

#[test]
fn measured_targets_are_the_references() {
    Border::ALL.into_iter().for_each(assert_measured_targets);
}

fn assert_measured_targets(border: Border) {
    let case = Case::new((37, 42), Pooling::Average, 0, 1, 8).bordered(border);
    let network = Arc::new(PreparedChain::new(case.chain.clone(), ConvMode::Exact).unwrap());
    let kinds = [LossKind::Content, LossKind::Gram, LossKind::Wasserstein];
    let all = |layer: &&str| kinds.map(|kind| Tap::new(*layer, kind));
    let taps: Vec<Tap> = LAYERS.iter().flat_map(all).collect();
    let options = EvaluatorOptions::default();
    let measured =
        network.measure(case.image.data(), (37, 42), (&taps, &[]), options, &Cancel::default()).unwrap();
    let responses = reference::responses(&case.chain.cast::<f64>(), &case.image.cast(), 6).unwrap();
    for (tap, loss) in taps.iter().zip(&measured) {
        let response = &responses[case.chain.position(&tap.layer).unwrap()];
        let error = match (loss, tap.kind.target_of(response).unwrap()) {
            (Loss::Content(ours), Loss::Content(expected)) => {
                assert_eq!(ours.target.shape(), expected.target.shape());
                relative_error(ours.target.data(), expected.target.data())
            }
            (Loss::Gram(ours), Loss::Gram(expected)) => {
                relative_error(&ours.target.data, &expected.target.data)
            }
            (Loss::Wasserstein(ours), Loss::Wasserstein(expected)) => {
                let (ours, expected) = (&ours.target, &expected.target);
                relative_error(&ours.mean, &expected.mean)
                    .max(relative_error(&ours.second.data, &expected.second.data))
            }
            _ => panic!("another loss, or one without a target"),
        };
        assert!(error < 1e-5 && loss.kind() == tap.kind, "{tap:?}: {error}");
    }
    // At its own targets a picture has no loss and no gradient.
    let term = |(tap, loss): (Tap, Loss)| Term::at(tap.layer, Weight::alone(1.0), loss);
    let (of_means, others): (Vec<_>, Vec<_>) =
        taps.into_iter().zip(measured).partition(|(tap, _)| tap.kind.is_of_means());
    let terms = others.into_iter().map(term).collect();
    let mut evaluator = Evaluator::new(Arc::clone(&network), (37, 42), terms, options).unwrap();
    let mut gradient = vec![1.0; case.image.data().len()];
    let losses = evaluator.evaluate(case.image.data(), &mut gradient).unwrap();
    assert_eq!(losses.total, 0.0);
    assert!(gradient.iter().all(|&g| g == 0.0));
    // But for the rounding of roots, nor has it a distance of Gaussians.
    let scale: f64 = of_means.iter().map(|(_, loss)| spread(loss)).sum();
    let terms = of_means.into_iter().map(term).collect();
    let mut evaluator = Evaluator::new(network, (37, 42), terms, options).unwrap();
    let losses = evaluator.evaluate(case.image.data(), &mut gradient).unwrap();
    assert!(losses.total.abs() < 1e-5 * scale, "{} of {scale}", losses.total);
}

/// The mean of the second moments that a distance of Gaussians compares with.
fn spread(loss: &Loss) -> f64 {
    let Loss::Wasserstein(loss) = loss else { panic!("{:?}", loss.kind()) };
    let second = &loss.target.second;
    second.data.iter().step_by(second.channels + 1).map(|&g| f64::from(g)).sum::<f64>()
        / second.channels as f64
}

/// Twice the same layer: the response is handed out to both.
#[test]
fn a_layer_can_be_measured_twice() {
    let case = Case::new((12, 12), Pooling::Average, 0, 1, 8);
    let network = Arc::new(PreparedChain::new(case.chain.clone(), ConvMode::Fast).unwrap());
    let tap = Tap::new("conv2_1", LossKind::Content);
    let options = EvaluatorOptions::default();
    let twice = network
        .measure(case.image.data(), (12, 12), (&[tap.clone(), tap], &[]), options, &Cancel::default())
        .unwrap();
    assert!(
        twice[0] == twice[1]
            && matches!(&twice[0], Loss::Content(content) if content.target.data().len() == 6 * 6 * 32)
    );
}

#[test]
fn a_plan_for_measuring_reserves_nothing_for_a_backward_pass() {
    let case = Case::new((64, 64), Pooling::Average, 0b01000, 0b10101, 8);
    let network = Arc::new(PreparedChain::new(case.chain.clone(), ConvMode::Exact).unwrap());
    let whole = network.plan(64, 64, &case.terms.taps(), EvaluatorOptions::default()).unwrap();
    // Under a limit that an evaluation does not fit, a measurement does, and no other bits come of it.
    let limit = EvaluatorOptions { memory_limit: Some(whole.bytes().total() * 3 / 4) };
    let measure = |options| {
        network.measure(case.image.data(), (64, 64), (&case.terms.taps(), &[]), options, &Cancel::default())
    };
    assert!(measure(limit).unwrap() == measure(EvaluatorOptions::default()).unwrap());
}

#[test]
fn counted_bytes_are_those_of_the_network_and_the_terms() {
    let size = (41, 30);
    let case = Case::new(size, Pooling::Average, 0b01010, 0b10110, 6);
    let evaluator = case.evaluator(ConvMode::Exact, None);
    let bytes = evaluator.plan().bytes();
    let conv = |layer: &Layer<f32>| match layer {
        Layer::Conv(conv) => conv.kernel.len() + conv.bias.len(),
        Layer::Pool => 0,
    };
    assert_eq!(bytes.weights, 4 * case.chain.layers.iter().map(conv).sum::<usize>() as u64);
    let target = |term: &Term| {
        if let Loss::Content(content) = &term.loss {
            return content.target.data().len();
        }
        if let Loss::Gram(style) = &term.loss { style.target.data.len() } else { 0 }
    };
    assert_eq!(bytes.targets, 4 * case.terms.0.iter().map(target).sum::<usize>() as u64);
    let PlanBytes { weights, packed, arena, masks, targets, scratch } = bytes;
    assert_eq!(evaluator.bytes(), weights + packed + arena + masks + targets + scratch);
    // A Gram matrix more: its sums, the map, and the map packed. The rest of the plan is as it was.
    let more = case.terms.clone().style("conv2_2", 1.0, &Tensor::zeros(Shape::new(20, 15, 32)).unwrap());
    let more = Case { terms: more, ..case };
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| more.evaluator(ConvMode::Exact, None).plan().bytes().scratch)
    };
    let works = [1, 2, 3].map(with_threads);
    assert!(works[0] < works[1] && works[1] - works[0] == works[2] - works[1], "{works:?}");
    let more = more.evaluator(ConvMode::Exact, None).plan().bytes();
    let sums = (Gram::bytes(Isa::current(), 32, 20 * 15) + 2 * 32 * 32 * 4) as u64;
    assert_eq!(more, PlanBytes { targets: targets + 32 * 32 * 4, scratch: scratch + sums, ..bytes });
}

#[test]
fn a_picture_or_a_gradient_of_another_length_is_refused() {
    let case = Case::new((16, 16), Pooling::Average, 1, 1, 1);
    let (mut evaluator, numbers) = (case.evaluator(ConvMode::Fast, None), 16 * 16 * 3);
    for (image, gradient) in [(numbers - 1, numbers), (numbers, numbers - 1), (numbers + 3, numbers)] {
        let refused = evaluator.evaluate(&vec![0.0; image], &mut vec![0.0; gradient]);
        let wrong = if image == numbers { gradient } else { image };
        assert!(matches!(refused, Err(AutodiffError::Pixels { got, .. }) if got == wrong), "{refused:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let case = Case::new((16, 16), Pooling::Average, 1, 1, 1);
    let network = Arc::new(PreparedChain::new(case.chain.clone(), ConvMode::Fast).unwrap());
    let options = EvaluatorOptions::default();
    let image = vec![0.0; 3 * 16 * 3];
    let refused = |image: &[f32], layer: &str| {
        let taps = [Tap::new(layer, LossKind::Content)];
        network.measure(image, (3, 16), (&taps, &[]), options, &Cancel::default()).unwrap_err().to_string()
    };
    let error = refused(&image, "conv3_1");
    assert!(error.contains("too small for conv3_1") && error.contains("4 x 4"), "{error}");
    // The plain evaluation says it in the same words.
    let picture = Tensor::from_vec(Shape::new(3, 16, 3), image.clone()).unwrap();
    let plain = reference::responses(&case.chain, &picture, case.chain.layers.len() - 1);
    assert_eq!(plain.unwrap_err().to_string(), error);
    let error = refused(&image, "conv9_9");
    assert!(error.contains("no layer conv9_9") && error.contains("conv2_2"), "{error}");
    let error = refused(&image[1..], "conv1_1");
    assert!(error.contains("3 x 16 x 3"), "{error}");
    let of_other_size = Evaluator::new(Arc::clone(&network), (18, 16), case.terms.0.clone(), options);
    let error = of_other_size.unwrap_err().to_string();
    assert!(error.contains("16 x 16 x 16") && error.contains("18 x 16 x 16"), "{error}");
    let nowhere = Term { layer: None, ..case.terms.0[0].clone() };
    let error = Evaluator::new(Arc::clone(&network), (16, 16), vec![nowhere], options).unwrap_err();
    assert_eq!(error.to_string(), "the loss content is of a layer");
    let misplaced = Term { layer: Some("conv1_1".to_owned()), ..Term::total_variation(1.0) };
    let error = Evaluator::new(network, (16, 16), vec![misplaced], options).unwrap_err();
    assert_eq!(error.to_string(), "the loss tv is of the picture itself, not a layer");
}

#[test]
fn a_flag_ends_evaluations_and_measurements() {
    let case = Case::new((37, 42), Pooling::Average, 1, 3, 8);
    let cancel = Cancel::default();
    let mut evaluator = case.evaluator(ConvMode::Fast, None).with_cancel(cancel.clone());
    let before = case.evaluate(&mut evaluator);
    assert_eq!(before, case.evaluate(&mut case.evaluator(ConvMode::Fast, None)));
    cancel.cancel();
    let mut gradient = vec![0.0; case.image.data().len()];
    let given_up = evaluator.evaluate(case.image.data(), &mut gradient);
    assert_eq!(given_up, Err(AutodiffError::Cancelled));
    let network = Arc::new(PreparedChain::new(case.chain.clone(), ConvMode::Fast).unwrap());
    let (taps, options) = (case.terms.taps(), EvaluatorOptions::default());
    let measured = network.measure(case.image.data(), (37, 42), (&taps, &[]), options, &cancel);
    assert_eq!(measured, Err(AutodiffError::Cancelled));
}
