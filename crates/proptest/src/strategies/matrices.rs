//! Matrices that are not below 0.

use std::ops::RangeInclusive;

use proptest::prelude::*;

use super::numbers;

/// A square matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct SquareMatrix {
    /// n, its side.
    pub side: usize,
    /// n x n numbers, row by row.
    pub data: Vec<f64>,
}

/// Positive semidefinite matrices X' X / rows of sides in `sides`, exactly symmetric: of full rank, of a lower one, and 0. Shrinks to a
/// matrix of zeros.
pub fn positive_semidefinite(sides: RangeInclusive<usize>) -> impl Strategy<Value = SquareMatrix> {
    (sides, 1..=6_usize).prop_flat_map(|(side, rows)| {
        numbers(side * rows).prop_map(move |x| {
            let entry = |at: usize| {
                let (i, j) = (at / side, at % side);
                x.chunks_exact(side).map(|row| row[i] * row[j]).sum::<f64>() / rows as f64
            };
            SquareMatrix { side, data: (0..side * side).map(entry).collect() }
        })
    })
}
