//! What a convolution reads: a tensor as it lies in memory, or one that is made on the fly.

use super::{Extent, Section};
use crate::Border;
use crate::simd::Simd;

/// The input of a convolution, H x W x C; of a section of its outputs, the rows that these see ([`Section::input_rows`]).
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A tensor in memory, its rows [`Section::input_rows`].
    Plain(&'a [f32]),
    /// A tensor in memory with something else than zeros beyond its edge.
    Bordered {
        /// Its rows [`Section::input_rows`].
        input: &'a [f32],
        /// What is read beyond the edge of the whole layer.
        border: Border,
    },
    /// The gradient before a pooling and a ReLU, made from the gradient after the pooling: each number goes to the
    /// positions of its 2x2 window whose mask bit is set, times `share`. It never exists as a whole.
    Unpooled {
        /// floor(H/2) x floor(W/2) x C, its rows [`Section::pooled_input_rows`].
        gradient: &'a [f32],
        /// H x W x C bits, see [`super::mask_len`]; its rows [`Section::input_rows`].
        mask: &'a [u8],
        /// 1/4 for average pooling, 1 for maximum pooling (whose mask has one bit a window).
        share: f32,
    },
}

impl Source<'_> {
    /// Panics unless the slices have the lengths of a section's input of C channels.
    pub(super) fn check(&self, section: Section, channels: usize) {
        let (rows, width) = (section.input_rows().len(), section.extent.width);
        match self {
            Self::Plain(data) | Self::Bordered { input: data, .. } => {
                assert_eq!(data.len(), rows * width * channels, "an input of H x W x C");
            }
            Self::Unpooled { gradient, mask, .. } => {
                let pooled = section.pooled_input_rows().len() * (width / 2);
                assert_eq!(gradient.len(), pooled * channels, "a gradient of H/2 x W/2 x C");
                let bits = super::mask_len(Extent { height: rows, width }, channels);
                assert_eq!(mask.len(), bits, "a mask of H x W x C bits");
                assert!(channels.is_multiple_of(super::GRANULE), "channels in whole vectors");
            }
        }
    }

    /// What is read beyond the edge.
    const fn border(&self) -> Border {
        match self {
            Self::Bordered { border, .. } => *border,
            Self::Plain(_) | Self::Unpooled { .. } => Border::Zero,
        }
    }

    /// Writes the channels of the position (y - 1, x - 1) to `out`: outside the picture what its border says.
    #[inline(always)]
    pub(super) fn copy_shifted<S: Simd>(
        &self,
        simd: S,
        section: Section,
        (y, x): (usize, usize),
        out: &mut [f32],
    ) {
        let (extent, first) = (section.extent, section.input_rows().start);
        let border = self.border();
        let (Some(y), Some(x)) = (border.read(y, extent.height), border.read(x, extent.width)) else {
            out.fill(0.0);
            return;
        };
        let channels = out.len();
        match *self {
            Self::Plain(data) | Self::Bordered { input: data, .. } => {
                let at = ((y - first) * extent.width + x) * channels;
                out.copy_from_slice(&data[at..at + channels]);
            }
            Self::Unpooled { gradient, mask, share } => {
                let (height, width) = (extent.height / 2, extent.width / 2);
                if y / 2 >= height || x / 2 >= width {
                    out.fill(0.0);
                    return;
                }
                let gradient = &gradient[((y / 2 - first / 2) * width + x / 2) * channels..][..channels];
                let mask = &mask[((y - first) * extent.width + x) * (channels / 8)..][..channels / 8];
                let share = simd.splat(share);
                let vectors = gradient.chunks_exact(S::LANES).zip(mask.chunks_exact(S::LANES / 8));
                for ((g, bits), out) in vectors.zip(out.chunks_exact_mut(S::LANES)) {
                    let value = simd.keep(simd.read(g), simd.read_bits(bits));
                    simd.write(out, simd.mul(share, value));
                }
            }
        }
    }
}
