//! Every operation as `impasto_proptest` checks it: its gradient against central differences in f64 within 1e-7, and whatever else applies.
//! Those of the losses are beside them, in `src/losses/`.

use crate::common::{conv_layer, of, shapes, tensor};
use impasto_autodiff::losses::{OfPixels, TotalVariation};
use impasto_autodiff::ops::{conv, pool, relu};
use impasto_autodiff::{Border, ConvLayer, Pooling, Preprocessing};
use impasto_proptest::strategies::{apart, off_zero, tensors};
use impasto_proptest::{Checks, Operation, Property, assert_adjoint, assert_operation, check_operation};
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

/// A convolution of pictures of a shape.
struct Conv {
    layer: ConvLayer<f64>,
    border: Border,
    input: Shape,
}

impl Operation for Conv {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        let input = of(self.input, x.to_vec());
        conv::forward(&self.layer, self.border, &input).expect("shapes that fit").into_vec()
    }
    fn backward(&self, _: &[f64], gradient: &[f64]) -> Vec<f64> {
        let output = Shape::new(self.input.height, self.input.width, self.layer.out_channels);
        let gradient = of(output, gradient.to_vec());
        conv::backward(&self.layer, self.border, &gradient).expect("shapes that fit").into_vec()
    }
    fn shape(&self) -> Vec<usize> {
        vec![self.input.height, self.input.width, self.input.channels]
    }
    fn is_linear(&self) -> bool {
        true
    }
    fn threaded(&self) -> Option<&(dyn Operation + Sync)> {
        Some(self)
    }
}

struct Relu;

impl Operation for Relu {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        let mut f = x.to_vec();
        relu::forward(&mut f);
        f
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        let mut masked = gradient.to_vec();
        relu::backward(&self.forward(x), &mut masked);
        masked
    }
}

/// A pooling of responses of a shape.
struct Pool {
    pooling: Pooling,
    input: Shape,
}

impl Operation for Pool {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        pool::forward(self.pooling, &of(self.input, x.to_vec())).expect("a side of two or more").into_vec()
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        let output = Shape::new(self.input.height / 2, self.input.width / 2, self.input.channels);
        let (x, gradient) = (of(self.input, x.to_vec()), of(output, gradient.to_vec()));
        pool::backward(self.pooling, &x, &gradient).expect("shapes that fit").into_vec()
    }
    fn shape(&self) -> Vec<usize> {
        vec![self.input.height, self.input.width, self.input.channels]
    }
    fn is_linear(&self) -> bool {
        self.pooling != Pooling::Max
    }
    fn threaded(&self) -> Option<&(dyn Operation + Sync)> {
        Some(self)
    }
}

/// A picture and a convolution that reads its channels.
fn conv_problems() -> impl Strategy<Value = (Tensor<f64>, ConvLayer<f64>)> {
    (tensor(shapes(1, 9)), 1..=4usize, 0.0..100.0).prop_map(|(input, out_channels, seed)| {
        let layer = conv_layer("conv", input.shape().channels, out_channels, seed);
        (input, layer)
    })
}

/// Right everywhere, and nowhere at a kink.
fn check(operation: &impl Operation, x: &[f64]) -> Result<(), TestCaseError> {
    let report = check_operation(operation, x, &Checks::default())?;
    prop_assert_eq!(report.seen.kinks, 0);
    prop_assert_eq!(report.held.contains(&Property::Adjoint), operation.is_linear());
    Ok(())
}

#[test]
fn relu_gradient_matches_finite_differences() {
    assert_operation(&Relu, off_zero(1..60));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn conv_gradient_matches_finite_differences(
        (input, layer) in conv_problems(),
        border in prop::sample::select(&Border::ALL[..]),
    ) {
        check(&Conv { layer, border, input: input.shape() }, input.data())?;
    }

    #[test]
    fn average_pool_gradient_matches_finite_differences(x in tensor(shapes(2, 9))) {
        for pooling in [Pooling::Average, Pooling::ScaledAverage] {
            check(&Pool { pooling, input: x.shape() }, x.data())?;
        }
    }

    /// Equal values in a window are kinks: no two numbers are near each other.
    #[test]
    fn max_pool_gradient_matches_finite_differences(x in tensors(shapes(2, 9), apart)) {
        check(&Pool { pooling: Pooling::Max, input: x.shape() }, x.data())?;
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
        let got = TotalVariation.value_and_gradient(x.data(), x.shape(), weight, &mut vec![0.0; x.shape().len()]);
        prop_assert!((got - 0.5 * sum).abs() <= 1e-12 * sum, "{got} is not half of {sum}");
    }
}

proptest! {
    /// What a network expects of its input is linear but for what black is.
    #[test]
    fn the_gradient_of_preprocessing_is_the_adjoint(
        both in prop::collection::vec((prop::array::uniform3(0.0..=255.0), prop::array::uniform3(-1.0..=1.0)), 1..12),
    ) {
        let (x, y): (Vec<[f64; 3]>, Vec<[f64; 3]>) = both.into_iter().unzip();
        for of in [Preprocessing::TORCH, Preprocessing::CAFFE] {
            let forward = |x: &[f64]| {
                let mut z = vec![0.0; x.len()];
                of.apply(x, &mut z);
                z
            };
            let backward = |y: &[f64]| {
                let mut gradient = y.to_vec();
                of.gradient(&mut gradient);
                gradient
            };
            assert_adjoint(forward, backward, &x.concat(), &y.concat());
        }
    }
}
