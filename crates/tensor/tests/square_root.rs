//! Square roots of matrices: the plain ones against what a root is, and the fast ones against them, on every instruction set.

use crate::common::pseudorandom;
use impasto_proptest::assert_same_bits_on_threads;
use impasto_tensor::{Element, Isa, Matrix, SquareRoots, gemm, root_trace, square_root};
use proptest::prelude::*;

/// X^T X / `rows` + `ridge` I of random X: not below 0.
fn covariance(n: usize, rows: usize, ridge: f64, seed: u32) -> Vec<f64> {
    let x: Vec<f64> = pseudorandom(rows * n, u64::from(seed)).into_iter().map(f64::from).collect();
    let x = Matrix::new(&x, rows, n).expect("whole rows");
    let mut a = vec![0.0; n * n];
    gemm(1.0 / rows as f64, x.transposed(), x, 0.0, &mut a).expect("sizes that fit");
    a.iter_mut().step_by(n + 1).for_each(|a| *a += ridge);
    a
}

fn product<T: Element>(a: &[T], b: &[T], n: usize) -> Vec<T> {
    let mut c = vec![T::ZERO; n * n];
    let [a, b] = [a, b].map(|m| Matrix::new(m, n, n).expect("n x n numbers"));
    gemm(T::ONE, a, b, T::ZERO, &mut c).expect("sizes that fit");
    c
}

fn single(a: &[f64]) -> Vec<f32> {
    a.iter().map(|&a| a as f32).collect()
}

fn norm<T: Element>(a: &[T]) -> f64 {
    a.iter().map(|a| a.to_f64().powi(2)).sum::<f64>().sqrt()
}

/// |A - B| / |B|
fn distance<T: Element, U: Element>(a: &[T], b: &[U]) -> f64 {
    let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a.to_f64() - b.to_f64()).collect();
    norm(&difference) / norm(b)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Where all eigenvalues are large enough: R R = A.
    #[test]
    fn a_root_times_itself_is_the_matrix(n in 1_usize..24, rows in 1_usize..40, seed in any::<u32>()) {
        let a = covariance(n, rows, 0.3, seed);
        let root = square_root(&a, n)?;
        prop_assert!(distance(&product(&root, &root, n), &a) < 1e-9);
    }

    /// Whether the steps reach all eigenvalues or not.
    #[test]
    fn the_gradient_of_a_trace_matches_finite_differences(
        n in 1_usize..12,
        rows in 1_usize..20,
        ridge in prop_oneof![Just(1.0), Just(1e-2), Just(1e-5)],
        (seed, at) in (any::<u32>(), any::<(usize, usize)>()),
    ) {
        let (s, a) = (covariance(n, rows, ridge, seed), covariance(n, rows, ridge, seed ^ 7));
        let (i, j) = (at.0 % n, at.1 % n);
        let gradient = root_trace(&s, &a, n)?.gradient;
        let moved = |step: f64| {
            let mut a = a.clone();
            a[i * n + j] += step;
            a[j * n + i] += if i == j { 0.0 } else { step };
            root_trace(&s, &a, n).map(|root| root.trace)
        };
        let central = |h: f64| Ok::<_, impasto_tensor::TensorError>((moved(h)? - moved(-h)?) / (2.0 * h));
        // Richardson: the error of second order cancels.
        let slope_at = |h: f64| Ok::<_, impasto_tensor::TensorError>((4.0 * central(h / 2.0)? - central(h)?) / 3.0);
        // The step where neighbours agree best: rounding spoils smaller ones, and larger ones see the curve.
        let slopes = (0..8).map(|power| slope_at(1e-4 * ridge * f64::from(1 << (2 * power))));
        let slopes = slopes.collect::<Result<Vec<_>, _>>()?;
        let apart = |pair: &[f64]| (pair[0] - pair[1]).abs();
        let closest = slopes.windows(2).min_by(|one, other| apart(one).total_cmp(&apart(other)));
        let slope = closest.expect("eight slopes")[0];
        let ours = gradient[i * n + j] + if i == j { 0.0 } else { gradient[j * n + i] };
        prop_assert!((slope - ours).abs() <= 1e-6 * norm(&gradient).max(1.0), "{slope} {ours}");
    }

    #[test]
    fn fast_roots_match_the_plain_ones(
        n in prop_oneof![1_usize..100, Just(160)],
        rows in 1_usize..300,
        ridge in prop_oneof![Just(0.3), Just(1e-2)],
        (seed, scale) in (any::<u32>(), prop_oneof![Just(1.0), Just(1e4)]),
    ) {
        let scaled = |a: Vec<f64>| a.into_iter().map(|a| scale * a).collect::<Vec<_>>();
        let (s, a) = (covariance(n, rows, ridge, seed), covariance(n, rows, ridge, seed ^ 7));
        let (s, a) = (scaled(s), scaled(a));
        let (root, expected) = (square_root(&a, n)?, root_trace(&s, &a, n)?);
        for isa in Isa::available() {
            // Memory for larger ones, and used before.
            let mut roots = SquareRoots::new(isa, n + 40)?;
            let larger = single(&covariance(n + 40, n, 1.0, seed));
            roots.root_trace(&larger, &larger, n + 40)?;
            let ours = roots.square_root(&single(&a), n)?;
            prop_assert!(distance(&ours, &root) < 2e-5, "{isa:?}: {:e}", distance(&ours, &root));
            let ours = roots.root_trace(&single(&s), &single(&a), n)?;
            prop_assert!((ours.trace / expected.trace - 1.0).abs() < 1e-5, "{isa:?}");
            let gradient = distance(&ours.gradient, &expected.gradient);
            prop_assert!(gradient < 1e-3, "{isa:?}: {gradient:e}");
            let transposed = |at: usize| ours.gradient[at % n * n + at / n];
            prop_assert!((0..n * n).all(|at| ours.gradient[at] == transposed(at)), "{isa:?}: symmetric");
        }
    }
}

