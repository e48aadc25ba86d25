//! Where losses act: their gradients added to what comes from deeper layers, and the ReLU's mask, in one pass.
//!
//! ```text
//! dL/dZ = (incoming + F D + d + sum_c w_c dL_c/dF)  where F > 0, else 0
//! ```
//!
//! D and d are the [`AffineMap`] of the losses of sums; the sum runs over the losses at positions. This is the gradients of
//! [`crate::losses`] followed by [`crate::ops::relu`]'s, block of positions by block of positions, so that F D never exists
//! as a whole.

use impasto_tensor::{Gram, Isa, Matrix, PackedMatrix, Scratch, TensorError};
use rayon::prelude::*;

use crate::losses::{AffineMap, Needs};
use crate::terms::Term;

/// Positions in one block.
pub(crate) const POSITIONS: usize = 96;
/// The most blocks in a task.
const BLOCKS: usize = 8;

/// Numbers of scratch of one block.
pub(crate) fn scratch_len(padded_channels: usize) -> usize {
    POSITIONS * padded_channels
}

/// An [`AffineMap`] ready to multiply.
#[derive(Debug)]
pub(crate) struct PackedMap {
    matrix: PackedMatrix,
    vector: Option<Vec<f32>>,
}

impl PackedMap {
    /// The map to 0.
    fn zero(isa: Isa, channels: usize) -> Result<Self, TensorError> {
        let zeros = vec![0.0; channels * channels];
        Ok(Self { matrix: PackedMatrix::new(isa, Matrix::new(&zeros, channels, channels)?)?, vector: None })
    }

    /// Takes another map of the same size.
    pub(crate) fn set(&mut self, map: AffineMap) -> Result<(), TensorError> {
        self.matrix.repack(Matrix::new(&map.matrix, map.channels, map.channels)?);
        self.vector = map.vector;
        Ok(())
    }

    pub(crate) fn padded_columns(&self) -> usize {
        self.matrix.padded_columns()
    }

    /// Adds F D + d to `gradient`, with [`scratch_len`] numbers of scratch. What is in `prefetch` is prefetched meanwhile.
    fn add(
        &self,
        f: &[f32],
        channels: usize,
        gradient: &mut [f32],
        products: &mut [f32],
        prefetch: [&[f32]; 2],
    ) {
        let stride = self.padded_columns();
        if stride == channels {
            self.matrix.multiply(f, channels, gradient, true, prefetch);
        } else {
            let products = &mut products[..f.len() / channels * stride];
            self.matrix.multiply(f, channels, products, false, prefetch);
            let rows = gradient.chunks_exact_mut(channels).zip(products.chunks_exact(stride));
            for (gradient, products) in rows {
                gradient.iter_mut().zip(products).for_each(|(g, &product)| *g += product);
            }
        }
        if let Some(vector) = &self.vector {
            for gradient in gradient.chunks_exact_mut(channels) {
                gradient.iter_mut().zip(vector).for_each(|(g, &d)| *g += d);
            }
        }
    }
}

/// What the losses at one stage keep from the sums to the gradient.
#[derive(Debug, Default)]
pub(crate) struct StageTap {
    /// The terms that compare position by position, as indices of the list of terms.
    pub(crate) at_positions: Vec<usize>,
    /// The terms of sums.
    pub(crate) of_sums: Vec<usize>,
    /// The Gram sums, and the map that they lead to; none without a term of sums.
    pub(crate) sums: Option<(Gram, PackedMap)>,
}

impl StageTap {
    /// The stage's terms, as indices, and whether they are of sums; `gram` is asked for if one is.
    pub(crate) fn new(
        isa: Isa,
        channels: usize,
        terms: impl Iterator<Item = (usize, bool)>,
        gram: impl FnOnce() -> Result<Gram, TensorError>,
    ) -> Result<Self, TensorError> {
        let (mut at_positions, mut of_sums) = (Vec::new(), Vec::new());
        for (index, is_of_sums) in terms {
            if is_of_sums { &mut of_sums } else { &mut at_positions }.push(index);
        }
        let make = || Ok((gram()?, PackedMap::zero(isa, channels)?));
        let sums = (!of_sums.is_empty()).then(make).transpose()?;
        Ok(Self { at_positions, of_sums, sums })
    }
}

