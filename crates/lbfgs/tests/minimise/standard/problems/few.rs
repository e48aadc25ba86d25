//! Problems whose number of variables is given, 2 to 19 without those that `many.rs` has as well.

use super::Rows;
use std::f64::consts::PI;

/// The variables by name.
fn of<const N: usize>(x: &[f64]) -> [f64; N] {
    x.try_into().expect("as many variables as the problem has")
}

/// 1, 2, ... beside the measurements.
fn counted(y: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    y.iter().zip(1u8..).map(|(&y, i)| (f64::from(i), y))
}

pub(super) fn freudenstein_roth(x: &[f64], rows: &mut Rows<'_>) {
    let [a, b] = of(x);
    rows.all(-13.0 + a + ((5.0 - b) * b - 2.0) * b, &[1.0, 10.0 * b - 3.0 * b * b - 2.0]);
    rows.all(-29.0 + a + ((b + 1.0) * b - 14.0) * b, &[1.0, 3.0 * b * b + 2.0 * b - 14.0]);
}

pub(super) fn powell_badly_scaled(x: &[f64], rows: &mut Rows<'_>) {
    let [a, b] = of(x);
    rows.all(1e4 * a * b - 1.0, &[1e4 * b, 1e4 * a]);
    rows.all((-a).exp() + (-b).exp() - 1.0001, &[-(-a).exp(), -(-b).exp()]);
}

pub(super) fn brown_badly_scaled(x: &[f64], rows: &mut Rows<'_>) {
    let [a, b] = of(x);
    rows.all(a - 1e6, &[1.0, 0.0]);
    rows.all(b - 2e-6, &[0.0, 1.0]);
    rows.all(a * b - 2.0, &[b, a]);
}

pub(super) fn beale(x: &[f64], rows: &mut Rows<'_>) {
    let [a, b] = of(x);
    for (i, y) in counted(&[1.5, 2.25, 2.625]) {
        rows.all(y - a * (1.0 - b.powf(i)), &[b.powf(i) - 1.0, a * i * b.powf(i - 1.0)]);
    }
}

pub(super) fn jennrich_sampson(x: &[f64], rows: &mut Rows<'_>) {
    for i in (1u8..=10).map(f64::from) {
        let [a, b] = of(x).map(|x: f64| (i * x).exp());
        rows.all(2.0 + 2.0 * i - (a + b), &[-i * a, -i * b]);
    }
}

/// theta is the angle of (a, b) in turns.
pub(super) fn helical_valley(x: &[f64], rows: &mut Rows<'_>) {
    let [a, b, c] = of(x);
    let theta = (b / a).atan() / (2.0 * PI) + if a < 0.0 { 0.5 } else { 0.0 };
    let radius = a.hypot(b);
    let turn = 100.0 / (2.0 * PI * radius * radius);
    rows.all(10.0 * (c - 10.0 * theta), &[turn * b, -turn * a, 10.0]);
    rows.all(10.0 * (radius - 1.0), &[10.0 * a / radius, 10.0 * b / radius, 0.0]);
    rows.all(c, &[0.0, 0.0, 1.0]);
}

pub(super) fn bard(x: &[f64], rows: &mut Rows<'_>) {
    const Y: [f64; 15] =
        [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39];
    let [a, b, c] = of(x);
    for (u, y) in counted(&Y) {
        let v = 16.0 - u;
        let w = u.min(v);
        let below = v * b + w * c;
        rows.all(y - (a + u / below), &[-1.0, u * v / (below * below), u * w / (below * below)]);
    }
}

pub(super) fn gaussian(x: &[f64], rows: &mut Rows<'_>) {
    const Y: [f64; 15] = [
        0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989, 0.3521, 0.2420, 0.1295, 0.0540,
        0.0175, 0.0044, 0.0009,
    ];
    let [a, b, c] = of(x);
    for (i, y) in counted(&Y) {
        let away = (8.0 - i) / 2.0 - c;
        let bell = (-b * away * away / 2.0).exp();
        rows.all(a * bell - y, &[bell, -a * bell * away * away / 2.0, a * bell * b * away]);
    }
}

pub(super) fn meyer(x: &[f64], rows: &mut Rows<'_>) {
    const Y: [f64; 16] = [
        34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0, 6005.0,
        5147.0, 4427.0, 3820.0, 3307.0, 2872.0,
    ];
    let [a, b, c] = of(x);
    for (i, y) in counted(&Y) {
        let below = 45.0 + 5.0 * i + c;
        let e = (b / below).exp();
        rows.all(a * e - y, &[e, a * e / below, -a * e * b / (below * below)]);
    }
}

/// With y_i - x_2 where the paper prints y_i m i x_2: only so is f 0 at its minimum (50, 25, 1.5).
pub(super) fn gulf(x: &[f64], rows: &mut Rows<'_>) {
    let [a, b, c] = of(x);
    for t in (1u8..=99).map(|i| f64::from(i) / 100.0) {
        let away = 25.0 + (-50.0 * t.ln()).powf(2.0 / 3.0) - b;
        let power = away.abs().powf(c);
        let e = (-power / a).exp();
        let derivatives = [e * power / (a * a), e * c * power / away / a, -e * power * away.abs().ln() / a];
        rows.all(e - t, &derivatives);
    }
}

