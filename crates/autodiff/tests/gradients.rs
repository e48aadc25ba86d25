//! Every operation's gradient against central differences in f64, within 1e-7. Those of the losses are beside them, in
//! `src/losses/`.
//!
//! An operation with many outputs is turned into a number by a fixed weighting w: f(x) = <w, op(x)>, whose gradient is
//! the operation's backward pass of w.

mod common;

use common::{assert_gradient, conv_layer, dot, numbers_off_zero, of, shapes, tensor, weights};
use impasto_autodiff::losses::total_variation;
use impasto_autodiff::ops::{conv, pool, relu};
use impasto_autodiff::{Border, ConvLayer, Pooling};
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

/// A picture and a convolution that reads its channels.
fn conv_problems() -> impl Strategy<Value = (Tensor<f64>, ConvLayer<f64>)> {
    (tensor(shapes(1, 9)), 1..=4usize, 0.0..100.0).prop_map(|(input, out_channels, seed)| {
        let layer = conv_layer("conv", input.shape().channels, out_channels, seed);
        (input, layer)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn conv_gradient_matches_finite_differences(
        (input, layer) in conv_problems(),
        border in prop::sample::select(&Border::ALL[..]),
    ) {
        let w = weights(input.shape().positions() * layer.out_channels);
        let f = |x: &[f64]| {
            dot(&w, conv::forward(&layer, border, &of(input.shape(), x.to_vec())).expect("shapes that fit").data())
        };
        let Shape { height, width, .. } = input.shape();
        let w = of(Shape::new(height, width, layer.out_channels), w.clone());
        let gradient = conv::backward(&layer, border, &w)?;
        assert_gradient(&f, input.data(), gradient.data());
    }

    #[test]
    fn relu_gradient_matches_finite_differences(z in (1..60usize).prop_flat_map(numbers_off_zero)) {
        let w = weights(z.len());
        let forward = |z: &[f64]| {
            let mut f = z.to_vec();
            relu::forward(&mut f);
            f
        };
        let mut gradient = w.clone();
        relu::backward(&forward(&z), &mut gradient);
        assert_gradient(&|z| dot(&w, &forward(z)), &z, &gradient);
    }

    #[test]
    fn average_pool_gradient_matches_finite_differences(x in tensor(shapes(2, 9))) {
        check_pool(Pooling::Average, &x)?;
        check_pool(Pooling::ScaledAverage, &x)?;
    }

    /// Equal values in a window are kinks: the numbers of each window are moved apart.
    #[test]
    fn max_pool_gradient_matches_finite_differences(shape in shapes(2, 9), shift in 0..1000usize) {
        let x = (0..shape.len()).map(|i| ((i + shift) * 7919 % 4099) as f64 / 4099.0).collect();
        check_pool(Pooling::Max, &of(shape, x))?;
    }

    /// TV(x) = 1/2 sum of (x_p - x_q)^2 over the pairs of neighbours, whatever the weight of its gradient.
    #[test]
    fn total_variation_is_half_the_squares_between_neighbours(x in tensor(shapes(1, 9)), weight in 0.0..10.0) {
        let Shape { height, width, channels } = x.shape();
        let at = |y: usize, column: usize, c: usize| x.data()[(y * width + column) * channels + c];
        let mut sum = 0.0;
        for c in 0..channels {
            for (y, column) in (0..height).flat_map(|y| (0..width).map(move |column| (y, column))) {
                if y + 1 < height {
                    sum += (at(y, column, c) - at(y + 1, column, c)).powi(2);
                }
                if column + 1 < width {
                    sum += (at(y, column, c) - at(y, column + 1, c)).powi(2);
                }
            }
        }
        let got = total_variation::total_variation(x.data(), x.shape(), weight, &mut vec![0.0; x.shape().len()]);
        prop_assert!((got - 0.5 * sum).abs() <= 1e-12 * sum, "{got} is not half of {sum}");
    }
}

fn check_pool(pooling: Pooling, x: &Tensor<f64>) -> Result<(), TestCaseError> {
    let forward = |x: &Tensor<f64>| pool::forward(pooling, x).expect("a side of two or more");
    let pooled = forward(x).shape();
    let w = weights(pooled.len());
    let gradient = pool::backward(pooling, x, &of(pooled, w.clone()))?;
    assert_gradient(
        &|values| dot(&w, forward(&of(x.shape(), values.to_vec())).data()),
        x.data(),
        gradient.data(),
    );
    Ok(())
}
