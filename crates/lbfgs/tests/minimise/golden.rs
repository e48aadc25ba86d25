//! The bits of some runs, so that a change of the code that is to change no bit can be told from one that does.
#![allow(clippy::unnecessary_wraps)] // an objective returns a `Result`

use crate::functions::{go_on, rosenbrock, rosenbrock_start};
use impasto_lbfgs::{Lbfgs, Optimiser, Real};
use std::convert::Infallible;

/// FNV-1a of the bits of x.
fn hash<T: Real>(x: &[T]) -> u64 {
    x.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, x| (hash ^ x.to_f64().to_bits()).wrapping_mul(0x0100_0000_01b3))
}

/// sum_i a_i (sqrt(1 + (x_i - 7)^2 / 10) - 1): nothing but operations that are exact to the last bit everywhere.
fn bowls<T: Real>(x: &[T], g: &mut [T]) -> Result<f64, Infallible> {
    let mut loss = 0.0;
    for (i, (x, g)) in x.iter().zip(g).enumerate() {
        let (a, gap) = (1.0 + (i % 97) as f64, x.to_f64() - 7.0);
        let root = (1.0 + gap * gap / 10.0).sqrt();
        loss += a * (root - 1.0);
        *g = T::from_f64(a * gap / root / 10.0);
    }
    Ok(loss)
}

/// Hash and evaluations of each run.
fn runs<T: Real>() -> Vec<(u64, usize)> {
    let mut all = Vec::new();
    for history in [1, 4, 10] {
        let lbfgs = Lbfgs { history, scale_pairs: 3, max_iterations: 40, ..Lbfgs::default() };
        let mut x: Vec<T> = rosenbrock_start(30);
        let outcome = lbfgs.minimise(&mut x, rosenbrock, go_on).unwrap();
        all.push((hash(&x), outcome.evaluations));
        let mut x: Vec<T> = (0..5000).map(|i| T::from_f64((i % 13) as f64 / 4.0)).collect();
        let outcome = lbfgs.minimise(&mut x, bowls, go_on).unwrap();
        all.push((hash(&x), outcome.evaluations));
    }
    all
}

#[test]
fn bits_are_those_of_version_0_1() {
    let single = [
        (0xca7e_c7cb_092e_aa1d, 51),
        (0x825d_abdc_f2a7_bfc5, 48),
        (0xa4d4_d0b9_e92e_aa1d, 53),
        (0x63d1_9e5f_52a7_bfc5, 47),
        (0x4d3d_f96a_e92e_aa1d, 51),
        (0x2023_f21b_32a7_bfc5, 47),
    ];
    let double = [
        (0xfd8c_d477_979f_535a, 48),
        (0x4675_8edf_5063_4ae8, 49),
        (0x5fc1_f6b1_4f89_61fb, 55),
        (0x998c_5872_fc25_7fa4, 47),
        (0x565d_cd23_fe89_f0f3, 51),
        (0x1345_0d32_b4cd_8e9a, 47),
    ];
    assert_eq!(runs::<f32>(), single);
    assert_eq!(runs::<f64>(), double);
}
