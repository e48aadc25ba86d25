//! The two-loop recursion of L-BFGS: what must hold.

use impasto_proptest::strategies::numbers;
use impasto_proptest::{Cases, Refuted, check_twin};
use proptest::prelude::*;

/// One pair.
type Pair = (Vec<f64>, Vec<f64>);

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// H v, from the matrices of the update, H := (I - s y'/s·y) H (I - y s'/s·y) + s s'/s·y.
fn apply(pairs: &[Pair], gamma: f64, v: &[f64]) -> Vec<f64> {
    let Some(((s, y), older)) = pairs.split_last() else { return v.iter().map(|v| gamma * v).collect() };
    let (sy, sv) = (dot(s, y), dot(s, v));
    let right: Vec<f64> = v.iter().zip(y).map(|(v, y)| v - sv / sy * y).collect();
    let inner = apply(older, gamma, &right);
    let left = dot(y, &inner) / sy;
    inner.iter().zip(s).map(|(h, s)| h - left * s + sv / sy * s).collect()
}

/// For any pairs with s·y > 0 it is -H g with the matrix written out.
///
/// # Errors
/// [`Refuted`] with the coordinate that is wrong.
pub fn check(two_loop_recursion: impl Fn(&[f64], &[Pair]) -> Vec<f64>) -> Result<(), Refuted> {
    // y = s, stretched by 0.5 to 2.5 in each coordinate: s·y > 0 whenever s is not 0.
    let pair = |n: usize| {
        (numbers(n), prop::collection::vec(5..=25_u8, n)).prop_map(|(s, stretch)| {
            let y = s.iter().zip(&stretch).map(|(s, stretch)| s * f64::from(*stretch) / 10.0).collect();
            (s, y)
        })
    };
    let cases = (1..6_usize).prop_flat_map(move |n| (numbers(n), prop::collection::vec(pair(n), 0..5)));
    Cases::default().run(&cases, |(g, pairs)| {
        let pairs: Vec<Pair> = pairs.iter().filter(|(s, _)| dot(s, s) > 1e-4).cloned().collect();
        let gamma = pairs.last().map_or(1.0, |(s, y)| dot(s, y) / dot(y, y));
        let expected: Vec<f64> = apply(&pairs, gamma, g).into_iter().map(|d| -d).collect();
        check_twin(&two_loop_recursion(g, &pairs), &expected, 1e-9)
            .map_err(|failure| failure.of_operation("two_loop_recursion", &[]))
    })
}
