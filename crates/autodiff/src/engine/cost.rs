//! Which algorithm a convolution of a given size is fastest with: a short cost model, checked against `impasto bench`.

use impasto_tensor::Isa;
use impasto_tensor::conv::{Algorithm, Extent, PackedConv};

/// Multiply-adds that making or reading one number of V or M is worth.
const TRANSFORM: f64 = 24.0;

/// The cheapest algorithm.
///
/// F(6x6) has a kernel of 64/9 the plain size, F(4x4) of 36/9. Where the larger one outweighs the layer's own response
/// it is not used: reading it for so few positions takes the time that it saves, and it would be most of the memory.
pub(crate) fn choose(isa: Isa, extent: Extent, in_channels: usize, out_channels: usize) -> Algorithm {
    let cost = |algorithm| cost(algorithm, extent, in_channels, out_channels);
    let response = extent.positions() * out_channels * size_of::<f32>();
    let six = PackedConv::bytes_of(isa, Algorithm::Winograd6, in_channels, out_channels) <= response;
    let mut best = Algorithm::Im2col;
    for algorithm in [Algorithm::Winograd4, Algorithm::Winograd6] {
        if cost(algorithm) < cost(best) && (six || algorithm != Algorithm::Winograd6) {
            best = algorithm;
        }
    }
    best
}

/// Multiply-adds of the matrix products over whole tiles, plus the transforms in the same unit.
fn cost(algorithm: Algorithm, extent: Extent, in_channels: usize, out_channels: usize) -> f64 {
    let block = algorithm.block();
    let tiles = (extent.height.div_ceil(block) * extent.width.div_ceil(block)) as f64;
    let numbers = tiles * (block * block) as f64 * algorithm.multiplications();
    // im2col packs its patches, but has no products to transform.
    let transform = if algorithm == Algorithm::Im2col { TRANSFORM / 4.0 } else { TRANSFORM };
    numbers * ((in_channels * out_channels) as f64 + transform * (in_channels + out_channels) as f64)
}

#[cfg(test)]
mod tests {
    use impasto_tensor::Isa;
    use impasto_tensor::conv::{Algorithm, Extent};

    use super::choose;

    #[test]
    fn large_layers_take_six_deep_ones_four_and_scraps_neither() {
        let choice = |side, inputs, outputs| {
            choose(Isa::current(), Extent { height: side, width: side }, inputs, outputs)
        };
        assert_eq!(choice(512, 64, 64), Algorithm::Winograd6);
        assert_eq!(choice(64, 512, 512), Algorithm::Winograd4);
        assert_eq!(choice(1, 512, 512), Algorithm::Im2col);
    }
}
