//! A matrix that borrows its numbers.

use std::ops::Range;

use crate::TensorError;
use crate::element::Strided;

/// A matrix over a slice: row-major, or the transpose of one.
///
/// The element at (row, column) is `data[row * row_stride + column * column_stride]`, and every one of them is there:
/// [`Self::new`] checks the length, the other constructors only rearrange or narrow what is there.
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

    /// The matrix of as many rows of `columns` elements as are in `data`.
    ///
    /// # Panics
    /// If these are not whole rows.
    pub(crate) fn of_rows(data: &'a [T], columns: usize) -> Self {
        let rows = data.len() / columns;
        assert_eq!(data.len(), rows * columns, "whole rows");
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
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

    /// Some of the rows, without a copy; it panics if they are not all there.
    pub(crate) fn row_range(self, rows: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows of {}", self.rows);
        // Without columns there may be no data where a row would start.
        let start = (rows.start * self.row_stride).min(self.data.len());
        Self { data: &self.data[start..], rows: rows.len(), ..self }
    }

    /// Where the elements are: all of them are valid for reads.
    pub(crate) fn strided(self) -> Strided<*const T> {
        Strided {
            start: self.data.as_ptr(),
            strides: [self.row_stride as isize, self.column_stride as isize],
        }
    }
}