/// Where there is no root: below 0, nothing, no numbers. It is then that of the diagonal, as far as that has one.
#[test]
fn a_matrix_without_a_root_has_that_of_its_diagonal() {
    let n = 3;
    let below = [4.0, 9.0, 16.0, 9.0, 1.0, 0.0, 16.0, 0.0, -1.0];
    let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let diagonal = [2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    let gradient = [0.25, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0];
    let zeros = [0.0; 9];
    assert_eq!(square_root(&below, n).unwrap(), diagonal);
    let root = root_trace(&identity, &below, n).unwrap();
    assert_eq!((root.trace, &root.gradient[..]), (3.0, &gradient[..]));
    assert_eq!(square_root(&zeros, n).unwrap(), zeros);
    assert_eq!(square_root(&[f64::NAN; 9], n).unwrap(), zeros);
    for isa in Isa::available() {
        let mut roots = SquareRoots::new(isa, n).unwrap();
        // What no numbers leave behind is not seen by the next one.
        assert_eq!(roots.square_root(&[f32::NAN; 9], n).unwrap(), single(&zeros));
        assert_eq!(roots.root_trace(&[f32::NAN; 9], &[f32::NAN; 9], n).unwrap().trace, 0.0);
        assert_eq!(roots.square_root(&single(&below), n).unwrap(), single(&diagonal));
        assert_eq!(roots.square_root(&single(&zeros), n).unwrap(), single(&zeros));
        let root = roots.root_trace(&single(&identity), &single(&below), n).unwrap();
        assert_eq!((root.trace, root.gradient), (3.0, single(&gradient)));
        assert!(
            roots.square_root(&[0.0; 8], n).is_err() && roots.square_root(&vec![0.0; 10_000], 100).is_err()
        );
    }
    assert!(square_root(&[0.0; 8], n).is_err() && root_trace(&zeros, &zeros, 2).is_err());
}

#[test]
fn bits_of_roots_do_not_depend_on_threads() {
    let n = 200;
    let (s, a) = (single(&covariance(n, 90, 0.01, 3)), single(&covariance(n, 90, 0.01, 4)));
    assert_same_bits_on_threads(|| {
        let mut roots = SquareRoots::new(Isa::current(), n).unwrap();
        let root = roots.root_trace(&s, &a, n).unwrap();
        (roots.square_root(&a, n).unwrap(), root.trace, root.gradient)
    });
}
