//! Problems of any number of variables: 1 and 21, 13 and 22, and 20 to 35.

use super::Rows;

/// Of pairs of variables.
pub(super) fn rosenbrock(x: &[f64], rows: &mut Rows<'_>) {
    for (k, pair) in x.as_chunks::<2>().0.iter().enumerate() {
        let ([a, b], k) = (*pair, 2 * k);
        rows.at(10.0 * (b - a * a), &[(k, -20.0 * a), (k + 1, 10.0)]);
        rows.at(1.0 - a, &[(k, -1.0)]);
    }
}

/// Of fours of variables.
pub(super) fn powell_singular(x: &[f64], rows: &mut Rows<'_>) {
    let (root_5, root_10) = (5f64.sqrt(), 10f64.sqrt());
    for (k, four) in x.as_chunks::<4>().0.iter().enumerate() {
        let ([a, b, c, d], k) = (*four, 4 * k);
        let (p, q) = (b - 2.0 * c, a - d);
        rows.at(a + 10.0 * b, &[(k, 1.0), (k + 1, 10.0)]);
        rows.at(root_5 * (c - d), &[(k + 2, root_5), (k + 3, -root_5)]);
        rows.at(p * p, &[(k + 1, 2.0 * p), (k + 2, -4.0 * p)]);
        rows.at(root_10 * q * q, &[(k, 2.0 * root_10 * q), (k + 3, -2.0 * root_10 * q)]);
    }
}

/// With p(t) = sum_j x_j t^(j-1): r = p'(t) - p(t)^2 - 1 at 29 points, and the two ends.
pub(super) fn watson(x: &[f64], rows: &mut Rows<'_>) {
    for t in (1u8..=29).map(|i| f64::from(i) / 29.0) {
        let (mut value, mut slope) = (0.0, 0.0);
        for (j, x) in (0i32..).zip(x) {
            value += x * t.powi(j);
            slope += x * f64::from(j) * t.powi(j - 1);
        }
        let of = |j: i32| f64::from(j) * t.powi(j - 1) - 2.0 * value * t.powi(j);
        let derivatives: Vec<f64> = (0i32..).zip(x).map(|(j, _)| of(j)).collect();
        rows.all(slope - value * value - 1.0, &derivatives);
    }
    rows.at(x[0], &[(0, 1.0)]);
    rows.at(x[1] - x[0] * x[0] - 1.0, &[(0, -2.0 * x[0]), (1, 1.0)]);
}

/// The weight of all residuals of a penalty but those that tie the variables together.
pub(super) const PENALTY_WEIGHT: f64 = 1e-5;

pub(super) fn penalty_1(x: &[f64], rows: &mut Rows<'_>) {
    let weight = PENALTY_WEIGHT.sqrt();
    for (j, x) in x.iter().enumerate() {
        rows.at(weight * (x - 1.0), &[(j, weight)]);
    }
    let double: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
    rows.all(x.iter().map(|x| x * x).sum::<f64>() - 0.25, &double);
}

pub(super) fn penalty_2(x: &[f64], rows: &mut Rows<'_>) {
    let weight = PENALTY_WEIGHT.sqrt();
    let e: Vec<f64> = x.iter().map(|x| (x / 10.0).exp()).collect();
    let slope = |j: usize| (j, weight * e[j] / 10.0);
    rows.at(x[0] - 0.2, &[(0, 1.0)]);
    for j in 1..x.len() {
        let y = ((j + 1) as f64 / 10.0).exp() + (j as f64 / 10.0).exp();
        rows.at(weight * (e[j] + e[j - 1] - y), &[slope(j - 1), slope(j)]);
    }
    for (j, e) in e.iter().enumerate().skip(1) {
        rows.at(weight * (e - (-0.1f64).exp()), &[slope(j)]);
    }
    let factor = |j: usize| (x.len() - j) as f64;
    let sum: f64 = x.iter().enumerate().map(|(j, x)| factor(j) * x * x).sum();
    let derivatives: Vec<f64> = x.iter().enumerate().map(|(j, x)| 2.0 * factor(j) * x).collect();
    rows.all(sum - 1.0, &derivatives);
}

