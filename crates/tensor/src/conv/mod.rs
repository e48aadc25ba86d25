//! The 3x3 convolution of the engine: f32, packed weights, results finished while they are in registers.
//!
//! A convolution runs as tasks over runs of tiles of outputs. A task reads its [`Source`], multiplies with the packed
//! kernel by im2col or Winograd, and hands blocks of results to its part of the [`Sink`], which adds the bias,
//! applies the ReLU, pools, masks, whatever the layer needs. The same code serves both directions: the gradient with
//! respect to the input is the convolution with [`crate::rotate_kernel`]'s kernel.
//!
//! Every result is computed by the same operations in the same order whatever task it is in, so the bits do not
//! depend on the number of threads.

mod im2col;
mod sink;
mod source;
mod streamed;
mod tiling;
mod winograd;

use rayon::prelude::*;

pub use sink::{PoolKind, Sink};
pub use source::Source;

use crate::packed::{MAX_PANEL, pack, packed_len};
use crate::simd::Isa;
use crate::winograd::{F4, F6, Transform};
use crate::{AlignedBuffer, Scratch, TensorError};
use sink::Part;
use tiling::Tiling;

/// Output channels (and for Winograd input channels) come in multiples of this: the widest vector.
pub const GRANULE: usize = 16;

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
        match self {
            Self::Im2col => 9.0,
            Self::Winograd4 | Self::Streamed4 => 36.0 / 16.0,
            Self::Winograd6 | Self::Streamed6 => 64.0 / 36.0,
        }
    }
}

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
        let whole = |channels: usize| channels > 0 && channels.is_multiple_of(GRANULE);
        let fits = whole(out_channels) && (algorithm == Algorithm::Im2col || whole(in_channels));
        if kernel.len() != 9 * in_channels * out_channels || !fits {
            return Err(TensorError::Mismatch {
                operation: "packed convolution",
                expected: format!(
                    "3 x 3 x {in_channels} x {out_channels} numbers, channels multiples of {GRANULE}"
                ),
                got: format!("{} numbers", kernel.len()),
            });
        }
        let kernel = match algorithm {
            Algorithm::Im2col => {
                let mut packed = AlignedBuffer::zeros(packed_len(isa, 9 * in_channels, out_channels))?;
                pack(isa, 9 * in_channels, out_channels, &mut packed, |k, first, out| {
                    out.copy_from_slice(&kernel[k * out_channels + first..][..out.len()]);
                });
                packed
            }
            Algorithm::Winograd4 => transform_kernel::<F4>(isa, kernel, in_channels, out_channels)?,
            Algorithm::Winograd6 => transform_kernel::<F6>(isa, kernel, in_channels, out_channels)?,
            Algorithm::Streamed4 | Algorithm::Streamed6 => {
                panels_of_taps(isa, kernel, in_channels, out_channels)?
            }
        };
        Ok(Self { isa, algorithm, in_channels, out_channels, kernel })
    }

    /// The bytes of a packed kernel of those channels.
    pub fn bytes_of(isa: Isa, algorithm: Algorithm, in_channels: usize, out_channels: usize) -> usize {
        let numbers = |matrices: usize, rows| matrices * packed_len(isa, rows, out_channels);
        size_of::<f32>()
            * match algorithm {
                Algorithm::Im2col | Algorithm::Streamed4 | Algorithm::Streamed6 => {
                    numbers(1, 9 * in_channels)
                }
                Algorithm::Winograd4 => numbers(F4::PATCH * F4::PATCH, in_channels),
                Algorithm::Winograd6 => numbers(F6::PATCH * F6::PATCH, in_channels),
            }
    }

    /// Numbers of work memory that each task needs.
    pub fn scratch_len(&self, extent: Extent) -> usize {
        Self::scratch_len_of(self.isa, self.algorithm, extent, self.in_channels, self.out_channels)
    }

    /// As [`Self::scratch_len`], before there is a packed kernel.
    pub fn scratch_len_of(
        isa: Isa,
        algorithm: Algorithm,
        extent: Extent,
        in_channels: usize,
        out_channels: usize,
    ) -> usize {
        let channels = (in_channels, out_channels.next_multiple_of(isa.panel()));
        match algorithm {
            Algorithm::Im2col => im2col::scratch_len(extent, channels),
            Algorithm::Winograd4 => winograd::Layout::<F4>::new(extent, channels).scratch_len(),
            Algorithm::Winograd6 => winograd::Layout::<F6>::new(extent, channels).scratch_len(),
            Algorithm::Streamed4 => streamed::Layout::<F4>::new(extent, channels, isa.panel()).scratch_len(),
            Algorithm::Streamed6 => streamed::Layout::<F6>::new(extent, channels, isa.panel()).scratch_len(),
        }
    }

    /// Numbers of work memory that all tasks share: that of [`Scratch::with_shared`].
    pub fn shared_len_of(
        isa: Isa,
        algorithm: Algorithm,
        extent: Extent,
        in_channels: usize,
        out_channels: usize,
    ) -> usize {
        let channels = (in_channels, out_channels.next_multiple_of(isa.panel()));
        match algorithm {
            Algorithm::Im2col | Algorithm::Winograd4 | Algorithm::Winograd6 => 0,
            Algorithm::Streamed4 => streamed::Layout::<F4>::new(extent, channels, isa.panel()).shared_len(),
            Algorithm::Streamed6 => streamed::Layout::<F6>::new(extent, channels, isa.panel()).shared_len(),
        }
    }

    /// Input channels, and output channels in whole panels.
    fn padded_channels(&self) -> (usize, usize) {
        (self.in_channels, self.out_channels.next_multiple_of(self.isa.panel()))
    }

    /// The convolution of an H x W x `in_channels` source into an H x W x `out_channels` sink.
    ///
    /// # Panics
    /// If a slice of the source or the sink does not have the length that its documentation says.
    pub fn run(&self, extent: Extent, source: Source<'_>, sink: Sink<'_>, scratch: &Scratch) {
        source.check(extent, self.in_channels);
        sink.check(extent, self.out_channels);
        match self.algorithm {
            Algorithm::Im2col => {
                self.run_tasks(im2col::tiling(extent), sink, scratch, |part, scratch| {
                    self.isa.dispatch(im2col::Task { conv: self, source, part, scratch });
                });
            }
            Algorithm::Winograd4 => self.run_winograd::<F4>(extent, source, sink, scratch),
            Algorithm::Winograd6 => self.run_winograd::<F6>(extent, source, sink, scratch),
            Algorithm::Streamed4 => streamed::run::<F4>(self, extent, source, sink, scratch),
            Algorithm::Streamed6 => streamed::run::<F6>(self, extent, source, sink, scratch),
        }
    }

    fn run_winograd<F: Transform>(
        &self,
        extent: Extent,
        source: Source<'_>,
        sink: Sink<'_>,
        scratch: &Scratch,
    ) {
        let layout = &winograd::Layout::<F>::new(extent, self.padded_channels());
        self.run_tasks(layout.tiling, sink, scratch, |part, scratch| {
            self.isa.dispatch(winograd::Task { conv: self, layout, source, part, scratch });
        });
    }

    /// Runs `task` on every run of tiles, in parallel.
    fn run_tasks(
        &self,
        tiling: Tiling,
        sink: Sink<'_>,
        scratch: &Scratch,
        task: impl Fn(Part<'_>, &mut [f32]) + Sync,
    ) {
        let len = self.scratch_len(tiling.extent);
        sink.parts(tiling, self.out_channels)
            .into_par_iter()
            .for_each(|part| scratch.with(len, |scratch| task(part, scratch)));
    }
}

