//! Total variation: one way to write it.

/// dTV/dx of x, H x W row by row.
pub fn total_variation_gradient(x: &[f64], (height, width): (usize, usize)) -> Vec<f64> {
    let mut gradient = vec![0.0; x.len()];
    let mut pair = |p: usize, q: usize| {
        gradient[p] += x[p] - x[q];
        gradient[q] += x[q] - x[p];
    };
    for at in 0..height * width {
        if at % width + 1 < width {
            pair(at, at + 1);
        }
        if at / width + 1 < height {
            pair(at, at + width);
        }
    }
    gradient
}
