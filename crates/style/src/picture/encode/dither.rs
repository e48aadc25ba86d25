//! From real numbers to whole ones of 8 bits, so that the mean over a few pixels stays what it was.
//!
//! Error diffusion by Floyd and Steinberg (1976): what rounding takes from a number is given to the neighbours that come after
//! it, 7/16 ahead, 3/16, 5/16 and 1/16 below; rows run to and fro. Their threshold trembles (Ulichney, *Digital Halftoning*,
//! 1987), or plain areas would have a pattern of a few pixels. What remains is noise of one level in high frequencies alone: a
//! sky has no bands and no grain. Noise that is added and rounded would be seen sooner, and an ordered matrix is a pattern.
//!
//! The noise of the threshold is a function of the place: the same picture has the same bytes always.

/// Half of what the threshold trembles by. Below 1/2 no number moves by a level or more.
const TREMBLE: f32 = 0.25;

/// Rounds the rows of a picture, one after the other from the top.
pub(super) struct Diffusion {
    /// For each number of the row, what it is given by others; a pixel beyond at each side.
    here: Vec<f32>,
    /// The same of the next row.
    below: Vec<f32>,
    row: u32,
}

impl Diffusion {
    pub(super) fn new(width: usize) -> Self {
        let errors = vec![0.0; 3 * (width + 2)];
        Self { here: errors.clone(), below: errors, row: 0 }
    }

    /// The next row, W x RGB from 0 to 255. What `is_seen` says cannot be seen is rounded by itself.
    ///
    /// So is what is a whole number already, black and white among them, and its neighbours get nothing of it: what was kept of a
    /// photo stays to the bit.
    pub(super) fn row(&mut self, row: &[f32], is_seen: impl Fn(usize) -> bool) -> Vec<u8> {
        let width = row.len() / 3;
        let mut rounded = vec![0; row.len()];
        let to_the_left = self.row % 2 == 1;
        for step in 0..width {
            let x = if to_the_left { width - 1 - step } else { step };
            for channel in 0..3 {
                let k = 3 * x + channel;
                let value = row[k].clamp(0.0, 255.0);
                let whole = value.round();
                if value == whole || value.is_nan() || !is_seen(x) {
                    rounded[k] = whole as u8;
                    continue;
                }
                let wanted = value + self.here[k + 3];
                let threshold = 0.5 + TREMBLE * noise(x as u32, self.row, channel as u32);
                let taken = (wanted + threshold).floor().clamp(0.0, 255.0);
                rounded[k] = taken as u8;
                self.give(k + 3, to_the_left, wanted - taken);
            }
        }
        self.here.fill(0.0);
        std::mem::swap(&mut self.here, &mut self.below);
        self.row += 1;
        rounded
    }

    /// Gives an error to the neighbours.
    fn give(&mut self, k: usize, to_the_left: bool, error: f32) {
        let (ahead, behind) = if to_the_left { (k - 3, k + 3) } else { (k + 3, k - 3) };
        self.here[ahead] += error * (7.0 / 16.0);
        self.below[behind] += error * (3.0 / 16.0);
        self.below[k] += error * (5.0 / 16.0);
        self.below[ahead] += error * (1.0 / 16.0);
    }
}

