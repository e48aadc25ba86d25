//! Square roots of symmetric matrices, fast: what [`crate::square_root`] computes, with half the multiplications.
//!
//! Every matrix of the steps is a function of A', so all are symmetric and commute, and a product of two is symmetric: it is computed above
//! its diagonal alone. So that rounding cannot make them drift apart, S is not made of Y and Z but of itself, and only one of these
//! is kept:
//!
//! ```text
//! S_0 = A',   S_k+1 = S_k (3 I - S_k)^2 / 4 = 9/4 S_k - 3/2 S_k^2 + 1/4 S_k^3
//! X_k+1 = X_k (3 I - S_k) / 2                    X_0 = A': Y;   X_0 = I: Z, with which tr Y = tr(A' Z)
//! ```
//!
//! Every number is one sum in a fixed order, so the bits do not depend on threads.

mod panels;
mod product;

use self::panels::Panels;
use self::product::{Job, Part};
use crate::plain::{RootTrace, diagonal_root, leads_somewhere};
use crate::reduce::dot;
use crate::simd::Isa;
use crate::{AlignedBuffer, NEWTON_SCHULZ_STEPS, TensorError};

/// The memory that square roots take, for one after the other: matrices in panels.
#[derive(Debug)]
pub struct SquareRoots {
    isa: Isa,
    /// The most rows and columns, in whole panels.
    most: usize,
    /// S, the outer factor.
    outer: AlignedBuffer,
    /// A', and what is made of it.
    start: AlignedBuffer,
    s: AlignedBuffer,
    /// S^2.
    square: AlignedBuffer,
    /// Y or Z.
    x: AlignedBuffer,
    p: AlignedBuffer,
    /// Products before they are added to what they change.
    products: [AlignedBuffer; 3],
}

/// What the steps are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// R(A): X is Y.
    Root,
    /// tr R(A) and its gradient: X is Z, and P is made too.
    Gradient,
}

impl SquareRoots {
    /// For matrices of up to `n` rows and columns.
    ///
    /// # Errors
    /// [`TensorError::OutOfMemory`] if the system has not that much.
    pub fn new(isa: Isa, n: usize) -> Result<Self, TensorError> {
        let most = n.next_multiple_of(isa.panel());
        let square = || AlignedBuffer::zeros(most * most);
        Ok(Self {
            isa,
            most,
            outer: square()?,
            start: square()?,
            s: square()?,
            square: square()?,
            x: square()?,
            p: square()?,
            products: [square()?, square()?, square()?],
        })
    }

    /// The bytes that [`Self::new`] takes.
    pub fn bytes(isa: Isa, n: usize) -> usize {
        let most = n.next_multiple_of(isa.panel());
        9 * most * most * size_of::<f32>()
    }

    /// R(A) of a symmetric N x N matrix: the twin of [`crate::square_root`].
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if there are not N x N numbers, or N is more than was said.
    pub fn square_root(&mut self, a: &[f32], n: usize) -> Result<Vec<f32>, TensorError> {
        let size = self.size(n, &[a])?;
        size.load(a, &mut self.start);
        if let Some(norm) = self.steps(size, Wanted::Root) {
            return Ok(size.row_major(&self.x, norm.sqrt() as f32));
        }
        let mut root = vec![0.0; n * n];
        for at in (0..n * n).step_by(n + 1) {
            root[at] = diagonal_root(f64::from(a[at])) as f32;
        }
        Ok(root)
    }

    /// tr R(S A S) of symmetric N x N matrices, and its gradient with respect to A: the twin of [`crate::root_trace`].
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if they have not N x N numbers, or N is more than was said.
    pub fn root_trace(&mut self, s: &[f32], a: &[f32], n: usize) -> Result<RootTrace, TensorError> {
        let size = self.size(n, &[s, a])?;
        size.load(s, &mut self.outer);
        size.load(a, &mut self.start);
        self.surround(size);
        let diagonal: Vec<f64> = size.diagonal().map(|at| f64::from(self.start[at])).collect();
        let trace = if let Some(norm) = self.steps(size, Wanted::Gradient) {
            self.gradient(size, norm)
        } else {
            self.diagonal_gradient(size, &diagonal)
        };
        self.surround(size);
        Ok(RootTrace { trace, gradient: size.row_major(&self.start, 1.0) })
    }

    /// N x N, if that is what was given.
    fn size(&self, n: usize, given: &[&[f32]]) -> Result<Panels, TensorError> {
        let padded = n.next_multiple_of(self.isa.panel());
        if padded <= self.most && given.iter().all(|numbers| numbers.len() == n * n) {
            return Ok(Panels { isa: self.isa, n, padded });
        }
        let expected = format!("{n} x {n} numbers, no more than {0} x {0}", self.most);
        let got = format!("{:?} numbers", given.iter().map(|numbers| numbers.len()).collect::<Vec<_>>());
        Err(TensorError::Mismatch { operation: "square root", expected, got })
    }

