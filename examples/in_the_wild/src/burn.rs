//! Operations of burn, on its CPU backend Flex.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn_tensor::ops::{
    AvgPoolOptions, ConvOptions, ConvTransposeOptions, InterpolateMode, InterpolateOptions, MaxPoolOptions,
};
use burn_tensor::{DType, Device, Tensor, TensorData, activation, loss, module};
use impasto_proptest::strategies::{apart, numbers, off_zero};
use impasto_proptest::uneven;
use proptest::prelude::*;

use crate::checked::{Checked, Run, even, sides};

fn device() -> Device {
    Device::flex().autodiff()
}

fn tensor<const R: usize>(numbers: Vec<f64>, shape: &[usize]) -> Tensor<R> {
    Tensor::from_data(TensorData::new(numbers, shape.to_vec()), (&device(), DType::F64))
}

/// A tensor of fixed, uneven numbers.
fn fixed<const R: usize>(shape: [usize; R]) -> Tensor<R> {
    tensor(uneven(shape.iter().product(), 5), &shape)
}

fn numbers_of<const R: usize>(tensor: Tensor<R>) -> Result<Vec<f64>, String> {
    tensor.into_data().try_to_vec().map_err(|error| format!("{error:?}"))
}

/// An operation as burn runs it and differentiates it. It refuses by a panic.
fn run<const I: usize, const O: usize>(operation: impl Fn(Tensor<I>) -> Tensor<O> + 'static) -> Run {
    Box::new(move |x, shape, weights| {
        let answer = || {
            let x: Tensor<I> = tensor(x.to_vec(), shape).require_grad();
            let y = operation(x.clone());
            let Some(weights) = weights else { return numbers_of(y) };
            let weights = tensor(weights.to_vec(), &y.dims());
            let gradients = y.mul(weights).sum().backward();
            numbers_of(x.grad(&gradients).ok_or("no gradient arrives at the input")?)
        };
        catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(text.unwrap_or_default().lines().next().unwrap_or_default().to_owned())
        })
    })
}

fn conv(stride: usize, padding: usize, dilation: usize, groups: usize) -> ConvOptions<2> {
    ConvOptions::new([stride; 2], [padding; 2], [dilation; 2], groups)
}

fn interpolated(mode: InterpolateMode, size: [usize; 2]) -> Run {
    run::<4, 4>(move |x| module::interpolate(x, InterpolateOptions::new(mode.clone()).with_output_size(size)))
}

