//! The plain 3x3 convolution against its definition, and its gradient as its adjoint.

use crate::common::{assert_close, numbers, shapes, tensor, wave, wavy};
use impasto_proptest::assert_same_bits_on_threads;
use impasto_tensor::{Shape, Tensor, TensorError, conv3x3, reduce::dot, rotate_kernel};
use proptest::prelude::*;

/// O[y, x, j] = b[j] + sum over ky, kx, i of I[y + ky - 1, x + kx - 1, i] K[ky, kx, i, j], by definition.
#[allow(clippy::needless_range_loop)] // the indices are the equation's
fn naive_conv(input: &Tensor<f64>, kernel: &[f64], bias: &[f64]) -> Vec<f64> {
    let Shape { height, width, channels } = input.shape();
    let out_channels = bias.len();
    let mut output = Vec::new();
    for y in 0..height as isize {
        for x in 0..width as isize {
            for j in 0..out_channels {
                let mut sum = bias[j];
                for ky in 0..3 {
                    for kx in 0..3 {
                        let (v, u) = (y + ky - 1, x + kx - 1);
                        if v < 0 || v >= height as isize || u < 0 || u >= width as isize {
                            continue;
                        }
                        for i in 0..channels {
                            let k = (((ky * 3 + kx) as usize) * channels + i) * out_channels + j;
                            sum += input.data()[(v as usize * width + u as usize) * channels + i] * kernel[k];
                        }
                    }
                }
                output.push(sum);
            }
        }
    }
    output
}

/// An input (from a single pixel up to several blocks of positions), a kernel and a bias.
fn problems() -> impl Strategy<Value = (Tensor<f64>, Vec<f64>, Vec<f64>)> {
    (tensor(shapes(1, 17)), 1..=5usize).prop_flat_map(|(input, out_channels)| {
        let weights = 9 * input.shape().channels * out_channels;
        (Just(input), numbers(weights), numbers(out_channels))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn conv_matches_its_definition((input, kernel, bias) in problems()) {
        let output = conv3x3(&input, &kernel, Some(&bias))?;
        let Shape { height, width, .. } = input.shape();
        prop_assert_eq!(output.shape(), Shape::new(height, width, bias.len()));
        assert_close(output.data(), &naive_conv(&input, &kernel, &bias), 1e-13);
    }

    #[test]
    fn conv_in_f32_is_within_rounding((input, kernel, bias) in problems()) {
        let f32s = |v: &[f64]| v.iter().map(|&v| v as f32).collect::<Vec<_>>();
        let output = conv3x3(&input.cast::<f32>(), &f32s(&kernel), Some(&f32s(&bias)))?;
        assert_close(output.data(), &naive_conv(&input, &kernel, &bias), 1e-5);
    }

    /// <K * x, y> = <x, K' * y> for every x and y: K' is the transpose of the linear map K, so it carries gradients.
    #[test]
    fn conv_input_gradient_is_adjoint((x, kernel, bias) in problems(), seed in 0..1000usize) {
        let Shape { height, width, channels } = x.shape();
        let out_shape = Shape::new(height, width, bias.len());
        let y = Tensor::from_vec(out_shape, wave::<f64>(seed + out_shape.len()).split_off(seed))?;
        let forward = conv3x3(&x, &kernel, None)?;
        let backward = conv3x3(&y, &rotate_kernel(&kernel, channels, bias.len()), None)?;
        let (left, right) = (dot(forward.data(), y.data()), dot(x.data(), backward.data()));
        prop_assert!((left - right).abs() <= 1e-12 * (1.0 + left.abs()), "{left} is not {right}");
    }

    #[test]
    fn rotating_a_kernel_twice_gives_it_back((input, kernel, bias) in problems()) {
        let (i, o) = (input.shape().channels, bias.len());
        prop_assert_eq!(rotate_kernel(&rotate_kernel(&kernel, i, o), o, i), kernel);
    }

    #[test]
    fn conv_without_bias_is_linear((x, kernel, _) in problems(), factor in -3.0..3.0) {
        let mut scaled = x.clone();
        scaled.data_mut().iter_mut().for_each(|v| *v *= factor);
        let expected: Vec<f64> = conv3x3(&x, &kernel, None)?.data().iter().map(|v| v * factor).collect();
        assert_close(conv3x3(&scaled, &kernel, None)?.data(), &expected, 1e-12);
    }
}

#[test]
fn kernels_that_do_not_fit_are_refused() {
    let input = wavy::<f32>(Shape::new(4, 4, 3));
    for (kernel, bias) in [(0, 1), (26, 1), (28, 1), (27, 2)] {
        let refused = conv3x3(&input, &vec![0.0; kernel], Some(&vec![0.0; bias]));
        assert!(matches!(refused, Err(TensorError::Mismatch { .. })), "{kernel} numbers and {bias} biases");
    }
}

#[test]
fn conv_gives_the_same_bits_on_any_threads() {
    let input = wavy::<f32>(Shape::new(37, 53, 7));
    let (kernel, bias) = (wave::<f32>(9 * 7 * 11), wave::<f32>(11));
    assert_same_bits_on_threads(|| conv3x3(&input, &kernel, Some(&bias)).unwrap());
}
