//! Matrices that are not below 0.

use std::ops::RangeInclusive;

use proptest::prelude::*;

use super::numbers;

/// The most rows that X has.
const ROWS: usize = 6;

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
    // X is drawn at its largest, and cut: other sides then need no other numbers, and shrinking is short.
    let largest = sides.end() * ROWS;
    (sides, 1..=ROWS, numbers(largest)).prop_map(|(side, rows, x)| {
        let entry = |at: usize| {
            let (i, j) = (at / side, at % side);
            x.chunks_exact(side).take(rows).map(|row| row[i] * row[j]).sum::<f64>() / rows as f64
        };
        SquareMatrix { side, data: (0..side * side).map(entry).collect() }
    })
}
