//! The whole network's gradient: random small chains, both poolings, odd sizes, several taps.

mod common;

use common::{TOLERANCE, conv_layer, of, probes, small_chain, tensor};
use impasto_autodiff::check::Verdict;
use impasto_autodiff::ops::style;
use impasto_autodiff::{AutodiffError, Chain, ContentTerm, Layer, Pooling, StyleTerm, reference};
use impasto_tensor::{Shape, Tensor};
use proptest::prelude::*;

type Terms = (Vec<ContentTerm<f64>>, Vec<StyleTerm<f64>>);

/// A content term and three style terms, one on the content's own layer, measured from two other pictures.
fn terms(chain: &Chain<f64>, photo: &Tensor<f64>, painting: &Tensor<f64>) -> Result<Terms, AutodiffError> {
    let last = chain.layers.len() - 1;
    let p = reference::responses(chain, photo, last)?.swap_remove(chain.position("conv2_1")?);
    let painted = reference::responses(chain, painting, last)?;
    let content = vec![ContentTerm { layer: "conv2_1".into(), weight: 0.7, target: p }];
    let style = [("conv1_1", 3.0), ("conv2_1", 5.0), ("conv3_1", 2.0)]
        .into_iter()
        .map(|(layer, weight)| {
            let target = style::gram(&painted[chain.position(layer)?])?;
            Ok(StyleTerm { layer: layer.into(), weight, target })
        })
        .collect::<Result<_, AutodiffError>>()?;
    Ok((content, style))
}

/// The picture, the photo (same size) and the painting (another size), sides 4 to 13.
fn pictures() -> impl Strategy<Value = (Tensor<f64>, Tensor<f64>, Tensor<f64>)> {
    let side = 4..=13usize;
    (side.clone(), side.clone(), side.clone(), side).prop_flat_map(|(h, w, painting_h, painting_w)| {
        let picture = || tensor(Just(Shape::new(h, w, 3)));
        (picture(), picture(), tensor(Just(Shape::new(painting_h, painting_w, 3))))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Every probe is right, or sits on a kink that no step avoids (which hundreds of ReLUs make possible, but rare).
    #[test]
    fn chain_gradient_matches_finite_differences(
        (image, photo, painting) in pictures(), max_pooling in any::<bool>(), seed in 0.0..100.0
    ) {
        let pooling = if max_pooling { Pooling::Max } else { Pooling::Average };
        let chain = small_chain(pooling, seed);
        let (content, style) = terms(&chain, &photo, &painting)?;
        let (_, gradient) = reference::evaluate(&chain, &image, &content, &style)?;
        let f = |x: &[f64]| {
            let image = of(image.shape(), x.to_vec());
            reference::evaluate(&chain, &image, &content, &style).expect("shapes that fit").0.total
        };
        let probes = probes(&f, image.data(), gradient.data());
        for probe in &probes {
            prop_assert_ne!(
                probe.verdict(TOLERANCE), Verdict::Fail,
                "{:?}: {:e} at step {:e}, kink: {}", probe.direction, probe.relative_error(), probe.step(), probe.kink
            );
        }
        let passed = probes.iter().filter(|probe| probe.verdict(TOLERANCE) == Verdict::Pass).count();
        prop_assert!(passed + 2 >= probes.len(), "only {passed} of {} probes away from kinks", probes.len());
    }

    /// L = sum of weight times loss, and its gradient the same sum.
    #[test]
    fn total_is_the_weighted_sum_of_its_terms((image, photo, painting) in pictures()) {
        let chain = small_chain(Pooling::Average, 0.0);
        let (content, style) = terms(&chain, &photo, &painting)?;
        let (all, gradient) = reference::evaluate(&chain, &image, &content, &style)?;
        let (content_only, mut sum) = reference::evaluate(&chain, &image, &content, &[])?;
        let mut total = content_only.total;
        for (index, term) in style.iter().enumerate() {
            let (one, g) = reference::evaluate(&chain, &image, &[], std::slice::from_ref(term))?;
            prop_assert_eq!(one.style[0], all.style[index]);
            total += one.total;
            sum.data_mut().iter_mut().zip(g.data()).for_each(|(sum, g)| *sum += g);
        }
        prop_assert!((total - all.total).abs() <= 1e-12 * total.abs());
        let largest = gradient.data().iter().fold(0.0f64, |m, g| m.max(g.abs()));
        for (sum, g) in sum.data().iter().zip(gradient.data()) {
            prop_assert!((sum - g).abs() <= 1e-12 * largest);
        }
    }

    /// At the photo itself the content loss and its gradient are exactly 0; at the painting, the style's nearly.
    #[test]
    fn losses_vanish_at_their_own_pictures((_, photo, painting) in pictures()) {
        let chain = small_chain(Pooling::Average, 0.0);
        let (content, style) = terms(&chain, &photo, &painting)?;
        let (losses, gradient) = reference::evaluate(&chain, &photo, &content, &[])?;
        prop_assert_eq!(losses.total, 0.0);
        prop_assert!(gradient.data().iter().all(|&g| g == 0.0));
        prop_assert!(reference::evaluate(&chain, &painting, &[], &style)?.0.total < 1e-28);
    }
}

#[test]
fn a_target_of_another_size_is_refused() {
    let chain = small_chain(Pooling::Average, 0.0);
    let image = Tensor::zeros(Shape::new(8, 8, 3)).unwrap();
    let target = Tensor::zeros(Shape::new(8, 8, 5)).unwrap();
    let content = vec![ContentTerm { layer: "conv1_1".into(), weight: 1.0, target }];
    assert!(matches!(reference::evaluate(&chain, &image, &content, &[]), Err(AutodiffError::Target { .. })));
    let unknown = vec![ContentTerm { layer: "conv9_1".into(), weight: 1.0, target: image.clone() }];
    let refused = reference::evaluate(&chain, &image, &unknown, &[]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the network has no layer conv9_1; it has conv1_1, conv1_2, conv2_1, conv3_1"
    );
}

#[test]
fn a_chain_that_does_not_fit_together_is_refused() {
    let mut chain = small_chain(Pooling::Average, 0.0);
    chain.validate().unwrap();
    chain.layers.push(Layer::Conv(conv_layer("conv3_2", 7, 2, 0.0)));
    assert!(matches!(chain.validate(), Err(AutodiffError::Layer { layer, .. }) if layer == "conv3_2"));
}

#[test]
fn chain_gives_the_same_bits_on_any_threads() {
    let chain = small_chain(Pooling::Max, 0.0).cast::<f32>();
    let shape = Shape::new(61, 47, 3);
    let image = Tensor::from_vec(shape, (0..shape.len()).map(|i| (i as f32 * 0.61).sin()).collect()).unwrap();
    let zero = Tensor::zeros(shape).unwrap();
    let target = reference::responses(&chain, &zero, 3).unwrap().swap_remove(3);
    let style = vec![StyleTerm { layer: "conv3_1".into(), weight: 5.0, target: gram_at(&chain, &zero, 5) }];
    let content = vec![ContentTerm { layer: "conv2_1".into(), weight: 1.0, target }];
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| reference::evaluate(&chain, &image, &content, &style).unwrap())
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert!(on(threads) == one, "{threads} threads give other bits than one");
    }
}

fn gram_at(chain: &Chain<f32>, image: &Tensor<f32>, at: usize) -> style::GramMatrix<f32> {
    style::gram(&reference::responses(chain, image, at).unwrap()[at]).unwrap()
}
