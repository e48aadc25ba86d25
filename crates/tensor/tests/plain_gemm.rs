//! The plain matrix product against three loops.

use crate::common::{assert_close, numbers, wave};
use impasto_proptest::assert_same_bits_on_threads;
use impasto_tensor::{Matrix, TensorError, gemm};
use proptest::prelude::*;

/// C_ij := alpha sum_k A_ik B_kj + beta C_ij, by definition.
fn naive_gemm(
    [m, k, n]: [usize; 3],
    alpha: f64,
    a: impl Fn(usize, usize) -> f64,
    b: impl Fn(usize, usize) -> f64,
    beta: f64,
    c: &[f64],
) -> Vec<f64> {
    let mut out = Vec::with_capacity(m * n);
    for i in 0..m {
        for j in 0..n {
            let sum: f64 = (0..k).map(|l| a(i, l) * b(l, j)).sum();
            out.push(alpha * sum + beta * c[i * n + j]);
        }
    }
    out
}

/// m, k, n (m beyond one block of rows at times), A, B, C.
fn problems() -> impl Strategy<Value = ([usize; 3], Vec<f64>, Vec<f64>, Vec<f64>)> {
    (1..=150usize, 1..=20usize, 1..=20usize)
        .prop_flat_map(|(m, k, n)| (Just([m, k, n]), numbers(m * k), numbers(k * n), numbers(m * n)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn gemm_matches_three_loops((sizes, a, b, c) in problems(), alpha in -2.0..2.0, beta in -2.0..2.0) {
        let [m, k, n] = sizes;
        let expected = naive_gemm(sizes, alpha, |i, l| a[i * k + l], |l, j| b[l * n + j], beta, &c);
        let mut got = c.clone();
        gemm(alpha, Matrix::new(&a, m, k)?, Matrix::new(&b, k, n)?, beta, &mut got)?;
        assert_close(&got, &expected, 1e-13);
    }

    #[test]
    fn gemm_reads_transposes_without_a_copy((sizes, a, b, c) in problems()) {
        // The same numbers, read as the transposes of a k x m and an n x k matrix.
        let [m, k, n] = sizes;
        let expected = naive_gemm(sizes, 1.0, |i, l| a[l * m + i], |l, j| b[j * k + l], 1.0, &c);
        let mut got = c.clone();
        gemm(1.0, Matrix::new(&a, k, m)?.transposed(), Matrix::new(&b, n, k)?.transposed(), 1.0, &mut got)?;
        assert_close(&got, &expected, 1e-13);
    }

    #[test]
    fn gemm_in_f32_is_within_rounding((sizes, a, b, c) in problems()) {
        let [m, k, n] = sizes;
        let expected = naive_gemm(sizes, 1.0, |i, l| a[i * k + l], |l, j| b[l * n + j], 1.0, &c);
        let f32s = |v: &[f64]| v.iter().map(|&v| v as f32).collect::<Vec<_>>();
        let (a, b, mut got) = (f32s(&a), f32s(&b), f32s(&c));
        gemm(1.0, Matrix::new(&a, m, k)?, Matrix::new(&b, k, n)?, 1.0, &mut got)?;
        assert_close(&got, &expected, 1e-5);
    }

    /// F^T F: the Gram matrix as the style loss computes it.
    #[test]
    fn gram_matches_its_definition(positions in 1..40usize, channels in 1..12usize, seed in 0..1000usize) {
        let f: Vec<f64> = wave::<f64>(seed + positions * channels).split_off(seed);
        let mut expected = Vec::new();
        for i in 0..channels {
            for j in 0..channels {
                expected.push((0..positions).map(|k| f[k * channels + i] * f[k * channels + j]).sum());
            }
        }
        let matrix = Matrix::new(&f, positions, channels)?;
        let mut got = vec![0.0; channels * channels];
        gemm(1.0, matrix.transposed(), matrix, 0.0, &mut got)?;
        assert_close(&got, &expected, 1e-12);
        for i in 0..channels {
            for j in 0..channels {
                prop_assert_eq!(got[i * channels + j], got[j * channels + i], "a Gram matrix is symmetric");
            }
        }
    }
}

#[test]
fn beta_zero_does_not_read_the_old_c() {
    let mut c = [f64::NAN; 4];
    let a = [1.0, 2.0, 3.0, 4.0];
    gemm(1.0, Matrix::new(&a, 2, 2).unwrap(), Matrix::new(&a, 2, 2).unwrap(), 0.0, &mut c).unwrap();
    assert_eq!(c, [7.0, 10.0, 15.0, 22.0]);
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let a = [0.0; 6];
    assert!(matches!(Matrix::new(&a, 2, 2), Err(TensorError::Mismatch { .. })));
    assert!(Matrix::new(&a, usize::MAX, 3).is_err());
    let a = Matrix::new(&a, 2, 3).unwrap();
    assert!(gemm(1.0, a, a, 0.0, &mut [0.0; 4]).is_err());
    assert!(gemm(1.0, a, a.transposed(), 0.0, &mut [0.0; 3]).is_err());
}

#[test]
fn gemm_gives_the_same_bits_on_any_threads() {
    let (m, k, n) = (517, 61, 83);
    let (a, b) = (wave::<f32>(m * k), wave::<f32>(k * n));
    assert_same_bits_on_threads(|| {
        let mut c = vec![0.0; m * n];
        gemm(1.0, Matrix::new(&a, m, k).unwrap(), Matrix::new(&b, k, n).unwrap(), 0.0, &mut c).unwrap();
        c
    });
}
