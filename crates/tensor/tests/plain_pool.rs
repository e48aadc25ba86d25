//! Plain 2x2 pooling against its definition, and its gradients.

use crate::common::{assert_close, shapes, tensor, wave, wavy};
use impasto_proptest::assert_same_bits_on_threads;
use impasto_tensor::{
    Shape, Tensor, average_pool, average_pool_gradient, max_pool, max_pool_gradient, pooled_shape,
    reduce::dot,
};
use proptest::prelude::*;

/// The four inputs of every window, window by window in reading order, channels fastest; floor(H/2) x floor(W/2).
fn windows(input: &Tensor<f64>) -> Vec<[f64; 4]> {
    let Shape { height, width, channels } = input.shape();
    let at = |y: usize, x: usize, c: usize| input.data()[(y * width + x) * channels + c];
    let mut windows = Vec::new();
    for y in 0..height / 2 {
        for x in 0..width / 2 {
            for c in 0..channels {
                let (y, x) = (2 * y, 2 * x);
                windows.push([at(y, x, c), at(y, x + 1, c), at(y + 1, x, c), at(y + 1, x + 1, c)]);
            }
        }
    }
    windows
}

/// A tensor of the pooled shape of another one.
fn pooled_twin(shape: Shape, seed: usize) -> Tensor<f64> {
    let shape = pooled_shape(shape);
    Tensor::from_vec(shape, wave::<f64>(seed + shape.len()).split_off(seed)).expect("a usable shape")
}

proptest! {
    #[test]
    fn average_pool_matches_its_definition(x in tensor(shapes(2, 11))) {
        let expected: Vec<f64> = windows(&x).iter().map(|w| w.iter().sum::<f64>() / 4.0).collect();
        let got = average_pool(&x)?;
        prop_assert_eq!(got.shape(), pooled_shape(x.shape()));
        assert_close(got.data(), &expected, 1e-15);
    }

    #[test]
    fn max_pool_matches_its_definition(x in tensor(shapes(2, 11))) {
        let expected: Vec<f64> = windows(&x).iter().map(|w| w.iter().copied().fold(f64::MIN, f64::max)).collect();
        let got = max_pool(&x)?;
        prop_assert_eq!(got.data(), expected);
    }

    /// <pool x, y> = <x, pool' y>.
    #[test]
    fn average_pool_gradient_is_adjoint(x in tensor(shapes(2, 11)), seed in 0..1000usize) {
        let y = pooled_twin(x.shape(), seed);
        let left = dot(average_pool(&x)?.data(), y.data());
        let right = dot(x.data(), average_pool_gradient(x.shape(), &y)?.data());
        prop_assert!((left - right).abs() <= 1e-12, "{left} is not {right}");
    }

    /// Around x the maximum is the linear map that picks the winners of x, so <pool x, y> = <x, pool'_x y> there.
    #[test]
    fn max_pool_gradient_is_adjoint_at_its_own_winners(x in tensor(shapes(2, 11)), seed in 0..1000usize) {
        let y = pooled_twin(x.shape(), seed);
        let left = dot(max_pool(&x)?.data(), y.data());
        let right = dot(x.data(), max_pool_gradient(&x, &y)?.data());
        prop_assert!((left - right).abs() <= 1e-12, "{left} is not {right}");
    }

    #[test]
    fn odd_edges_get_no_gradient(x in tensor(shapes(2, 11)), seed in 0..1000usize) {
        let Shape { height, width, channels } = x.shape();
        let y = pooled_twin(x.shape(), seed);
        for gradient in [average_pool_gradient(x.shape(), &y)?, max_pool_gradient(&x, &y)?] {
            for (position, values) in gradient.data().chunks(channels).enumerate() {
                let beyond = position / width >= height / 2 * 2 || position % width >= width / 2 * 2;
                prop_assert!(!beyond || values.iter().all(|&v| v == 0.0));
            }
        }
    }
}

#[test]
fn the_first_of_equal_maxima_gets_the_gradient() {
    let shape = Shape::new(2, 2, 1);
    let y = Tensor::from_vec(Shape::new(1, 1, 1), vec![3.0]).unwrap();
    for (window, winner) in [([0.0; 4], 0), ([1.0, 2.0, 2.0, 2.0], 1), ([0.0, 1.0, 5.0, 5.0], 2)] {
        let x = Tensor::from_vec(shape, window.to_vec()).unwrap();
        let mut expected = [0.0; 4];
        expected[winner] = 3.0;
        assert_eq!(max_pool_gradient(&x, &y).unwrap().data(), expected);
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let x = wavy::<f32>(Shape::new(1, 6, 2));
    assert!(average_pool(&x).is_err() && max_pool(&x).is_err(), "a row is too low to be pooled");
    let x = wavy::<f32>(Shape::new(6, 6, 2));
    let y = wavy::<f32>(Shape::new(3, 2, 2));
    assert!(average_pool_gradient(x.shape(), &y).is_err() && max_pool_gradient(&x, &y).is_err());
}

#[test]
fn pooling_gives_the_same_bits_on_any_threads() {
    let x = wavy::<f32>(Shape::new(45, 31, 6));
    let y = wavy::<f32>(pooled_shape(x.shape()));
    assert_same_bits_on_threads(|| {
        let forward = (average_pool(&x).unwrap(), max_pool(&x).unwrap());
        (forward, average_pool_gradient(x.shape(), &y).unwrap(), max_pool_gradient(&x, &y).unwrap())
    });
}
