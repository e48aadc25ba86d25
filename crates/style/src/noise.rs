//! The white noise that the paper starts from.

use rand_core::Rng;
use rand_pcg::Pcg64Mcg;

use crate::Picture;
use crate::picture::PictureError;

/// White noise: every channel of every pixel is uniform in 0..=255, independent of all others.
///
/// The generator is PCG 64 MCG and every number takes the upper 24 bits of one draw, so a seed means the same picture on every
/// machine.
///
/// # Errors
/// [`PictureError::Length`] for a side of 0 or a size that memory cannot address.
pub fn white_noise(height: usize, width: usize, seed: u64) -> Result<Picture, PictureError> {
    let numbers = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(3));
    let numbers = numbers.ok_or(PictureError::Length { height, width, length: 0 })?;
    // The state must not be 0; the constant spreads neighbouring seeds.
    let mut generator = Pcg64Mcg::new((u128::from(seed) << 64 | u128::from(seed)) ^ 0xcafe_f00d_d15e_a5e5);
    let unit = 1.0 / ((1_u32 << 24) - 1) as f32;
    let mut draw = || (generator.next_u64() >> 40) as f32 * unit * 255.0;
    Picture::new(height, width, (0..numbers).map(|_| draw()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_one_picture_and_no_other() {
        let noise = |seed| white_noise(32, 32, seed).unwrap();
        assert_eq!(noise(1), noise(1));
        assert_ne!(noise(1), noise(2));
        assert!(noise(0).data().iter().all(|value| (0.0..=255.0).contains(value)));
    }

    #[test]
    fn noise_has_the_moments_of_a_uniform_distribution() {
        let noise = white_noise(64, 64, 7).unwrap();
        let n = noise.data().len() as f64;
        let mean = noise.data().iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = noise.data().iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - 127.5).abs() < 3.0, "{mean}");
        assert!((variance / (255.0 * 255.0 / 12.0) - 1.0).abs() < 0.05, "{variance}");
    }
}
