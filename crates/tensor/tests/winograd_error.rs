//! The rounding error of Winograd's convolutions against the bound of docs/math.md, section 13, and against what it expects of errors
//! that do not conspire.

use crate::common::pseudorandom;
use impasto_tensor::conv::{Algorithm, Extent, PackedConv, Sink, Source};
use impasto_tensor::{Isa, Scratch, Shape, Tensor, conv3x3};

/// Unit roundoff of f32.
const U: f64 = 1.0 / (1 << 24) as f64;
const SIDE: usize = 24; // a multiple of 4 and 6, so that all tiles are whole

/// A^T (m rows), G and B^T (m + 2 rows) of F(m, 3), by Cook and Toom, from the finite points.
struct Matrices {
    a: Vec<Vec<f64>>,
    g: Vec<Vec<f64>>,
    b: Vec<Vec<f64>>,
}

impl Matrices {
    fn new(points: &[f64]) -> Self {
        let m = points.len() - 1;
        let others = |i: usize| points.iter().enumerate().filter(move |(j, _)| *j != i).map(|(_, x)| *x);
        let row = |power: usize| {
            let last = f64::from(u8::from(power == m - 1));
            points.iter().map(|x| x.powi(power as i32)).chain([last]).collect()
        };
        let scaled = |i: usize| {
            let n: f64 = others(i).map(|other| points[i] - other).product();
            vec![1.0 / n, points[i] / n, points[i] * points[i] / n]
        };
        Self {
            a: (0..m).map(row).collect(),
            g: (0..=m).map(scaled).chain([vec![0.0, 0.0, 1.0]]).collect(),
            b: (0..=m)
                .map(|i| polynomial(others(i), m + 2))
                .chain([polynomial(points.iter().copied(), m + 2)])
                .collect(),
        }
    }

    fn map(&self, of: impl Fn(f64) -> f64) -> Self {
        let map =
            |rows: &Vec<Vec<f64>>| rows.iter().map(|row| row.iter().map(|&x| of(x)).collect()).collect();
        Self { a: map(&self.a), g: map(&self.g), b: map(&self.b) }
    }

    /// A^T [(g summed) . (b summed)] for ones, a number an output, divided by the three of a direct sum.
    fn amplification(&self) -> Vec<f64> {
        let sums = |rows: &[Vec<f64>]| rows.iter().map(|row| row.iter().sum()).collect::<Vec<f64>>();
        let products: Vec<f64> = sums(&self.g).iter().zip(sums(&self.b)).map(|(g, b)| g * b).collect();
        self.a.iter().map(|row| row.iter().zip(&products).map(|(a, p)| a * p).sum::<f64>() / 3.0).collect()
    }
}

/// The coefficients of the monic polynomial with these roots, lowest power first.
fn polynomial(roots: impl Iterator<Item = f64>, len: usize) -> Vec<f64> {
    let mut coefficients = vec![0.0; len];
    coefficients[0] = 1.0;
    for root in roots {
        for power in (0..len).rev() {
            let lower = if power > 0 { coefficients[power - 1] } else { 0.0 };
            coefficients[power] = lower - root * coefficients[power];
        }
    }
    coefficients
}

/// M X M^T for a square X with rows of any length.
fn sandwich(m: &[Vec<f64>], x: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let times = |m: &[Vec<f64>], x: &[Vec<f64>]| -> Vec<Vec<f64>> {
        let column = |row: &Vec<f64>, j: usize| row.iter().zip(x).map(|(m, x)| m * x[j]).sum();
        m.iter().map(|row| (0..x[0].len()).map(|j| column(row, j)).collect()).collect()
    };
    let transposed = |x: Vec<Vec<f64>>| {
        (0..x[0].len()).map(|j| x.iter().map(|row| row[j]).collect()).collect::<Vec<Vec<f64>>>()
    };
    transposed(times(m, &transposed(times(m, x))))
}

/// Random input and kernel, f32, and the convolution in f64.
struct Case {
    input: Tensor<f32>,
    kernel: Vec<f32>,
    channels: [usize; 2],
    exact: Tensor<f64>,
}

impl Case {
    fn new(c_in: usize, c_out: usize) -> Self {
        let shape = Shape::new(SIDE, SIDE, c_in);
        let input = Tensor::from_vec(shape, pseudorandom(shape.len(), 1)).unwrap();
        let kernel = pseudorandom(9 * c_in * c_out, 2);
        let wide: Vec<f64> = kernel.iter().map(|&k| f64::from(k)).collect();
        let data = input.data().iter().map(|&i| f64::from(i)).collect();
        let exact = conv3x3(&Tensor::from_vec(shape, data).unwrap(), &wide, None).unwrap();
        Self { input, kernel, channels: [c_in, c_out], exact }
    }

