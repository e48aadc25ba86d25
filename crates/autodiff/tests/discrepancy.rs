//! The Gram loss as a maximum mean discrepancy (docs/math.md, section 3).

use crate::common::{shapes, tensor};
use impasto_autodiff::losses::gram;
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

/// Two responses with as many filters, of any two sizes.
fn pairs() -> impl Strategy<Value = (Tensor<f64>, Tensor<f64>)> {
    (shapes(1, 6), shapes(1, 6)).prop_flat_map(|(a, b)| {
        let b = Shape::new(b.height, b.width, a.channels);
        (tensor(Just(a)), tensor(Just(b)))
    })
}

/// The mean of k(u, v) = (u . v)^2 over all pairs of rows.
fn mean_kernel(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    let rows = |t: &Tensor<f64>| -> Vec<Vec<f64>> {
        t.data().chunks_exact(t.shape().channels).map(<[f64]>::to_vec).collect()
    };
    let (a, b) = (rows(a), rows(b));
    let dot = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(u, v)| u * v).sum::<f64>();
    let sum: f64 = a.iter().flat_map(|u| b.iter().map(move |v| dot(u, v).powi(2))).sum();
    sum / (a.len() * b.len()) as f64
}

/// f(u) = u (G' - A') u^T at every row, its mean.
fn mean_witness(f: &Tensor<f64>, difference: &[f64]) -> f64 {
    let n = f.shape().channels;
    let at = |u: &[f64]| -> f64 { (0..n * n).map(|ij| u[ij / n] * difference[ij] * u[ij % n]).sum() };
    let rows = f.data().chunks_exact(n);
    rows.map(at).sum::<f64>() / f.shape().positions() as f64
}

proptest! {
    /// 4 N^2 E_l = mean k(F, F) + mean k(S, S) - 2 mean k(F, S).
    #[test]
    fn the_gram_loss_is_a_maximum_mean_discrepancy((f, s) in pairs()) {
        let n = f.shape().channels as f64;
        let loss = gram::loss(&gram::gram(&f)?, &gram::gram(&s)?);
        let discrepancy = mean_kernel(&f, &f) + mean_kernel(&s, &s) - 2.0 * mean_kernel(&f, &s);
        let scale = mean_kernel(&f, &f) + mean_kernel(&s, &s);
        prop_assert!((4.0 * n * n * loss - discrepancy).abs() <= 1e-12 * (1.0 + scale), "{loss} {discrepancy}");
    }

    /// The function that tells the two apart best has the means whose difference is |G' - A'|^2, and every position goes down on it.
    #[test]
    fn every_position_goes_down_on_the_witness((f, s) in pairs()) {
        let (g, a) = (gram::gram(&f)?, gram::gram(&s)?);
        let difference: Vec<f64> = g.data.iter().zip(&a.data).map(|(g, a)| g - a).collect();
        let square: f64 = difference.iter().map(|d| d * d).sum();
        let apart = mean_witness(&f, &difference) - mean_witness(&s, &difference);
        prop_assert!((apart - square).abs() <= 1e-12 * (1.0 + square));
        let mut gradient = vec![0.0; f.shape().len()];
        gram::add_gradient(&f, &g, &a, 1.0, &mut gradient)?;
        let n = f.shape().channels;
        let scale = 1.0 / (2.0 * (n * n * f.shape().positions()) as f64);
        for (row, gradient) in f.data().chunks_exact(n).zip(gradient.chunks_exact(n)) {
            for i in 0..n {
                let slope: f64 = 2.0 * (0..n).map(|j| difference[i * n + j] * row[j]).sum::<f64>();
                prop_assert!((gradient[i] - scale * slope).abs() <= 1e-12 * (1.0 + slope.abs()));
            }
        }
    }
}

/// Third moments are out of sight: two distributions with the same G' and other means or tails have no loss.
#[test]
fn what_has_the_same_second_moments_looks_the_same() {
    let response = |data: Vec<f64>| Tensor::from_vec(Shape::new(1, data.len(), 1), data).unwrap();
    let (even, rare) = (response(vec![1.0; 4]), response(vec![2.0, 0.0, 0.0, 0.0]));
    assert_eq!(gram::loss(&gram::gram(&even).unwrap(), &gram::gram(&rare).unwrap()), 0.0);
}
