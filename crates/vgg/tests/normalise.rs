//! Normalised networks compute the same function up to each filter's own scale.

use crate::common::{SMALL, fixture};
use impasto_autodiff::{Pooling, reference};
use impasto_tensor::{Shape, Tensor};
use impasto_vgg::{Activations, Loaded, Network};
use proptest::prelude::*;

fn small() -> Network {
    Loaded::read(&fixture("layers.caffemodel"), SMALL).unwrap().network
}

fn picture() -> impl Strategy<Value = Tensor<f32>> {
    (16_usize..40, 16_usize..40).prop_flat_map(|(height, width)| {
        prop::collection::vec(0.0_f32..255.0, height * width * 3)
            .prop_map(move |rgb| Tensor::from_vec(Shape::new(height, width, 3), rgb).unwrap())
    })
}

fn measure(network: &Network, picture: &Tensor<f32>, pooling: Pooling) -> Vec<Vec<f64>> {
    let mut activations = Activations::new(network);
    let size = (picture.shape().height, picture.shape().width);
    activations.add(network, size, picture.data(), pooling).unwrap();
    activations.means()
}

fn responses(network: &Network, picture: &Tensor<f32>, pooling: Pooling) -> Vec<Tensor<f64>> {
    let chain = network.clone().chain_to("conv5_1", pooling).unwrap().cast::<f64>();
    let last = chain.layers.len() - 1;
    reference::responses(&chain, &picture.cast(), last).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn responses_change_by_their_filters_scale_only(
        calibration in picture(),
        other in picture(),
        average in any::<bool>(),
    ) {
        let pooling = if average { Pooling::Average } else { Pooling::Max };
        let network = small();
        let means = measure(&network, &calibration, pooling);
        let mut normalised = network.clone();
        normalised.normalise(&means);
        let mut layer = 0;
        let pairs = responses(&network, &other, pooling).into_iter().zip(responses(&normalised, &other, pooling));
        let chain = network.clone().chain_to("conv5_1", pooling).unwrap();
        for (step, (before, after)) in chain.layers.iter().zip(pairs) {
            if matches!(step, impasto_autodiff::Layer::Pool) {
                continue;
            }
            let filters = means[layer].len();
            let largest = before.data().iter().fold(1e-9_f64, |max, x| max.max(*x));
            for (index, (before, after)) in before.data().iter().zip(after.data()).enumerate() {
                let mean = means[layer][index % filters];
                prop_assert!((before - after * mean).abs() <= 1e-5 * largest, "{before} is not {mean} times {after}");
            }
            layer += 1;
        }
    }

    #[test]
    fn mean_activations_of_a_normalised_network_are_one(calibration in picture()) {
        let mut network = small();
        let means = measure(&network, &calibration, Pooling::Average);
        network.normalise(&means);
        for (before, after) in means.iter().zip(measure(&network, &calibration, Pooling::Average)) {
            let largest = before.iter().copied().fold(0.0, f64::max);
            for (before, after) in before.iter().zip(after) {
                // A filter that hardly answers is a small difference of large numbers, and single precision is what it is.
                let tolerance = 1e-5 * largest / before;
                prop_assert!((after - 1.0).abs() < 1e-5 + tolerance, "{after}");
            }
        }
    }
}