/// From -1 to 1, evenly, of a place: the finaliser of MurmurHash3 (Appleby, 2011).
fn noise(x: u32, y: u32, channel: u32) -> f32 {
    let mut bits = x ^ y.rotate_left(11) ^ channel.rotate_left(22) ^ 0x9e37_79b9;
    for factor in [0x85eb_ca6b, 0xc2b2_ae35_u32] {
        bits = (bits ^ (bits >> 16)).wrapping_mul(factor);
        bits ^= bits >> 13;
    }
    ((bits ^ (bits >> 16)) >> 8) as f32 / (1 << 23) as f32 - 1.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIDE: usize = 96;

    fn dithered(picture: &[f32], width: usize) -> Vec<u8> {
        let mut diffusion = Diffusion::new(width);
        picture.chunks(3 * width).flat_map(|row| diffusion.row(row, |_| true)).collect()
    }

    /// The largest error of the mean of a channel over blocks of 8 x 8 pixels.
    fn error_of_means(picture: &[f32], rounded: &[u8]) -> f64 {
        let mean = |at: &dyn Fn(usize) -> f64, (top, left, channel): (usize, usize, usize)| {
            let places = (0..64).map(|k| 3 * ((top + k / 8) * SIDE + left + k % 8) + channel);
            places.map(at).sum::<f64>() / 64.0
        };
        let blocks = (0..SIDE / 8).flat_map(|y| (0..SIDE / 8).map(move |x| (8 * y, 8 * x)));
        let places = blocks.flat_map(|(y, x)| (0..3).map(move |channel| (y, x, channel)));
        places.fold(0.0, |largest: f64, place| {
            let [true_one, rounded] =
                [mean(&|k| f64::from(picture[k]), place), mean(&|k| f64::from(rounded[k]), place)];
            largest.max((true_one - rounded).abs())
        })
    }

    /// A sky: a step of two levels from top to bottom, and another one across.
    fn sky() -> Vec<f32> {
        let value = |k: usize| {
            let (y, x, channel) = (k / 3 / SIDE, k / 3 % SIDE, k % 3);
            120.3 + channel as f32 + 2.0 * y as f32 / SIDE as f32 + 0.7 * x as f32 / SIDE as f32
        };
        (0..3 * SIDE * SIDE).map(value).collect()
    }

    #[test]
    fn local_means_stay_where_rounding_moves_them() {
        let sky = sky();
        let plain: Vec<u8> = sky.iter().map(|value| value.round() as u8).collect();
        let (by_rounding, by_diffusion) =
            (error_of_means(&sky, &plain), error_of_means(&sky, &dithered(&sky, SIDE)));
        assert!(by_rounding > 0.35 && by_diffusion < 0.07, "{by_rounding} {by_diffusion}");
    }

    /// The largest correlation of the errors of a plain area with themselves, four pixels away and more.
    fn pattern(level: f32) -> f64 {
        let area = vec![level; 3 * SIDE * SIDE];
        let rounded = dithered(&area, SIDE);
        let error = |y: usize, x: usize| f64::from(rounded[3 * (y * SIDE + x)]) - f64::from(level);
        let products = |dy: usize, dx: usize| {
            let places = (8..SIDE - 24).flat_map(|y| (8..SIDE - 24).map(move |x| (y, x)));
            places.map(|(y, x)| error(y, x) * error(y + dy, x + dx)).sum::<f64>()
        };
        let all = products(0, 0);
        let lags = (0..16).flat_map(|dy| (0..16).map(move |dx| (dy, dx)));
        let far = lags.filter(|(dy, dx)| dy + dx >= 6 && dy.max(dx) >= &4);
        far.fold(0.0, |largest, (dy, dx)| f64::max(largest, (products(dy, dx) / all).abs()))
    }

    #[test]
    fn plain_areas_have_no_pattern() {
        for level in [100.1, 100.25, 100.333, 100.5, 100.75, 100.9] {
            let pattern = pattern(level);
            assert!(pattern < 0.2, "{level}: {pattern}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_stay_and_others_move_by_less_than_two_levels(
            width in 1_usize..20, values in prop::collection::vec((0.0_f32..255.0, any::<bool>()), 3 * 19 * 12),
        ) {
            let values = values.iter().take(3 * width * 12);
            let picture: Vec<f32> = values.map(|&(value, whole)| if whole { value.round() } else { value }).collect();
            let rounded = dithered(&picture, width);
            for (&value, &rounded) in picture.iter().zip(&rounded) {
                let moved = (value - f32::from(rounded)).abs();
                prop_assert!(if value == value.round() { moved == 0.0 } else { moved < 2.0 }, "{} {}", value, rounded);
            }
        }

        #[test]
        fn what_are_no_colours_are_no_panics(values in prop::collection::vec(any::<f32>(), 3 * 40)) {
            prop_assert_eq!(dithered(&values, 4).len(), values.len());
        }
    }
}
