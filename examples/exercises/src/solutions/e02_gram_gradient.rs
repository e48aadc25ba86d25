//! The gradient of the style loss: one way to write it.

/// dE/dF of F, M x N row by row, and A, N x N.
pub fn gram_gradient(f: &[f64], filters: usize, a: &[f64]) -> Vec<f64> {
    let positions = f.len() / filters;
    let gram = |i: usize, j: usize| f.chunks_exact(filters).map(|row| row[i] * row[j]).sum::<f64>();
    let difference = |at: usize| gram(at / filters, at % filters) - a[at];
    let difference: Vec<f64> = (0..filters * filters).map(difference).collect();
    let scale = 1.0 / ((filters * positions) as f64).powi(2);
    let entry = |at: usize| {
        let (row, i) = (&f[at / filters * filters..][..filters], at % filters);
        scale * row.iter().zip(difference.chunks_exact(filters)).map(|(f, d)| f * d[i]).sum::<f64>()
    };
    (0..f.len()).map(entry).collect()
}
