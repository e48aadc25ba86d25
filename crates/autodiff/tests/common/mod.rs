//! Random networks, pictures and checks for the property tests.
#![allow(dead_code)]

use impasto_autodiff::check::{Direction, Ladder, Probe, Verdict, check_gradient};
use impasto_autodiff::{Chain, ConvLayer, Layer, Pooling};
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

/// Relative error that every operation's gradient must reach in f64.
pub(crate) const TOLERANCE: f64 = 1e-7;

/// Numbers in [-1, 1].
pub(crate) fn numbers(len: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1.0..1.0, len)
}

/// Numbers whose distance to 0 is at least 1e-3: no ReLU kink within the steps that count.
pub(crate) fn numbers_off_zero(len: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((1e-3..1.0f64, any::<bool>()).prop_map(|(v, up)| if up { v } else { -v }), len)
}

/// Shapes with sides from `least` to `most`, odd and even, and 1 to 4 channels.
pub(crate) fn shapes(least: usize, most: usize) -> impl Strategy<Value = Shape> {
    (least..=most, least..=most, 1..=4usize).prop_map(|(h, w, c)| Shape::new(h, w, c))
}

/// A tensor of random numbers.
pub(crate) fn tensor(shapes: impl Strategy<Value = Shape>) -> impl Strategy<Value = Tensor<f64>> {
    shapes.prop_flat_map(|shape| numbers(shape.len()).prop_map(move |data| of(shape, data)))
}

/// A tensor of the given numbers.
pub(crate) fn of(shape: Shape, data: Vec<f64>) -> Tensor<f64> {
    Tensor::from_vec(shape, data).expect("a usable shape")
}

/// A 3x3 convolution with fixed, uneven weights of the size that keeps responses near 1.
pub(crate) fn conv_layer(name: &str, in_channels: usize, out_channels: usize, seed: f64) -> ConvLayer<f64> {
    let scale = (2.0 / (9 * in_channels) as f64).sqrt();
    let wave = |len: usize, scale: f64| {
        (0..len).map(|i| scale * ((i as f64 + seed) * 1.7 + (i * i % 89) as f64).sin()).collect()
    };
    ConvLayer {
        name: name.to_owned(),
        in_channels,
        out_channels,
        kernel: wave(9 * in_channels * out_channels, 1.4 * scale),
        bias: wave(out_channels, 0.1),
    }
}

/// A small network of VGG's kind: two blocks of convolutions with a pooling between, and a third after another pooling.
pub(crate) fn small_chain(pooling: Pooling, seed: f64) -> Chain<f64> {
    Chain {
        layers: vec![
            Layer::Conv(conv_layer("conv1_1", 3, 4, seed)),
            Layer::Conv(conv_layer("conv1_2", 4, 5, seed + 1.0)),
            Layer::Pool,
            Layer::Conv(conv_layer("conv2_1", 5, 6, seed + 2.0)),
            Layer::Pool,
            Layer::Conv(conv_layer("conv3_1", 6, 3, seed + 3.0)),
        ],
        pooling,
    }
}

/// Probes along three random directions and three coordinates.
pub(crate) fn probes(f: &dyn Fn(&[f64]) -> f64, x: &[f64], gradient: &[f64]) -> Vec<Probe> {
    let coordinates = [0, x.len() / 2, x.len() - 1].map(Direction::Coordinate);
    let directions =
        [[Direction::Random(1), Direction::Random(2), Direction::Random(3)], coordinates].concat();
    check_gradient(f, x, gradient, &directions, &Ladder::for_scale(1.0))
}

/// Asserts that `gradient` is right in every probe; none may sit on a kink.
pub(crate) fn assert_gradient(f: &dyn Fn(&[f64]) -> f64, x: &[f64], gradient: &[f64]) {
    for probe in probes(f, x, gradient) {
        assert_eq!(
            probe.verdict(TOLERANCE),
            Verdict::Pass,
            "{:?}: relative error {:e} at step {:e}, kink: {}",
            probe.direction,
            probe.relative_error(),
            probe.step(),
            probe.kink
        );
    }
}

/// A fixed, uneven weighting that turns a tensor into one number, <weights, values>.
pub(crate) fn weights(len: usize) -> Vec<f64> {
    (0..len).map(|i| ((i * 7919 % 1013) as f64 * 0.37).cos()).collect()
}

/// <a, b>.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
