//! What one size of a picture has learnt of the gradient, for the next.

use impasto_lbfgs::Moments;

use crate::PictureError;
use crate::picture::{cubic, means};

/// Adam's moments at the end of a size.
pub(crate) struct Carried {
    /// Of H x W x 3 variables, or of the H x W of its light.
    pub(crate) moments: Moments<f32>,
    /// (H, W).
    pub(crate) size: (usize, usize),
}

impl Carried {
    /// The moments at another size: means by cubic interpolation, mean squares, which must stay positive, by linear one.
    pub(crate) fn at(self, size: (usize, usize)) -> Result<Moments<f32>, PictureError> {
        let Self { moments: Moments { mean, square, gradients }, size: from } = self;
        let channels = mean.len() / (from.0 * from.1);
        let mean = cubic(&mean, channels, from, size)?;
        let mut square = means(&square, channels, from, size)?;
        for square in &mut square {
            *square = square.max(0.0);
        }
        Ok(Moments { mean, square, gradients })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_resampled_and_squares_stay_positive() {
        for channels in [1, 3] {
            let mean: Vec<f32> = (0..16 * 20 * channels).map(|i| ((i / channels) % 20) as f32).collect();
            let square = mean.iter().map(|m| if *m < 9.0 { 0.0 } else { 100.0 }).collect();
            let carried = Carried { moments: Moments { mean, square, gradients: 7 }, size: (16, 20) };
            let Moments { mean, square, gradients } = carried.at((23, 30)).unwrap();
            assert_eq!((mean.len(), square.len(), gradients), (23 * 30 * channels, 23 * 30 * channels, 7));
            assert!(square.iter().all(|&square| (0.0..=100.0).contains(&square)));
            // A ramp stays one: x of the fine picture is at (x + 1/2) 20/30 - 1/2 of the coarse one.
            for x in 4..26 {
                let expected = (x as f32 + 0.5) * 20.0 / 30.0 - 0.5;
                let got = mean[(11 * 30 + x) * channels];
                assert!((got - expected).abs() < 1e-3, "{got} against {expected}");
            }
        }
    }
}
