//! Manual reverse-mode differentiation of a VGG chain, and the losses of Gatys, Ecker and Bethge (2015).
//!
//! # The losses
//! Layer l has N filters at M positions; F is its response after the ReLU, P the photo's, and A the painting's Gram matrix:
//!
//! ```text
//! L_content = 1/2 sum_ij (F_ij - P_ij)^2                      dL/dF = F - P                      where F > 0, else 0
//! E_l       = 1/(4 N^2 M^2) sum_ij (G_ij - A_ij)^2            dE/dF = 1/(N^2 M^2) F (G - A)      where F > 0, else 0
//! L         = alpha L_content + beta sum_l w_l E_l            G = F^T F
//! ```
//!
//! "Where F > 0" is the derivative of the ReLU. It is applied once, by the ReLU's own backward pass
//! ([`ops::relu::backward`]), and a test holds the result to this table.
//!
//! # Backwards
//! The network is a chain, Z = K * I + b, F = max(0, Z), now and then a pooling, and the weights are frozen. So reverse mode
//! needs no tape: from the last layer to the first, one gradient G_F = dL/dF is carried along.
//!
//! ```text
//! at a layer with a loss     G_F := G_F + the loss's dL/dF
//! through the ReLU           G_Z := G_F where F > 0, else 0
//! through the convolution    G_I := K' * G_Z                K' = K rotated by 180 degrees, its channels swapped
//! through the first, which   G_I := P' (K' * G_Z)           P' adds what was read of a reflected or replicated
//! reads P I, a border around I                              pixel to that pixel
//! through a pooling          G_I := G_O / 4 to each of the window, or G_O to the largest
//! ```
//!
//! What reaches the picture is dL/dx. Below: the gradient of E_l, from its equation and by central differences.
//!
//! ```
//! use impasto_autodiff::check::{Direction, Ladder, Verdict, check_gradient};
//! use impasto_autodiff::losses::gram;
//! use impasto_tensor::{Shape, Tensor};
//!
//! let shape = Shape::new(3, 4, 2); // M = 12 positions, N = 2 filters
//! let response = |frequency: f64| {
//!     Tensor::from_vec(shape, (0..shape.len()).map(|i| (i as f64 * frequency).sin()).collect())
//! };
//! let (f, a) = (response(0.7)?, gram::gram(&response(1.3)?)?);
//! let mut gradient = vec![0.0; shape.len()];
//! gram::add_gradient(&f, &gram::gram(&f)?, &a, 1.0, &mut gradient)?;
//!
//! let e_l = |x: &[f64]| {
//!     let gram = Tensor::from_vec(shape, x.to_vec()).and_then(|f| gram::gram(&f));
//!     gram.map_or(f64::NAN, |gram| gram::loss(&gram, &a))
//! };
//! let probes = check_gradient(&e_l, f.data(), &gradient, &[Direction::Random(1)], &Ladder::for_scale(1.0));
//! assert_eq!(probes[0].verdict(1e-7), Verdict::Pass);
//! # Ok::<(), impasto_tensor::TensorError>(())
//! ```
//!
//! # Modules
//! | what | where |
//! |---|---|
//! | one file per operation: the equation, forward beside backward | [`ops`] |
//! | one file per loss: the equation, what it needs, value, gradient | [`losses`] |
//! | where a loss acts; how a mask reaches a layer | [`Guide`], [`Reach`] |
//! | the network as data; L as a list of terms | [`Chain`], [`Term`] |
//! | the whole network, operation by operation, in `f32` or `f64` | [`mod@reference`] |
//! | any function's gradient against central differences in `f64` | [`check`] |
//! | the same losses and gradient in `f32`, planned for speed and memory | [`Evaluator`], in `engine/` |
#![forbid(unsafe_code)]

mod cancel;
mod chain;
pub mod check;
mod engine;
mod error;
mod guide;
pub mod losses;
pub mod ops;
mod reach;
pub mod reference;
mod terms;

pub use cancel::Cancel;
pub use chain::{Chain, ConvLayer, Layer, Pooling};
pub use engine::{
    ConvMode, Cuts, Evaluator, EvaluatorOptions, Kernels, LayerPlan, Plan, PlanBytes, PreparedChain, Work,
};
pub use error::AutodiffError;
pub use guide::{Coverage, Guide};
pub use impasto_tensor::Border;
pub use losses::{GramMatrix, Loss, LossKind, Moments};
pub use ops::preprocessing::Preprocessing;
pub use reach::Reach;
pub use terms::{GroupSum, Losses, Tap, Term, Weight, group_sums};
