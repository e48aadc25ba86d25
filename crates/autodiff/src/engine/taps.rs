//! Where losses act: their gradients added to what comes from deeper layers, and the ReLU's mask, in one pass.
//!
//! ```text
//! dL/dZ = (incoming + F D + d + sum_c w_c dL_c/dF)  where F > 0, else 0
//! ```
//!
//! D and d are the [`AffineMap`] of the losses of sums; the sum runs over the losses at positions. This is the gradients of
//! [`crate::losses`] followed by [`crate::ops::relu`]'s, block of positions by block of positions, so that F D never exists
//! as a whole. Losses with a guide have a map of their own, and t_p (F D + d) is added, at positions that have a t_p.

use impasto_tensor::{Gram, Isa, Scratch, TensorError};
use rayon::prelude::*;

use super::packed_map::{POSITIONS, PackedMap, scratch_len};
use crate::Guide;
use crate::losses::Needs;
use crate::terms::Term;

/// The most blocks in a task.
const BLOCKS: usize = 8;

/// Of so many blocks, those that one task computes: several, so that the next one can be prefetched meanwhile.
fn blocks_of_a_task(blocks: usize) -> usize {
    (blocks / (4 * rayon::current_num_threads())).clamp(1, BLOCKS)
}

/// Sums over the positions of a stage, or over what a guide leaves of them, and the losses of these.
#[derive(Debug)]
pub(crate) struct Sums {
    pub(crate) guide: Option<Guide>,
    /// The terms, as indices of the list of terms.
    pub(crate) terms: Vec<usize>,
    pub(crate) gram: Gram,
    /// The map that the sums lead to.
    pub(crate) map: PackedMap,
}

/// What the losses at one stage keep from the sums to the gradient.
#[derive(Debug, Default)]
pub(crate) struct StageTap {
    /// The terms that compare position by position, as indices of the list of terms.
    pub(crate) at_positions: Vec<usize>,
    /// The terms of sums: those with the same guide together.
    pub(crate) sums: Vec<Sums>,
}

