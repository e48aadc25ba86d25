//! Which algorithm a convolution of a given size is computed with: rules read off `impasto bench` (see
//! docs/notebook.md for the figures).
//!
//! * F(6x6) or F(4x4), whichever has fewer products, where reading the transformed kernel counts as a few tiles more: with
//!   few tiles F(6x6)'s, 64/9 of the plain one, takes the time that it saves; and tiles may fit a layer's edges better or worse.
//! * Very many channels: transformed kernels are most of an evaluation's memory. The forward pass keeps F(4x4)'s until
//!   a picture's own tensors dwarf F(6x6)'s. The backward pass transforms its kernel as it goes, which costs a few per
//!   cent of it.
//! * Scraps of a picture, too small for a tile: im2col.
//!
//! The size is the whole picture's, so that its bits do not depend on how it is cut. Nor do they on the memory limit: what is kept
//! transformed here can be transformed as it goes with the same bits, [`Algorithm::streamed`].

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

/// The algorithm of a convolution in one direction.
pub(crate) fn choose(
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
    if !is_large(in_channels, out_channels) {
        return if six { Algorithm::Winograd6 } else { Algorithm::Winograd4 };
    }
    match direction {
        Direction::Forward if tiles >= MANY_TILES => Algorithm::Winograd6,
        Direction::Forward => Algorithm::Winograd4,
        Direction::Backward if tiles < SOME_TILES => Algorithm::Winograd4,
        Direction::Backward if six => Algorithm::Streamed6,
        Direction::Backward => Algorithm::Streamed4,
    }
}

/// Whether a convolution's transformed kernel is so large that under a memory limit it is not kept.
pub(crate) const fn is_large(in_channels: usize, out_channels: usize) -> bool {
    in_channels * out_channels >= LARGE
}

#[cfg(test)]
mod tests {
    use impasto_tensor::conv::{Algorithm, Extent};

    use super::{Direction, choose};

    #[test]
    fn the_rules_are_those_of_the_documentation() {
        let choice = |direction, side, channels| {
            choose(direction, Extent { height: side, width: side }, (channels, channels))
        };
        let forward = |side, channels| choice(Direction::Forward, side, channels);
        assert_eq!(forward(512, 64), Algorithm::Winograd6);
        assert_eq!(forward(64, 256), Algorithm::Winograd6);
        assert_eq!(forward(32, 256), Algorithm::Winograd4);
        assert_eq!(forward(64, 512), Algorithm::Winograd4);
        assert_eq!(forward(128, 512), Algorithm::Winograd6);
        assert_eq!(forward(1, 512), Algorithm::Im2col);
        assert_eq!(choice(Direction::Backward, 42, 512), Algorithm::Streamed6);
        assert_eq!(choice(Direction::Backward, 64, 512), Algorithm::Streamed6);
        assert_eq!(choice(Direction::Backward, 32, 512), Algorithm::Streamed4);
        assert_eq!(choice(Direction::Backward, 16, 512), Algorithm::Winograd4);
    }
}
