//! A convolution's kernel, packed beforehand.

use super::{Algorithm, Conv, GRANULE, Section, Sink, Source};
use crate::{AlignedBuffer, Isa, Scratch, TensorError};

/// A 3x3 kernel packed for one algorithm on one instruction set.
#[derive(Debug)]
pub struct PackedConv {
    isa: Isa,
    algorithm: Algorithm,
    in_channels: usize,
    out_channels: usize,
    kernel: AlignedBuffer,
}

impl PackedConv {
    /// Packs a kernel of 3 x 3 x `in_channels` x `out_channels` numbers, `out_channels` fastest.
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if the kernel has another length, if `out_channels` is no multiple of [`GRANULE`], or,
    /// for Winograd, `in_channels` is none. [`TensorError::OutOfMemory`] if there is no room.
    pub fn new(
        isa: Isa,
        algorithm: Algorithm,
        kernel: &[f32],
        in_channels: usize,
        out_channels: usize,
    ) -> Result<Self, TensorError> {
        let method = algorithm.method();
        let whole = |channels: usize| channels > 0 && channels.is_multiple_of(GRANULE);
        let fits = whole(out_channels) && (!method.needs_whole_inputs() || whole(in_channels));
        if kernel.len() != 9 * in_channels * out_channels || !fits {
            return Err(TensorError::Mismatch {
                operation: "packed convolution",
                expected: format!(
                    "3 x 3 x {in_channels} x {out_channels} numbers, channels multiples of {GRANULE}"
                ),
                got: format!("{} numbers", kernel.len()),
            });
        }
        let mut packed = AlignedBuffer::zeros(method.packed_len(isa, in_channels, out_channels))?;
        method.pack(isa, kernel, in_channels, out_channels, &mut packed);
        Ok(Self { isa, algorithm, in_channels, out_channels, kernel: packed })
    }

    /// The convolution with this kernel of an H x W x `in_channels` input, or of a section of its outputs.
    pub fn at(&self, section: impl Into<Section>) -> Conv {
        let Self { isa, algorithm, in_channels, out_channels, .. } = *self;
        Conv { isa, algorithm, section: section.into(), in_channels, out_channels }
    }

    /// The packed numbers.
    pub(super) fn kernel(&self) -> &[f32] {
        &self.kernel
    }

    /// Numbers of scratch that each task needs: see [`Conv::scratch_len`].
    pub fn scratch_len(&self, section: impl Into<Section>) -> usize {
        self.at(section).scratch_len()
    }

    /// The convolution of an H x W x `in_channels` source into an H x W x `out_channels` sink, or a section of it. Cut into
    /// sections in any way, a layer has the same bits.
    ///
    /// # Panics
    /// If a slice of the source or the sink does not have the length that its documentation says, or the section does not begin
    /// and end with the layer's tiles.
    pub fn run(&self, section: impl Into<Section>, source: Source<'_>, sink: Sink<'_>, scratch: &Scratch) {
        let conv = self.at(section);
        conv.section.check(self.algorithm.tile_rows());
        source.check(conv.section, self.in_channels);
        sink.check(conv.section, self.out_channels);
        self.algorithm.method().run(&conv, &self.kernel, source, sink, scratch);
    }
}
