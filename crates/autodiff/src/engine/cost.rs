//! Which algorithm a convolution of a given size is fastest with: a short cost model, fitted to `impasto bench`.

use impasto_tensor::conv::{Algorithm, Extent};

/// Multiply-adds that a transform of one number of V or M is worth.
const TRANSFORM: f64 = 24.0;

/// The cheapest algorithm.
pub(crate) fn choose(extent: Extent, in_channels: usize, out_channels: usize) -> Algorithm {
    let cost = |algorithm| cost(algorithm, extent, in_channels, out_channels);
    [Algorithm::Winograd4, Algorithm::Winograd6].into_iter().fold(Algorithm::Im2col, |best, algorithm| {
        if cost(algorithm) < cost(best) { algorithm } else { best }
    })
}

/// Multiply-adds of the matrix products over whole tiles, plus the transforms in the same unit.
fn cost(algorithm: Algorithm, extent: Extent, in_channels: usize, out_channels: usize) -> f64 {
    let block = algorithm.block();
    let tiles = (extent.height.div_ceil(block) * extent.width.div_ceil(block)) as f64;
    let numbers = tiles * (block * block) as f64 * algorithm.multiplications();
    let transform = if algorithm == Algorithm::Im2col { TRANSFORM / 4.0 } else { TRANSFORM };
    numbers * ((in_channels * out_channels) as f64 + transform * (in_channels + out_channels) as f64)
}
