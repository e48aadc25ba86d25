//! 7. The two-loop recursion of L-BFGS.
//!
//! Each pair is a step s and the change y of the gradient along it, oldest first; s·y > 0. Without the matrix H, d = -H g:
//!
//! ```text
//! q := g
//! from the newest pair to the oldest:   a_i := s_i·q / s_i·y_i;   q := q - a_i y_i
//! q := (s·y / y·y) q                    of the newest pair
//! from the oldest pair to the newest:   b := y_i·q / s_i·y_i;     q := q + (a_i - b) s_i
//! d := -q
//! ```
//!
//! Without pairs d = -g.

/// The direction d from g and the pairs (s, y), oldest first.
///
/// Write this function.
pub fn two_loop_recursion(g: &[f64], pairs: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    vec![0.0; g.len()]
}
