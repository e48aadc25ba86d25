//! Plots of single operations.

use impasto_study::plot::{Axis, Scale, Series, line_chart};
use impasto_tensor::conv::{Algorithm, Extent, PackedConv, Sink, Source};
use impasto_tensor::{
    Isa, Scratch, Shape, Tensor, average_pool, average_pool_gradient, conv3x3, max_pool, pooled_shape,
    rotate_kernel,
};

use crate::Result;

fn linear(label: &str) -> Axis<'_> {
    Axis { label, scale: Scale::Linear }
}

fn logarithmic(label: &str) -> Axis<'_> {
    Axis { label, scale: Scale::Logarithmic }
}

fn series(name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Series {
    Series { name: name.to_owned(), points: points.into_iter().collect() }
}

/// Numbers in -1..1 that look random.
fn numbers(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value * value, count + 1.0));
    (sum / count).sqrt()
}

/// The error of each convolution, relative to the response, by its input channels; in units of 2^-24.
pub(crate) fn winograd_error() -> Result<String> {
    let algorithms =
        [("direct", Algorithm::Im2col), ("F(4,3)", Algorithm::Winograd4), ("F(6,3)", Algorithm::Winograd6)];
    let mut lines: Vec<Series> = algorithms.iter().map(|(name, _)| series(name, [])).collect();
    let (side, c_out) = (24, 16);
    for c_in in [16, 32, 64, 128, 256, 512] {
        let shape = Shape::new(side, side, c_in);
        let (input, kernel) = (numbers(shape.len(), 1), numbers(9 * c_in * c_out, 2));
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let exact = conv3x3(&Tensor::from_vec(shape, wide(&input))?, &wide(&kernel), None)?;
        for (line, (_, algorithm)) in lines.iter_mut().zip(algorithms) {
            let conv = PackedConv::new(Isa::available()[0], algorithm, &kernel, c_in, c_out)?;
            let mut z = vec![0.0; side * side * c_out];
            let sink = Sink::Gradient { gradient: &mut z, mask: None };
            conv.run(Extent { height: side, width: side }, Source::Plain(&input), sink, &Scratch::default());
            let error = rms(z.iter().zip(exact.data()).map(|(&z, exact)| f64::from(z) - exact));
            let unit = rms(exact.data().iter().copied()) / f64::from(1 << 24);
            line.points.push((c_in as f64, error / unit));
        }
    }
    Ok(line_chart(linear("input channels"), logarithmic("error in units of rounding"), &lines)?)
}

/// How much of a wave each pooling hands on, by the wave's period in responses: the root mean square of what comes out over that of
/// what goes in, both without their means.
pub(crate) fn pooling() -> Result<String> {
    // Every pair of rows has the wave at another phase: else short ones would beat with the windows.
    let (side, phases) = (240, 32);
    let shape = Shape::new(2 * phases, side, 1);
    let swing = |data: &[f64]| {
        let mean = data.iter().sum::<f64>() / data.len() as f64;
        rms(data.iter().map(|v| v - mean))
    };
    let mut lines =
        [series("cos(w/2)", []), series("average", []), series("maximum of what a ReLU leaves", [])];
    for step in 0..=36 {
        let period = 2.0 + f64::from(step) / 3.0;
        let omega = std::f64::consts::TAU / period;
        let phase = |row: usize| std::f64::consts::TAU * (row / 2) as f64 / phases as f64;
        let at = |index: usize| omega * (index % side) as f64 + phase(index / side);
        let wave: Vec<f64> = (0..shape.len()).map(|index| at(index).sin()).collect();
        let relu: Vec<f64> = wave.iter().map(|v| v.max(0.0)).collect();
        let averaged = average_pool(&Tensor::from_vec(shape, wave.clone())?)?;
        let largest = max_pool(&Tensor::from_vec(shape, relu.clone())?)?;
        lines[0].points.push((period, (omega / 2.0).cos().abs()));
        lines[1].points.push((period, swing(averaged.data()) / swing(&wave)));
        lines[2].points.push((period, swing(largest.data()) / swing(&relu)));
    }
    Ok(line_chart(linear("period of the wave"), linear("part of it that is handed on"), &lines)?)
}

/// The paths from a line of pixels to one response of VGG-16, by their distance from its middle, as a part of those of the best pixel.
pub(crate) fn receptive_fields() -> Result<String> {
    let blocks: [(&str, &[usize]); 4] = [
        ("conv2_1", &[2, 1]),
        ("conv3_1", &[2, 2, 1]),
        ("conv4_1", &[2, 2, 3, 1]),
        ("conv5_1", &[2, 2, 3, 3, 1]),
    ];
    let side = 320;
    let mut lines = Vec::new();
    for (name, convs) in blocks {
        let (paths, middle) = paths(convs, side)?;
        let most = paths.iter().copied().fold(0.0, f64::max);
        let points = paths.iter().enumerate().filter(|(_, paths)| **paths > 0.0);
        lines.push(series(name, points.map(|(at, paths)| (at as f64 - middle, paths / most))));
    }
    Ok(line_chart(linear("pixels from the middle"), linear("paths"), &lines)?)
}

/// The gradient of the middle response of a network of ones, row by row, and where its middle is in pixels.
fn paths(convs: &[usize], side: usize) -> Result<(Vec<f64>, f64)> {
    let ones = vec![1.0; 9];
    let poolings = convs.len() - 1;
    let shape = |block: usize| (0..block).fold(Shape::new(side, side, 1), |shape, _| pooled_shape(shape));
    let middle = shape(poolings).height / 2;
    let mut gradient = Tensor::zeros(shape(poolings))?;
    let width = gradient.shape().width;
    gradient.data_mut()[middle * width + middle] = 1.0;
    for (block, &count) in convs.iter().enumerate().rev() {
        for _ in 0..count {
            gradient = conv3x3(&gradient, &rotate_kernel(&ones, 1, 1), None)?;
        }
        if block > 0 {
            gradient = average_pool_gradient(shape(block - 1), &gradient)?;
        }
    }
    let step = f64::from(1 << poolings);
    let rows = gradient.data().chunks_exact(side).map(|row| row.iter().sum()).collect();
    Ok((rows, step * middle as f64 + (step - 1.0) / 2.0))
}

/// phi(t) = 1/2 - t / (t^2 + 2), the line of sufficient decrease (c1 = 0.1, steeper than in use, so that it is seen), and the steps with both
/// strong Wolfe conditions (c2 = 0.5).
pub(crate) fn wolfe() -> Result<String> {
    let (c1, c2) = (0.1, 0.5);
    let phi = |t: f64| 0.5 - t / (t * t + 2.0);
    let slope = |t: f64| (t * t - 2.0) / (t * t + 2.0).powi(2);
    let steps = || (0..=300).map(|step| f64::from(step) / 50.0);
    let holds =
        |t: &f64| phi(*t) <= phi(0.0) + c1 * t * slope(0.0) && slope(*t).abs() <= c2 * slope(0.0).abs();
    let lines = [
        series("phi(t)", steps().map(|t| (t, phi(t)))),
        series("phi(0) + c1 t phi'(0)", steps().map(|t| (t, phi(0.0) + c1 * t * slope(0.0)))),
        series("both conditions hold", steps().filter(holds).map(|t| (t, phi(t) - 0.006))),
    ];
    Ok(line_chart(linear("step t"), linear("loss"), &lines)?)
}
