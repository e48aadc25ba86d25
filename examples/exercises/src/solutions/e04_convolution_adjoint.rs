//! The adjoint of a convolution: one way to write it.

/// dL/dI from K, the picture's height and width, and dL/dZ; both pictures row by row.
pub fn convolution_adjoint(kernel: &[f64; 9], (height, width): (usize, usize), gradient: &[f64]) -> Vec<f64> {
    let at = |y: usize, x: usize| if y < height && x < width { gradient[y * width + x] } else { 0.0 };
    let pixel = |index: usize| {
        let (y, x) = (index / width, index % width);
        // Below 0 wraps around to numbers that are outside as well.
        let tap = |t: usize| kernel[t] * at((y + 1).wrapping_sub(t / 3), (x + 1).wrapping_sub(t % 3));
        (0..9).map(tap).sum()
    };
    (0..height * width).map(pixel).collect()
}
