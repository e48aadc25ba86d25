//! Total variation of a picture, an extension of the paper that quiets single pixels (Mahendran and Vedaldi 2015, with
//! exponent 2):
//!
//! ```text
//! TV(x)        = 1/2 sum over neighbours p, q (right of, below) and channels of (x_p - x_q)^2
//! dTV/dx_p     = sum over the neighbours q of p (left, right, above, below) of (x_p - x_q)
//! ```
//!
//! It needs the pixels: x is the picture before its preprocessing.

use impasto_tensor::{Element, Shape};
use rayon::prelude::*;

use super::OfPixels;

/// The total variation of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TotalVariation;

impl<T: Element> OfPixels<T> for TotalVariation {
    fn value_and_gradient(&self, picture: &[T], shape: Shape, weight: f64, gradient: &mut [T]) -> f64 {
        total_variation(picture, shape, weight, gradient)
    }
}

/// Adds `weight` dTV/dx to `gradient` and returns TV, unweighted.
///
/// # Panics
/// If `picture` or `gradient` does not have the shape's length.
pub fn total_variation<T: Element>(picture: &[T], shape: Shape, weight: f64, gradient: &mut [T]) -> f64 {
    assert!(picture.len() == shape.len() && gradient.len() == shape.len(), "slices of the shape's length");
    let row_length = shape.width * shape.channels;
    let weight = T::from_f64(weight);
    let row = |y: usize| &picture[y * row_length..(y + 1) * row_length];
    let sums: Vec<f64> = gradient
        .par_chunks_mut(row_length)
        .enumerate()
        .map(|(y, gradient)| {
            let here = row(y);
            let mut sum = 0.0;
            if y + 1 < shape.height {
                sum += row_differences(here, row(y + 1), weight, gradient);
            }
            if y > 0 {
                row_differences(here, row(y - 1), weight, gradient);
            }
            // Along the row both ends of a difference are this task's own.
            for i in shape.channels..row_length {
                let difference = here[i] - here[i - shape.channels];
                gradient[i] += weight * difference;
                gradient[i - shape.channels] -= weight * difference;
                sum += (difference * difference).to_f64();
            }
            sum
        })
        .collect();
    0.5 * sums.iter().sum::<f64>()
}

/// Adds the differences of a row to another one to the row's gradient; returns the sum of their squares.
fn row_differences<T: Element>(here: &[T], other: &[T], weight: T, gradient: &mut [T]) -> f64 {
    let mut sum = 0.0;
    for ((g, &a), &b) in gradient.iter_mut().zip(here).zip(other) {
        let difference = a - b;
        *g += weight * difference;
        sum += (difference * difference).to_f64();
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Loss;
    use super::super::finite_differences::{assert_gradient, responses, shapes};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn total_variation_gradient_matches_finite_differences(x in responses(shapes()), weight in 0.1..10.0) {
            assert_gradient(&Loss::TotalVariation, &x, weight);
        }
    }
}
