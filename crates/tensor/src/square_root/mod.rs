//! Square roots of symmetric matrices, fast: the steps of [`crate::square_root`] with half the multiplications.
//!
//! All factors of a step are symmetric and commute, so their products are symmetric, and each is computed above its diagonal alone. The
//! three products Y S, Z S and P S of a step are computed together. Every number is one sum in a fixed order, so the bits do not depend
//! on threads.

mod panels;
mod product;

use self::panels::Panels;
use self::product::{Job, Part};
use crate::plain::{RootTrace, diagonal_root, leads_somewhere};
use crate::reduce::dot;
use crate::simd::Isa;
use crate::{AlignedBuffer, NEWTON_SCHULZ_STEPS, TensorError};

/// The memory that square roots take, for one after the other: matrices in panels, see [`Panels`].
#[derive(Debug)]
pub struct SquareRoots {
    isa: Isa,
    /// The most rows and columns, in whole panels.
    most: usize,
    /// S, the outer factor.
    outer: AlignedBuffer,
    /// A', and what is made of it.
    start: AlignedBuffer,
    y: AlignedBuffer,
    z: AlignedBuffer,
    p: AlignedBuffer,
    s: AlignedBuffer,
    /// Products before they are added to what they change.
    products: [AlignedBuffer; 3],
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
            y: square()?,
            z: square()?,
            p: square()?,
            s: square()?,
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
        if let Some(norm) = self.steps(size, false) {
            return Ok(size.row_major(&self.y, norm.sqrt() as f32));
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
        let trace = if let Some(norm) = self.steps(size, true) {
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

    /// Divides `start` by its norm, and makes Y, Z and, if asked, P of it by the steps; returns the norm, none where they lead nowhere.
    fn steps(&mut self, size: Panels, with_p: bool) -> Option<f64> {
        let Self { start, y, z, p, s, products, .. } = self;
        let len = size.len();
        let norm = dot(&start[..len], &start[..len]).sqrt();
        if !leads_somewhere(norm, 0.0, size.n) {
            return None;
        }
        let scale = (1.0 / norm) as f32;
        start[..len].iter_mut().for_each(|a| *a *= scale);
        // The first step, whose S is A': without the products with I.
        let [ys, zs, ps] = products;
        size.multiply(Part::Upper, &mut [Job { left: start, right: start, product: ys }]);
        y[..len].copy_from_slice(&start[..len]);
        size.mirror(ys, 1.5, -0.5, y);
        size.identity_less(start, 1.5, 0.5, z);
        if with_p {
            size.identity_less(start, 1.5, 1.5, p);
        }
        let mut squares = 0.0;
        for step in 1..NEWTON_SCHULZ_STEPS {
            size.multiply(Part::Upper, &mut [Job { left: z, right: y, product: ys }]);
            size.mirror(ys, 0.0, 1.0, s);
            if step + 1 == NEWTON_SCHULZ_STEPS {
                squares = dot(&s[..len], &s[..len]);
            }
            let mut jobs = [
                Job { left: y, right: s, product: &mut *ys },
                Job { left: z, right: s, product: &mut *zs },
                Job { left: p, right: s, product: &mut *ps },
            ];
            size.multiply(Part::Upper, if with_p { &mut jobs } else { &mut jobs[..2] });
            size.mirror(ys, 1.5, -0.5, y);
            size.mirror(zs, 1.5, -0.5, z);
            if with_p {
                size.mirror(ps, 1.5, -1.5, p);
            }
        }
        leads_somewhere(norm, squares, size.n).then_some(norm)
    }

    /// tr R(A) of the steps; `start` becomes its gradient.
    fn gradient(&mut self, size: Panels, norm: f64) -> f64 {
        let Self { start, y, z, p, .. } = self;
        let len = size.len();
        let trace: f64 = size.diagonal().map(|at| f64::from(y[at])).sum();
        let of_norm = dot(&p[..len], &start[..len]) as f32;
        let scale = (0.5 / norm.sqrt()) as f32;
        for ((a, &z), &p) in start[..len].iter_mut().zip(z.iter()).zip(p.iter()) {
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
            let SquareRoots { outer, start, y, z, p, s, products: [first, second, third], .. } = &roots;
            let taken = [outer, start, y, z, p, s, first, second, third].map(|m| size_of_val(&m[..]));
            assert_eq!(SquareRoots::bytes(isa, 48), taken.iter().sum::<usize>());
        }
    }
}
