//! Maximum pooling, backward: one way to write it.

/// dL/dI of I, H x W row by row, and dL/dO, floor(H/2) x floor(W/2).
pub fn max_pooling_backward(input: &[f64], (height, width): (usize, usize), gradient: &[f64]) -> Vec<f64> {
    let mut back = vec![0.0; height * width];
    for (index, g) in gradient.iter().enumerate() {
        let (y, x) = (2 * (index / (width / 2)), 2 * (index % (width / 2)));
        let window = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(a, b)| (y + a) * width + x + b);
        let first = window.into_iter().reduce(|best, at| if input[at] > input[best] { at } else { best });
        back[first.expect("four numbers")] = *g;
    }
    back
}
