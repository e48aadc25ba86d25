//! Winograd's minimal filtering F(m x m, 3 x 3): the transforms, for m = 4 and m = 6.
//!
//! An m x m block of outputs of a 3x3 convolution depends on an (m+2) x (m+2) patch d of the input. With three
//! constant matrices it is
//!
//! ```text
//! Y = A^T [ (G g G^T) . (B^T d B) ] A            ( . element by element; g the 3x3 kernel)
//! ```
//!
//! so that for each of the (m+2)^2 elements (called xi) the sum over input channels is a matrix product over all
//! blocks: (m+2)^2 multiplications make m^2 outputs, instead of 9 m^2. That is 4 times fewer for m = 4, 5.06 times
//! for m = 6.
//!
//! The matrices come from Cook-Toom: a correlation with three taps is the transpose of a product of polynomials, and
//! polynomials of degree below m + 2 may be multiplied by their values at m + 2 points:
//!
//! ```text
//! m = 4:   0, 1, -1, 2, -2, infinity
//! m = 6:   0, 1, -1, 2, -2, 1/2, -1/2, infinity
//! ```
//!
//! A row of A^T holds the powers of the points, a row of G the values 1, x, x^2 of a kernel polynomial divided by
//! N_i = prod over j != i of (x_i - x_j), and B^T the coefficients of the Lagrange numerators. Any row of G may be scaled
//! against its row of B^T. Rounding errors grow with the size of the matrices' entries, hence small points and their
//! reciprocals: measured on VGG's layers about 3e-6 relative for m = 4 and 6e-6 for m = 6. `tests` derives the
//! matrices from the points and compares. (Lavin and Gray, 2016.)

mod f4;
mod f6;

pub(crate) use f4::F4;
pub(crate) use f6::F6;

use crate::simd::Simd;

/// The largest patch side.
pub(crate) const MAX_SIDE: usize = 8;

/// A block of vectors, [row][column]; only the first `OUTPUT` or `PATCH` of each are used.
pub(crate) type Block<V> = [[V; MAX_SIDE]; MAX_SIDE];

/// The one-dimensional transforms of F(m, 3), nested by the two-dimensional functions.
pub(crate) trait Transform: Copy + Send + Sync + 'static {
    /// m: the side of a block of outputs.
    const OUTPUT: usize;
    /// m + 2: the side of a patch of inputs.
    const PATCH: usize;
    /// (m + 2)^2: the elements xi of a transformed patch.
    const ELEMENTS: usize = Self::PATCH * Self::PATCH;
    /// G, (m + 2) x 3.
    const KERNEL: &'static [[f64; 3]];

    /// B^T d.
    fn input<S: Simd>(simd: S, d: [S::V; MAX_SIDE]) -> [S::V; MAX_SIDE];
    /// A^T t.
    fn output<S: Simd>(simd: S, t: [S::V; MAX_SIDE]) -> [S::V; MAX_SIDE];

    /// What each of the nine taps counts in element (i, j) of G g G^T: the outer product of rows i and j of G.
    fn kernel_element(i: usize, j: usize) -> [f64; 9] {
        std::array::from_fn(|tap| Self::KERNEL[i][tap / 3] * Self::KERNEL[j][tap % 3])
    }
}

/// Scratch of the two-dimensional transforms: made once a task, as clearing it would cost as much as they do.
pub(crate) struct TransformScratch<V> {
    half: Block<V>,
}

impl<V: Copy> TransformScratch<V> {
    #[inline(always)]
    pub(crate) fn new<S: Simd<V = V>>(simd: S) -> Self {
        Self { half: [[simd.splat(0.0); MAX_SIDE]; MAX_SIDE] }
    }

    /// Element xi = (i, j) of B^T d B goes to `out + (i * PATCH + j) * xi_stride`, for the `LANES` channels at `patch`.
    ///
    /// # Safety
    /// `patch` must be valid for reads of `LANES` numbers at `row * row_stride + column * column_stride` for all rows
    /// and columns below PATCH, `out` for such writes at `xi * xi_stride` for all xi below PATCH^2.
    #[inline(always)]
    pub(crate) unsafe fn input<S: Simd<V = V>, F: Transform>(
        &mut self,
        simd: S,
        patch: *const f32,
        [row_stride, column_stride]: [usize; 2],
        out: *mut f32,
        xi_stride: usize,
    ) {
        for column in 0..F::PATCH {
            let mut d = [simd.splat(0.0); MAX_SIDE];
            for (row, d) in d.iter_mut().enumerate().take(F::PATCH) {
                // SAFETY: (row, column) is in the patch.
                *d = unsafe { simd.load(patch.add(row * row_stride + column * column_stride)) };
            }
            let t = F::input(simd, d);
            for (half, &t) in self.half.iter_mut().zip(&t).take(F::PATCH) {
                half[column] = t;
            }
        }
        for (row, &d) in self.half.iter().enumerate().take(F::PATCH) {
            let t = F::input(simd, d);
            for (column, &v) in t.iter().enumerate().take(F::PATCH) {
                // SAFETY: xi = row * PATCH + column is below PATCH^2.
                unsafe { simd.store(out.add((row * F::PATCH + column) * xi_stride), v) };
            }
        }
    }

    /// A^T M, for the `LANES` channels whose element xi is at `products + xi * xi_stride`; [`Self::output_rows`] does the rest.
    ///
    /// # Safety
    /// `products` must be valid for reads of `LANES` numbers at `xi * xi_stride` for all xi below PATCH^2.
    #[inline(always)]
    pub(crate) unsafe fn output_columns<S: Simd<V = V>, F: Transform>(
        &mut self,
        simd: S,
        products: *const f32,
        xi_stride: usize,
    ) {
        for column in 0..F::PATCH {
            let mut t = [simd.splat(0.0); MAX_SIDE];
            for (row, t) in t.iter_mut().enumerate().take(F::PATCH) {
                // SAFETY: xi = row * PATCH + column is below PATCH^2.
                *t = unsafe { simd.load(products.add((row * F::PATCH + column) * xi_stride)) };
            }
            let y = F::output(simd, t);
            for (half, &y) in self.half.iter_mut().zip(&y).take(F::OUTPUT) {
                half[column] = y;
            }
        }
    }

    /// Rows `row` and `row + 1` of A^T M A.
    #[inline(always)]
    pub(crate) fn output_rows<S: Simd<V = V>, F: Transform>(
        &self,
        simd: S,
        row: usize,
    ) -> [[V; MAX_SIDE]; 2] {
        [F::output(simd, self.half[row]), F::output(simd, self.half[row + 1])]
    }
}

#[cfg(test)]
mod tests;