impl StageTap {
    /// The stage's terms, as indices of `terms`; `gram` makes the sums of a guide.
    pub(crate) fn new(
        (isa, channels): (Isa, usize),
        terms: &[Term],
        own: impl Iterator<Item = usize>,
        gram: impl Fn(Option<&Guide>) -> Result<Gram, TensorError>,
    ) -> Result<Self, TensorError> {
        let mut tap = Self::default();
        for index in own {
            let loss = match terms[index].loss.needs() {
                Needs::Positions(_) => {
                    tap.at_positions.push(index);
                    continue;
                }
                Needs::Sums(loss) => loss,
                Needs::Pixels(_) => continue,
            };
            let guide = loss.guide();
            let same = |sums: &&mut Sums| match (&sums.guide, guide) {
                (Some(one), Some(other)) => one.is(other),
                (one, other) => one.is_none() && other.is_none(),
            };
            if let Some(sums) = tap.sums.iter_mut().find(same) {
                sums.terms.push(index);
            } else {
                let (gram, map) = (gram(guide)?, PackedMap::zero(isa, channels)?);
                tap.sums.push(Sums { guide: guide.cloned(), terms: vec![index], gram, map });
            }
        }
        Ok(tap)
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
    /// Numbers of scratch of one block.
    pub(crate) fn scratch_len(&self) -> usize {
        let padded = self.tap.sums.first().map_or(0, |sums| sums.map.padded_columns());
        scratch_len(self.channels, padded, self.tap.sums.iter().any(|sums| sums.guide.is_some()))
    }

    /// Adds the losses' gradients at responses `f` to `gradient`, and masks it.
    pub(crate) fn add_and_mask(&self, f: &[f32], gradient: &mut [f32], scratch: &Scratch) {
        let block = POSITIONS * self.channels;
        let room = self.scratch_len();
        let task = block * blocks_of_a_task(f.chunks(block).len());
        gradient.par_chunks_mut(task).zip(f.par_chunks(task)).enumerate().for_each(
            |(index, (mut gradient, mut f))| {
                let mut first = index * task / self.channels;
                while !f.is_empty() {
                    let (now, f_later) = f.split_at(block.min(f.len()));
                    let (here, later) = gradient.split_at_mut(now.len());
                    let prefetch = [f_later, &*later].map(|later| &later[..block.min(later.len())]);
                    scratch.with(room, |scratch| {
                        self.add_and_mask_block(first, now, here, scratch, prefetch);
                    });
                    first += POSITIONS;
                    (f, gradient) = (f_later, later);
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
        scratch: &mut [f32],
        prefetch: [&[f32]; 2],
    ) {
        let mut wanted = prefetch;
        for Sums { guide, map, .. } in &self.tap.sums {
            let acts = if let Some(guide) = guide {
                let t = &guide.weights()[self.first + first..][..f.len() / self.channels];
                map.add_guided((f, t), gradient, scratch, wanted)
            } else {
                map.add(f, self.channels, gradient, scratch, wanted);
                true
            };
            if acts {
                wanted = [&[]; 2];
            }
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
    use crate::Coverage;
    use crate::losses::{AffineMap, Content, GramMatrix, Loss, Style};
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

    /// A term of sums, of any target.
    fn style_term(channels: usize, guide: Option<Guide>) -> Term {
        let target = GramMatrix { channels, data: vec![0.0; channels * channels] };
        Term::at("layer", Weight::alone(1.0), Loss::Gram(Style { target, guide }))
    }

    /// A guide that leaves out runs of positions, and a few alone.
    fn guide(positions: usize, at: usize, hard: bool) -> Guide {
        let t = |p: usize| {
            let there = !(p / (40 * at) + at).is_multiple_of(3) && p % 13 != at;
            if hard {
                f32::from(u8::from(there))
            } else {
                ((p * at) as f32 * 0.01).sin() * f32::from(u8::from(there))
            }
        };
        let mut t: Vec<f32> = (0..positions).map(t).collect();
        t[0] = 0.5;
        Coverage::of(t).guide().expect("neither none nor all").clone()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// dL/dZ as the equation has it, in f64, whether channels fill their panels or not.
        #[test]
        fn losses_and_mask_are_the_equation(
            channels in prop_oneof![Just(16_usize), Just(48)],
            positions in prop_oneof![1..POSITIONS, POSITIONS..20 * POSITIONS],
            first in 0_usize..200,
            maps in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>()), 0..4),
            contents in 0_usize..3,
            (hard, threads) in (any::<bool>(), 1_usize..4),
        ) {
            let f: Vec<f32> = wave(positions * channels, 1.3).into_iter().map(|z| z.max(0.0)).collect();
            let incoming = wave(f.len(), 0.3);
            let mut terms = content_terms(contents, (first, positions, channels));
            // The unguided ones are one map.
            let mut maps: Vec<(AffineMap, Option<Guide>)> = (1..).zip(maps).map(|(at, (matrix, vector, guided))| {
                let mut map = AffineMap::zero(channels);
                if matrix {
                    map.matrix = wave(channels * channels, 2.1 * at as f32);
                }
                map.vector = vector.then(|| wave(channels, 3.7 * at as f32));
                (map, guided.then(|| guide(first + positions + 5, at, hard)))
            }).collect();
            if let Some(first) = maps.iter().position(|(_, guide)| guide.is_none()) {
                let mut at = 0..;
                maps.retain(|(_, guide)| guide.is_some() || at.next() == Some(first));
            }
            terms.extend(maps.iter().map(|(_, guide)| style_term(channels, guide.clone())));

            let expected = |at: usize| {
                let (position, channel) = (at / channels, at % channels);
                if f[at] <= 0.0 {
                    return 0.0;
                }
                let row = f[position * channels..][..channels].iter();
                let mapped = maps.iter().map(|(map, guide)| {
                    let column = map.matrix[channel..].iter().step_by(channels);
                    let product: f64 = row.clone().zip(column).map(|(&f, &d)| f64::from(f) * f64::from(d)).sum();
                    let d = map.vector.as_ref().map_or(0.0, |d| f64::from(d[channel]));
                    let t = guide.as_ref().map_or(1.0, |guide| guide.weights()[first + position]);
                    f64::from(t) * (product + d)
                });
                let content = terms[..contents].iter().map(|term| {
                    let Loss::Content(Content { target, .. }) = &term.loss else { return 0.0 };
                    let p = target.data()[first * channels + at];
                    term.weight.product() * (f64::from(f[at]) - f64::from(p))
                });
                f64::from(incoming[at]) + mapped.sum::<f64>() + content.sum::<f64>()
            };
            let expected: Vec<f64> = (0..f.len()).map(expected).collect();

            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            for isa in Isa::available() {
                let gram = |_: Option<&Guide>| Gram::new(isa, channels, positions);
                let mut tap = StageTap::new((isa, channels), &terms, 0..terms.len(), gram)?;
                prop_assert_eq!(tap.sums.len(), maps.len());
                for (sums, (map, guide)) in tap.sums.iter_mut().zip(&maps) {
                    prop_assert_eq!(&sums.guide, guide);
                    sums.map.set(map.clone())?;
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
}
