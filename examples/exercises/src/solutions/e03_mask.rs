//! The mask of a ReLU: one way to write it.

/// dL/dZ from F and dL/dF.
pub fn mask(f: &[f64], gradient: &[f64]) -> Vec<f64> {
    f.iter().zip(gradient).map(|(&f, &g)| if f > 0.0 { g } else { 0.0 }).collect()
}
