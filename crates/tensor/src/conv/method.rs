//! One convolution as a value, and what its algorithms have in common.

use std::marker::PhantomData;

use super::im2col::Im2col;
use super::streamed::Streamed;
use super::winograd::Winograd;
use super::{Extent, Sink, Source};
use crate::winograd::{F4, F6};
use crate::{Isa, Scratch};

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

    /// Multiplications per output and pair of channels: 9 for im2col, 36/16, 64/36.
    pub fn multiplications(self) -> f64 {
        self.method().multiplications()
    }

    /// What computes it.
    pub(super) fn method(self) -> &'static dyn Method {
        match self {
            Self::Im2col => &Im2col,
            Self::Winograd4 => &Winograd::<F4>(PhantomData),
            Self::Winograd6 => &Winograd::<F6>(PhantomData),
            Self::Streamed4 => &Streamed::<F4>(PhantomData),
            Self::Streamed6 => &Streamed::<F6>(PhantomData),
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
    /// H x W of input and output.
    pub extent: Extent,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
}

impl Conv {
    /// The bytes of its packed kernel, [`super::PackedConv`]; the same for any extent.
    pub fn packed_bytes(&self) -> usize {
        size_of::<f32>() * self.algorithm.method().packed_len(self.isa, self.in_channels, self.out_channels)
    }

    /// Numbers of scratch that each task needs: those of [`Scratch::with`].
    pub fn scratch_len(&self) -> usize {
        self.algorithm.method().scratch_len(self)
    }

    /// Numbers of scratch that all tasks share: those of [`Scratch::with_shared`].
    pub fn shared_len(&self) -> usize {
        self.algorithm.method().shared_len(self)
    }

    /// Output channels in whole panels: a row of products.
    pub(super) fn padded_out_channels(&self) -> usize {
        self.out_channels.next_multiple_of(self.isa.panel())
    }
}

/// What an [`Algorithm`] does: one implementation a file.
pub(super) trait Method {
    /// Multiplications per output and pair of channels.
    fn multiplications(&self) -> f64;

    /// Whether input channels must come in whole [`super::GRANULE`]s, as output channels must.
    fn needs_whole_inputs(&self) -> bool {
        true
    }

    /// Numbers of a packed kernel.
    fn packed_len(&self, isa: Isa, in_channels: usize, out_channels: usize) -> usize;

    /// Packs a kernel of 3 x 3 x `in_channels` x `out_channels` numbers into `packed`: [`Self::packed_len`] zeros.
    fn pack(&self, isa: Isa, kernel: &[f32], in_channels: usize, out_channels: usize, packed: &mut [f32]);

    /// Numbers of scratch of each task.
    fn scratch_len(&self, conv: &Conv) -> usize;

    /// Numbers of scratch that all tasks share.
    fn shared_len(&self, _conv: &Conv) -> usize {
        0
    }

    /// Computes a convolution with a packed kernel. The lengths of source and sink have been checked.
    fn run(&self, conv: &Conv, kernel: &[f32], source: Source<'_>, sink: Sink<'_>, scratch: &Scratch);
}
