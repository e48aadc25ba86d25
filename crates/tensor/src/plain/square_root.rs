//! Square roots of symmetric matrices by coupled Newton-Schulz steps.
//!
//! With A symmetric, N x N, not below 0, n = |A| (the root of the sum of its squares) and A' = A / n, whose eigenvalues mu lie in 0..=1:
//!
//! ```text
//! Y_0 = A',   Z_0 = I;    S_k = Z_k Y_k,   Y_k+1 = Y_k (3 I - S_k) / 2,   Z_k+1 = (3 I - S_k) Z_k / 2
//! R(A) = sqrt(n) Y_K,     K = NEWTON_SCHULZ_STEPS
//! ```
//!
//! Y_k goes to A'^1/2 and Z_k to its inverse, the faster the larger mu is: where mu > 2.25^-K R is the root, of smaller ones it falls short.
//! All of these matrices are functions of A', Y = A' Z, so tr R(A) is a sum over eigenvalues, and its gradient is what that function's
//! derivative makes of A. By mu dS_k/dmu = Q_k S_k and P_k = Z_k Q_k:
//!
//! ```text
//! P_0 = I,   P_k+1 = 3/2 P_k (I - S_k)
//! d tr R(A) / dA = n^-1/2 [ (Z_K + P_K) / 2 - 1/2 tr(P_K A') A' ]          the last part is the gradient of n
//! ```
//!
//! Where all eigenvalues are reached P_K is 0 and the gradient is A^-1/2 / 2. Where the steps lead nowhere, because rounding has left A with
//! an eigenvalue well below 0, or A is 0 or no matrix of numbers, R(A) is the root of A's diagonal alone.

use crate::{Element, Matrix, TensorError, gemm};

/// K, the steps of a root: those with which eigenvalues from 6e-5 of |A| on are reached.
pub const NEWTON_SCHULZ_STEPS: usize = 12;

/// tr R(B) of B = S A S, and its gradient with respect to A.
#[derive(Debug, Clone, PartialEq)]
pub struct RootTrace<T = f32> {
    /// tr R(B).
    pub trace: f64,
    /// S (d tr R(B) / dB) S, N x N.
    pub gradient: Vec<T>,
}

/// R(A) of a symmetric N x N matrix.
///
/// # Errors
/// [`TensorError::Mismatch`] if there are not N x N numbers.
pub fn square_root<T: Element>(a: &[T], n: usize) -> Result<Vec<T>, TensorError> {
    let steps = steps(a, n)?;
    if let Some(Steps { norm, y, .. }) = steps {
        return Ok(scaled(&y, norm.sqrt()));
    }
    let mut root = vec![T::ZERO; a.len()];
    for at in (0..a.len()).step_by(n + 1) {
        root[at] = T::from_f64(diagonal_root(a[at].to_f64()));
    }
    Ok(root)
}

/// tr R(S A S) of symmetric N x N matrices S and A.
///
/// # Errors
/// [`TensorError::Mismatch`] if they have not N x N numbers.
pub fn root_trace<T: Element>(s: &[T], a: &[T], n: usize) -> Result<RootTrace<T>, TensorError> {
    let b = product(s, &product(a, s, n)?, n)?;
    let (trace, gradient) = trace_and_gradient(&b, n)?;
    let gradient = product(s, &product(&gradient, s, n)?, n)?;
    Ok(RootTrace { trace, gradient })
}

/// tr R(A) and its gradient.
fn trace_and_gradient<T: Element>(a: &[T], n: usize) -> Result<(f64, Vec<T>), TensorError> {
    if let Some(Steps { norm, y, z, p }) = steps(a, n)? {
        let trace: f64 = y.iter().step_by(n + 1).map(|y| y.to_f64()).sum();
        let of_norm: f64 = p.iter().zip(a).map(|(p, a)| p.to_f64() * a.to_f64() / norm).sum();
        let number = |((z, p), a): ((&T, &T), &T)| {
            T::from_f64((z.to_f64() + p.to_f64() - of_norm * a.to_f64() / norm) / (2.0 * norm.sqrt()))
        };
        return Ok((trace * norm.sqrt(), z.iter().zip(&p).zip(a).map(number).collect()));
    }
    let (mut trace, mut gradient) = (0.0, vec![T::ZERO; a.len()]);
    for at in (0..a.len()).step_by(n + 1) {
        let root = diagonal_root(a[at].to_f64());
        trace += root;
        gradient[at] = T::from_f64(if root > 0.0 { 0.5 / root } else { 0.0 });
    }
    Ok((trace, gradient))
}

/// The root of a number of the diagonal; of what is below 0 or no number it is 0.
pub(crate) fn diagonal_root(a: f64) -> f64 {
    a.max(0.0).sqrt()
}

/// What the steps lead to.
struct Steps<T> {
    norm: f64,
    y: Vec<T>,
    z: Vec<T>,
    p: Vec<T>,
}

/// The steps; none where they lead nowhere.
fn steps<T: Element>(a: &[T], n: usize) -> Result<Option<Steps<T>>, TensorError> {
    let norm = a.iter().map(|a| a.to_f64() * a.to_f64()).sum::<f64>().sqrt();
    let identity: Vec<T> = (0..a.len()).map(|at| if at % (n + 1) == 0 { T::ONE } else { T::ZERO }).collect();
    let (mut y, mut z, mut p) = (scaled(a, 1.0 / norm), identity.clone(), identity);
    let mut squares = 0.0;
    for _ in 0..NEWTON_SCHULZ_STEPS {
        let s = product(&z, &y, n)?;
        squares = s.iter().map(|s| s.to_f64() * s.to_f64()).sum();
        // They commute, but for rounding, which grows unless S comes first where it is Z's.
        for (products, x, rest) in [
            (product(&y, &s, n)?, &mut y, -0.5),
            (product(&s, &z, n)?, &mut z, -0.5),
            (product(&s, &p, n)?, &mut p, -1.5),
        ] {
            let rest = T::from_f64(rest);
            x.iter_mut().zip(&products).for_each(|(x, &xs)| *x = T::from_f64(1.5) * *x + rest * xs);
        }
    }
    Ok(leads_somewhere(norm, squares, n).then_some(Steps { norm, y, z, p }))
}

/// Whether |A| is a number above 0, and the last S, of which `squares` is the sum, has no eigenvalue far from 0..=1.
pub(crate) fn leads_somewhere(norm: f64, squares: f64, n: usize) -> bool {
    norm > 0.0 && norm.is_finite() && squares <= 2.0 * n as f64
}

fn scaled<T: Element>(a: &[T], factor: f64) -> Vec<T> {
    a.iter().map(|a| T::from_f64(factor * a.to_f64())).collect()
}

fn product<T: Element>(a: &[T], b: &[T], n: usize) -> Result<Vec<T>, TensorError> {
    let mut c = vec![T::ZERO; n * n];
    gemm(T::ONE, Matrix::new(a, n, n)?, Matrix::new(b, n, n)?, T::ZERO, &mut c)?;
    Ok(c)
}
