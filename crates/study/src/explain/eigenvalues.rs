//! The eigenvalues of symmetric matrices, for the charts of Gram matrices: Householder's reflections to three diagonals, then QL steps
//! with implicit shifts (Golub and Van Loan, "Matrix Computations", sections 8.3).

/// The eigenvalues of a symmetric N x N matrix, largest first; of what is not finite there are none.
pub(super) fn eigenvalues(matrix: &[f32], n: usize) -> Vec<f64> {
    let mut a: Vec<f64> = matrix.iter().map(|&value| f64::from(value)).collect();
    if a.len() != n * n || a.iter().any(|value| !value.is_finite()) {
        return Vec::new();
    }
    let (mut diagonal, mut beside) = tridiagonal(&mut a, n);
    iterate(&mut diagonal, &mut beside);
    diagonal.sort_by(|one, other| other.total_cmp(one));
    diagonal
}

/// The diagonal and the one beside it (N - 1 numbers, then a 0) of a matrix with the same eigenvalues.
fn tridiagonal(a: &mut [f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut diagonal, mut beside) = (vec![0.0; n], vec![0.0; n]);
    for k in 0..n.saturating_sub(1) {
        diagonal[k] = a[k * n + k];
        let first = k + 1;
        let column: Vec<f64> = (first..n).map(|i| a[i * n + k]).collect();
        let norm = column.iter().map(|x| x * x).sum::<f64>().sqrt();
        let below = if column[0] > 0.0 { -norm } else { norm };
        beside[k] = below;
        // v = x - |x| e1, A := (I - 2 v v'/v'v) A (I - 2 v v'/v'v) on what is left.
        let mut v = column;
        v[0] -= below;
        let vv: f64 = v.iter().map(|v| v * v).sum();
        if vv == 0.0 {
            continue;
        }
        let p: Vec<f64> = (first..n)
            .map(|i| 2.0 / vv * a[i * n + first..(i + 1) * n].iter().zip(&v).map(|(a, v)| a * v).sum::<f64>())
            .collect();
        let pv: f64 = p.iter().zip(&v).map(|(p, v)| p * v).sum::<f64>() / vv;
        let w: Vec<f64> = p.iter().zip(&v).map(|(p, v)| p - pv * v).collect();
        for (i, row) in a.chunks_exact_mut(n).skip(first).enumerate() {
            for (j, a) in row[first..].iter_mut().enumerate() {
                *a -= v[i] * w[j] + w[i] * v[j];
            }
        }
    }
    if let Some(last) = diagonal.last_mut() {
        *last = a[n * n - 1];
    }
    (diagonal, beside)
}

/// Steps of a matrix with three diagonals after which it is known; each takes about two.
const MOST_STEPS: usize = 60;

/// QL steps until the numbers beside the diagonal are gone.
fn iterate(diagonal: &mut [f64], beside: &mut [f64]) {
    let n = diagonal.len();
    for low in 0..n {
        for _ in 0..MOST_STEPS {
            let is_small =
                |i: usize| beside[i].abs() <= f64::EPSILON * (diagonal[i].abs() + diagonal[i + 1].abs());
            let high = (low..n - 1).find(|&i| is_small(i)).unwrap_or(n - 1);
            if high == low {
                break;
            }
            step(diagonal, beside, low, high);
        }
    }
}

/// One step on the block from `low` to `high`, shifted by the eigenvalue of its first two that is near.
fn step(diagonal: &mut [f64], beside: &mut [f64], low: usize, high: usize) {
    let half = 0.5 * (diagonal[low + 1] - diagonal[low]) / beside[low];
    let shift = half + half.hypot(1.0).copysign(half);
    let mut g = diagonal[high] - diagonal[low] + beside[low] / shift;
    let (mut sine, mut cosine, mut p) = (1.0, 1.0, 0.0);
    for i in (low..high).rev() {
        let (f, b) = (sine * beside[i], cosine * beside[i]);
        let r = f.hypot(g);
        beside[i + 1] = r;
        if r == 0.0 {
            diagonal[i + 1] -= p;
            beside[high] = 0.0;
            return;
        }
        (sine, cosine) = (f / r, g / r);
        let g_before = diagonal[i + 1] - p;
        let r = (diagonal[i] - g_before) * sine + 2.0 * cosine * b;
        p = sine * r;
        diagonal[i + 1] = g_before + p;
        g = cosine * r - b;
    }
    diagonal[low] -= p;
    beside[low] = g;
    beside[high] = 0.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvalues_of_known_matrices() {
        assert_eq!(eigenvalues(&[7.0], 1), [7.0]);
        let close = |found: &[f64], expected: &[f64]| {
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-9, "{found} and {expected}");
            }
        };
        close(&eigenvalues(&[2.0, 1.0, 1.0, 2.0], 2), &[3.0, 1.0]);
        close(&eigenvalues(&[3.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 5.0], 3), &[5.0, 3.0, -1.0]);
        // The second difference of n points: 2 - 2 cos(k pi / (n + 1)).
        let n = 40;
        let at = |i: usize, j: usize| {
            if i == j {
                2.0
            } else if i.abs_diff(j) == 1 {
                -1.0
            } else {
                0.0
            }
        };
        let matrix: Vec<f32> = (0..n * n).map(|k| at(k / n, k % n)).collect();
        let angle = |k: usize| std::f64::consts::PI * k as f64 / (n + 1) as f64;
        let expected: Vec<f64> = (1..=n).rev().map(|k| 2.0 - 2.0 * angle(k).cos()).collect();
        close(&eigenvalues(&matrix, n), &expected);
        assert!(eigenvalues(&[f32::NAN], 1).is_empty());
        assert!(eigenvalues(&[0.0; 9], 3).iter().all(|value| *value == 0.0));
    }

    #[test]
    fn sums_of_powers_are_those_of_the_matrix() {
        for n in [2, 3, 17, 64] {
            let b: Vec<f32> = (0..n * n).map(|k| ((k * k * 7 + 3 * k) % 23) as f32 / 23.0 - 0.4).collect();
            let product = |i: usize, j: usize| (0..n).map(|k| b[i * n + k] * b[j * n + k]).sum::<f32>();
            let a: Vec<f32> = (0..n * n).map(|k| product(k / n, k % n)).collect();
            let found = eigenvalues(&a, n);
            let trace: f64 = (0..n).map(|i| f64::from(a[i * n + i])).sum();
            let square: f64 = a.iter().map(|a| f64::from(*a).powi(2)).sum();
            assert!((found.iter().sum::<f64>() - trace).abs() < 1e-9 * trace);
            assert!((found.iter().map(|value| value * value).sum::<f64>() - square).abs() < 1e-6 * square);
            assert!(found.windows(2).all(|pair| pair[0] >= pair[1]) && found[n - 1] > -1e-5 * found[0]);
        }
    }
}
