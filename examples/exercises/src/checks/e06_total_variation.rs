//! Total variation: what must hold.

use impasto_proptest::strategies::numbers;
use impasto_proptest::{Cases, Checks, Refuted, check_claim};
use proptest::prelude::*;

fn total_variation(x: &[f64], width: usize) -> f64 {
    let right = x.chunks_exact(width).flat_map(|row| row.windows(2)).map(|pair| (pair[0] - pair[1]).powi(2));
    let below = x.iter().zip(x.iter().skip(width)).map(|(p, q)| (p - q).powi(2));
    0.5 * (right.sum::<f64>() + below.sum::<f64>())
}

/// In any picture the gradient is what differences are.
///
/// # Errors
/// [`Refuted`] with the row and column that are wrong.
pub fn check(total_variation_gradient: impl Fn(&[f64], (usize, usize)) -> Vec<f64>) -> Result<(), Refuted> {
    let cases = (1..8_usize, 1..8_usize).prop_flat_map(|(h, w)| (Just((h, w)), numbers(h * w)));
    Cases::default().run(&cases, |&(size, ref x)| {
        let gradient = total_variation_gradient(x, size);
        check_claim(&|x| total_variation(x, size.1), x, &gradient, &Checks::default())
            .map(|_| ())
            .map_err(|failure| failure.of_operation("total_variation_gradient", &[size.0, size.1]))
    })
}
