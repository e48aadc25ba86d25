//! Operations of candle.

use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::{GroupNorm, Module, loss, ops};
use impasto_proptest::strategies::{apart, numbers, off_zero};
use impasto_proptest::uneven;
use proptest::prelude::*;

use crate::checked::{Checked, Run, even, sides};

/// A tensor of fixed, uneven numbers.
fn fixed(shape: &[usize]) -> Result<Tensor> {
    Tensor::from_vec(uneven(shape.iter().product(), 5), shape, &Device::Cpu)
}

/// An operation as candle runs it and differentiates it.
fn run(operation: impl Fn(&Tensor) -> Result<Tensor> + 'static) -> Run {
    Box::new(move |x, shape, weights| {
        let answer = || -> Result<Vec<f64>> {
            let x = Var::from_tensor(&Tensor::from_vec(x.to_vec(), shape, &Device::Cpu)?)?;
            let y = operation(&x)?;
            let Some(weights) = weights else { return y.flatten_all()?.to_vec1() };
            let weights = Tensor::from_vec(weights.to_vec(), y.dims(), &Device::Cpu)?;
            let gradients = y.mul(&weights)?.sum_all()?.backward()?;
            match gradients.get(&x) {
                Some(gradient) => gradient.flatten_all()?.to_vec1(),
                None => candle_core::bail!("no gradient arrives at the input"),
            }
        };
        answer().map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
    })
}

/// Class indices, one for each of n rows.
fn classes(n: usize, count: usize) -> Result<Tensor> {
    Tensor::from_vec((0..n).map(|row| (row % count) as u32).collect(), n, &Device::Cpu)
}

