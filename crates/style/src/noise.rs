//! Noise to start from: the paper's white noise, and that of neural-style.

use rand_core::Rng;
use rand_pcg::Pcg64Mcg;

use crate::Picture;
use crate::picture::{PictureError, room_for};

/// White noise: every channel of every pixel is uniform in 0..=255, independent of all others.
///
/// The generator is PCG 64 MCG and every number takes the upper 24 bits of one draw, so a seed means the same picture on every
/// machine.
///
/// # Errors
/// [`PictureError::Length`] for a side of 0 or a size that memory cannot address, [`PictureError::NoRoom`] for one that it does not hold.
pub fn white_noise(height: usize, width: usize, seed: u64) -> Result<Picture, PictureError> {
    let numbers = numbers(height, width)?;
    let mut generator = generator(seed);
    let unit = 1.0 / ((1_u32 << 24) - 1) as f32;
    let mut draw = || (generator.next_u64() >> 40) as f32 * unit * 255.0;
    let mut noise = room_for(numbers, (height, width))?;
    noise.extend((0..numbers).map(|_| draw()));
    Picture::new(height, width, noise)
}

/// Nearly plain: every channel of every pixel is normally distributed around that of `mean`, with a standard deviation of 0.001
/// grey levels, independent of all others.
///
/// With a network's mean colour this is what neural-style starts from (`-init random`): its optimiser moves the network's
/// input, which is the picture less that colour, from normal noise times 0.001.
///
/// Pairs of numbers are made of two draws of the generator of [`white_noise`] by the transform of Box and Muller ("A note on the
/// generation of random normal deviates", 1958): (-2 ln a)^1/2 (cos 2 pi b, sin 2 pi b). Logarithms and cosines are the system's:
/// the last bits are not promised across machines.
///
/// # Errors
/// As [`white_noise`].
pub fn mean_noise(height: usize, width: usize, seed: u64, mean: [f32; 3]) -> Result<Picture, PictureError> {
    const DEVIATION: f64 = 1e-3;
    let numbers = numbers(height, width)?;
    let mut generator = generator(seed);
    // In (0, 1], so that its logarithm is a number.
    let mut unit = || ((generator.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    let mut noise = room_for(numbers + 1, (height, width))?;
    while noise.len() < numbers {
        let radius = DEVIATION * (-2.0 * unit().ln()).sqrt();
        let angle = std::f64::consts::TAU * unit();
        for deviate in [radius * angle.cos(), radius * angle.sin()] {
            noise.push((f64::from(mean[noise.len() % 3]) + deviate) as f32);
        }
    }
    noise.truncate(numbers);
    Picture::new(height, width, noise)
}

/// 3 H W, if there are pictures of that size.
fn numbers(height: usize, width: usize) -> Result<usize, PictureError> {
    let numbers = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(3));
    numbers.ok_or(PictureError::Length { height, width, length: 0 })
}

/// The numbers of a seed.
fn generator(seed: u64) -> Pcg64Mcg {
    // The state must not be 0; the constant spreads neighbouring seeds.
    Pcg64Mcg::new((u128::from(seed) << 64 | u128::from(seed)) ^ 0xcafe_f00d_d15e_a5e5)
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

    #[test]
    fn noise_around_a_colour_is_normal() {
        let mean = [123.68, 116.779, 103.939];
        let noise = mean_noise(65, 65, 3, mean).unwrap();
        assert_eq!((noise.height(), noise.width()), (65, 65));
        for (channel, mean) in mean.into_iter().enumerate() {
            let gaps = || {
                let pixels = noise.data().as_chunks::<3>().0.iter();
                pixels.map(|pixel| (f64::from(pixel[channel]) - f64::from(mean)) / 1e-3)
            };
            let n = gaps().count() as f64;
            let moment = |power: i32| gaps().map(|gap| gap.powi(power)).sum::<f64>() / n;
            assert!(moment(1).abs() < 0.06 && (moment(2) - 1.0).abs() < 0.08, "{} {}", moment(1), moment(2));
            assert!(moment(3).abs() < 0.2 && (moment(4) - 3.0).abs() < 0.5, "{} {}", moment(3), moment(4));
        }
        assert_ne!(noise, mean_noise(65, 65, 4, mean).unwrap());
        assert_eq!(noise, mean_noise(65, 65, 3, mean).unwrap());
    }
}
