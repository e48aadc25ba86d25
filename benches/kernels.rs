//! What the kernels reach on this machine: GFLOP/s of matrix products and of each convolution of VGG-19, by every algorithm.
//!
//! `cargo bench -p impasto-tests --bench kernels -- [SIZE]` for the layers of a SIZE x SIZE picture, 512 without. A
//! convolution is counted as the 2 * 9 * C_in * C_out operations an output that it takes directly, so Winograd can be
//! above what the products reach. Medians; run it on a machine that does nothing else. `IMPASTO_ISA` and `RAYON_NUM_THREADS`
//! choose instruction set and threads.

use std::time::{Duration, Instant};

use impasto_tensor::conv::{Algorithm, Extent, PackedConv, Sink, Source, mask_len};
use impasto_tensor::{Isa, Matrix, PackedMatrix, Scratch, TensorError, gemm, rotate_kernel};
use rayon::prelude::*;

/// The layers of VGG-19 down to conv5_1, those of equal size once: name, poolings in front, C_in, C_out.
const LAYERS: [(&str, usize, usize, usize); 9] = [
    ("conv1_1", 0, 3, 64),
    ("conv1_2", 0, 64, 64),
    ("conv2_1", 1, 64, 128),
    ("conv2_2", 1, 128, 128),
    ("conv3_1", 2, 128, 256),
    ("conv3_2", 2, 256, 256),
    ("conv4_1", 3, 256, 512),
    ("conv4_2", 3, 512, 512),
    ("conv5_1", 4, 512, 512),
];

/// m, k, n of the products: those of Winograd's blocks, and of im2col's.
const PRODUCTS: [(usize, usize, usize); 7] = [
    (16384, 64, 64),
    (8192, 128, 128),
    (4096, 256, 256),
    (2048, 512, 512),
    (16384, 576, 64),
    (4096, 2304, 256),
    (2048, 4608, 512),
];

/// Rows of a product in one task.
const ROWS: usize = 96;

fn main() -> Result<(), TensorError> {
    let size = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(512);
    let isa = Isa::current();
    println!("{isa:?}, {} threads, GFLOP/s\n", rayon::current_num_threads());
    println!("{:>22}  {:>8}  {:>14}", "m x k x n", "packed", "matrixmultiply");
    for (m, k, n) in PRODUCTS {
        products(isa, (m, k, n))?;
    }
    println!("\n{size} x {size}; the kernel transformed as it goes, s: in single precision, d: in double");
    let names = ["im2col", "F(4,3)", "F(6,3)", "F(4,3)d", "F(6,3)d", "F(4,3)s", "F(6,3)s"];
    let names = names.map(|name| format!("  {name:>7}")).concat();
    println!("{:>9}{:>63} {:>63}", "", "forward", "backward");
    println!("{:>9}{names} {names}", "");
    for (name, level, inputs, outputs) in LAYERS {
        let extent = Extent { height: size >> level, width: size >> level };
        let line = |rates: Vec<Option<f64>>| {
            let cell = |rate: Option<f64>| rate.map_or("-".to_owned(), |rate| format!("{rate:.1}"));
            rates.into_iter().map(|rate| format!("  {:>7}", cell(rate))).collect::<Vec<_>>().concat()
        };
        let forward = forward(isa, extent, inputs, outputs)?;
        let backward = backward(isa, extent, inputs, outputs)?;
        println!("{name:>9}{} {}", line(forward), line(backward));
    }
    Ok(())
}