/// The losses at one stage in the backward sweep.
#[derive(Clone, Copy)]
pub(crate) struct TapGradient<'a> {
    pub(crate) terms: &'a [Term],
    pub(crate) tap: &'a StageTap,
    /// N of the stage.
    pub(crate) channels: usize,
    /// The position of the first of the responses that are handed over, in the response to the whole picture.
    pub(crate) first: usize,
}

impl TapGradient<'_> {
    /// D and d, if a term needs them.
    pub(crate) fn map(&self) -> Option<&PackedMap> {
        self.tap.sums.as_ref().map(|(_, map)| map)
    }

    /// Adds the losses' gradients at responses `f` to `gradient`, and masks it.
    pub(crate) fn add_and_mask(&self, f: &[f32], gradient: &mut [f32], scratch: &Scratch) {
        let block = POSITIONS * self.channels;
        let products = self.map().map_or(0, |map| scratch_len(map.padded_columns()));
        // Several blocks in a task, so that the next one can be prefetched while this one is computed.
        let task = block * (f.len() / block / (4 * rayon::current_num_threads())).clamp(1, BLOCKS);
        gradient.par_chunks_mut(task).zip(f.par_chunks(task)).enumerate().for_each(
            |(index, (gradient, f))| {
                let mut rest = gradient;
                for (number, now) in f.chunks(block).enumerate() {
                    let (gradient, later) = rest.split_at_mut(now.len());
                    let first = (index * task + number * block) / self.channels;
                    let prefetch = [&f[number * block + now.len()..], &*later]
                        .map(|later| &later[..block.min(later.len())]);
                    scratch.with(products, |products| {
                        self.add_and_mask_block(first, now, gradient, products, prefetch);
                    });
                    rest = later;
                }
            },
        );
    }

    /// As [`Self::add_and_mask`] for at most [`POSITIONS`] positions from the `first` one on, on the calling thread, with
    /// [`scratch_len`] numbers of scratch. What is in `prefetch` is prefetched meanwhile.
    pub(crate) fn add_and_mask_block(
        &self,
        first: usize,
        f: &[f32],
        gradient: &mut [f32],
        products: &mut [f32],
        prefetch: [&[f32]; 2],
    ) {
        if let Some(map) = self.map() {
            map.add(f, self.channels, gradient, products, prefetch);
        }
        for &index in &self.tap.at_positions {
            let term = &self.terms[index];
            if let Needs::Positions(loss) = term.loss.needs() {
                loss.add_gradient(self.first + first, f, term.weight.product(), gradient);
            }
        }
        mask_block(f, gradient);
    }
}

/// Zero where F <= 0.
fn mask_block(f: &[f32], gradient: &mut [f32]) {
    for (g, &f) in gradient.iter_mut().zip(f) {
        *g = if f > 0.0 { *g } else { 0.0 };
    }
}

