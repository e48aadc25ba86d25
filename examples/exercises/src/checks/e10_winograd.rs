//! Winograd's F(2,3) by hand: what must hold.

use impasto_proptest::strategies::numbers;
use impasto_proptest::{Cases, Refuted, check_twin};

use crate::counted::Counted;

/// For any d and g the outputs are the sums, and no more than four multiplications are done.
///
/// # Errors
/// [`Refuted`] with the output that is wrong, or with the number of multiplications in the place of a third.
pub fn check(winograd: impl Fn([Counted; 4], [Counted; 3]) -> [Counted; 2]) -> Result<(), Refuted> {
    Cases::default().run(&numbers(7), |x| {
        let counted = |at: usize| Counted::from(x[at]);
        let before = Counted::multiplications();
        let z = winograd([0, 1, 2, 3].map(counted), [4, 5, 6].map(counted));
        let count = Counted::multiplications() - before;
        let sum = |first: usize| (0..3).map(|tap| x[first + tap] * x[4 + tap]).sum::<f64>();
        check_twin(&z.map(Counted::value), &[sum(0), sum(1)], 1e-9)
            .or_else(|failure| if z_is_near(&z, [sum(0), sum(1)]) { Ok(()) } else { Err(failure) })
            .map_err(|failure| failure.of_operation("winograd", &[]))?;
        check_twin(&[count.max(4) as f64], &[4.0], 0.0)
            .map_err(|failure| failure.of_operation("winograd, number of multiplications", &[]))
    })
}

/// Both outputs can be 0 but for rounding, and nothing is a part of 0.
fn z_is_near(z: &[Counted; 2], sums: [f64; 2]) -> bool {
    z.iter().zip(sums).all(|(z, sum)| (z.value() - sum).abs() < 1e-14)
}
