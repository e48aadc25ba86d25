//! Losses that act where masks say: the engine against the reference and against itself.

use std::sync::Arc;

use crate::common::case::{Case, LAYERS, pooling, small_sizes, style_kinds, tolerances};
use crate::common::{noise, noise_picture, relative_error};
use impasto_autodiff::losses::{Content, Style};
use impasto_autodiff::{
    AutodiffError, Cancel, ConvMode, Coverage, Cuts, Evaluator, EvaluatorOptions, Guide, Kernels, Loss,
    LossKind, Pooling, PreparedChain, Reach, Tap, Term, Weight, reference,
};
use impasto_tensor::Shape;
use proptest::prelude::*;

/// A mask of any picture.
#[derive(Debug, Clone, Copy)]
enum Mask {
    /// Below a slanted line, or with a soft edge along it.
    Half { slope: f32, at: f32, edge: f32 },
    /// A disc.
    Disc { y: f32, x: f32, radius: f32 },
    /// Each position by itself, there or not.
    Hard(u64),
    /// Each position by itself, more or less.
    Soft(u64),
    /// Little everywhere.
    Faint(f32),
    /// All but the first pixel.
    AllButOne,
}

impl Mask {
    /// t at every pixel, and what it leaves of the picture to others.
    fn of(self, (height, width): (usize, usize)) -> [Vec<f32>; 2] {
        let seeds = match self {
            Self::Hard(seed) | Self::Soft(seed) => noise(height * width, seed, 1.0),
            _ => vec![0.0; height * width],
        };
        let t = |at: usize| {
            let (y, x) = ((at / width) as f32 / height as f32, (at % width) as f32 / width as f32);
            let there = |there: bool| f32::from(u8::from(there));
            match self {
                Self::Half { slope, at, edge } => ((y - at + slope * (x - 0.5)) / edge + 0.5).clamp(0.0, 1.0),
                Self::Disc { y: cy, x: cx, radius } => there((y - cy).hypot(x - cx) < radius),
                Self::Hard(_) => there(seeds[at] > 0.0),
                Self::Soft(_) => 0.5 + 0.5 * seeds[at],
                Self::Faint(t) => t,
                Self::AllButOne => there(at > 0),
            }
        };
        let here: Vec<f32> = (0..height * width).map(t).collect();
        let rest = here.iter().map(|t| 1.0 - t).collect();
        [here, rest]
    }
}

fn masks() -> impl Strategy<Value = Mask> {
    let half = (-2.0..2.0_f32, 0.0..1.0_f32, prop_oneof![Just(1e-6_f32), 0.1..2.0_f32]);
    let disc = (0.0..1.0_f32, 0.0..1.0_f32, 0.05..0.8_f32);
    prop_oneof![
        4 => half.prop_map(|(slope, at, edge)| Mask::Half { slope, at, edge }),
        2 => disc.prop_map(|(y, x, radius)| Mask::Disc { y, x, radius }),
        1 => any::<u64>().prop_map(Mask::Hard),
        1 => any::<u64>().prop_map(Mask::Soft),
        1 => (0.01..1.0_f32).prop_map(Mask::Faint),
        1 => Just(Mask::AllButOne),
    ]
}

fn reaches() -> impl Strategy<Value = Reach> {
    prop_oneof![3 => Just(Reach::Average), 1 => Just(Reach::Inside)]
}

/// What of the picture, what of the painting, and where there is a content loss.
#[derive(Debug, Clone)]
struct Regions {
    /// A region for each; its rest is one more.
    photo: Vec<Mask>,
    painting: Mask,
    content: Option<Mask>,
    reach: Reach,
}

fn regions() -> impl Strategy<Value = Regions> {
    let photo = prop::collection::vec(masks(), 1..3);
    (photo, masks(), prop::option::of(masks()), reaches())
        .prop_map(|(photo, painting, content, reach)| Regions { photo, painting, content, reach })
}