/// The gradient before a pooling and a ReLU from the gradient after the pooling, row by row: the twin of
/// [`impasto_tensor::conv::Source::Unpooled`] for layers that also carry a loss. `gradient` and `mask` hold rows that begin with
/// a pooling window, `pooled` as many as these have of it.
pub(crate) fn unpool(
    width: usize,
    channels: usize,
    pooled: &[f32],
    mask: &[u8],
    share: f32,
    gradient: &mut [f32],
) {
    let pooled_row = width / 2 * channels;
    gradient.par_chunks_mut(width * channels).enumerate().for_each(|(y, row)| {
        for (x, out) in row.chunks_exact_mut(channels).enumerate() {
            let window =
                pooled.get(y / 2 * pooled_row..(y / 2 + 1) * pooled_row).filter(|_| x / 2 < width / 2);
            let Some(window) = window else {
                out.fill(0.0);
                continue;
            };
            let pooled = &window[x / 2 * channels..][..channels];
            let bits = &mask[(y * width + x) * channels / 8..];
            for (channel, (out, &g)) in out.iter_mut().zip(pooled).enumerate() {
                let set = bits[channel / 8] >> (channel % 8) & 1 == 1;
                *out = if set { share * g } else { 0.0 };
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use impasto_tensor::{Shape, Tensor};
    use proptest::prelude::*;

    use super::*;
    use crate::losses::{Content, Loss};
    use crate::terms::Weight;

    /// Uneven numbers in [-1, 1].
    fn wave(len: usize, frequency: f32) -> Vec<f32> {
        (0..len).map(|i| ((i * 7919 % 10_007) as f32 * frequency).sin()).collect()
    }

    /// Content terms at a response, whose targets begin `first` positions before what is handed over.
    fn content_terms(count: usize, (first, positions, channels): (usize, usize, usize)) -> Vec<Term> {
        let shape = Shape::new(1, first + positions + 5, channels);
        let target = |at: usize| Tensor::from_vec(shape, wave(shape.len(), 0.7 + at as f32));
        let term = |at: usize| {
            let target = target(at).expect("a usable shape");
            Term::at(
                "layer",
                Weight { sum: 2.0, share: 0.5 + at as f64 },
                Loss::Content(Content { target, guide: None }),
            )
        };
        (0..count).map(term).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// dL/dZ as the equation has it, in f64, whether channels fill their panels or not.
        #[test]
        fn losses_and_mask_are_the_equation(
            channels in prop_oneof![Just(16_usize), Just(48)],
            positions in prop_oneof![1..POSITIONS, POSITIONS..20 * POSITIONS],
            first in 0_usize..200,
            (has_matrix, has_vector) in (any::<bool>(), any::<bool>()),
            contents in 0_usize..3,
            threads in 1_usize..4,
        ) {
            let f: Vec<f32> = wave(positions * channels, 1.3).into_iter().map(|z| z.max(0.0)).collect();
            let incoming = wave(f.len(), 0.3);
            let terms = content_terms(contents, (first, positions, channels));
            let mut map = AffineMap::zero(channels);
            if has_matrix {
                map.matrix = wave(channels * channels, 2.1);
            }
            map.vector = has_vector.then(|| wave(channels, 3.7));

            let expected = |at: usize| {
                let (position, channel) = (at / channels, at % channels);
                if f[at] <= 0.0 {
                    return 0.0;
                }
                let row = f[position * channels..][..channels].iter();
                let column = map.matrix[channel..].iter().step_by(channels);
                let product: f64 = row.zip(column).map(|(&f, &d)| f64::from(f) * f64::from(d)).sum();
                let d = map.vector.as_ref().map_or(0.0, |d| f64::from(d[channel]));
                let content = terms.iter().map(|term| {
                    let Loss::Content(Content { target, .. }) = &term.loss else { return 0.0 };
                    let p = target.data()[first * channels + at];
                    term.weight.product() * (f64::from(f[at]) - f64::from(p))
                });
                f64::from(incoming[at]) + product + d + content.sum::<f64>()
            };
            let expected: Vec<f64> = (0..f.len()).map(expected).collect();

            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            for isa in Isa::available() {
                let mut own: Vec<(usize, bool)> = (0..contents).map(|index| (index, false)).collect();
                if has_matrix || has_vector {
                    own.push((contents, true));
                }
                let gram = || Gram::new(isa, channels, positions);
                let mut tap = StageTap::new(isa, channels, own.into_iter(), gram)?;
                prop_assert_eq!(tap.sums.is_some(), has_matrix || has_vector);
                if let Some((_, packed)) = &mut tap.sums {
                    packed.set(map.clone())?;
                }
                let mut gradient = incoming.clone();
                let losses = TapGradient { terms: &terms, tap: &tap, channels, first };
                // Scratch that holds no more than is asked for.
                pool.install(|| losses.add_and_mask(&f, &mut gradient, &Scratch::default()));
                for (at, (&ours, expected)) in gradient.iter().zip(&expected).enumerate() {
                    prop_assert!(
                        (f64::from(ours) - expected).abs() < 1e-4,
                        "{isa:?}, number {at}: {ours} against {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_block_has_room_for_its_products() {
        assert_eq!(scratch_len(32), POSITIONS * 32);
    }
}
