//! A network, a picture and a loss, for the engine and the reference.

use std::sync::Arc;

use impasto_autodiff::{
    AutodiffError, Border, Cancel, Chain, ConvMode, Cuts, Evaluator, EvaluatorOptions, Guide, Loss, LossKind,
    Losses, Pooling, PreparedChain, Tap, Work, reference,
};
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

use super::terms::{Terms, each};
use super::{distance_to_a_kink, engine_chain, noise_picture};

pub(crate) const LAYERS: [&str; 5] = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"];

pub(crate) struct Case {
    pub(crate) chain: Chain<f32>,
    pub(crate) image: Tensor<f32>,
    pub(crate) terms: Terms<f32>,
}

impl Case {
    /// Losses at the layers whose bit is set, the targets from another picture.
    pub(crate) fn new(size: (usize, usize), pooling: Pooling, content: u8, style: u8, seed: u64) -> Self {
        Self::of_kind(LossKind::Gram, size, pooling, (content, style), seed)
    }

    /// The same with another loss of style.
    pub(crate) fn of_kind(
        kind: LossKind,
        size: (usize, usize),
        pooling: Pooling,
        (content, style): (u8, u8),
        seed: u64,
    ) -> Self {
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
            terms = terms.sums(kind, layer, 1e4 * weight, response);
        }
        Self { chain, image, terms }
    }

    /// The same case with another border; the targets stay.
    pub(crate) fn bordered(mut self, border: Border) -> Self {
        self.chain.border = border;
        self
    }

    /// The same case with a picture that is nowhere nearer to a kink than the rounding of f32 can carry it: the first
    /// such of a few.
    pub(crate) fn away_from_kinks(mut self, seed: u64) -> Option<Self> {
        let (chain, deepest) = (self.chain.cast::<f64>(), self.terms.deepest(&self.chain)?);
        let Shape { height, width, .. } = self.image.shape();
        let mut pictures = (0..30).map(|number| noise_picture(height, width, seed + 1000 * number));
        self.image = pictures.find(|picture| distance_to_a_kink(&chain, &picture.cast(), deepest) > 1e-5)?;
        Some(self)
    }

    pub(crate) fn evaluator(&self, mode: ConvMode, memory_limit: Option<u64>) -> Evaluator {
        self.evaluator_for(mode, EvaluatorOptions { memory_limit })
    }

    pub(crate) fn evaluator_for(&self, mode: ConvMode, work: impl Into<Work>) -> Evaluator {
        let network = Arc::new(PreparedChain::new(self.chain.clone(), mode).unwrap());
        let Shape { height, width, .. } = self.image.shape();
        Evaluator::new(network, (height, width), self.terms.0.clone(), work).unwrap()
    }

    pub(crate) fn evaluate(&self, evaluator: &mut Evaluator) -> (Losses, Vec<f32>) {
        let mut gradient = vec![f32::NAN; self.image.data().len()];
        let losses = evaluator.evaluate(self.image.data(), &mut gradient).unwrap();
        (losses, gradient)
    }

    /// Asserts that losses, gradient and what is `measured` at taps, each with its guide, have the same bits whole and on one thread,
    /// cut on several threads, and within the tightest limit that some plan fits.
    pub(crate) fn assert_same_bits(
        &self,
        mode: ConvMode,
        measured: (&[Tap], &[Option<Guide>]),
        cuts: Cuts,
        threads: usize,
    ) -> Result<(), TestCaseError> {
        let Shape { height, width, .. } = self.image.shape();
        let network = Arc::new(PreparedChain::new(self.chain.clone(), mode).unwrap());
        let run = |threads: usize, work: Work| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut evaluator = self.evaluator_for(mode, work.clone());
                // Twice: what the first evaluation left behind does not matter.
                self.evaluate(&mut evaluator);
                let (losses, gradient) = self.evaluate(&mut evaluator);
                let (image, cancel) = (self.image.data(), Cancel::default());
                let targets = network.measure(image, (height, width), measured, work, &cancel).unwrap();
                bits(&losses, &gradient, &targets)
            })
        };
        let whole = run(1, EvaluatorOptions::default().into());
        let cut = run(threads, cuts.into());
        prop_assert!(cut == whole);
        let options = EvaluatorOptions { memory_limit: Some(1) };
        let refused = network.plan(height, width, &self.terms.taps(), options).unwrap_err();
        let AutodiffError::Memory { needed, .. } = refused else { panic!("{refused}") };
        let mut evaluator = self.evaluator(mode, Some(needed));
        prop_assert_eq!(evaluator.bytes(), needed);
        let (losses, gradient) = self.evaluate(&mut evaluator);
        let frugal = bits(&losses, &gradient, &[]);
        prop_assert!((frugal.0, frugal.1) == (whole.0, whole.1));
        Ok(())
    }

    /// [`losses_agree`], where style losses of this kind below the smallest that counts may differ by what one of that size may, and the
    /// total by that with their weights.
    pub(crate) fn losses_agree(&self, kind: LossKind, a: &Losses, b: &Losses, tolerance: f64) -> bool {
        let weights: f64 = self.terms.0.iter().map(|term| term.weight.product()).sum();
        let (ours, theirs) = (each(a), each(b));
        let agree = |(a, b): (&f64, &f64)| near(*a, *b, least(kind), tolerance);
        ours.len() == theirs.len()
            && ours.iter().zip(&theirs).all(agree)
            && near(a.total, b.total, weights * least(kind), tolerance)
    }

    /// In f64.
    pub(crate) fn reference(&self) -> (Losses, Vec<f64>) {
        let (losses, gradient) = self.terms.cast().evaluate(&self.chain.cast(), &self.image.cast()).unwrap();
        (losses, gradient.into_vec())
    }
}

