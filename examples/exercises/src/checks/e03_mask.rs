//! The mask of a ReLU: what must hold.

use impasto_proptest::strategies::off_zero;
use impasto_proptest::{Cases, Checks, Operation, Refuted, check_operation, check_twin};

/// The ReLU, with the learner's mask for its backward pass.
struct Relu<'a>(&'a dyn Fn(&[f64], &[f64]) -> Vec<f64>);

impl Operation for Relu<'_> {
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        x.iter().map(|x| x.max(0.0)).collect()
    }
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        (self.0)(&self.forward(x), gradient)
    }
    fn name(&self) -> String {
        "mask".to_owned()
    }
}

/// Away from 0 it is what differences of the ReLU are; at 0 itself it is 0.
///
/// # Errors
/// [`Refuted`] with the coordinate that is wrong.
pub fn check(mask: impl Fn(&[f64], &[f64]) -> Vec<f64>) -> Result<(), Refuted> {
    Cases::default().run(&off_zero(1..20), |z| {
        check_operation(&Relu(&mask), z, &Checks::default())?;
        let at_zero = mask(&vec![0.0; z.len()], z);
        check_twin(&at_zero, &vec![0.0; z.len()], 0.0)
            .map_err(|failure| failure.of_operation("mask, where every F is 0", &[]))
    })
}
