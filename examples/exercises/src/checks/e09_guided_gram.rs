//! A guided Gram matrix: what must hold.

use impasto_proptest::strategies::{masks, numbers};
use impasto_proptest::{Cases, Refuted, check_twin};
use proptest::prelude::*;

/// F^T F / M.
fn gram(rows: &[&[f64]], filters: usize) -> Vec<f64> {
    let entry = |at: usize| rows.iter().map(|row| row[at / filters] * row[at % filters]).sum::<f64>();
    (0..filters * filters).map(|at| entry(at) / rows.len() as f64).collect()
}

/// Masks of eighths: a position that counts k eighths is there k times in a response whose every position counts whole.
///
/// # Errors
/// [`Refuted`] with the row and column of G that are wrong.
pub fn check(guided_gram: impl Fn(&[f64], usize, &[f64]) -> Vec<f64>) -> Result<(), Refuted> {
    let cases = (1..4_usize, masks(1..12))
        .prop_flat_map(|(filters, t)| (numbers(filters * t.len()), Just(filters), Just(t)));
    Cases::default().run(&cases, |&(ref f, filters, ref t)| {
        let times = |t: &f32| (8.0 * t).round() as usize;
        let rows: Vec<&[f64]> =
            f.chunks_exact(filters).zip(t).flat_map(|(row, t)| std::iter::repeat_n(row, times(t))).collect();
        let t: Vec<f64> = t.iter().map(|&t| f64::from(t)).collect();
        check_twin(&guided_gram(f, filters, &t), &gram(&rows, filters), 1e-12)
            .map_err(|failure| failure.of_operation("guided_gram", &[filters, filters]))
    })
}
