//! Which algorithm a convolution of a given size is computed with: rules read off `impasto bench` (see
//! docs/performance.md for the figures).
//!
//! * Many positions and few channels: F(6x6). Its kernel, 64/9 of the plain one, is small beside the response.
//! * Fewer positions or more channels: F(4x4). Reading the larger kernel for so few tiles takes the time that it saves.
//! * Very many channels: transformed kernels are most of an evaluation's memory. The backward pass then transforms its
//!   kernel as it goes, which costs a few per cent of it; under a memory limit so does the forward pass.
//! * Scraps of a picture, too small for a tile: im2col.

use impasto_tensor::Isa;
use impasto_tensor::conv::{Algorithm, Extent, PackedConv};

use super::network::Direction;

/// How many times larger than the kernel of F(6x6) a response must be for it to be used.
const RESPONSE_TO_KERNEL: usize = 8;
/// Pairs of channels from which a transformed kernel counts as large: 19 MB and more.
const LARGE: usize = 1 << 17;
/// Tiles of F(6x6) from which transforming the kernel as it goes is cheap.
const ENOUGH_TILES: usize = 100;

/// Which kernels are kept transformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernels {
    /// All but the large ones of the backward pass.
    Balanced,
    /// All but the large ones.
    Streamed,
}

/// The algorithm of a convolution in one direction.
pub(crate) fn choose(
    isa: Isa,
    kernels: Kernels,
    direction: Direction,
    extent: Extent,
    (in_channels, out_channels): (usize, usize),
) -> Algorithm {
    if extent.height < 2 || extent.width < 2 {
        return Algorithm::Im2col;
    }
    let tiles = extent.height.div_ceil(6) * extent.width.div_ceil(6);
    if in_channels * out_channels >= LARGE {
        let enough = tiles >= ENOUGH_TILES;
        let streamed = if enough { Algorithm::Streamed6 } else { Algorithm::Streamed4 };
        return match (kernels, direction) {
            (Kernels::Balanced, Direction::Backward) if enough => streamed,
            (Kernels::Balanced, _) => Algorithm::Winograd4,
            (Kernels::Streamed, _) => streamed,
        };
    }
    let response = extent.positions() * out_channels * size_of::<f32>();
    let six = PackedConv::bytes_of(isa, Algorithm::Winograd6, in_channels, out_channels);
    if RESPONSE_TO_KERNEL * six <= response { Algorithm::Winograd6 } else { Algorithm::Winograd4 }
}

#[cfg(test)]
mod tests {
    use impasto_tensor::Isa;
    use impasto_tensor::conv::{Algorithm, Extent};

    use super::{Direction, Kernels, choose};

    #[test]
    fn the_rules_are_those_of_the_documentation() {
        let choice = |kernels, direction, side, channels| {
            choose(
                Isa::current(),
                kernels,
                direction,
                Extent { height: side, width: side },
                (channels, channels),
            )
        };
        let forward = |side, channels| choice(Kernels::Balanced, Direction::Forward, side, channels);
        assert_eq!(forward(512, 64), Algorithm::Winograd6);
        assert_eq!(forward(128, 256), Algorithm::Winograd4);
        assert_eq!(forward(64, 512), Algorithm::Winograd4);
        assert_eq!(forward(1, 512), Algorithm::Im2col);
        assert_eq!(choice(Kernels::Balanced, Direction::Backward, 64, 512), Algorithm::Streamed6);
        assert_eq!(choice(Kernels::Balanced, Direction::Backward, 16, 512), Algorithm::Winograd4);
        assert_eq!(choice(Kernels::Streamed, Direction::Forward, 64, 512), Algorithm::Streamed6);
        assert_eq!(choice(Kernels::Streamed, Direction::Forward, 16, 512), Algorithm::Streamed4);
    }
}
