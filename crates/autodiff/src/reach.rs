//! How a mask of the picture is brought to the positions of a layer.
//!
//! A position of a response sees a patch of the picture, its receptive field: every 3x3 convolution lets it see one position further
//! in each direction, every pooling twice as many. So the mask goes through the chain as the picture does, with the convolutions'
//! weights left out:
//!
//! ```text
//! average    t_p := mean of t over the 3x3 positions around p that the picture has     at a pooling: over the 2x2 window
//! inside     t_p := least of them                                                      at a pooling: of the 2x2 window
//! ```
//!
//! The average is the mask as the receptive field sees it, the middle of the field most, for so it is that paths through the network
//! are distributed. It is linear: masks that add up to 1 do so at every layer. The least is 1 only where the whole receptive field
//! lies in the mask: it is the erosion of "Controlling Perceptual Factors in Neural Style Transfer" (Gatys et al., 2017), under which
//! small regions have nothing left at deep layers.

use rayon::prelude::*;

use crate::{AutodiffError, Coverage, PreparedChain, guide};

/// What an averaged mask must at least be at a position: under 1/512, half a grey level of its picture, it counts as 0.
const LEAST: f32 = 1.0 / 512.0;

/// What of a mask a position of a layer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Reach {
    /// The mask averaged as the position's receptive field sees it; under 1/512 it counts as 0.
    #[default]
    Average,
    /// The mask's least value in the position's receptive field.
    Inside,
}

impl PreparedChain {
    /// What a mask of a picture of (H, W) leaves of the responses of `layers`, in their order. The mask's H x W numbers are t, from 0
    /// to 1, row by row; what is below or above is brought there.
    ///
    /// # Errors
    /// [`AutodiffError::UnknownLayer`]; [`AutodiffError::TooSmall`] for a picture that has no position at one of the layers;
    /// [`AutodiffError::Pixels`] for a mask of another length.
    pub fn coverages(
        &self,
        mask: &[f32],
        (height, width): (usize, usize),
        layers: &[&str],
        reach: Reach,
    ) -> Result<Vec<Coverage>, AutodiffError> {
        if height.checked_mul(width) != Some(mask.len()) {
            return Err(AutodiffError::Pixels { height, width, channels: 1, got: mask.len() });
        }
        let wanted = layers.iter().map(|layer| self.position(layer)).collect::<Result<Vec<_>, _>>()?;
        let deepest = wanted.iter().copied().max();
        if let Some(deepest) = deepest {
            self.check_size((height, width), deepest)?;
        }
        let mut field = Field::new(mask, (height, width), reach);
        let mut coverages = vec![Coverage::Nowhere; layers.len()];
        for (at, stage) in self.stages.iter().enumerate().take(deepest.map_or(0, |deepest| deepest + 1)) {
            field.convolve();
            if wanted.contains(&at) {
                let coverage = field.coverage();
                let same = coverages.iter_mut().zip(&wanted).filter(|(_, wanted)| **wanted == at);
                same.for_each(|(place, _)| *place = coverage.clone());
            }
            if stage.pool_after && Some(at) != deepest {
                field.pool();
            }
        }
        Ok(coverages)
    }
}

/// t at the positions of a layer.
struct Field {
    t: Vec<f32>,
    height: usize,
    width: usize,
    reach: Reach,
}

impl Field {
    /// t of the picture.
    fn new(mask: &[f32], (height, width): (usize, usize), reach: Reach) -> Self {
        let t = mask.iter().copied().map(guide::weight).collect();
        Self { t, height, width, reach }
    }

    /// Through a 3x3 convolution. Mean and minimum of a rectangle are those of its rows' means and minima.
    fn convolve(&mut self) {
        let Self { t, width, reach, .. } = self;
        t.par_chunks_mut(*width).for_each(|row| {
            let mut before = None;
            for x in 0..row.len() {
                let (here, after) = (row[x], row.get(x + 1).copied());
                row[x] = reach.of([before, Some(here), after]);
                before = Some(here);
            }
        });
        let mut before: Option<Vec<f32>> = None;
        for y in 0..self.height {
            let (row, rest) = t[y * *width..].split_at_mut(*width);
            let here = row.to_vec();
            for (x, t) in row.iter_mut().enumerate() {
                *t = reach.of([before.as_ref().map(|row| row[x]), Some(*t), rest.get(x).copied()]);
            }
            before = Some(here);
        }
    }

    /// Through a 2x2 pooling.
    fn pool(&mut self) {
        let Self { t, height, width, reach } = self;
        let (pooled_height, pooled_width) = (*height / 2, *width / 2);
        for y in 0..pooled_height {
            for x in 0..pooled_width {
                let pair = |y: usize| reach.of([0, 1].map(|side| Some(t[y * *width + 2 * x + side])));
                let window = reach.of([Some(pair(2 * y)), Some(pair(2 * y + 1))]);
                // In front of all that is still to be read.
                t[y * pooled_width + x] = window;
            }
        }
        (*height, *width) = (pooled_height, pooled_width);
        t.truncate(pooled_height * pooled_width);
    }

