//! What the algorithms have in common.

use super::{Conv, Sink, Source};
use crate::{Isa, Scratch};

/// What an [`super::Algorithm`] does: one implementation a file.
pub(super) trait Method {
    /// Multiplications per output and pair of channels.
    fn multiplications(&self) -> f64;

    /// Rows of outputs in a tile.
    fn tile_rows(&self) -> usize;

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
