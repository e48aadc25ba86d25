//! How fast the engine is on this machine: each convolution of a network, and whole evaluations of the paper's loss.
//!
//! Weights and pictures are random numbers: the time does not depend on them.

use std::cell::Cell;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use impasto_autodiff::{
    AutodiffError, Border, Cancel, Chain, ConvLayer, ConvMode, Evaluator, EvaluatorOptions, Layer, LayerPlan,
    LossKind, PlanBytes, Pooling, PreparedChain, Tap, Term, Weight,
};
use impasto_lbfgs::{Lbfgs, Optimiser, State, Step};
use impasto_tensor::conv::{Algorithm, PackedConv, Sink, Source};
use impasto_tensor::{AlignedBuffer, Isa, Matrix, PackedMatrix, Scratch};
use impasto_vgg::Arch;
use rand_core::Rng;
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

use crate::clock::Instant;
use crate::coordinates::{Coordinates, Spectrum};
use crate::optimise::lbfgs;
use crate::{StyleLoss, white_noise};

/// What to measure.
#[derive(Debug, Clone, Copy)]
pub struct Benchmark {
    /// The network.
    pub arch: Arch,
    /// Rows and columns of the picture.
    pub size: usize,
    /// Evaluations, after one that does not count.
    pub runs: usize,
    /// Which convolution algorithms may be used.
    pub conv: ConvMode,
    /// The loss of style.
    pub style_loss: StyleLoss,
    /// How the evaluator may use the machine.
    pub evaluator: EvaluatorOptions,
}

/// The time of one convolution in one direction.
#[derive(Debug, Clone, Copy)]
pub struct ConvTime {
    /// How it was computed.
    pub algorithm: Algorithm,
    /// The fastest run, in seconds.
    pub seconds: f64,
    /// Operations of the direct convolution, 2 x 9 C_in C_out M, per second, in units of 1e9.
    pub effective_gflops: f64,
    /// Operations that the algorithm's matrix products do per second, relative to [`gemm_peak`].
    pub share_of_peak: f64,
}

/// The times of one layer.
#[derive(Debug, Clone)]
pub struct LayerTime {
    /// The layer's place in the plan.
    pub plan: LayerPlan,
    /// From the input to the response, bias and ReLU included.
    pub forward: ConvTime,
    /// From the gradient of the response to that of the input; none for the first layer.
    pub backward: Option<ConvTime>,
}

/// The times of whole evaluations (one loss and gradient).
#[derive(Debug, Clone)]
pub struct EvaluationTime {
    /// Seconds, ascending.
    pub seconds: Vec<f64>,
    /// The plan's memory.
    pub bytes: PlanBytes,
    /// Horizontal bands.
    pub bands: usize,
    /// The layers of the plan.
    pub layers: Vec<LayerPlan>,
}

/// The time that L-BFGS takes beside its evaluations.
#[derive(Debug, Clone, Copy)]
pub struct OptimiserTime {
    /// Pairs.
    pub history: usize,
    /// Median of the seconds of an iteration that has one evaluation.
    pub seconds: f64,
}

impl EvaluationTime {
    /// The median.
    pub fn median(&self) -> f64 {
        self.seconds[self.seconds.len() / 2]
    }
}