    /// What an algorithm is off by, a number an output.
    fn errors(&self, algorithm: Algorithm) -> Vec<f64> {
        let [c_in, c_out] = self.channels;
        let conv = PackedConv::new(Isa::available()[0], algorithm, &self.kernel, c_in, c_out).unwrap();
        let mut z = vec![0.0; SIDE * SIDE * c_out];
        let sink = Sink::Gradient { gradient: &mut z, mask: None };
        let extent = Extent { height: SIDE, width: SIDE };
        conv.run(extent, Source::Plain(self.input.data()), sink, &Scratch::default());
        z.iter().zip(self.exact.data()).map(|(&z, exact)| f64::from(z) - exact).collect()
    }

    /// |A^T| [ sum over channels of (|G| |g| |G^T|) . (|B^T| |d| |B|) ] |A|, a number an output: what rounding is a multiple of.
    fn magnitudes(&self, f: &Matrices) -> Vec<f64> {
        let [c_in, c_out] = self.channels;
        let f = f.map(f64::abs);
        let (m, n) = (f.a.len(), f.b.len());
        let number = |y: usize, x: usize, c: usize| {
            // (y, x) is one pixel down and right of the one that is read.
            let inside = (1..=SIDE).contains(&y) && (1..=SIDE).contains(&x);
            if inside { f64::from(self.input.data()[((y - 1) * SIDE + x - 1) * c_in + c]).abs() } else { 0.0 }
        };
        let tap = |ky: usize, kx: usize, i: usize, j: usize| {
            f64::from(self.kernel[((ky * 3 + kx) * c_in + i) * c_out + j]).abs()
        };
        let square = |side: usize, at: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
            (0..side).map(|y| (0..side).map(|x| at(y, x)).collect()).collect()
        };
        let mut magnitudes = vec![0.0; SIDE * SIDE * c_out];
        for (top, left) in (0..SIDE).step_by(m).flat_map(|y| (0..SIDE).step_by(m).map(move |x| (y, x))) {
            let patches: Vec<_> =
                (0..c_in).map(|i| sandwich(&f.b, &square(n, &|y, x| number(top + y, left + x, i)))).collect();
            for j in 0..c_out {
                let kernels: Vec<_> =
                    (0..c_in).map(|i| sandwich(&f.g, &square(3, &|ky, kx| tap(ky, kx, i, j)))).collect();
                let sum = |y: usize, x: usize| (0..c_in).map(|i| kernels[i][y][x] * patches[i][y][x]).sum();
                for (y, row) in sandwich(&f.a, &square(n, &sum)).iter().enumerate() {
                    for (x, &magnitude) in row.iter().enumerate() {
                        magnitudes[((top + y) * SIDE + left + x) * c_out + j] = magnitude;
                    }
                }
            }
        }
        magnitudes
    }
}

fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
}

const F4: &[f64] = &[0.0, 1.0, -1.0, 2.0, -2.0];
const F6: &[f64] = &[0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5];

#[test]
fn the_error_is_below_its_bound() {
    let case = Case::new(32, 16);
    for (points, algorithm) in [
        (F4, Algorithm::Winograd4),
        (F4, Algorithm::Streamed4),
        (F6, Algorithm::Winograd6),
        (F6, Algorithm::Streamed6),
    ] {
        let f = Matrices::new(points);
        let operations = (4 * f.b.len() + case.channels[0] + 8) as f64;
        let (errors, magnitudes) = (case.errors(algorithm), case.magnitudes(&f));
        let share = |(error, magnitude): (&f64, &f64)| error.abs() / (operations * U * magnitude);
        let closest = errors.iter().zip(&magnitudes).map(share).fold(0.0, f64::max);
        println!(
            "{algorithm:?}: {:.1e} of the response, at most {closest:.1e} of the bound",
            rms(&errors) / rms(case.exact.data())
        );
        assert!(closest < 1.0, "{algorithm:?}: {closest}");
        assert!(closest > 1e-5, "{algorithm:?}: a bound that says nothing");
    }
}

/// Errors of random signs add up as their squares do: the mean over a tile of A^2 [(G^2 1) . (B^2 1)] / 3, once for each dimension under
/// a root, so as it is.
#[test]
fn the_error_is_as_large_as_independent_roundings_make_it() {
    let case = Case::new(64, 16);
    let direct = rms(&case.errors(Algorithm::Im2col)) / rms(case.exact.data());
    println!("direct: {:.2} u", direct / U);
    for (points, algorithm) in [(F4, Algorithm::Winograd4), (F6, Algorithm::Winograd6)] {
        let f = Matrices::new(points);
        let mean = |amplification: &[f64]| amplification.iter().sum::<f64>() / amplification.len() as f64;
        let expected = mean(&f.map(|x| x * x).amplification());
        let worst = f.map(f64::abs).amplification().into_iter().fold(0.0, f64::max).powi(2);
        let got = rms(&case.errors(algorithm)) / rms(case.exact.data()) / U;
        println!(
            "{algorithm:?}: {got:.1} u of the response, {expected:.1} expected, at most {worst:.0} times"
        );
        assert!((0.2..5.0).contains(&(got / expected)), "{algorithm:?}: {got} {expected}");
    }
}
