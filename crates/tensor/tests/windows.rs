//! What windows see: receptive fields of stacked convolutions and poolings (docs/math.md, section 5), and what an average cannot tell
//! apart (section 7).

use crate::common::{shapes, tensor};
use impasto_tensor::reduce::dot;
use impasto_tensor::{
    Shape, Tensor, average_pool, average_pool_gradient, conv3x3, max_pool, pooled_shape, rotate_kernel,
};
use proptest::prelude::*;

/// A receptive field in closed form: its side, the distance between those of neighbours, and the variance of its weights.
#[derive(Debug, Clone, Copy)]
struct Field {
    side: usize,
    step: usize,
    variance: f64,
}

impl Field {
    const PIXEL: Self = Self { side: 1, step: 1, variance: 0.0 };

    fn conv(self) -> Self {
        let step = self.step as f64;
        Self { side: self.side + 2 * self.step, variance: self.variance + 2.0 / 3.0 * step * step, ..self }
    }

    fn pool(self) -> Self {
        let step = self.step as f64;
        Self { side: self.side + self.step, step: 2 * self.step, variance: self.variance + step * step / 4.0 }
    }

    fn of(steps: &[Step]) -> Self {
        steps.iter().fold(Self::PIXEL, |field, step| match step {
            Step::Conv => field.conv(),
            Step::Pool => field.pool(),
        })
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Conv,
    Pool,
}

/// The gradient of one response in the middle with respect to the picture, all kernels being ones: the paths to each pixel. Also where
/// that response is.
fn paths(steps: &[Step], side: usize) -> (Vec<f64>, usize) {
    let ones = vec![1.0; 9];
    let mut shapes = vec![Shape::new(side, side, 1)];
    for step in steps {
        let last = shapes[shapes.len() - 1];
        shapes.push(if matches!(step, Step::Conv) { last } else { pooled_shape(last) });
    }
    let last = shapes[shapes.len() - 1];
    let middle = last.height / 2;
    let mut gradient = Tensor::zeros(last).unwrap();
    gradient.data_mut()[middle * last.width + middle] = 1.0;
    for (step, &shape) in steps.iter().zip(&shapes).rev() {
        gradient = match step {
            Step::Conv => conv3x3(&gradient, &rotate_kernel(&ones, 1, 1), None).unwrap(),
            Step::Pool => average_pool_gradient(shape, &gradient).unwrap(),
        };
    }
    // Paths factor into rows and columns: the sums of rows are enough.
    (gradient.data().chunks_exact(side).map(|row| row.iter().sum()).collect(), middle)
}

fn vgg(blocks: &[usize]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (at, &convs) in blocks.iter().enumerate() {
        if at > 0 {
            steps.push(Step::Pool);
        }
        steps.extend(vec![Step::Conv; convs]);
    }
    steps
}

#[test]
fn receptive_fields_are_as_wide_as_derived() {
    for (blocks, side, expected) in [
        (&[1][..], 9, 3),
        (&[2, 1], 24, 10),
        (&[2, 2, 1], 64, 24),
        (&[2, 2, 3, 1], 160, 60),
        (&[2, 2, 3, 3, 1], 320, 132),
        (&[2, 2, 4, 1], 160, 68),
        (&[2, 2, 4, 4, 1], 352, 156),
    ] {
        let steps = vgg(blocks);
        let field = Field::of(&steps);
        assert_eq!(field.side, expected);
        let (rows, middle) = paths(&steps, side);
        let seen: Vec<usize> = (0..side).filter(|&y| rows[y] != 0.0).collect();
        // Around the middle of the pooled cell: the first pixel is (side - step) / 2 before its first.
        let first = field.step * middle - (field.side - field.step) / 2;
        assert_eq!((seen[0], seen.len()), (first, field.side));
        let total: f64 = rows.iter().sum();
        let mean = rows.iter().enumerate().map(|(y, w)| y as f64 * w).sum::<f64>() / total;
        let centre = (field.step * middle) as f64 + (field.step - 1) as f64 / 2.0;
        assert!((mean - centre).abs() < 1e-9, "{mean} {centre}");
        let variance =
            rows.iter().enumerate().map(|(y, w)| (y as f64 - mean).powi(2) * w).sum::<f64>() / total;
        assert!((variance / field.variance - 1.0).abs() < 1e-9, "{variance} {}", field.variance);
    }
}

/// What has no sum in any window, made of a tensor: what the average took, taken off again.
fn detail(input: &Tensor<f64>) -> Tensor<f64> {
    let average = average_pool(input).unwrap();
    let mut spread = average_pool_gradient(input.shape(), &average).unwrap();
    for (spread, &value) in spread.data_mut().iter_mut().zip(input.data()) {
        *spread = value - 4.0 * *spread;
    }
    spread
}

proptest! {
    #[test]
    fn an_average_cannot_see_what_has_no_sum_in_its_windows(input in tensor(shapes(2, 9))) {
        let detail = detail(&input);
        let seen = average_pool(&detail).unwrap();
        prop_assert!(seen.data().iter().all(|v| v.abs() < 1e-14));
        // So no loss behind the average pulls along it.
        let gradient = average_pool_gradient(input.shape(), &average_pool(&input).unwrap()).unwrap();
        prop_assert!(dot(gradient.data(), detail.data()).abs() < 1e-12);
    }

    /// 2 P P^T 2 = 1: twice the average keeps lengths in a quarter of the dimensions, and forgets the other three.
    #[test]
    fn twice_the_average_has_orthonormal_rows(pooled in tensor(shapes(1, 5))) {
        let shape = pooled.shape();
        let back = average_pool_gradient(Shape::new(2 * shape.height, 2 * shape.width, shape.channels), &pooled).unwrap();
        let again = average_pool(&back).unwrap();
        for (again, value) in again.data().iter().zip(pooled.data()) {
            prop_assert!((4.0 * again - value).abs() < 1e-14);
        }
    }
}

#[test]
fn a_maximum_tells_apart_what_an_average_does_not() {
    let shape = Shape::new(2, 2, 1);
    let peak = Tensor::from_vec(shape, vec![1.0, 0.0, 0.0, 0.0]).unwrap();
    let flat = Tensor::from_vec(shape, vec![0.25; 4]).unwrap();
    assert_eq!(average_pool(&peak).unwrap(), average_pool(&flat).unwrap());
    assert_ne!(max_pool(&peak).unwrap(), max_pool(&flat).unwrap());
}