/// One line of the first table.
fn products(isa: Isa, (m, k, n): (usize, usize, usize)) -> Result<(), TensorError> {
    let (a, b) = (numbers(m * k), numbers(k * n));
    let (a_matrix, b_matrix) = (Matrix::new(&a, m, k)?, Matrix::new(&b, k, n)?);
    let packed = PackedMatrix::new(isa, b_matrix)?;
    let stride = packed.padded_columns();
    let mut c = vec![0.0; m * stride];
    let ours = median(|| {
        c.par_chunks_mut(ROWS * stride)
            .zip(a.par_chunks(ROWS * k))
            .for_each(|(c, a)| packed.multiply(a, k, c, false, [&[]; 2]));
    });
    let mut c = vec![0.0; m * n];
    let mut result = Ok(());
    let theirs = median(|| result = gemm(1.0, a_matrix, b_matrix, 0.0, &mut c));
    result?;
    let rate = |time: Duration| (2 * m * k * n) as f64 / time.as_secs_f64() / 1e9;
    println!("{:>22}  {:8.1}  {:14.1}", format!("{m} x {k} x {n}"), rate(ours), rate(theirs));
    Ok(())
}

/// The rates of a layer's forward pass by each algorithm: bias, ReLU, F and its mask; none where it cannot be used.
fn forward(isa: Isa, extent: Extent, inputs: usize, outputs: usize) -> Result<Vec<Option<f64>>, TensorError> {
    let (input, kernel, bias) =
        (numbers(extent.positions() * inputs), numbers(9 * inputs * outputs), numbers(outputs));
    let mut response = vec![0.0; extent.positions() * outputs];
    let mut mask = vec![0; mask_len(extent, outputs)];
    by_algorithm(inputs, |algorithm| {
        let conv = PackedConv::new(isa, algorithm, &kernel, inputs, outputs)?;
        let scratch = Scratch::default();
        let time = median(|| {
            let sink = Sink::Response {
                bias: &bias,
                response: Some(&mut response),
                pooled: None,
                mask: Some(&mut mask),
            };
            conv.run(extent, Source::Plain(&input), sink, &scratch);
        });
        Ok(rate(extent, inputs, outputs, time))
    })
}

/// The rates of the gradient with respect to a layer's input, masked. The first layer's is another computation.
fn backward(
    isa: Isa,
    extent: Extent,
    inputs: usize,
    outputs: usize,
) -> Result<Vec<Option<f64>>, TensorError> {
    let kernel = rotate_kernel(&numbers(9 * inputs * outputs), inputs, outputs);
    let incoming = numbers(extent.positions() * outputs);
    let mut gradient = vec![0.0; extent.positions() * inputs];
    let mask = vec![0b1010_0110; mask_len(extent, inputs)];
    if inputs == 3 {
        return Ok(vec![None; Algorithm::ALL.len()]);
    }
    by_algorithm(inputs, |algorithm| {
        let conv = PackedConv::new(isa, algorithm, &kernel, outputs, inputs)?;
        let scratch = Scratch::default();
        let time = median(|| {
            let sink = Sink::Gradient { gradient: &mut gradient, mask: Some(&mask) };
            conv.run(extent, Source::Plain(&incoming), sink, &scratch);
        });
        Ok(rate(extent, inputs, outputs, time))
    })
}

fn by_algorithm(
    inputs: usize,
    mut measure: impl FnMut(Algorithm) -> Result<f64, TensorError>,
) -> Result<Vec<Option<f64>>, TensorError> {
    Algorithm::ALL
        .into_iter()
        .map(|algorithm| {
            (algorithm == Algorithm::Im2col || inputs > 3).then(|| measure(algorithm)).transpose()
        })
        .collect()
}

/// GFLOP/s, counted as for the direct sums.
fn rate(extent: Extent, inputs: usize, outputs: usize, time: Duration) -> f64 {
    (2 * 9 * inputs * outputs * extent.positions()) as f64 / time.as_secs_f64() / 1e9
}

/// The median time of a run: at least five, for at least a fifth of a second, after one that warms up.
fn median(mut run: impl FnMut()) -> Duration {
    run();
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < 5 || start.elapsed() < Duration::from_millis(200) {
        let begin = Instant::now();
        run();
        times.push(begin.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

/// Fixed, uneven numbers in [-1, 1].
fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i as f32 * 0.7).sin()).collect()
}
