//! Maximum pooling, backward: what must hold.

use impasto_proptest::strategies::apart;
use impasto_proptest::{Cases, Checks, Operation, Refuted, check_operation, check_twin};
use proptest::prelude::*;

type Backward<'a> = &'a dyn Fn(&[f64], (usize, usize), &[f64]) -> Vec<f64>;

/// Maximum pooling, with the learner's backward pass.
struct MaxPooling<'a>(Backward<'a>, (usize, usize));

impl Operation for MaxPooling<'_> {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        let (height, width) = self.1;
        let window = |index: usize| {
            let first = 2 * (index / (width / 2)) * width + 2 * (index % (width / 2));
            x[first].max(x[first + 1]).max(x[first + width]).max(x[first + width + 1])
        };
        (0..(height / 2) * (width / 2)).map(window).collect()
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        (self.0)(x, self.1, gradient)
    }
    fn shape(&self) -> Vec<usize> {
        vec![self.1.0, self.1.1]
    }
    fn name(&self) -> String {
        "max_pooling_backward".to_owned()
    }
}

/// Where no two numbers are equal it is what differences are; where all are, the first has everything.
///
/// # Errors
/// [`Refuted`] with the row and column that are wrong.
pub fn check(
    max_pooling_backward: impl Fn(&[f64], (usize, usize), &[f64]) -> Vec<f64>,
) -> Result<(), Refuted> {
    let cases = (2..8_usize, 2..8_usize).prop_flat_map(|(h, w)| (Just((h, w)), apart(h * w)));
    Cases::default().run(&cases, |&(size, ref x)| {
        let (height, width) = size;
        check_operation(&MaxPooling(&max_pooling_backward, size), x, &Checks::default())?;
        let is_first = |at: usize| {
            let (y, x) = (at / width, at % width);
            y % 2 == 0 && x % 2 == 0 && y + 1 < height && x + 1 < width
        };
        let expected: Vec<f64> = (0..x.len()).map(|at| f64::from(u8::from(is_first(at)))).collect();
        let ones = vec![1.0; (height / 2) * (width / 2)];
        check_twin(&max_pooling_backward(&vec![0.5; x.len()], size, &ones), &expected, 0.0).map_err(
            |failure| failure.of_operation("max_pooling_backward, of equal numbers", &[height, width]),
        )
    })
}
