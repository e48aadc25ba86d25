//! The whole network's gradient: random small chains, every pooling, every border, odd sizes, several taps.

use crate::common::case::pooling;
use crate::common::terms::{Terms, each};
use crate::common::{TOLERANCE, conv_layer, of, probes, small_chain, tensor};
use impasto_autodiff::check::Verdict;
use impasto_autodiff::{AutodiffError, Border, Chain, Coverage, Layer, Pooling, reference};
use impasto_tensor::{Element, Shape, Tensor};
use proptest::prelude::*;

/// The response at a layer.
fn response_at<T: Element>(
    chain: &Chain<T>,
    image: &Tensor<T>,
    layer: &str,
) -> Result<Tensor<T>, AutodiffError> {
    let at = chain.position(layer)?;
    Ok(reference::responses(chain, image, at)?.swap_remove(at))
}

/// A content term and three style terms, one on the content's own layer, measured from two other pictures.
fn terms(
    chain: &Chain<f64>,
    photo: &Tensor<f64>,
    painting: &Tensor<f64>,
) -> Result<Terms<f64>, AutodiffError> {
    let mut terms = Terms::default().content("conv2_1", 0.7, response_at(chain, photo, "conv2_1")?);
    for (layer, weight) in [("conv1_1", 3.0), ("conv2_1", 5.0), ("conv3_1", 2.0)] {
        terms = terms.style(layer, weight, &response_at(chain, painting, layer)?);
    }
    Ok(terms)
}

/// The same terms where a guide says, another one for each: some positions count nothing, some all, some in part.
fn guide(
    chain: &Chain<f64>,
    image: &Tensor<f64>,
    mut terms: Terms<f64>,
) -> Result<Terms<f64>, AutodiffError> {
    for (at, term) in terms.0.iter_mut().enumerate() {
        let positions =
            response_at(chain, image, term.layer.as_deref().unwrap_or_default())?.shape().positions();
        let mut t: Vec<f32> = (0..positions).map(|p| 0.5 + ((p * 7 + at) as f32 * 1.3).sin()).collect();
        t[0] = 0.5;
        term.loss = term.loss.clone().guided(Coverage::of(t).guide().cloned());
    }
    Ok(terms)
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
        (image, photo, painting) in pictures(),
        (pooling, guided, border) in (pooling(), any::<bool>(), prop::sample::select(&Border::ALL[..])),
        seed in 0.0..100.0,
    ) {
        let chain = Chain { border, ..small_chain(pooling, seed) };
        let mut terms = terms(&chain, &photo, &painting)?;
        if guided {
            terms = guide(&chain, &image, terms)?;
        }
        let (_, gradient) = terms.evaluate(&chain, &image)?;
        let f = |x: &[f64]| {
            let image = of(image.shape(), x.to_vec());
            terms.losses(&chain, &image).expect("shapes that fit").total
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
        let terms = terms(&chain, &photo, &painting)?;
        let (all, gradient) = terms.evaluate(&chain, &image)?;
        let (mut total, mut sum) = (0.0, Tensor::<f64>::zeros(image.shape())?);
        let (mut losses, expected) = (Vec::new(), each(&all));
        for term in terms.one_by_one() {
            let (one, g) = term.evaluate(&chain, &image)?;
            losses.extend(each(&one));
            total += one.total;
            sum.data_mut().iter_mut().zip(g.data()).for_each(|(sum, g)| *sum += g);
        }
        prop_assert_eq!(losses, expected);
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
        let [content, style] = terms(&chain, &photo, &painting)?.by_picture();
        let (losses, gradient) = content.evaluate(&chain, &photo)?;
        prop_assert_eq!(losses.total, 0.0);
        prop_assert!(gradient.data().iter().all(|&g| g == 0.0));
        prop_assert!(style.losses(&chain, &painting)?.total < 1e-28);
    }

    /// The losses without the gradient are those with it, bit for bit; and without terms there is neither.
    #[test]
    fn losses_alone_are_those_of_the_gradient((image, photo, painting) in pictures()) {
        let chain = small_chain(Pooling::Max, 0.0);
        let terms = terms(&chain, &photo, &painting)?;
        let losses = terms.losses(&chain, &image)?;
        prop_assert!(losses.total > 0.0 && each(&losses).len() == 4);
        prop_assert_eq!(losses, terms.evaluate(&chain, &image)?.0);
        let (none, gradient) = Terms::default().evaluate(&chain, &image)?;
        prop_assert!(none.total == 0.0 && each(&none).is_empty());
        prop_assert_eq!(gradient, Tensor::<f64>::zeros(image.shape())?);
    }
}

#[test]
fn a_target_of_another_size_is_refused() {
    let chain = small_chain(Pooling::Average, 0.0);
    let image = Tensor::zeros(Shape::new(8, 8, 3)).unwrap();
    let target = Tensor::zeros(Shape::new(8, 8, 5)).unwrap();
    let terms = Terms::default().content("conv1_1", 1.0, target);
    assert!(matches!(terms.evaluate(&chain, &image), Err(AutodiffError::Target { .. })));
    assert!(matches!(terms.losses(&chain, &image), Err(AutodiffError::Target { .. })));
    let unknown = Terms::default().content("conv9_1", 1.0, image.clone());
    let refused = unknown.evaluate(&chain, &image).unwrap_err();
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
    let response = |layer| response_at(&chain, &zero, layer).unwrap();
    let terms = Terms::default().content("conv2_1", 1.0, response("conv2_1")).style(
        "conv3_1",
        5.0,
        &response("conv3_1"),
    );
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| terms.evaluate(&chain, &image).unwrap())
    };
    let one = on(1);
    for threads in [2, 3, 8] {
        assert!(on(threads) == one, "{threads} threads give other bits than one");
    }
}
