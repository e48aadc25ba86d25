//! The transforms against matrices derived from the points.

use super::{F4, F6, MAX_SIDE, Transform};
use crate::GRANULE;
use crate::simd::{Isa, Kernel, Simd};

/// Cook-Toom: (A^T, G, B^T) of F(m, 3) for finite `points`, with infinity as the last one.
#[allow(clippy::type_complexity)]
fn cook_toom(m: usize, points: &[f64]) -> (Vec<Vec<f64>>, Vec<[f64; 3]>, Vec<Vec<f64>>) {
    let n = points.len() + 1;
    assert_eq!(n, m + 2);
    let a = (0..m)
        .map(|power| {
            let mut row: Vec<f64> = points.iter().map(|x| x.powi(power as i32)).collect();
            row.push(f64::from(u8::from(power == m - 1)));
            row
        })
        .collect();
    let others = |i: usize| points.iter().enumerate().filter(move |(j, _)| *j != i).map(|(_, x)| *x);
    let mut g: Vec<[f64; 3]> = Vec::new();
    let mut b: Vec<Vec<f64>> = Vec::new();
    for (i, x) in points.iter().enumerate() {
        let scale: f64 = others(i).map(|other| x - other).product();
        g.push([1.0 / scale, x / scale, x * x / scale]);
        b.push(product_of_roots(others(i), n));
    }
    g.push([0.0, 0.0, 1.0]);
    b.push(product_of_roots(points.iter().copied(), n));
    (a, g, b)
}

/// The coefficients of prod (t - root), lowest power first, in `n` numbers.
fn product_of_roots(roots: impl Iterator<Item = f64>, n: usize) -> Vec<f64> {
    let mut coefficients = vec![0.0; n];
    coefficients[0] = 1.0;
    for root in roots {
        for power in (0..n).rev() {
            let lower = if power > 0 { coefficients[power - 1] } else { 0.0 };
            coefficients[power] = lower - root * coefficients[power];
        }
    }
    coefficients
}

/// Column `basis` of a transform's matrix.
struct Column<F> {
    basis: usize,
    output: bool,
    transform: std::marker::PhantomData<F>,
}

impl<F: Transform> Kernel for Column<F> {
    type Output = [f32; MAX_SIDE];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [f32; MAX_SIDE] {
        let unit = std::array::from_fn(|i| simd.splat(if i == self.basis { 1.0 } else { 0.0 }));
        let column = if self.output { F::output(simd, unit) } else { F::input(simd, unit) };
        column.map(|v| {
            let mut lanes = [0.0; GRANULE];
            simd.write(&mut lanes, v);
            lanes[0]
        })
    }
}

fn check<F: Transform>(points: &[f64]) {
    let (a, g, b) = cook_toom(F::OUTPUT, points);
    for isa in Isa::available() {
        let column =
            |basis, output| isa.dispatch(Column { basis, output, transform: std::marker::PhantomData::<F> });
        // A row of B^T may be scaled by what its row of G is divided by: the scale that our G has against Cook-Toom's.
        let scales: Vec<f64> = (0..F::PATCH)
            .map(|i| {
                let k = (0..3).max_by(|&k, &l| g[i][k].abs().total_cmp(&g[i][l].abs())).unwrap();
                F::KERNEL[i][k] / g[i][k]
            })
            .collect();
        for basis in 0..F::PATCH {
            let (ours, theirs) = (column(basis, false), column(basis, true));
            for i in 0..F::PATCH {
                assert!((f64::from(ours[i]) - b[i][basis] / scales[i]).abs() < 1e-6, "B^T[{i}][{basis}]");
            }
            for i in 0..F::OUTPUT {
                assert!((f64::from(theirs[i]) - a[i][basis]).abs() < 1e-6, "A^T[{i}][{basis}]");
            }
        }
        for i in 0..F::PATCH {
            for (ours, theirs) in F::KERNEL[i].iter().zip(g[i]) {
                assert!((ours - theirs * scales[i]).abs() < 1e-12, "G[{i}]");
            }
        }
    }
}

#[test]
fn f4_matrices_are_cook_toom_at_its_points() {
    check::<F4>(&[0.0, 1.0, -1.0, 2.0, -2.0]);
}

#[test]
fn f6_matrices_are_cook_toom_at_its_points() {
    check::<F6>(&[0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5]);
}