/// All that are checked.
pub fn all() -> Vec<Checked> {
    let smooth: fn(usize) -> BoxedStrategy<Vec<f64>> = |len| numbers(len).boxed();
    let off: fn(usize) -> BoxedStrategy<Vec<f64>> = |len| off_zero(len).boxed();
    let distinct: fn(usize) -> BoxedStrategy<Vec<f64>> = |len| apart(len).boxed();
    let picture = || sides(&[1..=2, 2..=2, 3..=7, 3..=7]);
    let kernel = || sides(&[1..=3, 2..=2, 3..=3, 3..=3]);
    let rows = || sides(&[1..=4, 2..=5]);
    let average = |kernel: usize| AvgPoolOptions::new([kernel; 2]).with_stride([2; 2]);
    let maximum = |kernel: usize| MaxPoolOptions::new([kernel; 2]).with_stride([2; 2]);
    let mut all = Vec::new();
    let mut add = |name, shapes, points, run| {
        all.push(Checked { library: "burn", name, shapes, points, run });
    };
    add(
        "conv2d, padding 1",
        picture(),
        smooth,
        run::<4, 4>(|x| module::conv2d(x, fixed([3, 2, 3, 3]), None, conv(1, 1, 1, 1))),
    );
    add(
        "conv2d, groups 2",
        picture(),
        smooth,
        run::<4, 4>(|x| module::conv2d(x, fixed([4, 1, 3, 3]), None, conv(1, 1, 1, 2))),
    );
    add(
        "conv2d, dilation 2",
        picture(),
        smooth,
        run::<4, 4>(|x| module::conv2d(x, fixed([3, 2, 2, 2]), None, conv(1, 0, 2, 1))),
    );
    add(
        "conv2d, stride 2",
        picture(),
        smooth,
        run::<4, 4>(|x| module::conv2d(x, fixed([3, 2, 3, 3]), None, conv(2, 1, 1, 1))),
    );
    add(
        "conv2d, the kernel",
        kernel(),
        smooth,
        run::<4, 4>(|k| module::conv2d(fixed([1, 2, 5, 6]), k, None, conv(1, 1, 1, 1))),
    );
    add(
        "conv2d, the kernel, stride 2",
        kernel(),
        smooth,
        run::<4, 4>(|k| module::conv2d(fixed([1, 2, 5, 6]), k, None, conv(2, 1, 1, 1))),
    );
    add(
        "conv1d, stride 2",
        sides(&[1..=2, 2..=2, 3..=8]),
        smooth,
        run::<3, 3>(|x| module::conv1d(x, fixed([3, 2, 3]), None, ConvOptions::new([2], [1], [1], 1))),
    );
    add(
        "conv_transpose2d, stride 2",
        picture(),
        smooth,
        run::<4, 4>(|x| {
            module::conv_transpose2d(
                x,
                fixed([2, 3, 3, 3]),
                None,
                ConvTransposeOptions::new([2; 2], [1; 2], [0; 2], [1; 2], 1),
            )
        }),
    );
    add(
        "avg_pool2d(2), even sides",
        even(1, 2),
        smooth,
        run::<4, 4>(move |x| module::avg_pool2d(x, average(2))),
    );
    add(
        "avg_pool2d(2), any sides",
        picture(),
        smooth,
        run::<4, 4>(move |x| module::avg_pool2d(x, average(2))),
    );
    add(
        "avg_pool2d(3), stride 2, padding 1, not counted",
        picture(),
        smooth,
        run::<4, 4>(move |x| {
            module::avg_pool2d(x, average(3).with_padding([1; 2]).with_count_include_pad(false))
        }),
    );
    add(
        "avg_pool2d(2), stride 2, ceil_mode",
        picture(),
        smooth,
        run::<4, 4>(move |x| module::avg_pool2d(x, average(2).with_ceil_mode(true))),
    );
    add(
        "max_pool2d(2), even sides",
        even(1, 2),
        distinct,
        run::<4, 4>(move |x| module::max_pool2d(x, maximum(2))),
    );
    add(
        "max_pool2d(2), any sides",
        picture(),
        distinct,
        run::<4, 4>(move |x| module::max_pool2d(x, maximum(2))),
    );
    add(
        "max_pool2d(3), stride 2, padding 1",
        picture(),
        distinct,
        run::<4, 4>(move |x| module::max_pool2d(x, maximum(3).with_padding([1; 2]))),
    );
    add(
        "max_pool2d(2), stride 2, dilation 2",
        picture(),
        distinct,
        run::<4, 4>(move |x| module::max_pool2d(x, maximum(2).with_dilation([2; 2]))),
    );
    add(
        "max_pool2d(2), stride 2, ceil_mode",
        picture(),
        distinct,
        run::<4, 4>(move |x| module::max_pool2d(x, maximum(2).with_ceil_mode(true))),
    );
    add(
        "adaptive_avg_pool2d to 2 x 3",
        picture(),
        smooth,
        run::<4, 4>(|x| module::adaptive_avg_pool2d(x, [2, 3])),
    );
    add("interpolate to 5 x 9, nearest", picture(), smooth, interpolated(InterpolateMode::Nearest, [5, 9]));
    add("interpolate to 5 x 9, bilinear", picture(), smooth, interpolated(InterpolateMode::Bilinear, [5, 9]));
    add("interpolate to 5 x 9, bicubic", picture(), smooth, interpolated(InterpolateMode::Bicubic, [5, 9]));
    add(
        "layer_norm",
        rows(),
        smooth,
        run::<2, 2>(|x| {
            let n = x.dims()[1];
            module::layer_norm(x, fixed([n]), Some(fixed([n])), 1e-3)
        }),
    );
    add(
        "batch_norm_train",
        sides(&[1..=2, 2..=2, 1..=3, 2..=3]),
        smooth,
        run::<4, 4>(|x| module::batch_norm_train(x, fixed([2]), fixed([2]), 1e-3).output),
    );
    add("softmax, dimension 0", rows(), smooth, run::<2, 2>(|x| activation::softmax(x, 0)));
    add("softmax, dimension 1", rows(), smooth, run::<2, 2>(|x| activation::softmax(x, 1)));
    add("log_softmax", rows(), smooth, run::<2, 2>(|x| activation::log_softmax(x, 1)));
    add("quiet_softmax", rows(), smooth, run::<2, 2>(|x| activation::quiet_softmax(x, 1)));
    add(
        "cross_entropy_with_logits",
        rows(),
        smooth,
        run::<2, 1>(|x| {
            let target = activation::softmax(fixed(x.dims()), 1);
            loss::cross_entropy_with_logits(x, target)
        }),
    );
    add("relu", rows(), off, run::<2, 2>(activation::relu));
    add("elu", rows(), off, run::<2, 2>(|x| activation::elu(x, 0.7)));
    add("gelu", rows(), smooth, run::<2, 2>(activation::gelu));
    add("gelu_approximate", rows(), smooth, run::<2, 2>(activation::gelu_approximate));
    add("silu", rows(), smooth, run::<2, 2>(activation::silu));
    add("sigmoid", rows(), smooth, run::<2, 2>(activation::sigmoid));
    add("log_sigmoid", rows(), smooth, run::<2, 2>(activation::log_sigmoid));
    add("mish", rows(), smooth, run::<2, 2>(activation::mish));
    add("softplus", rows(), smooth, run::<2, 2>(|x| activation::softplus(x, 1.5)));
    add("leaky_relu", rows(), off, run::<2, 2>(|x| activation::leaky_relu(x, 0.1)));
    add("max over rows", rows(), distinct, run::<2, 2>(|x| x.max_dim(1)));
    add(
        "matmul",
        rows(),
        smooth,
        run::<2, 2>(|x| {
            let n = x.dims()[1];
            x.matmul(fixed([n, 3]))
        }),
    );
    all
}
