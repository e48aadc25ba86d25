//! An operation of somebody else, and its test with `impasto-proptest`: `cargo test`.
//!
//! ```text
//! y = x / sqrt(1/n sum_i x_i^2 + e)        dL/dx_i = (dL/dy_i - y_i/n sum_j y_j dL/dy_j) / sqrt(1/n sum_i x_i^2 + e)
//! ```
#![forbid(unsafe_code)]

/// e: what keeps a row of zeros from being divided by 0.
const EPSILON: f64 = 1e-3;

/// sqrt(1/n sum_i x_i^2 + e).
fn root_mean_square(x: &[f64]) -> f64 {
    (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64 + EPSILON).sqrt()
}

/// y: a row of numbers, scaled to a mean square of 1.
pub fn normalise(x: &[f64]) -> Vec<f64> {
    let r = root_mean_square(x);
    x.iter().map(|x| x / r).collect()
}

/// dL/dx from x and dL/dy, of the same length.
pub fn normalise_gradient(x: &[f64], gradient: &[f64]) -> Vec<f64> {
    let (r, y) = (root_mean_square(x), normalise(x));
    let mean = y.iter().zip(gradient).map(|(y, g)| y * g).sum::<f64>() / x.len() as f64;
    y.iter().zip(gradient).map(|(y, g)| (g - y * mean) / r).collect()
}

#[cfg(test)]
mod tests {
    use impasto_proptest::{Operation, assert_operation, strategies::with_zeros};

    struct Normalise;

    impl Operation for Normalise {
        fn forward(&self, x: &[f64]) -> Vec<f64> {
            super::normalise(x)
        }
        fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
            super::normalise_gradient(x, gradient)
        }
    }

    #[test]
    fn normalise_has_the_gradient_that_differences_have() {
        assert_operation(&Normalise, with_zeros(1..30));
    }
}