pub(super) fn box_three_dimensional(x: &[f64], rows: &mut Rows<'_>) {
    let [a, b, c] = of(x);
    for t in (1u8..=10).map(|i| 0.1 * f64::from(i)) {
        let (of_a, of_b) = ((-t * a).exp(), (-t * b).exp());
        let of_c = (-t).exp() - (-10.0 * t).exp();
        rows.all(of_a - of_b - c * of_c, &[-t * of_a, t * of_b, -of_c]);
    }
}

pub(super) fn wood(x: &[f64], rows: &mut Rows<'_>) {
    let [a, b, c, d] = of(x);
    let (root_90, root_10) = (90f64.sqrt(), 10f64.sqrt());
    rows.all(10.0 * (b - a * a), &[-20.0 * a, 10.0, 0.0, 0.0]);
    rows.all(1.0 - a, &[-1.0, 0.0, 0.0, 0.0]);
    rows.all(root_90 * (d - c * c), &[0.0, 0.0, -2.0 * root_90 * c, root_90]);
    rows.all(1.0 - c, &[0.0, 0.0, -1.0, 0.0]);
    rows.all(root_10 * (b + d - 2.0), &[0.0, root_10, 0.0, root_10]);
    rows.all((b - d) / root_10, &[0.0, 1.0 / root_10, 0.0, -1.0 / root_10]);
}

pub(super) fn kowalik_osborne(x: &[f64], rows: &mut Rows<'_>) {
    const Y: [f64; 11] =
        [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246];
    const U: [f64; 11] = [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625];
    let [a, b, c, d] = of(x);
    for (y, u) in Y.into_iter().zip(U) {
        let (above, below) = (u * u + u * b, u * u + u * c + d);
        let part = a * above / (below * below);
        rows.all(y - a * above / below, &[-above / below, -a * u / below, part * u, part]);
    }
}

pub(super) fn brown_dennis(x: &[f64], rows: &mut Rows<'_>) {
    let [a, b, c, d] = of(x);
    for t in (1u8..=20).map(|i| f64::from(i) / 5.0) {
        let (p, q) = (a + t * b - t.exp(), c + d * t.sin() - t.cos());
        rows.all(p * p + q * q, &[2.0 * p, 2.0 * p * t, 2.0 * q, 2.0 * q * t.sin()]);
    }
}

pub(super) fn osborne_1(x: &[f64], rows: &mut Rows<'_>) {
    const Y: [f64; 33] = [
        0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658,
        0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431,
        0.424, 0.420, 0.414, 0.411, 0.406,
    ];
    let [a, b, c, d, e] = of(x);
    for (i, y) in counted(&Y) {
        let t = 10.0 * (i - 1.0);
        let (of_d, of_e) = ((-t * d).exp(), (-t * e).exp());
        rows.all(y - (a + b * of_d + c * of_e), &[-1.0, -of_d, -of_e, b * t * of_d, c * t * of_e]);
    }
}

pub(super) fn biggs_exp6(x: &[f64], rows: &mut Rows<'_>) {
    let [a, b, c, d, e, f] = of(x);
    for t in (1u8..=13).map(|i| 0.1 * f64::from(i)) {
        let y = (-t).exp() - 5.0 * (-10.0 * t).exp() + 3.0 * (-4.0 * t).exp();
        let [of_a, of_b, of_e] = [a, b, e].map(|x| (-t * x).exp());
        let derivatives = [-t * c * of_a, t * d * of_b, of_a, -of_b, -t * f * of_e, of_e];
        rows.all(c * of_a - d * of_b + f * of_e - y, &derivatives);
    }
}

/// A decay x_1 e^(-t x_5) and three bells x_k e^(-(t - x_(k+7))^2 x_(k+4)), k = 2, 3, 4.
pub(super) fn osborne_2(x: &[f64], rows: &mut Rows<'_>) {
    const Y: [f64; 65] = [
        1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655,
        0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558,
        0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562,
        0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710,
        0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054,
    ];
    for (i, y) in counted(&Y) {
        let t = (i - 1.0) / 10.0;
        let decay = (-t * x[4]).exp();
        let (mut value, mut derivatives) = (x[0] * decay, [0.0; 11]);
        (derivatives[0], derivatives[4]) = (-decay, t * x[0] * decay);
        for k in 1..4 {
            let away = t - x[k + 7];
            let bell = (-away * away * x[k + 4]).exp();
            value += x[k] * bell;
            derivatives[k] = -bell;
            derivatives[k + 4] = x[k] * bell * away * away;
            derivatives[k + 7] = -2.0 * x[k] * bell * away * x[k + 4];
        }
        rows.all(y - value, &derivatives);
    }
}
