//! Matching of histograms, a channel at a time, by ranks.
//!
//! ```text
//! q(v)  = (the weight of values below v + half the weight of values of v) / the weight of all
//! v    -> the photo's value of the rank q(v)
//! ```
//!
//! q is the middle rank of v among the painting's values. Between two of the photo's values, the value of a rank is interpolated
//! linearly between their own middle ranks; beyond the outermost ones it is theirs. Values are numbers, and no bins are made:
//! equal values stay equal, larger ones do not become smaller, and a picture matched to itself is itself. See Gonzalez and
//! Woods, "Digital Image Processing", "Histogram matching (specification)".

use rayon::prelude::*;

use super::Weighted;
use crate::Picture;

/// The most bytes that matching takes for each pixel of the painting and of the photo: an entry of a value and its weight, values,
/// ranks and whether they count in lists that may have twice the room, and a matched value.
pub(crate) const BYTES_PER_PIXEL: usize = 8 + 2 * (4 + 8 + 1) + 4;

/// Gives each channel of `painting` the histogram that the channel has in the pixels of the photo that count. `part` says which
/// pixels of the painting count. Nothing is changed if none of either do.
pub(super) fn match_histograms(painting: &mut Picture, part: Option<&[f32]>, photo: Weighted<'_>) {
    for channel in 0..3 {
        let own = Ranked::of(Weighted { picture: painting, weights: part }, channel);
        let target = Ranked::of(photo, channel);
        let (Some(own), Some(target)) = (own, target) else { return };
        let target = target.that_count();
        let matched: Vec<f32> = own.ranks.iter().map(|rank| target.value(*rank)).collect();
        for pixel in painting.data_mut().as_chunks_mut::<3>().0 {
            let value = pixel[channel];
            let index = own.values.partition_point(|known| known.total_cmp(&value).is_lt());
            pixel[channel] = matched[index];
        }
    }
}

/// The different values of a channel in rising order, with the middle rank of each, 0 to 1.
struct Ranked {
    values: Vec<f32>,
    ranks: Vec<f64>,
    /// Whether any pixel of the value counts.
    counts: Vec<bool>,
}