/// All that are checked.
pub fn all() -> Vec<Checked> {
    let smooth: fn(usize) -> BoxedStrategy<Vec<f64>> = |len| numbers(len).boxed();
    let off: fn(usize) -> BoxedStrategy<Vec<f64>> = |len| off_zero(len).boxed();
    let distinct: fn(usize) -> BoxedStrategy<Vec<f64>> = |len| apart(len).boxed();
    let picture = || sides(&[1..=2, 2..=2, 3..=7, 3..=7]);
    let plane = || sides(&[1..=1, 1..=1, 2..=5, 2..=5]);
    let square = || (3..8_usize).prop_map(|side| vec![1, 2, side, side]).boxed();
    let rows = || sides(&[1..=4, 2..=5]);
    let mut all = Vec::new();
    let mut add = |name, shapes, points, run| {
        all.push(Checked { library: "candle", name, shapes, points, run });
    };
    add("conv2d, padding 1", picture(), smooth, run(|x| x.conv2d(&fixed(&[3, 2, 3, 3])?, 1, 1, 1, 1)));
    add("conv2d, groups 2", picture(), smooth, run(|x| x.conv2d(&fixed(&[4, 1, 3, 3])?, 1, 1, 1, 2)));
    add("conv2d, dilation 2", picture(), smooth, run(|x| x.conv2d(&fixed(&[3, 2, 2, 2])?, 0, 1, 2, 1)));
    add("conv2d, stride 2, square", square(), smooth, run(|x| x.conv2d(&fixed(&[3, 2, 3, 3])?, 1, 2, 1, 1)));
    add(
        "conv2d, stride 2, any sides",
        picture(),
        smooth,
        run(|x| x.conv2d(&fixed(&[3, 2, 3, 3])?, 1, 2, 1, 1)),
    );
    add(
        "conv2d, the kernel",
        sides(&[1..=3, 2..=2, 3..=3, 3..=3]),
        smooth,
        run(|k| fixed(&[1, 2, 5, 6])?.conv2d(k, 1, 1, 1, 1)),
    );
    add(
        "conv2d, the kernel, stride 2",
        sides(&[1..=3, 2..=2, 3..=3, 3..=3]),
        smooth,
        run(|k| fixed(&[1, 2, 5, 6])?.conv2d(k, 1, 2, 1, 1)),
    );
    add(
        "conv1d, stride 2",
        sides(&[1..=2, 2..=2, 3..=8]),
        smooth,
        run(|x| x.conv1d(&fixed(&[3, 2, 3])?, 1, 2, 1, 1)),
    );
    add(
        "conv_transpose2d, stride 2",
        picture(),
        smooth,
        run(|x| x.conv_transpose2d(&fixed(&[2, 3, 3, 3])?, 1, 0, 2, 1)),
    );
    add("avg_pool2d(2), even sides", even(1, 1), smooth, run(|x| x.avg_pool2d(2)));
    add("avg_pool2d(2), any sides", plane(), smooth, run(|x| x.avg_pool2d(2)));
    add("avg_pool2d(3), stride 2", picture(), smooth, run(|x| x.avg_pool2d_with_stride(3, 2)));
    add("max_pool2d(2), even sides", even(1, 1), distinct, run(|x| x.max_pool2d(2)));
    add("max_pool2d(2), any sides", plane(), distinct, run(|x| x.max_pool2d(2)));
    add("max_pool2d(3), stride 2", picture(), distinct, run(|x| x.max_pool2d_with_stride(3, 2)));
    add(
        "upsample_nearest2d, twice the sides",
        even(1, 1),
        smooth,
        run(|x| x.upsample_nearest2d(2 * x.dim(2)?, 2 * x.dim(3)?)),
    );
    add(
        "sum(x^2) + sum(upsample_nearest2d(x))",
        even(1, 1),
        smooth,
        run(|x| x.upsample_nearest2d(2 * x.dim(2)?, 2 * x.dim(3)?)?.sum_all()? + x.sqr()?.sum_all()?),
    );
    add(
        "layer_norm_slow",
        rows(),
        smooth,
        run(|x| ops::layer_norm_slow(x, &fixed(&[x.dim(1)?])?, &fixed(&[x.dim(1)?])?, 1e-3)),
    );
    add(
        "layer_norm",
        rows(),
        smooth,
        run(|x| ops::layer_norm(x, &fixed(&[x.dim(1)?])?, &fixed(&[x.dim(1)?])?, 1e-3)),
    );
    add("rms_norm_slow", rows(), smooth, run(|x| ops::rms_norm_slow(x, &fixed(&[x.dim(1)?])?, 1e-3)));
    add("rms_norm", rows(), smooth, run(|x| ops::rms_norm(x, &fixed(&[x.dim(1)?])?, 1e-3)));
    add(
        "GroupNorm, 2 groups",
        sides(&[1..=2, 4..=4, 1..=3, 1..=3]),
        smooth,
        run(|x| GroupNorm::new(fixed(&[4])?, fixed(&[4])?, 4, 2, 1e-3)?.forward(x)),
    );
    add("softmax, dimension 0", rows(), smooth, run(|x| ops::softmax(x, 0)));
    add("softmax_last_dim", rows(), smooth, run(ops::softmax_last_dim));
    add("log_softmax", rows(), smooth, run(|x| ops::log_softmax(x, D::Minus1)));
    add("loss::mse", rows(), smooth, run(|x| loss::mse(x, &fixed(x.dims())?)));
    add(
        "loss::cross_entropy",
        rows(),
        smooth,
        run(|x| loss::cross_entropy(x, &classes(x.dim(0)?, x.dim(1)?)?)),
    );
    add(
        "loss::nll of log_softmax",
        rows(),
        smooth,
        run(|x| loss::nll(&ops::log_softmax(x, 1)?, &classes(x.dim(0)?, x.dim(1)?)?)),
    );
    add(
        "loss::binary_cross_entropy_with_logit",
        rows(),
        smooth,
        run(|x| {
            let target = ops::sigmoid(&fixed(x.dims())?)?.to_dtype(DType::F64)?;
            loss::binary_cross_entropy_with_logit(x, &target)
        }),
    );
    add("loss::huber", rows(), smooth, run(|x| loss::huber(x, &fixed(x.dims())?, 0.7)));
    add("relu", rows(), off, run(Tensor::relu));
    add("elu", rows(), off, run(|x| x.elu(0.7)));
    add("gelu", rows(), smooth, run(Tensor::gelu));
    add("gelu_erf", rows(), smooth, run(Tensor::gelu_erf));
    add("silu", rows(), smooth, run(Tensor::silu));
    add("sigmoid", rows(), smooth, run(ops::sigmoid));
    add("mish", rows(), smooth, run(ops::mish));
    add("leaky_relu", rows(), off, run(|x| ops::leaky_relu(x, 0.1)));
    add("max over rows", rows(), distinct, run(|x| x.max(1)));
    add("matmul", rows(), smooth, run(|x| x.matmul(&fixed(&[x.dim(1)?, 3])?)));
    all
}