impl Regions {
    /// The case with a term for each region and layer instead of one for each layer, none where nothing of it is left.
    fn apply(&self, mut case: Case, seed: u64) -> Case {
        let Shape { height, width, .. } = case.image.shape();
        let network = PreparedChain::new(case.chain.clone(), ConvMode::Exact).unwrap();
        let cover = |mask: &[f32], layer: &str, reach| {
            network.coverages(mask, (height, width), &[layer], reach).unwrap().swap_remove(0)
        };
        let painting = noise_picture(height, width, seed + 77);
        let responses = reference::responses(&case.chain, &painting, case.chain.layers.len() - 1).unwrap();
        let size = (height, width);
        let masks: Vec<Vec<f32>> = self.photo.iter().flat_map(|mask| mask.of(size)).collect();
        let mut terms = Vec::new();
        for term in case.terms.0 {
            let layer = term.layer.clone().unwrap();
            let content = self.content.filter(|_| term.loss.kind() == LossKind::Content);
            let masks =
                if let Some(content) = content { vec![content.of(size)[0].clone()] } else { masks.clone() };
            if term.loss.kind() == LossKind::Content && content.is_none() {
                terms.push(term);
                continue;
            }
            for mask in masks {
                let (guide, share) = match cover(&mask, &layer, self.reach) {
                    Coverage::Everywhere => (None, 1.0),
                    Coverage::Partly(guide) => (Some(guide.clone()), guide.share()),
                    Coverage::Nowhere => continue,
                };
                let kind = term.loss.kind();
                let loss = if kind.is_of_sums() {
                    let part = cover(&self.painting.of(size)[0], &layer, Reach::Average);
                    let response = &responses[case.chain.position(&layer).unwrap()];
                    kind.target_of_part(response, part.guide()).unwrap()
                } else {
                    term.loss.clone()
                };
                let weight = Weight { share, ..term.weight };
                terms.push(Term { loss: loss.guided(guide), weight, ..term.clone() });
            }
        }
        case.terms.0 = terms;
        case
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn guided_losses_match_the_reference(
        size in small_sizes(),
        (pooling, kind) in (pooling(), style_kinds()),
        bits in (0_u8..32, 1_u8..32),
        regions in regions(),
        seed in 0_u64..1000,
    ) {
        let case = regions.apply(Case::of_kind(kind, size, pooling, bits, seed), seed);
        prop_assume!(!case.terms.0.is_empty());
        let case = case.away_from_kinks(seed + 10);
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

/// A tap of each kind at every layer, and two guides of the painting at each, where there are any.
fn measured_taps(
    network: &PreparedChain,
    masks: [Mask; 2],
    size: (usize, usize),
) -> (Vec<Tap>, Vec<Option<Guide>>) {
    let [first, second] =
        masks.map(|mask| network.coverages(&mask.of(size)[0], size, &LAYERS, Reach::Average).unwrap());
    let of_layer = |(layer, (first, second)): (&&str, (Coverage, Coverage))| {
        let [first, second] = [first, second].map(|coverage| coverage.guide().cloned());
        let kinds = [
            (LossKind::Content, None),
            (LossKind::Gram, None),
            (LossKind::Gram, first.clone()),
            (LossKind::Wasserstein, first),
            (LossKind::Gram, second),
        ];
        kinds.map(|(kind, guide)| (Tap::new(*layer, kind), guide))
    };
    LAYERS.iter().zip(first.into_iter().zip(second)).flat_map(of_layer).unzip()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn guided_losses_have_the_same_bits_however_the_picture_is_cut(
        size in (8_usize..200, 8_usize..40),
        (mode, pooling) in (prop_oneof![Just(ConvMode::Exact), Just(ConvMode::Fast)], pooling()),
        (kind, bits) in (style_kinds(), (0_u8..32, 1_u8..32)),
        regions in regions(),
        rows in prop::collection::btree_set(1_usize..200, 0..9),
        kernels in prop_oneof![Just(Kernels::Kept), Just(Kernels::LargeStreamed), Just(Kernels::Streamed)],
        threads in 1_usize..8,
        seed in 0_u64..1000,
    ) {
        let case = regions.apply(Case::of_kind(kind, size, pooling, bits, seed), seed);
        prop_assume!(!case.terms.0.is_empty());
        let network = Arc::new(PreparedChain::new(case.chain.clone(), mode).unwrap());
        let (taps, guides) = measured_taps(&network, [regions.painting, regions.photo[0]], size);
        let cuts = Cuts { rows: rows.into_iter().collect(), kernels };
        case.assert_same_bits(mode, (&taps, &guides), cuts, threads)?;
    }

    /// Parts of paintings are measured as the reference has them, and the whole beside a part as it is alone.
    #[test]
    fn measured_parts_are_the_references(
        size in (4_usize..50, 4_usize..50),
        masks in prop::array::uniform2(masks()),
        seed in 0_u64..1000,
    ) {
        let case = Case::new(size, Pooling::Average, 0, 1, seed);
        let network = Arc::new(PreparedChain::new(case.chain.clone(), ConvMode::Exact).unwrap());
        let (taps, guides) = measured_taps(&network, masks, size);
        let measure = |guides: &[Option<Guide>]| {
            let options = EvaluatorOptions::default();
            network.measure(case.image.data(), size, (&taps, guides), options, &Cancel::default()).unwrap()
        };
        let (measured, whole) = (measure(&guides), measure(&[]));
        let responses = reference::responses(&case.chain.cast::<f64>(), &case.image.cast(), 6).unwrap();
        for (((tap, guide), loss), whole) in taps.iter().zip(&guides).zip(&measured).zip(&whole) {
            prop_assert!(loss.guide().is_none());
            let response = &responses[case.chain.position(&tap.layer).unwrap()];
            match (loss, tap.kind.target_of_part(response, guide.as_ref())?) {
                (Loss::Gram(Style { target, .. }), Loss::Gram(expected)) => {
                    let error = relative_error(&target.data, &expected.target.data);
                    prop_assert!(error < 1e-5, "{tap:?}: {error}");
                }
                (Loss::Wasserstein(ours), Loss::Wasserstein(expected)) => {
                    let (ours, expected) = (&ours.target, &expected.target);
                    let error = relative_error(&ours.mean, &expected.mean)
                        .max(relative_error(&ours.second.data, &expected.second.data));
                    prop_assert!(error < 1e-5, "{tap:?}: {error}");
                }
                (Loss::Content(Content { target, .. }), Loss::Content(expected)) => {
                    prop_assert!(relative_error(target.data(), expected.target.data()) < 1e-5);
                }
                _ => panic!("another loss"),
            }
            if guide.is_none() {
                prop_assert!(loss == whole);
            }
        }
    }
}

#[test]
fn a_mask_of_all_ones_is_no_mask() {
    for kind in [LossKind::Gram, LossKind::Wasserstein] {
        let case = Case::of_kind(kind, (40, 31), Pooling::Average, (0b00100, 0b10101), 3);
        let network = PreparedChain::new(case.chain.clone(), ConvMode::Fast).unwrap();
        let ones = vec![1.0; 40 * 31];
        let mut guided =
            Case { chain: case.chain.clone(), image: case.image.clone(), terms: case.terms.clone() };
        for term in &mut guided.terms.0 {
            let layer = term.layer.clone().unwrap();
            let coverage =
                network.coverages(&ones, (40, 31), &[&layer], Reach::Average).unwrap().swap_remove(0);
            assert_eq!(coverage, Coverage::Everywhere);
            term.loss = term.loss.clone().guided(coverage.guide().cloned());
        }
        let run = |case: &Case| case.evaluate(&mut case.evaluator(ConvMode::Fast, None));
        assert!(run(&guided) == run(&case), "{kind:?}");
    }
}

/// Under an eroded mask no position that acts sees a pixel outside it, so no gradient gets there.
#[test]
fn what_no_region_covers_is_not_moved() {
    let (size, edge) = ((64, 48), 24);
    let case = Case::new(size, Pooling::Average, 0, 0b11111, 5);
    let mask = Mask::Half { slope: 0.0, at: (edge as f32 - 0.5) / 64.0, edge: 1e-6 };
    let regions =
        Regions { photo: vec![mask], painting: Mask::Faint(0.5), content: None, reach: Reach::Inside };
    let mut case = regions.apply(case, 5);
    // Of each layer the upper region alone.
    let lower = |term: &Term| term.loss.guide().is_some_and(|guide| guide.weights()[0] == 0.0);
    case.terms.0.retain(|term| !lower(term));
    assert_eq!(case.terms.0.len(), 5);
    let (losses, gradient) = case.evaluate(&mut case.evaluator(ConvMode::Exact, None));
    assert!(losses.total > 0.0);
    let (above, below) = gradient.split_at(edge * size.1 * 3);
    assert!(above.iter().any(|&g| g != 0.0) && below.iter().all(|&g| g == 0.0));
}

#[test]
fn guides_that_do_not_fit_are_refused_by_name() {
    let case = Case::new((16, 12), Pooling::Average, 0, 0b00100, 1);
    let network = Arc::new(PreparedChain::new(case.chain.clone(), ConvMode::Fast).unwrap());
    let guide = |len: usize| Coverage::of(vec![0.5; len]).guide().cloned();
    let options = EvaluatorOptions::default();
    let taps = [Tap::new("conv2_1", LossKind::Gram), Tap::new("conv2_1", LossKind::Content)];
    let measure = |guides: &[Option<Guide>]| {
        network.measure(case.image.data(), (16, 12), (&taps, guides), options, &Cancel::default())
    };
    let error = measure(&[guide(47), None]).unwrap_err().to_string();
    assert_eq!(error, "the guide of conv2_1 has 47 numbers, but the layer's response has 48 positions");
    assert!(measure(&[guide(48), None]).is_ok());
    assert_eq!(measure(&[None]).unwrap_err(), AutodiffError::Guides { taps: 2, guides: 1 });
    let mut terms = case.terms.0.clone();
    terms[0].loss = terms[0].loss.clone().guided(guide(49));
    let error = Evaluator::new(Arc::clone(&network), (16, 12), terms.clone(), options).unwrap_err();
    assert!(matches!(&error, AutodiffError::Guide { got: 49, .. }), "{error}");
    assert_eq!(reference::losses(&case.chain, &case.image, &terms).unwrap_err(), error);
}