/// The plain kernel, panel of output channels by panel: [panel][tap][channel in][channel of the panel].
fn panels_of_taps(
    isa: Isa,
    kernel: &[f32],
    in_channels: usize,
    out_channels: usize,
) -> Result<AlignedBuffer, TensorError> {
    let panel = isa.panel();
    let mut packed = AlignedBuffer::zeros(packed_len(isa, 9 * in_channels, out_channels))?;
    packed.par_chunks_mut(9 * in_channels * panel).enumerate().for_each(|(index, packed)| {
        let first = index * panel;
        let width = panel.min(out_channels - first);
        for (row, out) in kernel.chunks_exact(out_channels).zip(packed.chunks_exact_mut(panel)) {
            out[..width].copy_from_slice(&row[first..first + width]);
        }
    });
    Ok(packed)
}

/// U = G g G^T for every pair of channels, packed element by element: [xi][packed `in_channels` x `out_channels`].
fn transform_kernel<F: Transform>(
    isa: Isa,
    kernel: &[f32],
    in_channels: usize,
    out_channels: usize,
) -> Result<AlignedBuffer, TensorError> {
    let length = packed_len(isa, in_channels, out_channels);
    let mut packed = AlignedBuffer::zeros(F::PATCH * F::PATCH * length)?;
    packed.par_chunks_mut(length).enumerate().for_each(|(xi, packed)| {
        let taps = F::kernel_element(xi / F::PATCH, xi % F::PATCH);
        pack(isa, in_channels, out_channels, packed, |input, first, out| {
            let mut sums = [0.0_f64; MAX_PANEL];
            let sums = &mut sums[..out.len()];
            for (tap, weight) in taps.iter().enumerate() {
                let g = &kernel[(tap * in_channels + input) * out_channels + first..][..out.len()];
                for (sum, &g) in sums.iter_mut().zip(g) {
                    *sum += weight * f64::from(g);
                }
            }
            for (out, &sum) in out.iter_mut().zip(&*sums) {
                *out = sum as f32;
            }
        });
    });
    Ok(packed)
}