pub(super) fn variably_dimensioned(x: &[f64], rows: &mut Rows<'_>) {
    let mut total = 0.0;
    for (j, x) in x.iter().enumerate() {
        rows.at(x - 1.0, &[(j, 1.0)]);
        total += (j + 1) as f64 * (x - 1.0);
    }
    let mut derivatives: Vec<f64> = (1..=x.len()).map(|j| j as f64).collect();
    rows.all(total, &derivatives);
    for d in &mut derivatives {
        *d *= 2.0 * total;
    }
    rows.all(total * total, &derivatives);
}

pub(super) fn trigonometric(x: &[f64], rows: &mut Rows<'_>) {
    let n = x.len() as f64;
    let cosines: f64 = x.iter().map(|x| x.cos()).sum();
    let mut derivatives: Vec<f64> = x.iter().map(|x| x.sin()).collect();
    for (index, x) in x.iter().enumerate() {
        let (i, (sine, cosine)) = ((index + 1) as f64, x.sin_cos());
        derivatives[index] = sine + i * sine - cosine;
        rows.all(n - cosines + i * (1.0 - cosine) - sine, &derivatives);
        derivatives[index] = sine;
    }
}

pub(super) fn brown_almost_linear(x: &[f64], rows: &mut Rows<'_>) {
    let n = x.len();
    let sum: f64 = x.iter().sum();
    let mut derivatives = vec![1.0; n];
    for i in 0..n - 1 {
        derivatives[i] = 2.0;
        rows.all(x[i] + sum - (n + 1) as f64, &derivatives);
        derivatives[i] = 1.0;
    }
    // The product of all others: of those before, then times those after.
    let mut before = 1.0;
    for (d, x) in derivatives.iter_mut().zip(x) {
        *d = before;
        before *= x;
    }
    let mut after = 1.0;
    for (d, x) in derivatives.iter_mut().zip(x).rev() {
        *d *= after;
        after *= x;
    }
    rows.all(before - 1.0, &derivatives);
}

/// x'' = (x + t + 1)^3 / 2 with x = 0 at both ends, by differences at t = h, 2h, ..., nh.
pub(super) fn discrete_boundary_value(x: &[f64], rows: &mut Rows<'_>) {
    let (n, h) = (x.len(), 1.0 / (x.len() + 1) as f64);
    for i in 0..n {
        let base = x[i] + h * (i + 1) as f64 + 1.0;
        let [mut r, diagonal] = [2.0 * x[i] + h * h * base.powi(3) / 2.0, 2.0 + 1.5 * h * h * base * base];
        let mut derivatives = vec![(i, diagonal)];
        for j in neighbours(i, 1, 1, n) {
            r -= x[j];
            derivatives.push((j, -1.0));
        }
        rows.at(r, &derivatives);
    }
}

/// The same equation by its integral.
pub(super) fn discrete_integral(x: &[f64], rows: &mut Rows<'_>) {
    let (n, h) = (x.len(), 1.0 / (x.len() + 1) as f64);
    let t = |i: usize| h * (i + 1) as f64;
    let bases: Vec<f64> = x.iter().enumerate().map(|(i, x)| x + t(i) + 1.0).collect();
    let mut derivatives = vec![0.0; n];
    for i in 0..n {
        let mut integral = 0.0;
        for (j, base) in bases.iter().enumerate() {
            let kernel = (1.0 - t(i.max(j))) * t(i.min(j));
            integral += kernel * base.powi(3);
            derivatives[j] = 1.5 * h * kernel * base * base;
        }
        derivatives[i] += 1.0;
        rows.all(x[i] + h / 2.0 * integral, &derivatives);
    }
}

pub(super) fn broyden_tridiagonal(x: &[f64], rows: &mut Rows<'_>) {
    for i in 0..x.len() {
        let mut r = (3.0 - 2.0 * x[i]) * x[i] + 1.0;
        let mut derivatives = vec![(i, 3.0 - 4.0 * x[i])];
        for j in neighbours(i, 1, 1, x.len()) {
            let weight = if j < i { 1.0 } else { 2.0 };
            r -= weight * x[j];
            derivatives.push((j, -weight));
        }
        rows.at(r, &derivatives);
    }
}

