//! General matrix product C := alpha A B + beta C: matrixmultiply's kernels, spread over threads.
//!
//! C is cut into blocks of [`ROWS`] rows, whatever the number of threads, and every block is one single-threaded
//! product. The sum over k of an element of C is taken within one such call, so its bits do not depend on threads.

use rayon::prelude::*;

use crate::element::Strided;
use crate::{Element, Matrix, TensorError};

/// Rows of C in one task.
const ROWS: usize = 64;

/// C := alpha A B + beta C, with A m x k, B k x n and C m x n row-major. With `beta` = 0 the old C is not read.
///
/// # Errors
/// [`TensorError::Mismatch`] if the sizes do not fit together.
pub fn gemm<T: Element>(
    alpha: T,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    beta: T,
    c: &mut [T],
) -> Result<(), TensorError> {
    if a.columns() != b.rows() || a.rows().checked_mul(b.columns()) != Some(c.len()) {
        return Err(TensorError::Mismatch {
            operation: "gemm",
            expected: format!(
                "m x k times k x n into m n elements, with m x k = {} x {}",
                a.rows(),
                a.columns()
            ),
            got: format!("k x n = {} x {} and {} elements", b.rows(), b.columns(), c.len()),
        });
    }
    if c.is_empty() {
        return Ok(());
    }
    c.par_chunks_mut(ROWS * b.columns()).enumerate().for_each(|(block, c)| {
        let first = block * ROWS;
        multiply(alpha, a.row_range(first..first + c.len() / b.columns()), b, beta, c);
    });
    Ok(())
}

/// As [`gemm`], on the calling thread.
///
/// # Panics
/// If the sizes do not fit together.
pub(super) fn multiply<T: Element>(alpha: T, a: Matrix<'_, T>, b: Matrix<'_, T>, beta: T, c: &mut [T]) {
    assert!(
        a.columns() == b.rows() && a.rows() * b.columns() == c.len(),
        "m x k times k x n into m n elements"
    );
    // SAFETY: a matrix's sizes and strides stay within its data by construction (see `Matrix`), A and B are read as far
    // as their sizes say, and `c` is ours alone and has exactly m x n elements, as asserted.
    unsafe {
        T::matrixmultiply(
            [a.rows(), a.columns(), b.columns()],
            alpha,
            a.strided(),
            b.strided(),
            beta,
            Strided { start: c.as_mut_ptr(), strides: [b.columns() as isize, 1] },
        );
    }
}
