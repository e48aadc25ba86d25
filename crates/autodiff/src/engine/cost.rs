//! Which algorithm a convolution of a given size is computed with: rules read off `impasto bench` (see
//! docs/notebook.md for the figures).
//!
//! * F(6x6) or F(4x4), whichever has fewer products, where reading the transformed kernel counts as a few tiles more: with
//!   few tiles F(6x6)'s, 64/9 of the plain one, takes the time that it saves; and tiles may fit a layer's edges better or worse.
//! * Very many channels: transformed kernels are most of an evaluation's memory. The forward pass keeps F(4x4)'s until
//!   a picture's own tensors dwarf F(6x6)'s. The backward pass transforms its kernel as it goes, which costs a few per
//!   cent of it; under a memory limit so does the forward pass.
//! * Scraps of a picture, too small for a tile: im2col.

use impasto_tensor::conv::{Algorithm, Extent};

/// Which way a convolution runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    /// From the layer's input to its response.
    Forward,
    /// From the gradient of its response to that of its input.
    Backward,
}

/// Pairs of channels from which a transformed kernel counts as large: 19 MB and more.
const LARGE: usize = 1 << 17;
/// Tiles whose products take the time of reading a transformed kernel.
const KERNEL_TILES: usize = 8;
/// Tiles of F(6x6) from which keeping a large kernel for the backward pass is not worth its memory.
const SOME_TILES: usize = 30;
/// Tiles of F(6x6) from which a large kernel is worth its memory.
const MANY_TILES: usize = 400;

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
    kernels: Kernels,
    direction: Direction,
    extent: Extent,
    (in_channels, out_channels): (usize, usize),
) -> Algorithm {
    if extent.height < 2 || extent.width < 2 {
        return Algorithm::Im2col;
    }
    let tiles = |side| extent.height.div_ceil(side) * extent.width.div_ceil(side);
    let products = |side| (tiles(side) + KERNEL_TILES) * (side + 2) * (side + 2);
    let (tiles, six) = (tiles(6), products(6) < products(4));
    if in_channels * out_channels < LARGE {
        return if six { Algorithm::Winograd6 } else { Algorithm::Winograd4 };
    }
    match (kernels, direction) {
        (Kernels::Balanced, Direction::Forward) if tiles >= MANY_TILES => Algorithm::Winograd6,
        (Kernels::Balanced, Direction::Forward) => Algorithm::Winograd4,
        (Kernels::Balanced, Direction::Backward) if tiles < SOME_TILES => Algorithm::Winograd4,
        _ if six => Algorithm::Streamed6,
        _ => Algorithm::Streamed4,
    }
}

#[cfg(test)]
mod tests {
    use impasto_tensor::conv::{Algorithm, Extent};

    use super::{Direction, Kernels, choose};

    #[test]
    fn the_rules_are_those_of_the_documentation() {
        let choice = |kernels, direction, side, channels| {
            choose(kernels, direction, Extent { height: side, width: side }, (channels, channels))
        };
        let forward = |side, channels| choice(Kernels::Balanced, Direction::Forward, side, channels);
        assert_eq!(forward(512, 64), Algorithm::Winograd6);
        assert_eq!(forward(64, 256), Algorithm::Winograd6);
        assert_eq!(forward(32, 256), Algorithm::Winograd4);
        assert_eq!(forward(64, 512), Algorithm::Winograd4);
        assert_eq!(forward(128, 512), Algorithm::Winograd6);
        assert_eq!(forward(1, 512), Algorithm::Im2col);
        assert_eq!(choice(Kernels::Balanced, Direction::Backward, 42, 512), Algorithm::Streamed6);
        assert_eq!(choice(Kernels::Balanced, Direction::Backward, 64, 512), Algorithm::Streamed6);
        assert_eq!(choice(Kernels::Balanced, Direction::Backward, 32, 512), Algorithm::Streamed4);
        assert_eq!(choice(Kernels::Balanced, Direction::Backward, 16, 512), Algorithm::Winograd4);
        assert_eq!(choice(Kernels::Streamed, Direction::Forward, 64, 512), Algorithm::Streamed6);
        assert_eq!(choice(Kernels::Streamed, Direction::Forward, 16, 512), Algorithm::Streamed4);
    }
}
