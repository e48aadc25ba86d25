//! L-BFGS on the problems that optimisers are tried on.

mod derivatives;
mod minima;
mod problems;
