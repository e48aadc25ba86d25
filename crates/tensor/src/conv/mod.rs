//! The 3x3 convolution of the engine: f32, packed weights, results finished while they are in registers.
//!
//! A convolution ([`Conv`]) runs as tasks over runs of tiles of outputs. A task reads its [`Source`], multiplies with the
//! packed kernel ([`PackedConv`]) by im2col or Winograd ([`Algorithm`]), and hands blocks of results to its part of the
//! [`Sink`], which adds the bias, applies the ReLU, pools, masks, whatever the layer needs. The same code serves both
//! directions: the gradient with respect to the input is the convolution with [`crate::rotate_kernel`]'s kernel.
//!
//! Tiles lie on a grid of the whole layer. A convolution may compute some rows of tiles alone ([`Section`]), from the rows of the
//! input that these see. Every result is computed by the same operations in the same order whatever section and task it is in,
//! so the bits do not depend on how a layer is cut, nor on the number of threads.

mod algorithm;
mod dispatch;
mod im2col;
mod kernel_transform;
mod method;
mod packed;
mod section;
mod sink;
mod source;
mod streamed;
mod tiling;
mod winograd;

use rayon::prelude::*;

pub use crate::GRANULE;
pub use algorithm::{Algorithm, Conv};
pub use im2col::Positions;
pub use packed::PackedConv;
pub use section::Section;
pub use sink::{PoolKind, Sink};
pub use source::Source;

use crate::Scratch;
use sink::Part;

/// H x W.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Extent {
    /// M = H W.
    pub const fn positions(self) -> usize {
        self.height * self.width
    }
}

/// Bytes of a mask of H x W x C bits: position by position, lowest bit first, C a multiple of 8.
pub const fn mask_len(extent: Extent, channels: usize) -> usize {
    extent.positions() * channels / 8
}

/// Runs `task` on every part of a sink, in parallel, each with `len` numbers of scratch.
fn run_tasks(
    parts: Vec<Part<'_>>,
    scratch: &Scratch,
    len: usize,
    task: impl Fn(Part<'_>, &mut [f32]) + Sync,
) {
    parts.into_par_iter().for_each(|part| scratch.with(len, |scratch| task(part, scratch)));
}
