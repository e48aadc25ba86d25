//! Random networks, pictures and checks for the property tests.

pub(crate) mod case;
pub(crate) mod terms;

use impasto_autodiff::check::{Direction, Ladder, Probe, check_gradient};
use impasto_autodiff::{Border, Chain, ConvLayer, Layer, Pooling, ops, reference};
use impasto_proptest::strategies;
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

/// Relative error that every operation's gradient must reach in f64.
pub(crate) const TOLERANCE: f64 = 1e-7;

/// Shapes with sides from `least` to `most`, odd and even, and 1 to 4 channels.
pub(crate) fn shapes(least: usize, most: usize) -> impl Strategy<Value = Shape> {
    strategies::shapes(least..=most, 1..=4)
}

/// A tensor of random numbers.
pub(crate) fn tensor(shapes: impl Strategy<Value = Shape>) -> impl Strategy<Value = Tensor<f64>> {
    strategies::tensors(shapes, strategies::numbers)
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
        input: None,
        layers: vec![
            Layer::Conv(conv_layer("conv1_1", 3, 4, seed)),
            Layer::Conv(conv_layer("conv1_2", 4, 5, seed + 1.0)),
            Layer::Pool,
            Layer::Conv(conv_layer("conv2_1", 5, 6, seed + 2.0)),
            Layer::Pool,
            Layer::Conv(conv_layer("conv3_1", 6, 3, seed + 3.0)),
        ],
        pooling,
        border: Border::Zero,
    }
}

/// Numbers in [-`scale`, `scale`] that look random and depend on `seed` alone.
pub(crate) fn noise(len: usize, seed: u64, scale: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 40) as f32 / (1u64 << 23) as f32 - 1.0) * scale
        })
        .collect()
}

/// A picture of noise, `height` x `width` x 3.
pub(crate) fn noise_picture(height: usize, width: usize, seed: u64) -> Tensor<f32> {
    let shape = Shape::new(height, width, 3);
    Tensor::from_vec(shape, noise(shape.len(), seed, 1.0)).expect("a usable shape")
}

/// A VGG in small whose channels the evaluator takes: two convolutions, a pooling, two convolutions, a pooling, one more.
pub(crate) fn engine_chain(pooling: Pooling, seed: u64) -> Chain<f32> {
    let conv = |name: &str, in_channels: usize, out_channels: usize, seed: u64| {
        let scale = (2.0 / (9 * in_channels) as f32).sqrt() * 1.7;
        Layer::Conv(ConvLayer {
            name: name.to_owned(),
            in_channels,
            out_channels,
            kernel: noise(9 * in_channels * out_channels, seed, scale),
            bias: noise(out_channels, seed + 100, 0.1),
        })
    };
    let layers = vec![
        conv("conv1_1", 3, 16, seed),
        conv("conv1_2", 16, 16, seed + 1),
        Layer::Pool,
        conv("conv2_1", 16, 32, seed + 2),
        conv("conv2_2", 32, 32, seed + 3),
        Layer::Pool,
        conv("conv3_1", 32, 48, seed + 4),
    ];
    Chain { input: None, layers, pooling, border: Border::Zero }
}

/// How near the picture is to a kink of the network up to the layer `last`: the least distance, in parts of the largest
/// |Z| of its layer, of a Z to 0 (the ReLU's kink) and, with maximum pooling, of the two largest F of a window to each
/// other. A window without a response has no kink: the ReLU's is the nearer one.
pub(crate) fn distance_to_a_kink(chain: &Chain<f64>, image: &Tensor<f64>, last: usize) -> f64 {
    let responses = reference::responses(chain, image, last).expect("a picture that fits");
    let (mut nearest, mut scale) = (f64::INFINITY, 1.0);
    for (at, layer) in chain.layers.iter().enumerate().take(last + 1) {
        let input = if at == 0 { image } else { &responses[at - 1] };
        match layer {
            Layer::Conv(conv) => {
                let z = ops::conv::forward(conv, chain.border_at(at), input).expect("a picture that fits");
                scale = z.data().iter().fold(f64::MIN_POSITIVE, |largest, z| largest.max(z.abs()));
                nearest = z.data().iter().fold(nearest, |nearest, z| nearest.min(z.abs() / scale));
            }
            Layer::Pool if chain.pooling == Pooling::Max => {
                for [first, second] in largest_two_of_windows(input).filter(|[first, _]| *first > 0.0) {
                    nearest = nearest.min((first - second) / scale);
                }
            }
            Layer::Pool => {}
        }
    }
    nearest
}

/// The largest number of every 2x2 window and the one after it, channel by channel.
fn largest_two_of_windows(f: &Tensor<f64>) -> impl Iterator<Item = [f64; 2]> {
    let Shape { height, width, channels } = f.shape();
    let window = move |y: usize, x: usize, c: usize| {
        let at = |y: usize, x: usize| f.data()[(y * width + x) * channels + c];
        let mut values =
            [at(2 * y, 2 * x), at(2 * y, 2 * x + 1), at(2 * y + 1, 2 * x), at(2 * y + 1, 2 * x + 1)];
        values.sort_by(|a, b| b.total_cmp(a));
        [values[0], values[1]]
    };
    let columns = move |y| (0..width / 2).flat_map(move |x| (0..channels).map(move |c| window(y, x, c)));
    (0..height / 2).flat_map(columns)
}

/// ||a - b|| / ||b||, of as many numbers.
pub(crate) fn relative_error(a: &[f32], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "as many numbers");
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(&a, b)| f64::from(a) - b)) / norm(&mut b.iter().copied()).max(1e-30)
}

/// Probes along three random directions and three coordinates.
pub(crate) fn probes(f: &dyn Fn(&[f64]) -> f64, x: &[f64], gradient: &[f64]) -> Vec<Probe> {
    let coordinates = [0, x.len() / 2, x.len() - 1].map(Direction::Coordinate);
    let directions =
        [[Direction::Random(1), Direction::Random(2), Direction::Random(3)], coordinates].concat();
    check_gradient(f, x, gradient, &directions, &Ladder::for_scale(1.0))
}
