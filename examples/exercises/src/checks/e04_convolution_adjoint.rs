//! The adjoint of a convolution: what must hold.

use impasto_proptest::strategies::{kernels, numbers};
use impasto_proptest::{Cases, Refuted, check_adjoint};
use proptest::prelude::*;

/// K * I.
fn convolution(kernel: &[f64; 9], (height, width): (usize, usize), picture: &[f64]) -> Vec<f64> {
    let mut z = vec![0.0; height * width];
    for (index, z) in z.iter_mut().enumerate() {
        for (tap, k) in kernel.iter().enumerate() {
            let (y, x) = (index / width + tap / 3, index % width + tap % 3);
            if (1..=height).contains(&y) && (1..=width).contains(&x) {
                *z += k * picture[(y - 1) * width + x - 1];
            }
        }
    }
    z
}

/// For any K, I and Y the two products are the same.
///
/// # Errors
/// [`Refuted`] with the row and column that are wrong.
pub fn check(
    convolution_adjoint: impl Fn(&[f64; 9], (usize, usize), &[f64]) -> Vec<f64>,
) -> Result<(), Refuted> {
    let pictures = |(h, w): (usize, usize)| (Just((h, w)), kernels(3, 1, 1), numbers(h * w), numbers(h * w));
    let cases = (1..7_usize, 1..7_usize).prop_flat_map(pictures);
    Cases::default().run(&cases, |(size, kernel, picture, y)| {
        let kernel: &[f64; 9] = kernel.as_slice().try_into().expect("nine numbers");
        let forward = |picture: &[f64]| convolution(kernel, *size, picture);
        let backward = |y: &[f64]| convolution_adjoint(kernel, *size, y);
        check_adjoint(forward, backward, picture, y, 1e-12)
            .map_err(|failure| failure.of_operation("convolution_adjoint", &[size.0, size.1]))
    })
}
