//! The gradient of the content loss: what must hold.

use impasto_proptest::strategies::numbers;
use impasto_proptest::{Cases, Checks, Refuted, check_claim};
use proptest::prelude::*;

fn loss(f: &[f64], p: &[f64]) -> f64 {
    f.iter().zip(p).map(|(f, p)| 0.5 * (f - p).powi(2)).sum()
}

/// At any F and P the gradient is what differences of the loss are.
///
/// # Errors
/// [`Refuted`] with the coordinate that is wrong.
pub fn check(content_gradient: impl Fn(&[f64], &[f64]) -> Vec<f64>) -> Result<(), Refuted> {
    let responses = (1..20_usize).prop_flat_map(|len| (numbers(len), numbers(len)));
    Cases::default().run(&responses, |(f, p)| {
        check_claim(&|f| loss(f, p), f, &content_gradient(f, p), &Checks::default())
            .map(|_| ())
            .map_err(|failure| failure.of_operation("content_gradient", &[]))
    })
}
