//! Total variation on nine points: with the diagonals, so that an edge costs about as much in any direction.
//!
//! ```text
//! TV9(x) = 1/3 sum over neighbours p, q (right of, below) of (x_p - x_q)^2
//!        + 1/12 H W / ((H + 1) (W + 1)) sum over diagonal neighbours p, q of (x_p - x_q)^2
//! dTV9/dx_p = 2/3 sum over the neighbours q of p of (x_p - x_q) + 1/6 H W / ((H + 1) (W + 1)) times the same of the diagonal ones
//! ```
//!
//! Sums go over channels too. Diagonal neighbours are those of the picture with its border replicated by one pixel: (H + 1) (W + 1)
//! pairs in each of the two directions, whose factor makes them count as H W. Where a picture is smooth, a diagonal difference is the
//! sum or the difference of a horizontal and a vertical one, and TV9 is the [five-point TV](super::total_variation), 1/2 of the
//! sum of the squares of the gradient. 2 / (H W C) TV9 is the total variation of style-transfer-pytorch.

use impasto_tensor::{Element, Shape};
use rayon::prelude::*;

use super::OfPixels;

/// The total variation of the picture on nine points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NinePoints;

impl<T: Element> OfPixels<T> for NinePoints {
    fn value_and_gradient(&self, picture: &[T], shape: Shape, weight: f64, gradient: &mut [T]) -> f64 {
        nine_point_variation(picture, shape, weight, gradient)
    }
}

/// Adds `weight` dTV9/dx to `gradient` and returns TV9, unweighted.
///
/// # Panics
/// If `picture` or `gradient` does not have the shape's length.
pub fn nine_point_variation<T: Element>(picture: &[T], shape: Shape, weight: f64, gradient: &mut [T]) -> f64 {
    assert!(picture.len() == shape.len() && gradient.len() == shape.len(), "slices of the shape's length");
    let row_length = shape.width * shape.channels;
    let pairs = ((shape.height + 1) * (shape.width + 1)) as f64;
    let shares = [1.0 / 3.0, shape.positions() as f64 / pairs / 12.0];
    let weights = shares.map(|share| T::from_f64(2.0 * weight * share));
    let sums: Vec<[f64; 2]> = gradient
        .par_chunks_mut(row_length)
        .enumerate()
        .map(|(y, gradient)| Row { picture, shape, y }.add_to(gradient, weights))
        .collect();
    let sum = |kind: usize| shares[kind] * sums.iter().map(|sums| sums[kind]).sum::<f64>();
    sum(0) + sum(1)
}

/// A row of a picture.
struct Row<'a, T> {
    picture: &'a [T],
    shape: Shape,
    y: usize,
}

impl<'a, T: Element> Row<'a, T> {
    /// The numbers of a row of the picture.
    fn numbers(&self, y: usize) -> &'a [T] {
        let row_length = self.shape.width * self.shape.channels;
        &self.picture[y * row_length..(y + 1) * row_length]
    }

    /// Adds the row's own share of the gradient; returns the sums of squares of straight and of diagonal differences that are counted
    /// here: those in the row, and those to the row above.
    fn add_to(&self, gradient: &mut [T], [straight, diagonal]: [T; 2]) -> [f64; 2] {
        let Self { shape, y, .. } = *self;
        let (here, last) = (self.numbers(y), shape.height - 1);
        let (above, below) = (self.numbers(y.saturating_sub(1)), self.numbers((y + 1).min(last)));
        let mut squares = Squares::default();
        for i in shape.channels..here.len() {
            let difference = here[i] - here[i - shape.channels];
            gradient[i] += straight * difference;
            gradient[i - shape.channels] -= straight * difference;
            squares.straight(difference);
        }
        for (i, gradient) in gradient.iter_mut().enumerate() {
            *gradient += straight * (here[i] - above[i]) + straight * (here[i] - below[i]);
            squares.straight(here[i] - above[i]);
        }
        // Of a pair of rows that are both this one, at the border, both ends are this row's.
        for (left, right) in self.columns() {
            for c in 0..shape.channels {
                let (left, right) = (left * shape.channels + c, right * shape.channels + c);
                let (falling, rising) = (here[right] - above[left], here[left] - above[right]);
                squares.diagonal(falling, rising);
                gradient[right] += diagonal * falling;
                gradient[left] += diagonal * rising;
                if y == 0 {
                    gradient[left] -= diagonal * falling;
                    gradient[right] -= diagonal * rising;
                }
                let (falling, rising) = (below[right] - here[left], below[left] - here[right]);
                gradient[left] -= diagonal * falling;
                gradient[right] -= diagonal * rising;
                if y == last {
                    squares.diagonal(falling, rising);
                    gradient[right] += diagonal * falling;
                    gradient[left] += diagonal * rising;
                }
            }
        }
        squares.0
    }

    /// The columns beside each of the W + 1 lines between and around columns, those beyond the border replicated.
    fn columns(&self) -> impl Iterator<Item = (usize, usize)> + use<T> {
        let width = self.shape.width;
        (0..=width).map(move |line| (line.saturating_sub(1), line.min(width - 1)))
    }
}

