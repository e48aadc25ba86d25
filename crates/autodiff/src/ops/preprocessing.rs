//! What a network expects of its input, as the first operation of the chain: z_c = (scale x_c - mean_c) / std_c.
//!
//! ```text
//! dL/dx_c = dL/dz_c scale / std_c
//! ```

use impasto_tensor::Element;

/// z_c = (scale x_c - mean_c) / std_c, for a picture x in R, G, B from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preprocessing {
    /// What 0 to 255 is multiplied with: 1, or 1/255.
    pub scale: f32,
    /// Subtracted after the scale; R, G, B.
    pub mean: [f32; 3],
    /// Divided by last; R, G, B.
    pub std: [f32; 3],
}

impl Preprocessing {
    /// The channels of a picture: R, G, B.
    pub const CHANNELS: usize = 3;

    /// torchvision's numbers: the mean and standard deviation of ImageNet in 0 to 1.
    pub const TORCH: Self =
        Self { scale: 1.0 / 255.0, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

    /// Oxford's numbers: the mean of ImageNet in 0 to 255.
    pub const CAFFE: Self = Self { scale: 1.0, mean: [123.68, 116.779, 103.939], std: [1.0; 3] };

    /// z from x, both H x W x 3. `input` has the length of `rgb`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn apply<T: Element>(&self, rgb: &[T], input: &mut [T]) {
        assert_eq!(rgb.len(), input.len(), "picture and network input have one size");
        let [scale, mean, std] = self.numbers::<T>();
        for (x, z) in rgb.chunks_exact(3).zip(input.chunks_exact_mut(3)) {
            for c in 0..3 {
                z[c] = (x[c] * scale[c] - mean[c]) / std[c];
            }
        }
    }

    /// dL/dx from dL/dz in place: dL/dx_c = dL/dz_c * scale / std_c. H x W x 3.
    pub fn gradient<T: Element>(&self, gradient: &mut [T]) {
        let [scale, _, std] = self.numbers::<T>();
        for z in gradient.chunks_exact_mut(3) {
            for c in 0..3 {
                z[c] *= scale[c] / std[c];
            }
        }
    }

    /// Scale, mean and std of each channel, in the precision of the picture.
    fn numbers<T: Element>(&self) -> [[T; 3]; 3] {
        [[self.scale; 3], self.mean, self.std].map(|row| row.map(|value| T::from_f64(f64::from(value))))
    }

    /// x from z, both H x W x 3: the inverse of [`Preprocessing::apply`], up to rounding.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn invert(&self, input: &[f32], rgb: &mut [f32]) {
        assert_eq!(rgb.len(), input.len(), "picture and network input have one size");
        for (z, x) in input.chunks_exact(3).zip(rgb.chunks_exact_mut(3)) {
            for c in 0..3 {
                x[c] = (z[c] * self.std[c] + self.mean[c]) / self.scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// torchvision's networks see black and white as -mean / std and (1 - mean) / std, Oxford's as -mean and 255 - mean.
    #[test]
    fn black_and_white_are_those_of_the_networks() {
        for (of, [black, white]) in [
            (Preprocessing::TORCH, [[-2.1179, -2.0357, -1.8044], [2.2489, 2.4286, 2.6400]]),
            (Preprocessing::CAFFE, [[-123.68, -116.779, -103.939], [131.32, 138.221, 151.061]]),
        ] {
            for (x, expected) in [(0.0, black), (255.0, white)] {
                let mut z = [0.0_f64; 3];
                of.apply(&[x; 3], &mut z);
                assert!(z.iter().zip(&expected).all(|(z, e)| (z - e).abs() < 1e-4), "{z:?}");
            }
        }
    }

    proptest! {
        /// z_c = (x_c scale - mean_c) / std_c, and x again from it.
        #[test]
        fn what_a_network_sees_is_the_equation_and_can_be_undone(
            pixels in prop::collection::vec(prop::array::uniform3(0.0f32..=255.0), 1..12),
        ) {
            for of in [Preprocessing::TORCH, Preprocessing::CAFFE] {
                let rgb = pixels.concat();
                let (mut input, mut again) = (vec![0.0; rgb.len()], vec![0.0; rgb.len()]);
                of.apply(&rgb, &mut input);
                for (i, (z, x)) in input.iter().zip(&rgb).enumerate() {
                    let right = (x * of.scale - of.mean[i % 3]) / of.std[i % 3];
                    prop_assert!((z - right).abs() <= 1e-6 * right.abs().max(1.0), "{} for {}", z, right);
                }
                of.invert(&input, &mut again);
                for (again, x) in again.iter().zip(&rgb) {
                    prop_assert!((again - x).abs() <= 1e-3, "{} for {}", again, x);
                }
            }
        }
    }
}