impl Benchmark {
    /// Times whole evaluations: content conv4_2, style conv1_1 to conv5_1, average pooling.
    ///
    /// # Errors
    /// [`AutodiffError`] if the picture is too small or the plan does not fit the memory limit.
    pub fn evaluations(&self) -> Result<EvaluationTime, AutodiffError> {
        let &Self { arch, size, runs, conv, style_loss, evaluator: options } = self;
        let network = Arc::new(PreparedChain::new(random_chain(arch), conv)?);
        let content = std::iter::once((Tap::new("conv4_2", LossKind::Content), 1.0));
        let style = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"];
        let (taps, weights): (Vec<Tap>, Vec<f64>) =
            content.chain(style.map(|layer| (Tap::new(layer, style_loss.kind()), 1e3))).unzip();
        let target = numbers(size * size * 3, 1, 100.0);
        let measured = network.measure(&target, (size, size), (&taps, &[]), options, &Cancel::default())?;
        let terms = taps.into_iter().zip(weights).zip(measured);
        let term = |((tap, weight), loss): ((Tap, f64), _)| Term::at(tap.layer, Weight::alone(weight), loss);
        let mut evaluator = Evaluator::new(network, (size, size), terms.map(term).collect(), options)?;
        let image = numbers(size * size * 3, 2, 100.0);
        let mut gradient = vec![0.0; image.len()];
        evaluator.evaluate(&image, &mut gradient)?;
        let mut seconds = Vec::new();
        for _ in 0..runs.max(1) {
            let start = Instant::now();
            evaluator.evaluate(&image, &mut gradient)?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        let plan = evaluator.plan();
        Ok(EvaluationTime {
            seconds,
            bytes: plan.bytes(),
            bands: plan.bands(),
            layers: plan.layers().to_vec(),
        })
    }

    /// Times what L-BFGS does beside its evaluations: the pairs, the line search, the cosine transforms, the scales. The
    /// history is that of a picture of this size, and full.
    ///
    /// None if the picture is so small that L-BFGS is done with it before its history is full.
    pub fn optimiser(&self) -> Option<OptimiserTime> {
        let Lbfgs { history, .. } = lbfgs(None, 1, self.size * self.size * 3);
        let optimiser = lbfgs(None, history + 1 + self.runs.max(1), self.size * self.size * 3);
        let mut coordinates = Spectrum::around(white_noise(self.size, self.size, 1).ok()?);
        let (mut u, groups) = (coordinates.start(), coordinates.groups());
        let inside = Cell::new(Duration::ZERO);
        let mut objective = |u: &[f32], gradient: &mut [f32]| {
            coordinates.evaluate(u, gradient, |x, gradient| {
                let start = Instant::now();
                let loss = bowls(x, gradient);
                inside.set(inside.get() + start.elapsed());
                Ok::<_, Infallible>(loss)
            })
        };
        let mut state = optimiser.start(&mut u, groups, &mut objective).ok()?;
        let mut seconds = Vec::new();
        loop {
            let (start, inside_before, before) =
                (Instant::now(), inside.get(), state.iteration().evaluations);
            if let Step::Ended(_) = optimiser.step(&mut state, &mut objective).ok()? {
                break;
            }
            let iteration = state.iteration();
            if iteration.iteration > history + 1 && iteration.evaluations == before + 1 {
                seconds.push(
                    start.elapsed().saturating_sub(inside.get().saturating_sub(inside_before)).as_secs_f64(),
                );
            }
        }
        seconds.sort_by(f64::total_cmp);
        let median = *seconds.get(seconds.len() / 2)?;
        Some(OptimiserTime { history, seconds: median })
    }

    /// Times one layer of a plan, the fastest of `runs` runs in each direction.
    ///
    /// # Errors
    /// [`AutodiffError`] if the system has not the memory.
    pub fn layer(&self, plan: &LayerPlan, peak: f64) -> Result<LayerTime, AutodiffError> {
        let (inputs, outputs) = (plan.in_channels, plan.out_channels);
        let forward = self.conv_time(plan, plan.forward, (inputs, outputs), peak)?;
        let backward = plan
            .backward
            .map(|algorithm| self.conv_time(plan, algorithm, (outputs, inputs), peak))
            .transpose()?;
        Ok(LayerTime { plan: plan.clone(), forward, backward })
    }

    fn conv_time(
        &self,
        plan: &LayerPlan,
        algorithm: Algorithm,
        (inputs, outputs): (usize, usize),
        peak: f64,
    ) -> Result<ConvTime, AutodiffError> {
        let positions = plan.extent.positions();
        let kernel = numbers(9 * inputs * outputs, 3, 0.05);
        let conv = PackedConv::new(Isa::current(), algorithm, &kernel, inputs, outputs)?;
        let scratch = Scratch::default();
        scratch.reserve(rayon::current_num_threads(), conv.scratch_len(plan.extent), 0)?;
        let input = numbers(positions * inputs, 4, 1.0);
        let bias = vec![0.1; outputs];
        let mut response = AlignedBuffer::zeros(positions * outputs)?;
        let mut seconds = f64::INFINITY;
        for _ in 0..=self.runs.max(1) {
            let sink =
                Sink::Response { bias: &bias, response: Some(&mut response), pooled: None, mask: None };
            let start = Instant::now();
            conv.run(plan.extent, Source::Plain(&input), sink, &scratch);
            seconds = seconds.min(start.elapsed().as_secs_f64());
        }
        let pairs = 2.0 * (positions * inputs * outputs) as f64 * 1e-9;
        Ok(ConvTime {
            algorithm,
            seconds,
            effective_gflops: 9.0 * pairs / seconds,
            share_of_peak: algorithm.multiplications() * pairs / seconds / peak,
        })
    }
}

/// The machine's GEMM peak in units of 1e9 operations a second: every thread multiplies matrices that stay in its
/// caches; the fastest of a few runs.
///
/// # Errors
/// [`AutodiffError`] if the system has not the memory.
pub fn gemm_peak() -> Result<f64, AutodiffError> {
    const SIDE: usize = 256;
    const ROWS: usize = 96;
    const PRODUCTS: usize = 200;
    let (a, b) = (numbers(ROWS * SIDE, 1, 1.0), numbers(SIDE * SIDE, 2, 1.0));
    let matrix = Matrix::new(&b, SIDE, SIDE)?;
    let packed = PackedMatrix::new(Isa::current(), matrix)?;
    let threads = rayon::current_num_threads();
    let mut results = AlignedBuffer::zeros(threads * ROWS * packed.padded_columns())?;
    let mut peak: f64 = 0.0;
    for _ in 0..5 {
        let start = Instant::now();
        results.par_chunks_mut(ROWS * packed.padded_columns()).for_each(|c| {
            for _ in 0..PRODUCTS {
                packed.multiply(&a, SIDE, c, false, [&[]; 2]);
            }
        });
        let operations = 2.0 * (threads * PRODUCTS * ROWS * SIDE * SIDE) as f64;
        peak = peak.max(operations * 1e-9 / start.elapsed().as_secs_f64());
    }
    Ok(peak)
}

/// The largest memory that this process has held, in bytes, where the system tells (Linux).
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The network to conv5_1, with random weights of a size that keeps responses in range (He et al. 2015).
fn random_chain(arch: Arch) -> Chain<f32> {
    let mut layers = Vec::new();
    for conv in arch.convs().into_iter().take_while(|conv| (conv.block, conv.index) <= (5, 1)) {
        if conv.index == 1 && conv.block > 1 {
            layers.push(Layer::Pool);
        }
        let scale = (6.0 / (9 * conv.inputs) as f32).sqrt();
        layers.push(Layer::Conv(ConvLayer {
            name: conv.to_string(),
            in_channels: conv.inputs,
            out_channels: conv.outputs,
            kernel: numbers(9 * conv.inputs * conv.outputs, layers.len() as u64, scale),
            bias: vec![0.01; conv.outputs],
        }));
    }
    Chain { input: None, layers, pooling: Pooling::Average, border: Border::Zero }
}

/// sum_i a_i (sqrt(1 + (x_i - 100)^2 / 1000) - 1): convex, badly scaled, and it takes many iterations.
fn bowls(x: &[f32], gradient: &mut [f32]) -> f64 {
    let mut loss = 0.0;
    for (i, (x, g)) in x.iter().zip(gradient).enumerate() {
        let a = 1.0 + (i % 97) as f32;
        let gap = x - 100.0;
        let root = (1.0 + gap * gap / 1000.0).sqrt();
        loss += f64::from(a * (root - 1.0));
        *g = a * gap / root / 1000.0;
    }
    loss
}

/// Uniform numbers in +-`scale`.
fn numbers(len: usize, seed: u64, scale: f32) -> Vec<f32> {
    let mut generator = Pcg64Mcg::new(u128::from(seed) << 32 | 1);
    (0..len).map(|_| ((generator.next_u64() >> 40) as f32 / (1 << 23) as f32 - 1.0) * scale).collect()
}

/// The name of the instruction set in use: `avx512`, `avx2` or `portable`.
pub fn isa() -> &'static str {
    Isa::current().name()
}