    fn coverage(&self) -> Coverage {
        let least = match self.reach {
            Reach::Average => LEAST,
            Reach::Inside => 0.0,
        };
        Coverage::of(self.t.iter().map(|&t| if t < least { 0.0 } else { t }).collect())
    }
}

impl Reach {
    /// The mean, or the least, of the numbers that are there.
    fn of<const N: usize>(self, numbers: [Option<f32>; N]) -> f32 {
        let there = numbers.into_iter().flatten();
        match self {
            Self::Average => {
                let (sum, count) = there.fold((0.0, 0.0), |(sum, count), t| (sum + t, count + 1.0));
                sum / count
            }
            Self::Inside => there.fold(1.0, f32::min),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use proptest::prelude::*;

    use super::*;
    use crate::{Border, Chain, ConvLayer, ConvMode, Layer, Pooling};

    const LAYERS: [&str; 4] = ["conv1_1", "conv1_2", "conv2_1", "conv3_1"];

    /// Two convolutions, a pooling, one, a pooling, one.
    fn network() -> PreparedChain {
        let conv = |name: &str, in_channels: usize| {
            let (kernel, bias) = (vec![0.0; 9 * in_channels * 16], vec![0.0; 16]);
            Layer::Conv(ConvLayer { name: name.to_owned(), in_channels, out_channels: 16, kernel, bias })
        };
        let mut layers = vec![conv("conv1_1", 3)];
        layers.extend(LAYERS[1..].iter().map(|name| conv(name, 16)));
        layers.insert(3, Layer::Pool);
        layers.insert(2, Layer::Pool);
        let chain = Chain { input: None, layers, pooling: Pooling::Average, border: Border::Zero };
        PreparedChain::new(chain, ConvMode::Fast).unwrap()
    }

    fn coverages(mask: &[f32], size: (usize, usize), reach: Reach) -> Vec<Coverage> {
        network().coverages(mask, size, &LAYERS, reach).unwrap()
    }

    /// t of every layer, also where it is the same everywhere.
    fn weights(mask: &[f32], (height, width): (usize, usize), reach: Reach) -> Vec<Vec<f32>> {
        let levels = [0, 0, 1, 2].map(|level| (height >> level) * (width >> level));
        let numbers = |(coverage, positions): (Coverage, usize)| match coverage {
            Coverage::Everywhere => vec![1.0; positions],
            Coverage::Partly(guide) => guide.weights().to_vec(),
            Coverage::Nowhere => vec![0.0; positions],
        };
        coverages(mask, (height, width), reach).into_iter().zip(levels).map(numbers).collect()
    }

    /// The definition, position by position, in f64: the mean or the least over a rectangle of rows and columns.
    fn by_definition(mask: &[f32], size: (usize, usize), reach: Reach) -> Vec<Vec<f64>> {
        let of = |(t, width): (&[f64], usize), rows: Range<usize>, columns: Range<usize>| {
            let seen = rows.flat_map(|y| columns.clone().map(move |x| t[y * width + x]));
            match reach {
                Reach::Average => seen.clone().sum::<f64>() / seen.count() as f64,
                Reach::Inside => seen.fold(1.0, f64::min),
            }
        };
        let around = |at: usize, len: usize| at.saturating_sub(1)..(at + 2).min(len);
        let convolve = |t: &[f64], (height, width): (usize, usize)| -> Vec<f64> {
            let at = |at| of((t, width), around(at / width, height), around(at % width, width));
            (0..height * width).map(at).collect()
        };
        let pool = |t: &[f64], (height, width): (usize, usize)| -> Vec<f64> {
            let window = |at: usize| 2 * at..2 * at + 2;
            let (height, pooled) = (height / 2, width / 2);
            (0..height * pooled).map(|at| of((t, width), window(at / pooled), window(at % pooled))).collect()
        };
        let halves = |level: usize| (size.0 >> level, size.1 >> level);
        let picture: Vec<f64> = mask.iter().map(|&t| f64::from(t)).collect();
        let first = convolve(&picture, size);
        let second = convolve(&first, size);
        let third = convolve(&pool(&second, size), halves(1));
        let fourth = convolve(&pool(&third, halves(1)), halves(2));
        vec![first, second, third, fourth]
    }

    fn masks() -> impl Strategy<Value = (Vec<f32>, (usize, usize))> {
        (4_usize..24, 4_usize..24).prop_flat_map(|(height, width)| {
            let number = prop_oneof![Just(0.0_f32), Just(1.0), 0.0..1.0_f32];
            (prop::collection::vec(number, height * width), Just((height, width)))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn masks_reach_layers_as_the_definition_has_it((mask, size) in masks()) {
            for reach in [Reach::Average, Reach::Inside] {
                let least = if reach == Reach::Average { f64::from(LEAST) } else { 0.0 };
                for (ours, expected) in weights(&mask, size, reach).iter().zip(by_definition(&mask, size, reach)) {
                    prop_assert_eq!(ours.len(), expected.len());
                    for (&ours, expected) in ours.iter().zip(expected) {
                        let dropped = ours == 0.0 && expected < least + 1e-6;
                        prop_assert!(dropped || (f64::from(ours) - expected).abs() < 1e-6, "{ours} {expected}");
                    }
                }
            }
        }

        #[test]
        fn inside_is_never_more_than_the_average((mask, size) in masks()) {
            let [average, inside] = [Reach::Average, Reach::Inside].map(|reach| weights(&mask, size, reach).concat());
            for (inside, average) in inside.into_iter().zip(average) {
                prop_assert!(inside <= average + 1e-6 || (average == 0.0 && inside < LEAST));
            }
        }

        /// What two masks share of a position they share at every layer.
        #[test]
        fn complements_add_up_to_one_at_every_layer((mask, size) in masks()) {
            let rest: Vec<f32> = mask.iter().map(|t| 1.0 - t).collect();
            let [here, there] = [&mask, &rest].map(|mask| weights(mask, size, Reach::Average).concat());
            for (here, there) in here.into_iter().zip(there) {
                prop_assert!((here + there - 1.0).abs() <= LEAST);
            }
        }

        /// Of a half plane a position further inside sees no less.
        #[test]
        fn the_average_of_a_half_plane_rises_monotonely(
            (height, width) in (4_usize..40, 4_usize..40),
            edge in 0.0..1.0,
        ) {
            let edge = (edge * width as f64) as usize;
            let mask: Vec<f32> = (0..height * width).map(|at| f32::from(u8::from(at % width >= edge))).collect();
            for (level, t) in [0, 0, 1, 2].into_iter().zip(weights(&mask, (height, width), Reach::Average)) {
                for row in t.chunks_exact(width >> level) {
                    prop_assert!(row.windows(2).all(|pair| pair[0] <= pair[1] + 1e-6), "{row:?}");
                }
            }
        }
    }

    #[test]
    fn ones_stay_ones_and_zeros_zeros() {
        for reach in [Reach::Average, Reach::Inside] {
            for size in [(4, 4), (23, 17), (64, 31)] {
                let everywhere = coverages(&vec![1.0; size.0 * size.1], size, reach);
                assert!(
                    everywhere.iter().all(|coverage| *coverage == Coverage::Everywhere),
                    "{reach:?} {size:?}"
                );
                let nowhere = coverages(&vec![0.0; size.0 * size.1], size, reach);
                assert!(nowhere.iter().all(|coverage| *coverage == Coverage::Nowhere), "{reach:?} {size:?}");
            }
        }
    }

    /// An eroded region has nothing left where no receptive field fits into it; an averaged one has.
    #[test]
    fn a_small_region_vanishes_at_deep_layers_only_when_eroded() {
        let (size, side) = (64, 10);
        let inside =
            |at: usize| (28..28 + side).contains(&(at / size)) && (28..28 + side).contains(&(at % size));
        let mask: Vec<f32> = (0..size * size).map(|at| f32::from(u8::from(inside(at)))).collect();
        let vanish = |reach| {
            let coverages = coverages(&mask, (size, size), reach);
            coverages.into_iter().map(|coverage| coverage == Coverage::Nowhere).collect::<Vec<_>>()
        };
        assert_eq!(vanish(Reach::Average), [false; 4]);
        assert_eq!(vanish(Reach::Inside), [false, false, false, true]);
    }

    #[test]
    fn layers_come_in_the_order_in_which_they_are_asked_for() {
        let mask: Vec<f32> = (0..12 * 9).map(|at| at as f32 / 108.0).collect();
        let network = network();
        let of = |layers: &[&str]| network.coverages(&mask, (12, 9), layers, Reach::Average).unwrap();
        let [shallow, deep] = ["conv1_1", "conv3_1"].map(|layer| of(&[layer])[0].clone());
        assert_eq!(of(&["conv3_1", "conv1_1", "conv3_1"]), [deep.clone(), shallow, deep]);
        assert_eq!(of(&[]), []);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let network = network();
        let of = |len, size, layer| network.coverages(&vec![0.5; len], size, &[layer], Reach::Average);
        assert!(matches!(of(35, (4, 9), "conv1_1"), Err(AutodiffError::Pixels { got: 35, .. })));
        assert!(matches!(of(27, (3, 9), "conv3_1"), Err(AutodiffError::TooSmall { .. })));
        assert!(matches!(of(27, (3, 9), "conv9_1"), Err(AutodiffError::UnknownLayer { .. })));
        assert!(of(27, (3, 9), "conv2_1").is_ok());
        // What is no number counts as 0, and what is more than 1 as 1.
        let strange: Vec<f32> = [f32::NAN, 7.0, -3.0, 1.0].into_iter().cycle().take(64).collect();
        let plain: Vec<f32> = [0.0, 1.0, 0.0, 1.0].into_iter().cycle().take(64).collect();
        let [strange, plain] =
            [strange, plain].map(|mask| network.coverages(&mask, (8, 8), &LAYERS, Reach::Average));
        assert_eq!(strange, plain);
    }
}