pub(crate) fn losses_agree(a: &Losses, b: &Losses, tolerance: f64) -> bool {
    let all = |losses: &Losses| [each(losses), vec![losses.total]].concat();
    let (a, b) = (all(a), all(b));
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| near(*a, *b, 1e-12, tolerance))
}

/// Numbers that differ by a share of the second one, or of the smallest that counts.
fn near(a: f64, b: f64, least: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs().max(least)
}

/// The smallest loss whose digits count. W_l is a difference of traces of at least eps = 0.3 a filter, which `f32` rounds.
fn least(kind: LossKind) -> f64 {
    if kind.is_of_means() { 1e-3 } else { 1e-12 }
}

/// Sides up to 60, but few positions: a picture of more than that is hardly ever away from all kinks.
pub(crate) fn small_sizes() -> impl Strategy<Value = (usize, usize)> {
    (4_usize..=60)
        .prop_flat_map(|long| (Just(long), 4..=long.min(600 / long).max(4)))
        .prop_flat_map(|(long, short)| prop_oneof![Just((long, short)), Just((short, long))])
}

pub(crate) fn border() -> impl Strategy<Value = Border> {
    prop::sample::select(&Border::ALL[..])
}

/// The losses of style.
pub(crate) fn style_kinds() -> impl Strategy<Value = LossKind> {
    prop_oneof![Just(LossKind::Gram), Just(LossKind::Wasserstein)]
}

/// What the engine's losses and gradients may differ from the reference's, in parts: for each way to convolve. W_l is a small
/// difference of large traces.
pub(crate) fn tolerances(kind: LossKind) -> [(ConvMode, f64, f64); 2] {
    let [exact, fast] = if kind.is_of_means() { [1e-3, 1e-2] } else { [1e-5, 1e-4] };
    [(ConvMode::Exact, exact, 1e-4), (ConvMode::Fast, fast, 1e-3)]
}

pub(crate) fn pooling() -> impl Strategy<Value = Pooling> {
    prop_oneof![Just(Pooling::Average), Just(Pooling::Max), Just(Pooling::ScaledAverage)]
}

/// The losses' bits and the gradient's, and those of the targets at every layer.
pub(crate) fn bits(losses: &Losses, gradient: &[f32], targets: &[Loss]) -> (Vec<u64>, Vec<u32>, Vec<u32>) {
    let target = |loss: &Loss| match loss {
        Loss::Content(content) => content.target.data().to_vec(),
        Loss::Gram(style) => style.target.data.clone(),
        Loss::Wasserstein(loss) => [&loss.target.mean[..], &loss.target.second.data].concat(),
        Loss::TotalVariation | Loss::NinePoints => Vec::new(),
        other => panic!("the targets of {:?} are not compared", other.kind()),
    };
    let of = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect();
    let losses = [each(losses), vec![losses.total]].concat().iter().map(|loss| loss.to_bits()).collect();
    (losses, of(gradient), of(&targets.iter().flat_map(target).collect::<Vec<_>>()))
}
