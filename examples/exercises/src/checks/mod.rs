//! The property that each must have. They take the function, so that the exercise and its solution are held to the same.

pub mod e01_content_gradient;
pub mod e02_gram_gradient;
pub mod e03_mask;
pub mod e04_convolution_adjoint;
pub mod e05_max_pooling;
pub mod e06_total_variation;
pub mod e07_two_loop_recursion;
pub mod e08_wolfe;
pub mod e09_guided_gram;
pub mod e10_winograd;
