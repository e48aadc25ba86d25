//! The algorithms' names, and one convolution as a value.

use super::Section;
use crate::Isa;

/// How a convolution is computed: its operations and their order, and so its bits, and whether its kernel is kept transformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Patches times the plain kernel.
    Im2col,
    /// Winograd F(4x4, 3x3): 4 times fewer multiplications. The kernel is transformed in double precision.
    Winograd4,
    /// Winograd F(6x6, 3x3): 5.06 times fewer multiplications. The kernel is transformed in double precision.
    Winograd6,
    /// As [`Self::Winograd4`], with its bits, but the plain kernel is kept, and transformed as it goes.
    WinogradStreamed4,
    /// As [`Self::Winograd6`], with its bits, but the plain kernel is kept, and transformed as it goes.
    WinogradStreamed6,
    /// Winograd F(4x4, 3x3) that keeps the plain kernel and transforms it as it goes, in single precision.
    Streamed4,
    /// Winograd F(6x6, 3x3) that keeps the plain kernel and transforms it as it goes, in single precision.
    Streamed6,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Im2col,
        Self::Winograd4,
        Self::Winograd6,
        Self::WinogradStreamed4,
        Self::WinogradStreamed6,
        Self::Streamed4,
        Self::Streamed6,
    ];

    /// The algorithm with the same bits that keeps no transformed kernel.
    #[must_use]
    pub const fn streamed(self) -> Self {
        match self {
            Self::Winograd4 => Self::WinogradStreamed4,
            Self::Winograd6 => Self::WinogradStreamed6,
            _ => self,
        }
    }
}

/// One 3x3 convolution, before there is a kernel: how it is computed, and its sizes. It says what memory that takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// The instruction set.
    pub isa: Isa,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// H x W of input and output, and which rows of the output are computed.
    pub section: Section,
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
