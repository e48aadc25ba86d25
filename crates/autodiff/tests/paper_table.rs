//! The paper's two losses and their two gradients (section 2), written out element by element from the text, against
//! the code: loss, gradient and the mask where F = 0.

use crate::common::{of, shapes, tensor};
use impasto_autodiff::losses::{content, gram};
use impasto_autodiff::ops::relu;
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

/// A response F = max(0, Z): about half its elements are exactly 0.
fn responses(shapes: impl Strategy<Value = Shape>) -> impl Strategy<Value = Tensor<f64>> {
    tensor(shapes).prop_map(|mut z| {
        relu::forward(z.data_mut());
        z
    })
}

/// Two responses of one shape.
fn pairs() -> impl Strategy<Value = (Tensor<f64>, Tensor<f64>)> {
    shapes(1, 7).prop_flat_map(|shape| (responses(Just(shape)), responses(Just(shape))))
}

/// F_ij of the paper: filter i at position j.
fn at(f: &Tensor<f64>, i: usize, j: usize) -> f64 {
    f.data()[j * f.shape().channels + i]
}

/// G_ij = sum_k F_ik F_jk, not divided by anything.
fn paper_gram(f: &Tensor<f64>) -> Vec<Vec<f64>> {
    let Shape { channels, .. } = f.shape();
    let entry = |i, j| (0..f.shape().positions()).map(|k| at(f, i, k) * at(f, j, k)).sum();
    (0..channels).map(|i| (0..channels).map(|j| entry(i, j)).collect()).collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * (1.0 + a.abs())
}

/// What the code sends on to the convolution below: the loss's gradient, through the ReLU's backward pass.
fn through_relu(f: &Tensor<f64>, add: impl FnOnce(&mut [f64])) -> Tensor<f64> {
    let mut gradient = vec![0.0; f.shape().len()];
    add(&mut gradient);
    relu::backward(f.data(), &mut gradient);
    of(f.shape(), gradient)
}

proptest! {
    /// L_content = 1/2 sum_ij (F_ij - P_ij)^2.
    #[test]
    fn content_loss_is_the_papers((f, p) in pairs()) {
        let mut sum = 0.0;
        for i in 0..f.shape().channels {
            for j in 0..f.shape().positions() {
                sum += (at(&f, i, j) - at(&p, i, j)).powi(2);
            }
        }
        prop_assert!(close(0.5 * sum, content::loss(f.data(), p.data())));
    }

    /// dL_content/dF_ij = (F - P)_ij where F_ij > 0, else 0.
    #[test]
    fn content_gradient_is_the_papers_with_its_mask((f, p) in pairs()) {
        let got = through_relu(&f, |g| content::add_gradient(f.data(), p.data(), 1.0, g));
        for i in 0..f.shape().channels {
            for j in 0..f.shape().positions() {
                let paper = if at(&f, i, j) > 0.0 { at(&f, i, j) - at(&p, i, j) } else { 0.0 };
                prop_assert!(close(paper, at(&got, i, j)));
            }
        }
    }

    /// E_l = 1/(4 N^2 M^2) sum_ij (G_ij - A_ij)^2, for pictures of one size.
    #[test]
    fn style_loss_is_the_papers((f, painting) in pairs()) {
        let (n, m) = (f.shape().channels as f64, f.shape().positions() as f64);
        let (g, a) = (paper_gram(&f), paper_gram(&painting));
        let sum: f64 = g.iter().flatten().zip(a.iter().flatten()).map(|(g, a)| (g - a).powi(2)).sum();
        let got = gram::loss(&gram::gram(&f)?, &gram::gram(&painting)?);
        prop_assert!(close(sum / (4.0 * n * n * m * m), got));
    }

    /// dE_l/dF_ij = 1/(N^2 M^2) (F^T (G - A))_ji where F_ij > 0, else 0.
    #[test]
    fn style_gradient_is_the_papers_with_its_mask((f, painting) in pairs()) {
        let (n, m) = (f.shape().channels, f.shape().positions());
        let (g, a) = (paper_gram(&f), paper_gram(&painting));
        let (own, target) = (gram::gram(&f)?, gram::gram(&painting)?);
        let got = through_relu(&f, |out| {
            gram::add_gradient(&f, &own, &target, 1.0, out).expect("sizes that fit");
        });
        for i in 0..n {
            for j in 0..m {
                let product: f64 = (0..n).map(|k| at(&f, k, j) * (g[k][i] - a[k][i])).sum();
                let paper = if at(&f, i, j) > 0.0 { product / (n * n * m * m) as f64 } else { 0.0 };
                prop_assert!(close(paper, at(&got, i, j)));
            }
        }
    }

    /// A painting of another size: each Gram matrix is divided by its own M, so a texture and the same texture laid
    /// out twice have the same style.
    #[test]
    fn a_texture_laid_out_twice_has_the_same_style(f in responses(shapes(1, 7))) {
        let Shape { height, width, channels } = f.shape();
        let twice = of(Shape::new(2 * height, width, channels), [f.data(), f.data()].concat());
        let loss = gram::loss(&gram::gram(&f)?, &gram::gram(&twice)?);
        prop_assert!(loss < 1e-28, "{loss}");
    }
}

/// At F = 0 exactly both gradients are 0, whatever the target: the ReLU's derivative at 0 is taken as 0.
#[test]
fn a_silent_response_gets_no_gradient() {
    let shape = Shape::new(2, 3, 2);
    let silent = Tensor::<f64>::zeros(shape).unwrap();
    let target = of(shape, vec![2.0; shape.len()]);
    let content = through_relu(&silent, |g| content::add_gradient(silent.data(), target.data(), 1.0, g));
    assert_eq!(content.data(), [0.0; 12]);
    let half = of(shape, (0..12).map(|i| f64::from(i % 2)).collect());
    let (g, a) = (gram::gram(&half).unwrap(), gram::gram(&target).unwrap());
    let style = through_relu(&half, |out| gram::add_gradient(&half, &g, &a, 1.0, out).unwrap());
    for (f, gradient) in half.data().iter().zip(style.data()) {
        assert_eq!(*f > 0.0, *gradient != 0.0);
    }
}
