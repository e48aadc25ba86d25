//! Which file computes which algorithm: the one match over them.

use std::marker::PhantomData;

use super::im2col::Im2col;
use super::kernel_transform::{Double, Single};
use super::method::Method;
use super::streamed::Streamed;
use super::winograd::Winograd;
use super::{Algorithm, Conv};
use crate::winograd::{F4, F6};

impl Algorithm {
    /// Multiplications per output and pair of channels: 9 for im2col, 36/16, 64/36.
    pub fn multiplications(self) -> f64 {
        self.method().multiplications()
    }

    /// Rows of outputs in a tile: 2, 4 or 6. A section of a layer begins and ends at multiples of it.
    pub fn tile_rows(self) -> usize {
        self.method().tile_rows()
    }

    /// What computes it. Never inlined: in another crate every kernel would be compiled once more, for every instruction set.
    #[inline(never)]
    pub(super) fn method(self) -> &'static dyn Method {
        match self {
            Self::Im2col => &Im2col,
            Self::Winograd4 => &Winograd::<F4>(PhantomData),
            Self::Winograd6 => &Winograd::<F6>(PhantomData),
            Self::WinogradStreamed4 => &Streamed::<F4, Double>(PhantomData),
            Self::WinogradStreamed6 => &Streamed::<F6, Double>(PhantomData),
            Self::Streamed4 => &Streamed::<F4, Single>(PhantomData),
            Self::Streamed6 => &Streamed::<F6, Single>(PhantomData),
        }
    }
}

impl Conv {
    /// The bytes of its packed kernel, [`super::PackedConv`]; the same for any extent.
    pub fn packed_bytes(&self) -> usize {
        size_of::<f32>() * self.algorithm.method().packed_len(self.isa, self.in_channels, self.out_channels)
    }

    /// Numbers of scratch that each task needs: those of [`crate::Scratch::with`].
    pub fn scratch_len(&self) -> usize {
        self.algorithm.method().scratch_len(self)
    }

    /// Numbers of scratch that all tasks share: those of [`crate::Scratch::with_shared`].
    pub fn shared_len(&self) -> usize {
        self.algorithm.method().shared_len(self)
    }
}
