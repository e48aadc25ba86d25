//! What masks cost an evaluation: VGG-16's shape with random weights, style at conv1_1 to conv5_1 and content at conv4_2.
//!
//! `cargo bench -p impasto-autodiff --bench guides -- [SIZE [ROUNDS]]` for SIZE x SIZE pictures; without arguments 512 and 9. In each
//! round every case is evaluated in turn, so that what else the machine does falls on all of them; the ratios are of one round.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use impasto_autodiff::{
    Border, Cancel, Chain, ConvLayer, ConvMode, Coverage, Evaluator, EvaluatorOptions, Guide, Layer,
    LossKind, Pooling, PreparedChain, Reach, Tap, Term, Weight,
};

const STYLE: [&str; 5] = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"];
const CONTENT: &str = "conv4_2";

/// Which part of the picture a region is: the share of it at (y, x), both from 0 to 1.
type Mask = fn(f32, f32) -> f32;

/// The regions of each case.
const CASES: [(&str, &[Mask]); 5] = [
    ("no guides", &[]),
    ("left and right half", &[|_, x| half(x < 0.5), |_, x| half(x >= 0.5)]),
    (
        "four quadrants",
        &[
            |y, x| half(x < 0.5 && y < 0.5),
            |y, x| half(x >= 0.5 && y < 0.5),
            |y, x| half(x < 0.5 && y >= 0.5),
            |y, x| half(x >= 0.5 && y >= 0.5),
        ],
    ),
    ("two with a soft diagonal edge", &[diagonal, |y, x| 1.0 - diagonal(y, x)]),
    ("two that overlap everywhere", &[|_, _| 0.5, |_, _| 0.5]),
];

fn half(there: bool) -> f32 {
    f32::from(u8::from(there))
}

/// From 0 to 1 within a quarter of the picture's side.
fn diagonal(y: f32, x: f32) -> f32 {
    (2.0 * (y + x - 1.0) + 0.5).clamp(0.0, 1.0)
}

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (size, rounds) =
        (numbers.first().copied().unwrap_or(512), numbers.get(1).copied().unwrap_or(9).max(1));
    let network = Arc::new(PreparedChain::new(random_chain(), ConvMode::Fast)?);
    let mut evaluators =
        CASES.iter().map(|(_, masks)| evaluator(&network, size, masks)).collect::<Result<Vec<_>, _>>()?;
    let image = waves(size * size * 3, 100.0);
    let mut gradient = vec![0.0; image.len()];
    let mut seconds = vec![Vec::new(); CASES.len()];
    // The first round is not counted.
    for round in 0..=rounds {
        for (evaluator, seconds) in evaluators.iter_mut().zip(&mut seconds) {
            let start = Instant::now();
            evaluator.evaluate(&image, &mut gradient)?;
            if round > 0 {
                seconds.push(start.elapsed().as_secs_f64());
            }
        }
    }
    println!("{size} x {size}, {} threads, median of {rounds} rounds", rayon::current_num_threads());
    println!("| regions | ms | against none | a region |");
    println!("|---|---|---|---|");
    for ((name, masks), own) in CASES.iter().zip(&seconds) {
        let ratios: Vec<f64> = own.iter().zip(&seconds[0]).map(|(own, none)| own / none).collect();
        let more = 100.0 * (median(ratios) - 1.0);
        let each = more / masks.len().max(1) as f64;
        println!("| {name} | {:.1} | {more:+.1} % | {each:+.1} % |", 1e3 * median(own.clone()));
    }
    Ok(())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A content term, and a style term for each layer and region.
fn evaluator(network: &Arc<PreparedChain>, size: usize, masks: &[Mask]) -> Result<Evaluator, Box<dyn Error>> {
    let taps: Vec<Tap> = std::iter::once(Tap::new(CONTENT, LossKind::Content))
        .chain(STYLE.map(|layer| Tap::new(layer, LossKind::Gram)))
        .collect();
    let (target, options) = (waves(size * size * 3, 50.0), EvaluatorOptions::default());
    let measured = network.measure(&target, (size, size), (&taps, &[]), options, &Cancel::default())?;
    let pixel = |at: usize| at as f32 / size as f32;
    let mut regions = Vec::new();
    for mask in masks {
        let mask: Vec<f32> = (0..size * size).map(|at| mask(pixel(at / size), pixel(at % size))).collect();
        regions.push(network.coverages(&mask, (size, size), &STYLE, Reach::Average)?);
    }
    if regions.is_empty() {
        regions.push(vec![Coverage::Everywhere; STYLE.len()]);
    }
    let mut terms = Vec::new();
    for (at, (tap, loss)) in taps.into_iter().zip(measured).enumerate() {
        if tap.kind == LossKind::Content {
            terms.push(Term::at(tap.layer, Weight::alone(1.0), loss));
            continue;
        }
        for coverage in regions.iter().map(|region| &region[at - 1]) {
            let weight = Weight { sum: 1e3, share: coverage.guide().map_or(1.0, Guide::share) };
            terms.push(Term::at(&tap.layer, weight, loss.clone().guided(coverage.guide().cloned())));
        }
    }
    Ok(Evaluator::new(Arc::clone(network), (size, size), terms, options)?)
}

/// VGG-16 down to conv5_1.
fn random_chain() -> Chain<f32> {
    let (mut layers, mut in_channels) = (Vec::new(), 3);
    for (block, (convs, out_channels)) in (1..).zip([(2, 64), (2, 128), (3, 256), (3, 512), (1, 512)]) {
        if block > 1 {
            layers.push(Layer::Pool);
        }
        for conv in 1..=convs {
            let scale = (2.0 / (9 * in_channels) as f32).sqrt();
            layers.push(Layer::Conv(ConvLayer {
                name: format!("conv{block}_{conv}"),
                in_channels,
                out_channels,
                kernel: waves(9 * in_channels * out_channels, 1.4 * scale),
                bias: vec![0.0; out_channels],
            }));
            in_channels = out_channels;
        }
    }
    Chain { input: None, layers, pooling: Pooling::Average, border: Border::Zero }
}

/// Uneven numbers from -`scale` to `scale`.
fn waves(len: usize, scale: f32) -> Vec<f32> {
    (0..len).map(|at| scale * ((at * 7919 % 10_007) as f32 * 1.7).sin()).collect()
}
