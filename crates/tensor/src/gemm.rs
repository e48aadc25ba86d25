//! General matrix product C := alpha A B + beta C: matrixmultiply's kernels, spread over threads.
//!
//! C is cut into blocks of [`ROWS`] rows, whatever the number of threads, and every block is one single-threaded
//! product. The sum over k of an element of C is taken within one such call, so its bits do not depend on threads.

use rayon::prelude::*;

use crate::{Element, TensorError};

/// Rows of C in one task.
const ROWS: usize = 64;

/// A matrix over a slice: row-major, or the transpose of one.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// The `rows` x `columns` matrix whose rows lie one after the other in `data`.
    ///
    /// # Errors
    /// [`TensorError::Mismatch`] if `data` has another length.
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Result<Self, TensorError> {
        if rows.checked_mul(columns) != Some(data.len()) {
            return Err(TensorError::Mismatch {
                operation: "matrix",
                expected: format!("{rows} x {columns} elements"),
                got: format!("{}", data.len()),
            });
        }
        Ok(Self { data, rows, columns, row_stride: columns, column_stride: 1 })
    }

    /// The number of rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// The element at (row, column).
    ///
    /// # Panics
    /// If it is not there.
    pub fn get(&self, row: usize, column: usize) -> T
    where
        T: Copy,
    {
        assert!(row < self.rows && column < self.columns, "an element of {} x {}", self.rows, self.columns);
        self.data[row * self.row_stride + column * self.column_stride]
    }

    /// The transpose, without a copy.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

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
    if a.columns != b.rows || a.rows.checked_mul(b.columns) != Some(c.len()) {
        return Err(TensorError::Mismatch {
            operation: "gemm",
            expected: format!("m x k times k x n into m n elements, with m x k = {} x {}", a.rows, a.columns),
            got: format!("k x n = {} x {} and {} elements", b.rows, b.columns, c.len()),
        });
    }
    if c.is_empty() {
        return Ok(());
    }
    c.par_chunks_mut(ROWS * b.columns).enumerate().for_each(|(block, c)| {
        let first = block * ROWS;
        let rows = c.len() / b.columns;
        let a_rows = &a.data[(first * a.row_stride).min(a.data.len())..];
        // SAFETY: `a_rows` starts at row `first` of A, and the `rows` rows from there exist, because C has them; a
        // matrix's strides stay within its data by construction (`new` checked the length, `transposed` swaps both
        // sizes and strides). B is read whole. `c` is this task's own block of `rows` x `b.columns` distinct elements.
        unsafe {
            T::matrixmultiply(
                rows,
                a.columns,
                b.columns,
                alpha,
                a_rows.as_ptr(),
                (a.row_stride as isize, a.column_stride as isize),
                b.data.as_ptr(),
                (b.row_stride as isize, b.column_stride as isize),
                beta,
                c.as_mut_ptr(),
                (b.columns as isize, 1),
            );
        }
    });
    Ok(())
}