    /// `start` := S `start` S.
    fn surround(&mut self, size: Panels) {
        let [product, half, _] = &mut self.products;
        size.multiply(Part::Whole, &mut [Job { left: &self.start, right: &self.outer, product }]);
        size.multiply(Part::Upper, &mut [Job { left: &self.outer, right: product, product: half }]);
        size.mirror(half, 0.0, 1.0, &mut self.start);
    }

    /// Divides `start` by its norm, and makes what is wanted of it by the steps; returns the norm, none where they lead nowhere.
    fn steps(&mut self, size: Panels, wanted: Wanted) -> Option<f64> {
        let len = size.len();
        let norm = dot(&self.start[..len], &self.start[..len]).sqrt();
        if !leads_somewhere(norm, 0.0, size.n) {
            return None;
        }
        let scale = (1.0 / norm) as f32;
        self.start[..len].iter_mut().for_each(|a| *a *= scale);
        self.s[..len].copy_from_slice(&self.start[..len]);
        for step in 0..NEWTON_SCHULZ_STEPS - 1 {
            self.change(size, wanted, step == 0);
            self.next_s(size);
        }
        self.change(size, wanted, false);
        leads_somewhere(norm, dot(&self.s[..len], &self.s[..len]), size.n).then_some(norm)
    }

    /// A step of X and P, and the product for S^2. In the first one they are A' or I.
    fn change(&mut self, size: Panels, wanted: Wanted, is_first: bool) {
        let Self { start, s, x, p, products, .. } = self;
        let [ss, xs, ps] = products;
        let mut jobs = [
            Job { left: s, right: s, product: &mut *ss },
            Job { left: x, right: s, product: &mut *xs },
            Job { left: p, right: s, product: &mut *ps },
        ];
        let count = match wanted {
            _ if is_first => 1,
            Wanted::Root => 2,
            Wanted::Gradient => 3,
        };
        size.multiply(Part::Upper, &mut jobs[..count]);
        match wanted {
            Wanted::Root if is_first => {
                x[..size.len()].copy_from_slice(&start[..size.len()]);
                size.mirror(ss, 1.5, -0.5, x);
            }
            Wanted::Gradient if is_first => {
                size.identity_less(start, 1.5, 0.5, x);
                size.identity_less(start, 1.5, 1.5, p);
            }
            Wanted::Root => size.mirror(xs, 1.5, -0.5, x),
            Wanted::Gradient => {
                size.mirror(xs, 1.5, -0.5, x);
                size.mirror(ps, 1.5, -1.5, p);
            }
        }
    }

    /// The next S, after [`Self::change`].
    fn next_s(&mut self, size: Panels) {
        let Self { s, square, products: [ss, cube, _], .. } = self;
        size.mirror(ss, 0.0, 1.0, square);
        size.multiply(Part::Upper, &mut [Job { left: s, right: square, product: &mut *cube }]);
        size.mirror(cube, 2.25, 0.25, s);
        s[..size.len()].iter_mut().zip(square.iter()).for_each(|(s, &square)| *s -= 1.5 * square);
    }

    /// tr R(A) of the steps; `start` becomes its gradient.
    fn gradient(&mut self, size: Panels, norm: f64) -> f64 {
        let Self { start, x, p, .. } = self;
        let len = size.len();
        let trace = dot(&x[..len], &start[..len]);
        let of_norm = dot(&p[..len], &start[..len]) as f32;
        let scale = (0.5 / norm.sqrt()) as f32;
        for ((a, &z), &p) in start[..len].iter_mut().zip(x.iter()).zip(p.iter()) {
            *a = scale * (z + p - of_norm * *a);
        }
        norm.sqrt() * trace
    }

    /// tr R(A) where R is the root of the diagonal; `start` becomes its gradient.
    fn diagonal_gradient(&mut self, size: Panels, diagonal: &[f64]) -> f64 {
        self.start[..size.len()].fill(0.0);
        let mut trace = 0.0;
        for (at, &a) in size.diagonal().zip(diagonal) {
            let root = diagonal_root(a);
            trace += root;
            self.start[at] = if root > 0.0 { (0.5 / root) as f32 } else { 0.0 };
        }
        trace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_that_new_takes() {
        for isa in Isa::available() {
            let roots = SquareRoots::new(isa, 48).expect("memory for the roots");
            let SquareRoots { outer, start, s, square, x, p, products: [first, second, third], .. } = &roots;
            let taken = [outer, start, s, square, x, p, first, second, third].map(|m| size_of_val(&m[..]));
            assert_eq!(SquareRoots::bytes(isa, 48), taken.iter().sum::<usize>());
        }
    }
}
