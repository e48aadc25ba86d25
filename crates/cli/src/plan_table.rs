//! The plan of an evaluation as text: how each layer is computed and where the memory goes.

use impasto_style::{LayerPlan, PlanBytes, Summary};

const MIB: f64 = (1 << 20) as f64;

/// The lines of `--verbose`: a layer each, and the sum.
pub(crate) fn plan_table(summary: &Summary) -> Vec<String> {
    let heading = format!(
        "  {:8} {:>4} {:>4} {:>11}  {:<11} {:<11} {:>12} {:>12}",
        "layer", "in", "out", "positions", "forward", "backward", "kernels", "tensors"
    );
    let mut lines = vec![heading];
    lines.extend(summary.layers.iter().map(layer_line));
    let beside = summary.bytes.saturating_sub(summary.plan.total()) as f64 / MIB;
    let bands = if summary.bands > 1 { format!(" in {} bands", summary.bands) } else { String::new() };
    lines.push(format!("  evaluation: {}{bands}", plan_bytes(&summary.plan)));
    lines.push(format!("  optimiser, pictures and program: {beside:.0} MiB"));
    lines
}

fn layer_line(layer: &LayerPlan) -> String {
    let positions = format!("{}x{}", layer.extent.width, layer.extent.height);
    let backward = layer.backward.map_or_else(|| "its own".to_owned(), |algorithm| format!("{algorithm:?}"));
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / MIB);
    format!(
        "  {:8} {:>4} {:>4} {positions:>11}  {:<11} {backward:<11} {:>12} {:>12}",
        layer.name,
        layer.in_channels,
        layer.out_channels,
        format!("{:?}", layer.forward),
        mib(layer.kernel_bytes),
        mib(layer.tensor_bytes),
    )
}

/// `540 MiB (30 weights, ...)`.
pub(crate) fn plan_bytes(bytes: &PlanBytes) -> String {
    let mib = |bytes: u64| bytes as f64 / MIB;
    format!(
        "{:.0} MiB ({:.0} weights, {:.0} packed kernels, {:.0} tensors, {:.0} masks, {:.0} targets, {:.0} scratch)",
        mib(bytes.total()),
        mib(bytes.weights),
        mib(bytes.packed),
        mib(bytes.arena),
        mib(bytes.masks),
        mib(bytes.targets),
        mib(bytes.scratch),
    )
}