pub(super) fn broyden_banded(x: &[f64], rows: &mut Rows<'_>) {
    for i in 0..x.len() {
        let mut r = x[i] * (2.0 + 5.0 * x[i] * x[i]) + 1.0;
        let mut derivatives = vec![(i, 2.0 + 15.0 * x[i] * x[i])];
        for j in neighbours(i, 5, 1, x.len()) {
            r -= x[j] * (1.0 + x[j]);
            derivatives.push((j, -1.0 - 2.0 * x[j]));
        }
        rows.at(r, &derivatives);
    }
}

/// The indices below n that are at most `before` before i or `after` after it, without i.
fn neighbours(i: usize, before: usize, after: usize, n: usize) -> impl Iterator<Item = usize> {
    (i.saturating_sub(before)..n.min(i + after + 1)).filter(move |&j| j != i)
}

/// The residuals of the linear problems, for each variable.
pub(super) const ROWS_OF_LINEAR: usize = 2;

pub(super) fn linear_full_rank(x: &[f64], rows: &mut Rows<'_>) {
    let m = ROWS_OF_LINEAR * x.len();
    let each = -2.0 / m as f64;
    let sum: f64 = x.iter().sum();
    let mut derivatives = vec![each; x.len()];
    for i in 0..m {
        let own = x.get(i).copied();
        if own.is_some() {
            derivatives[i] += 1.0;
        }
        rows.all(own.unwrap_or(0.0) + each * sum - 1.0, &derivatives);
        if own.is_some() {
            derivatives[i] = each;
        }
    }
}

/// r_i = i sum_j j x_j - 1.
pub(super) fn linear_rank_1(x: &[f64], rows: &mut Rows<'_>) {
    let sum: f64 = x.iter().enumerate().map(|(j, x)| (j + 1) as f64 * x).sum();
    for i in 1..=ROWS_OF_LINEAR * x.len() {
        let derivatives: Vec<f64> = (1..=x.len()).map(|j| (i * j) as f64).collect();
        rows.all(i as f64 * sum - 1.0, &derivatives);
    }
}

/// The same without the first and last variable, and with r = -1 in the first and last row.
pub(super) fn linear_rank_1_with_zeros(x: &[f64], rows: &mut Rows<'_>) {
    let (n, m) = (x.len(), ROWS_OF_LINEAR * x.len());
    let sum: f64 = (1..n - 1).map(|j| (j + 1) as f64 * x[j]).sum();
    for i in 0..m {
        let i = if i == m - 1 { 0 } else { i };
        let inner = |j: usize| if j == 0 || j == n - 1 { 0 } else { i * (j + 1) };
        let derivatives: Vec<f64> = (0..n).map(|j| inner(j) as f64).collect();
        rows.all(i as f64 * sum - 1.0, &derivatives);
    }
}

/// Points whose means of Chebyshev polynomials T_1 to T_n, moved to [0, 1], are the integrals.
pub(super) fn chebyquad(x: &[f64], rows: &mut Rows<'_>) {
    let n = x.len();
    let z: Vec<f64> = x.iter().map(|x| 2.0 * x - 1.0).collect();
    // T_(i-1) and T_i with their derivatives by x, at each point.
    let (mut before, mut now) = (vec![(1.0, 0.0); n], z.iter().map(|z| (*z, 2.0)).collect::<Vec<_>>());
    for i in 1..=n {
        let integral = if i % 2 == 0 { -1.0 / (i * i - 1) as f64 } else { 0.0 };
        let derivatives: Vec<f64> = now.iter().map(|(_, slope)| slope / n as f64).collect();
        rows.all(now.iter().map(|(value, _)| value).sum::<f64>() / n as f64 - integral, &derivatives);
        for ((before, now), z) in before.iter_mut().zip(&mut now).zip(&z) {
            let next = (2.0 * z * now.0 - before.0, 2.0 * z * now.1 + 4.0 * now.0 - before.1);
            *before = std::mem::replace(now, next);
        }
    }
}
