//! The gradient of the content loss: one way to write it.

/// dL/dF.
pub fn content_gradient(f: &[f64], p: &[f64]) -> Vec<f64> {
    f.iter().zip(p).map(|(f, p)| f - p).collect()
}
