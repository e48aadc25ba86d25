//! What becomes of a convolution's results: the last step of the layer, done while a block of them is in registers.

mod part;
mod pool;
mod row;

pub(super) use part::Part;
pub(super) use row::Halves;

use super::tiling::{Rows, Tiling};
use super::{GRANULE, Section, mask_len};
use part::Outputs;
use row::is_uncached;

/// Which 2x2 pooling a sink does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolKind {
    /// The mean of the four.
    Average,
    /// The largest of the four.
    Max,
}

/// Where the results of a convolution go, and what is done to them on the way. Of a section, the slices hold its own rows and no
/// others: H is then the section's.
#[derive(Debug)]
pub enum Sink<'a> {
    /// Forward: F = max(0, Z + b), and whatever of the layer is wanted.
    Response {
        /// b, one number a channel.
        bias: &'a [f32],
        /// F, H x W x C.
        response: Option<&'a mut [f32]>,
        /// F pooled, floor(H/2) x floor(W/2) x C; of a section, its [`Section::pooled_rows`].
        pooled: Option<(PoolKind, &'a mut [f32])>,
        /// H x W x C bits: where F > 0. With maximum pooling only where F is also the (first) largest of its window.
        mask: Option<&'a mut [u8]>,
    },
    /// Backward: the gradient with respect to the input, multiplied by the mask of the layer that made that input.
    Gradient {
        /// H x W x C.
        gradient: &'a mut [f32],
        /// H x W x C bits; none where the layer before has no ReLU or its mask is applied later.
        mask: Option<&'a [u8]>,
    },
}

impl<'a> Sink<'a> {
    /// Panics unless the slices have the lengths of a section's H x W x C output.
    pub(super) fn check(&self, section: Section, channels: usize) {
        assert!(channels.is_multiple_of(GRANULE), "channels in whole vectors");
        let extent = section.outputs();
        let len = extent.positions() * channels;
        match self {
            Self::Response { bias, response, pooled, mask } => {
                assert_eq!(bias.len(), channels, "a bias for every channel");
                assert!(response.as_ref().is_none_or(|data| data.len() == len), "a response of H x W x C");
                let pooled_len = section.pooled_rows().len() * (extent.width / 2) * channels;
                assert!(
                    pooled.as_ref().is_none_or(|(_, data)| data.len() == pooled_len),
                    "pooled H/2 x W/2 x C"
                );
                let bits = mask_len(extent, channels);
                assert!(mask.as_ref().is_none_or(|mask| mask.len() == bits), "a mask of H x W x C bits");
            }
            Self::Gradient { gradient, mask } => {
                assert_eq!(gradient.len(), len, "a gradient of H x W x C");
                let bits = mask_len(extent, channels);
                assert!(mask.is_none_or(|mask| mask.len() == bits), "a mask of H x W x C bits");
            }
        }
    }

    /// Cuts the sink into the parts of a tiling's runs, each of which one task can fill.
    pub(super) fn parts(self, tiling: Tiling, channels: usize) -> Vec<Part<'a>> {
        let uncached = match &self {
            Self::Response { response, .. } => {
                response.as_ref().is_some_and(|response| is_uncached(response))
            }
            Self::Gradient { gradient, .. } => is_uncached(gradient),
        };
        let outputs: Vec<Outputs<'a>> = match self {
            Self::Response { bias, response, pooled, mask } => {
                let (kind, pooled) = pooled.unzip();
                let mut responses = cut(response, &tiling, 0, channels);
                let mut pooleds = cut(pooled, &tiling, 1, channels);
                let mut masks = cut(mask, &tiling, 0, channels / 8);
                (0..tiling.runs())
                    .map(|_| Outputs::Response {
                        bias,
                        response: responses.next().flatten(),
                        pooled: kind.zip(pooleds.next().flatten()),
                        mask: masks.next().flatten(),
                    })
                    .collect()
            }
            Self::Gradient { gradient, mask } => Rows::cut(gradient, &tiling, 0, channels)
                .into_iter()
                .map(|gradient| Outputs::Gradient { gradient, mask })
                .collect(),
        };
        let part = |(run, outputs): (usize, _)| {
            let tiles = run * tiling.run..((run + 1) * tiling.run).min(tiling.tiles());
            Part { tiling, tiles, channels, outputs, uncached }
        };
        outputs.into_iter().enumerate().map(part).collect()
    }
}

/// The rows of each run; none at all where there is no data.
fn cut<'a, T>(
    data: Option<&'a mut [T]>,
    tiling: &Tiling,
    level: u32,
    depth: usize,
) -> impl Iterator<Item = Option<Rows<'a, T>>> {
    data.map(|data| Rows::cut(data, tiling, level, depth)).into_iter().flatten().map(Some)
}
