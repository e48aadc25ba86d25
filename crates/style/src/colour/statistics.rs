//! Means and covariances of a picture's colours.
//!
//! ```text
//! mu = sum_p w_p c_p / sum_p w_p        C = sum_p w_p (c_p - mu)(c_p - mu)' / sum_p w_p
//! ```
//!
//! c_p is the colour (R, G, B) of pixel p, and w_p how much the pixel counts: the value of a mask, or 1.

use super::Weighted;

/// A 3 x 3 matrix by its rows.
pub(crate) type Matrix = [[f64; 3]; 3];

/// The mean colour and the covariance of colours, in grey levels of 0 to 255 and their squares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Statistics {
    /// mu.
    pub(crate) mean: [f64; 3],
    /// C.
    pub(crate) covariance: Matrix,
}

impl Statistics {
    /// mu and C of the pixels that count; none if no pixel does.
    pub(crate) fn of(weighted: Weighted<'_>) -> Option<Self> {
        let mut total = 0.0;
        let mut mean = [0.0; 3];
        for (weight, colour) in weighted.pixels() {
            total += weight;
            for (mean, value) in mean.iter_mut().zip(colour) {
                *mean += weight * value;
            }
        }
        if total <= 0.0 {
            return None;
        }
        mean = mean.map(|sum| sum / total);
        let mut covariance = [[0.0; 3]; 3];
        for (weight, colour) in weighted.pixels() {
            add_square(&mut covariance, weight / total, gap(colour, mean));
        }
        Some(Self { mean, covariance })
    }

    /// mu and C of pixels that are drawn from several pictures, from each as often as its share b says:
    /// mu = sum b mu_s, C = sum b (C_s + (mu_s - mu)(mu_s - mu)'), the shares divided by their sum. None if that is 0.
    pub(crate) fn mixture(parts: &[(f64, Self)]) -> Option<Self> {
        let sum: f64 = parts.iter().map(|(share, _)| share).sum();
        if sum <= 0.0 {
            return None;
        }
        let parts = || parts.iter().map(|(share, part)| (share / sum, part));
        let mut mean = [0.0; 3];
        for (share, part) in parts() {
            for (mean, value) in mean.iter_mut().zip(part.mean) {
                *mean += share * value;
            }
        }
        let mut covariance = [[0.0; 3]; 3];
        for (share, part) in parts() {
            for (row, of_part) in covariance.iter_mut().zip(part.covariance) {
                for (entry, of_part) in row.iter_mut().zip(of_part) {
                    *entry += share * of_part;
                }
            }
            add_square(&mut covariance, share, gap(part.mean, mean));
        }
        Some(Self { mean, covariance })
    }
}

/// a - b.
fn gap(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|i| a[i] - b[i])
}

/// m := m + weight v v'.
fn add_square(m: &mut Matrix, weight: f64, v: [f64; 3]) {
    for (row, a) in m.iter_mut().zip(v) {
        for (entry, b) in row.iter_mut().zip(v) {
            *entry += weight * (a * b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Picture, white_noise};
    use proptest::prelude::*;

    #[test]
    fn pixels_count_as_often_as_their_weights_say() {
        let picture = Picture::new(1, 3, vec![0.0, 10.0, 20.0, 6.0, 4.0, 20.0, 99.0, 99.0, 99.0]).unwrap();
        let once = Statistics::of(Weighted { picture: &picture, weights: Some(&[0.5, 1.0, 0.0]) }).unwrap();
        assert_eq!(once.mean, [4.0, 6.0, 20.0]);
        assert_eq!(once.covariance, [[8.0, -8.0, 0.0], [-8.0, 8.0, 0.0], [0.0; 3]]);
        assert_eq!(Statistics::of(Weighted { picture: &picture, weights: Some(&[0.0; 3]) }), None);
    }

    proptest! {
        /// Two pictures of one size beside each other are drawn from as often as each other.
        #[test]
        fn a_mixture_is_the_statistics_of_all_pixels_together(seed in 0u64..1000, width in 1usize..9) {
            let [a, b] = [seed, seed + 1].map(|seed| white_noise(width, 4, seed).unwrap());
            let both = Picture::new(2 * width, 4, [a.data(), b.data()].concat()).unwrap();
            let of = |picture: &Picture| Statistics::of(Weighted::whole(picture)).unwrap();
            let mixed = Statistics::mixture(&[(2.0, of(&a)), (2.0, of(&b))]).unwrap();
            let (mixed, both) = (mixed, of(&both));
            for (a, b) in mixed.covariance.concat().iter().zip(both.covariance.concat()) {
                prop_assert!((a - b).abs() < 1e-8, "{} against {}", a, b);
            }
            for (a, b) in mixed.mean.iter().zip(both.mean) {
                prop_assert!((a - b).abs() < 1e-10);
            }
        }
    }
}