/// Sums of squares of straight and of diagonal differences.
#[derive(Default)]
struct Squares([f64; 2]);

impl Squares {
    fn straight<T: Element>(&mut self, difference: T) {
        self.0[0] += (difference * difference).to_f64();
    }

    fn diagonal<T: Element>(&mut self, falling: T, rising: T) {
        self.0[1] += (falling * falling).to_f64() + (rising * rising).to_f64();
    }
}

#[cfg(test)]
mod tests {
    use impasto_tensor::{Shape, Tensor};
    use proptest::prelude::*;

    use super::super::Loss;
    use super::super::finite_differences::{assert_gradient, responses, shapes};
    use super::super::total_variation::total_variation;
    use super::*;

    /// As the equation says it, on a picture that is replicated by a pixel.
    fn by_the_equation(x: &Tensor<f64>) -> f64 {
        let Shape { height, width, channels } = x.shape();
        let at = |y: usize, column: usize, c: usize| {
            let (y, column) = (y.clamp(1, height) - 1, column.clamp(1, width) - 1);
            x.data()[(y * width + column) * channels + c]
        };
        let (mut straight, mut diagonal) = (0.0, 0.0);
        for c in 0..channels {
            for (y, column) in (1..=height).flat_map(|y| (1..=width).map(move |column| (y, column))) {
                straight += (at(y, column + 1, c) - at(y, column, c)).powi(2);
                straight += (at(y + 1, column, c) - at(y, column, c)).powi(2);
            }
            for (y, column) in (0..=height).flat_map(|y| (0..=width).map(move |column| (y, column))) {
                diagonal += (at(y + 1, column + 1, c) - at(y, column, c)).powi(2);
                diagonal += (at(y + 1, column, c) - at(y, column + 1, c)).powi(2);
            }
        }
        let pairs = ((height + 1) * (width + 1)) as f64;
        straight / 3.0 + diagonal / 12.0 * (height * width) as f64 / pairs
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn nine_point_gradient_matches_finite_differences(x in responses(shapes()), weight in 0.1..10.0) {
            assert_gradient(&Loss::NinePoints, &x, weight);
        }

        #[test]
        fn nine_point_variation_is_that_of_the_replicated_picture(x in responses(shapes()), weight in 0.0..10.0) {
            let value = NinePoints.value_and_gradient(x.data(), x.shape(), weight, &mut vec![0.0; x.data().len()]);
            let expected = by_the_equation(&x);
            prop_assert!((value - expected).abs() <= 1e-12 * expected, "{value} is not {expected}");
        }
    }

    #[test]
    fn a_smooth_picture_has_the_variation_of_five_points() {
        let shape = Shape::new(300, 200, 1);
        let wave = |i: usize| ((i / 200) as f64 / 40.0).sin() + ((i % 200) as f64 / 60.0 + 1.0).cos();
        let x: Vec<f64> = (0..shape.len()).map(wave).collect();
        let mut gradient = vec![0.0; x.len()];
        let nine = nine_point_variation(&x, shape, 1.0, &mut gradient);
        let five = total_variation(&x, shape, 1.0, &mut gradient);
        assert!((nine / five - 1.0).abs() < 0.01, "{nine} against {five}");
    }
}