impl Ranked {
    /// None if no pixel counts.
    fn of(weighted: Weighted<'_>, channel: usize) -> Option<Self> {
        let pixels = weighted.picture.data().as_chunks::<3>().0.iter();
        let mut entries: Vec<(f32, f32)> =
            pixels.zip(weighted.weights()).map(|(pixel, weight)| (pixel[channel], weight as f32)).collect();
        // By the weights too, so that they are added in the same order whatever the threads do.
        entries.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let total: f64 = entries.iter().map(|(_, weight)| f64::from(*weight)).sum();
        if total <= 0.0 {
            return None;
        }
        let mut ranked = Self { values: Vec::new(), ranks: Vec::new(), counts: Vec::new() };
        let mut below = 0.0;
        for equal in entries.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
            let weight: f64 = equal.iter().map(|(_, weight)| f64::from(*weight)).sum();
            ranked.values.push(equal[0].0);
            ranked.ranks.push((below + 0.5 * weight) / total);
            ranked.counts.push(weight > 0.0);
            below += weight;
        }
        Some(ranked)
    }

    /// Without the values that no pixel that counts has.
    fn that_count(mut self) -> Self {
        let mut counts = self.counts.iter();
        self.values.retain(|_| *counts.next().unwrap_or(&false));
        let mut counts = self.counts.iter();
        self.ranks.retain(|_| *counts.next().unwrap_or(&false));
        self.counts.retain(|counts| *counts);
        self
    }

    /// The value of a rank.
    fn value(&self, rank: f64) -> f32 {
        let above = self.ranks.partition_point(|known| *known < rank);
        let last = self.values.len() - 1;
        if above == 0 || above > last {
            return self.values[above.min(last)];
        }
        let (below, gap) = (self.ranks[above - 1], self.ranks[above] - self.ranks[above - 1]);
        let share = (rank - below) / gap;
        let [from, to] = [above - 1, above].map(|index| f64::from(self.values[index]));
        if share >= 1.0 { self.values[above] } else { (from + share * (to - from)) as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::white_noise;
    use proptest::prelude::*;

    /// Noise of few or many different values.
    fn noise(height: usize, width: usize, seed: u64, levels: f32) -> Picture {
        let mut picture = white_noise(height, width, seed).unwrap();
        picture.data_mut().iter_mut().for_each(|value| *value = (*value / 255.0 * levels).round());
        picture
    }

    fn channel(picture: &Picture, channel: usize) -> Vec<f32> {
        picture.data().as_chunks::<3>().0.iter().map(|pixel| pixel[channel]).collect()
    }

    proptest! {
        #[test]
        fn ranks_are_kept_and_equal_values_stay_equal(seed in 0u64..200, levels in 1f32..400.0) {
            let (painting, photo) = (noise(9, 7, seed, levels), noise(6, 6, seed + 1, 255.0));
            let mut matched = painting.clone();
            match_histograms(&mut matched, None, Weighted::whole(&photo));
            for c in 0..3 {
                let mut pairs: Vec<_> = channel(&painting, c).into_iter().zip(channel(&matched, c)).collect();
                pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
                for two in pairs.windows(2) {
                    prop_assert!(two[0].1 <= two[1].1);
                    prop_assert!(two[0].0 < two[1].0 || two[0].1 == two[1].1);
                }
                let of_photo = channel(&photo, c);
                let (least, most) = of_photo.iter().fold((f32::MAX, f32::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
                prop_assert!(pairs.iter().all(|(_, value)| (least..=most).contains(value)));
            }
        }

        #[test]
        fn a_picture_matched_to_itself_is_itself(seed in 0u64..200, levels in 1f32..400.0, weighted: bool) {
            let picture = noise(9, 7, seed, levels);
            let weights: Vec<f32> = noise(9, 7, seed + 1, 1.0).data()[..63].to_vec();
            let weights = (weighted && weights.iter().any(|weight| *weight > 0.0)).then_some(&weights[..]);
            let mut matched = picture.clone();
            match_histograms(&mut matched, weights, Weighted { picture: &picture, weights });
            let counts = |pixel: usize| weights.is_none_or(|weights| weights[pixel] > 0.0);
            for (index, (a, b)) in matched.data().iter().zip(picture.data()).enumerate() {
                prop_assert!(a == b || !counts(index / 3), "{} against {}", a, b);
            }
        }

        /// Ranks are those of the middle: what is matched upside down is the matched picture upside down.
        #[test]
        fn dark_and_light_are_treated_alike(seed in 0u64..200, levels in (1f32..9.0, 1f32..9.0)) {
            let (mut painting, mut photo) = (noise(9, 7, seed, levels.0), noise(5, 6, seed + 1, levels.1));
            let turn = |picture: &mut Picture| picture.data_mut().iter_mut().for_each(|value| *value = 255.0 - *value);
            let mut matched = painting.clone();
            match_histograms(&mut matched, None, Weighted::whole(&photo));
            turn(&mut painting);
            turn(&mut photo);
            match_histograms(&mut painting, None, Weighted::whole(&photo));
            turn(&mut painting);
            for (a, b) in painting.data().iter().zip(matched.data()) {
                prop_assert!((a - b).abs() < 1e-3, "{} against {}", a, b);
            }
        }

        /// Lines from each value to the next one, flat beyond the outermost ones; of its own rank, each value as it is.
        #[test]
        fn a_rank_lies_on_the_line_between_its_neighbours(
            steps in prop::collection::vec((0.1f32..40.0, 0.01f64..1.0), 1..7),
            rank in -1.0f64..5.0,
        ) {
            let (mut values, mut ranks, mut at) = (Vec::new(), Vec::new(), (0.0, 0.0));
            for (value, rank) in steps {
                at = (at.0 + value, at.1 + rank);
                values.push(at.0);
                ranks.push(at.1);
            }
            let ranked = Ranked { counts: vec![true; values.len()], values: values.clone(), ranks: ranks.clone() };
            for (value, rank) in values.iter().zip(&ranks) {
                prop_assert_eq!(ranked.value(*rank), *value);
            }
            let mut expected = f64::from(values[0]);
            for (value, rank_of) in values.windows(2).zip(ranks.windows(2)) {
                let share = ((rank - rank_of[0]) / (rank_of[1] - rank_of[0])).clamp(0.0, 1.0);
                expected += share * f64::from(value[1] - value[0]);
            }
            prop_assert!((f64::from(ranked.value(rank)) - expected).abs() < 1e-4, "{}", expected);
        }

        /// As many pixels in both, all different: the sorted values are the photo's own.
        #[test]
        fn values_of_as_many_pixels_are_the_photos(seed in 0u64..200) {
            let (mut painting, photo) = (white_noise(6, 8, seed).unwrap(), white_noise(8, 6, seed + 1).unwrap());
            match_histograms(&mut painting, None, Weighted::whole(&photo));
            for c in 0..3 {
                let sorted = |picture| {
                    let mut values = channel(picture, c);
                    values.sort_by(f32::total_cmp);
                    values
                };
                for (a, b) in sorted(&painting).iter().zip(sorted(&photo)) {
                    prop_assert!((a - b).abs() < 1e-3, "{} against {}", a, b);
                }
            }
        }
    }

    #[test]
    fn only_pixels_that_count_are_matched_to() {
        let photo = Picture::new(1, 3, vec![1.0, 90.0, 7.0, 10.0, 20.0, 200.0, 3.0, 5.0, 250.0]).unwrap();
        let photo_mask = [0.0, 1.0, 0.0];
        let mut painting = noise(3, 3, 1, 255.0);
        let weighted = Weighted { picture: &photo, weights: Some(&photo_mask) };
        match_histograms(&mut painting, None, weighted);
        assert!(painting.data().as_chunks::<3>().0.iter().all(|pixel| *pixel == [10.0, 20.0, 200.0]));
        let before = painting.clone();
        match_histograms(&mut painting, Some(&[0.0; 9]), weighted);
        assert_eq!(painting, before);
    }
}
