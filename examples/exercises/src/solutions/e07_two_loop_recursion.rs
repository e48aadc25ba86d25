//! The two-loop recursion of L-BFGS: one way to write it.

/// The direction d from g and the pairs (s, y), oldest first.
pub fn two_loop_recursion(g: &[f64], pairs: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let add = |q: &mut [f64], factor: f64, v: &[f64]| q.iter_mut().zip(v).for_each(|(q, v)| *q += factor * v);
    let mut q = g.to_vec();
    let mut a = Vec::new();
    for (s, y) in pairs.iter().rev() {
        let part = dot(s, &q) / dot(s, y);
        add(&mut q, -part, y);
        a.push(part);
    }
    if let Some((s, y)) = pairs.last() {
        let gamma = dot(s, y) / dot(y, y);
        q.iter_mut().for_each(|q| *q *= gamma);
    }
    for ((s, y), a) in pairs.iter().zip(a.into_iter().rev()) {
        let b = dot(y, &q) / dot(s, y);
        add(&mut q, a - b, s);
    }
    q.into_iter().map(|q| -q).collect()
}
