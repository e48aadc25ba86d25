//! The gradient of the style loss: what must hold.

use impasto_proptest::strategies::{numbers, positive_semidefinite};
use impasto_proptest::{Cases, Checks, Refuted, check_claim};
use proptest::prelude::*;

fn loss(f: &[f64], filters: usize, a: &[f64]) -> f64 {
    let gram = |i: usize, j: usize| f.chunks_exact(filters).map(|row| row[i] * row[j]).sum::<f64>();
    let square = |at: usize| (gram(at / filters, at % filters) - a[at]).powi(2);
    (0..filters * filters).map(square).sum::<f64>() / (4.0 * (f.len() as f64).powi(2))
}

/// At any F and A the gradient is what differences of the loss are.
///
/// # Errors
/// [`Refuted`] with the position and the filter that are wrong.
pub fn check(gram_gradient: impl Fn(&[f64], usize, &[f64]) -> Vec<f64>) -> Result<(), Refuted> {
    // F is drawn at its largest, and cut: so a case shrinks to few numbers.
    let cases =
        (positive_semidefinite(1..=4), 1..8_usize, numbers(4 * 7)).prop_map(|(a, positions, mut f)| {
            f.truncate(positions * a.side);
            (f, a)
        });
    Cases::default().run(&cases, |(f, a)| {
        let (gradient, shape) = (gram_gradient(f, a.side, &a.data), [f.len() / a.side, a.side]);
        let value = |f: &[f64]| loss(f, a.side, &a.data);
        check_claim(&value, f, &gradient, &Checks::default())
            .map(|_| ())
            .map_err(|failure| failure.of_operation("gram_gradient", &shape))
    })
}
