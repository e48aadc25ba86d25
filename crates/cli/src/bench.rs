//! `impasto bench`: how fast this machine evaluates the loss and its gradient.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use impasto_style::benchmark::{
    Benchmark, ConvTime, EvaluationTime, LayerTime, OptimiserTime, gemm_peak, peak_memory,
};
use impasto_style::{Arch, ConvMode, EvaluatorOptions, StyleLoss};
use serde_json::json;

use crate::failure::Failure;
use crate::plan_table::plan_bytes;
use crate::streams::put;

const MIB: f64 = (1 << 20) as f64;

/// Time one loss and its gradient, and every convolution
///
/// Weights and pictures are random numbers; no weights file is needed. An evaluation is what an iteration costs.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The network
    #[arg(long, value_name = "ARCH", default_value = "vgg16")]
    #[arg(value_parser = PossibleValuesParser::new(Arch::ALL.map(Arch::name)).try_map(|name| Arch::from_name(&name).ok_or("no such network")))]
    arch: Arch,

    /// Rows and columns of the picture
    #[arg(short, long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(16..=16384))]
    size: u32,

    /// Evaluations, after one that does not count
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,

    /// Convolutions by plain sums, or by the fastest algorithm
    #[arg(long, value_enum, default_value_t = ConvName::Fast)]
    conv: ConvName,

    /// The loss of style
    #[arg(long, value_name = "NAME", default_value = "gram")]
    #[arg(value_parser = PossibleValuesParser::new(StyleLoss::ALL.map(|(_, name)| name)).try_map(|name| StyleLoss::from_name(&name).ok_or("no such loss")))]
    style_loss: StyleLoss,

    /// Print one line that is a JSON object, and nothing else
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ConvName {
    Exact,
    Fast,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let benchmark = Benchmark {
        arch: arguments.arch,
        size: arguments.size as usize,
        runs: arguments.runs as usize,
        conv: match arguments.conv {
            ConvName::Exact => ConvMode::Exact,
            ConvName::Fast => ConvMode::Fast,
        },
        style_loss: arguments.style_loss,
        evaluator: EvaluatorOptions::default(),
    };
    let say = |text: &str| if arguments.json { Ok(()) } else { put(text) };
    let threads = rayon::current_num_threads();
    let (name, size) = (benchmark.arch.name(), benchmark.size);
    say(&format!(
        "{name} to conv5_1, {size} x {size} pixels, style loss {}, {threads} threads, {}",
        benchmark.style_loss.name(),
        impasto_style::benchmark::isa()
    ))?;
    // First, so that the memory of the layers' own measurement does not count.
    let evaluation = benchmark.evaluations().map_err(Failure::failed)?;
    let peak_mib = peak_memory().map(|bytes| bytes as f64 / MIB);
    let peak = gemm_peak().map_err(Failure::failed)?;
    say(&format!("GEMM peak {peak:.0} GFLOP/s\n"))?;
    say(
        "layer     in  out  position  |  forward        ms  GFLOP/s  of peak  |  backward       ms  GFLOP/s  of peak",
    )?;
    let mut layers = Vec::new();
    for plan in &evaluation.layers {
        let layer = benchmark.layer(plan, peak).map_err(Failure::failed)?;
        say(&layer_line(&layer))?;
        layers.push(layer);
    }
    say(
        "\nGFLOP/s: operations of the direct convolution over time; of peak: operations really done, over the GEMM peak.",
    )?;
    say(&evaluation_lines(&evaluation, peak_mib))?;
    let optimiser = benchmark.optimiser();
    if let Some(OptimiserTime { history, seconds }) = optimiser {
        say(&format!(
            "L-BFGS with {history} pairs and its coordinates: {:.1} ms an iteration beside the evaluation, {:.1} % of it",
            seconds * 1e3,
            seconds / evaluation.median() * 100.0
        ))?;
    }
    if arguments.json {
        put(&json_line(&benchmark, &evaluation, optimiser, &layers, (peak, peak_mib)).to_string())?;
    }
    Ok(())
}

fn layer_line(layer: &LayerTime) -> String {
    let plan = &layer.plan;
    let position = format!("{}x{}", plan.extent.width, plan.extent.height);
    let direction = |time: Option<&ConvTime>| match time {
        Some(time) => format!(
            "  |  {:<10} {:6.2}  {:7.0}  {:6.0}%",
            format!("{:?}", time.algorithm),
            time.seconds * 1e3,
            time.effective_gflops,
            time.share_of_peak * 100.0
        ),
        None => "  |  (with the loss of the picture)".to_owned(),
    };
    let times = [Some(&layer.forward), layer.backward.as_ref()].map(direction).concat();
    format!("{:8} {:3}  {:3}  {position:>8}{times}", plan.name, plan.in_channels, plan.out_channels)
}

fn evaluation_lines(evaluation: &EvaluationTime, peak_mib: Option<f64>) -> String {
    let peak =
        peak_mib.map_or_else(String::new, |mib| format!("\npeak memory of the evaluations: {mib:.0} MiB"));
    format!(
        "one loss and gradient: median {:.3} s, fastest {:.3} s of {}\n\
         plan: {} in {} band(s){peak}",
        evaluation.median(),
        evaluation.seconds[0],
        evaluation.seconds.len(),
        plan_bytes(&evaluation.bytes),
        evaluation.bands
    )
}

fn json_line(
    benchmark: &Benchmark,
    evaluation: &EvaluationTime,
    optimiser: Option<OptimiserTime>,
    layers: &[LayerTime],
    (peak, peak_mib): (f64, Option<f64>),
) -> serde_json::Value {
    let time = |time: &ConvTime| {
        json!({
            "algorithm": format!("{:?}", time.algorithm),
            "seconds": time.seconds,
            "effective_gflops": time.effective_gflops,
            "share_of_peak": time.share_of_peak,
        })
    };
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| {
            json!({
                "layer": layer.plan.name,
                "height": layer.plan.extent.height,
                "width": layer.plan.extent.width,
                "in_channels": layer.plan.in_channels,
                "out_channels": layer.plan.out_channels,
                "forward": time(&layer.forward),
                "backward": layer.backward.as_ref().map(time),
            })
        })
        .collect();
    json!({
        "arch": benchmark.arch.name(),
        "size": benchmark.size,
        "style_loss": benchmark.style_loss.name(),
        "threads": rayon::current_num_threads(),
        "isa": impasto_style::benchmark::isa(),
        "seconds": evaluation.median(),
        "min_seconds": evaluation.seconds[0],
        "optimiser_seconds": optimiser.map(|time| time.seconds),
        "peak_mib": peak_mib,
        "plan_mib": evaluation.bytes.total() as f64 / MIB,
        "gemm_peak_gflops": peak,
        "layers": layers,
    })
}
