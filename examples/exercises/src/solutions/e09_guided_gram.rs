//! A guided Gram matrix: one way to write it.

/// G, N x N row by row, of F, M x N row by row, and t, M numbers that are not all 0.
pub fn guided_gram(f: &[f64], filters: usize, t: &[f64]) -> Vec<f64> {
    let total: f64 = t.iter().sum();
    let rows = || f.chunks_exact(filters).zip(t);
    let entry =
        |at: usize| rows().map(|(row, t)| t * row[at / filters] * row[at % filters]).sum::<f64>() / total;
    (0..filters * filters).map(entry).collect()
}
