//! The algorithms' names, and one convolution as a value.

use super::Extent;
use crate::Isa;

/// How a convolution is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Patches times the plain kernel.
    Im2col,
    /// Winograd F(4x4, 3x3): 4 times fewer multiplications.
    Winograd4,
    /// Winograd F(6x6, 3x3): 5.06 times fewer multiplications.
    Winograd6,
    /// Winograd F(4x4, 3x3) that keeps the plain kernel and transforms it as it goes.
    Streamed4,
    /// Winograd F(6x6, 3x3) that keeps the plain kernel and transforms it as it goes.
    Streamed6,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Im2col, Self::Winograd4, Self::Winograd6, Self::Streamed4, Self::Streamed6];
}

/// One 3x3 convolution, before there is a kernel: how it is computed, and its sizes. It says what memory that takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// The instruction set.
    pub isa: Isa,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// H x W of input and output.
    pub extent: Extent,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
}

impl Conv {
    /// Output channels in whole panels: a row of products.
    pub(super) fn padded_out_channels(&self) -> usize {
        self.out_channels.next_multiple_of(self.isa.panel())
    }
}
