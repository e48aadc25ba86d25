//! Responses and Gram matrices of a picture in one call, against the plain path and the targets of a transfer.
#![cfg(feature = "embedded-weights")]

use impasto_autodiff::losses::gram;
use impasto_autodiff::{AutodiffError, Border, Cancel, Chain, Pooling, reference};
use impasto_style::{
    Loss, Measurement, Network, Picture, PreparedNetwork, Preset, Subject, TransferError, TransferOptions,
    measure, white_noise,
};
use impasto_tensor::{Shape, Tensor};

const LAYERS: [&str; 3] = ["relu3_1", "conv1_1", "conv2_2"];

fn picture() -> Picture {
    white_noise(21, 34, 5).unwrap()
}

/// The largest difference of numbers, over the largest of them.
fn error(a: &[f32], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(0.0, |largest: f64, b| largest.max(b.abs()));
    a.iter().zip(b).fold(0.0, |worst: f64, (&a, b)| worst.max((f64::from(a) - b).abs())) / largest
}

/// F of some layers in f64, operation by operation.
fn plain(chain: &Chain<f64>, picture: &Picture) -> Vec<Tensor<f64>> {
    let last = chain.layers.len() - 1;
    let responses = reference::responses(chain, &picture.tensor(), last).unwrap();
    let of = |name: &&str| responses[chain.position(&name.replace("relu", "conv")).unwrap()].clone();
    LAYERS.iter().map(of).collect()
}

#[test]
fn responses_and_gram_matrices_are_those_of_the_plain_path() {
    let network = Network::embedded().unwrap();
    for (pooling, border) in [(Pooling::Max, Border::Zero), (Pooling::Average, Border::Reflect)] {
        let chain = network.clone().chain_to("conv3_1", pooling).unwrap().cast::<f64>();
        let expected = plain(&Chain { border, ..chain }, &picture());
        let measurement = Measurement::default().with_pooling(pooling).with_border(border);
        let measured = measurement.measure(&network, &picture(), &LAYERS).unwrap();
        assert_eq!(measured.layers.len(), 3);
        for ((layer, name), f) in measured.layers.iter().zip(LAYERS).zip(&expected) {
            assert_eq!(layer.name, name);
            assert_eq!(layer.response.shape(), f.shape());
            assert!(error(layer.response.data(), f.data()) < 1e-5, "{name}: F");
            let g = gram::gram(f).unwrap();
            assert_eq!(layer.gram.channels, g.channels);
            assert!(error(&layer.gram.data, &g.data) < 1e-5, "{name}: G");
        }
        let alone = measurement.responses(&network, &picture(), &LAYERS).unwrap();
        assert!(alone.iter().zip(&measured.layers).all(|(f, layer)| *f == layer.response));
        let alone = measurement.grams(&network, &picture(), &LAYERS).unwrap();
        assert!(alone.iter().zip(&measured.layers).all(|(g, layer)| *g == layer.gram));
    }
}

/// As they are for the losses of a transfer, to the bit.
#[test]
fn by_default_it_is_what_a_transfer_with_maximum_pooling_measures() {
    let network = Network::embedded().unwrap();
    let options = TransferOptions {
        content_layers: "conv2_2".parse().unwrap(),
        style_layers: "conv1_1:1,conv3_1:1".parse().unwrap(),
        ..Preset::V011.options()
    };
    let prepared = PreparedNetwork::new(network.clone(), &options).unwrap();
    let subject = Subject::new(picture(), picture());
    let targets = subject.at(34, &options).unwrap().measure(&prepared, &options).unwrap();
    let measured = measure(&network, &picture(), &["conv2_2", "conv1_1", "conv3_1"]).unwrap();
    for (loss, layer) in targets.losses().zip(&measured.layers) {
        match loss {
            Loss::Content(content) => assert_eq!(content.target, layer.response),
            Loss::Gram(style) => assert_eq!(style.target, layer.gram),
            other => panic!("no target of {other:?} is wanted"),
        }
    }
}

#[test]
fn a_layer_may_be_asked_for_twice_and_under_both_names() {
    let network = Network::embedded().unwrap();
    let measured = measure(&network, &picture(), &["conv1_2", "relu1_2", "conv1_2"]).unwrap();
    let [first, second, third] = &measured.layers[..] else { panic!("three were asked for") };
    assert_eq!(first.response.shape(), Shape::new(21, 34, 64));
    assert_eq!((&first.response, &first.gram), (&second.response, &second.gram));
    assert_eq!(first, third);
    assert_eq!(measured.layer("relu1_2"), Some(second));
    assert_eq!(measured.layer("conv1_1"), None);
    assert!(measure(&network, &picture(), &[]).unwrap().layers.is_empty());
}

#[test]
fn within_a_limit_of_memory_the_numbers_are_the_same() {
    let network = Network::embedded().unwrap();
    let picture = white_noise(400, 90, 5).unwrap();
    let whole = measure(&network, &picture, &["conv1_1", "conv2_1"]).unwrap();
    let limited = Measurement::default().with_memory_limit(Some(18 << 20));
    assert_eq!(limited.measure(&network, &picture, &["conv1_1", "conv2_1"]).unwrap(), whole);
    let refused =
        Measurement::default().with_memory_limit(Some(1 << 10)).grams(&network, &picture, &["conv1_1"]);
    assert!(matches!(refused, Err(TransferError::Autodiff(AutodiffError::Memory { .. }))));
}

#[test]
fn what_cannot_be_measured_is_said() {
    let network = Network::embedded().unwrap();
    let said =
        |layers: &[&str], picture: &Picture| measure(&network, picture, layers).unwrap_err().to_string();
    let unknown = said(&["conv1_1", "conv3_4"], &picture());
    assert!(unknown.starts_with("VGG-16 has no layer conv3_4"), "{unknown}");
    let small = said(&["conv1_1", "conv4_1"], &white_noise(7, 30, 1).unwrap());
    assert!(small.contains("too small for conv4_1") && small.contains("8 x 8"), "{small}");
    let cancel = Cancel::default();
    cancel.cancel();
    let stopped = Measurement::default().with_cancel(cancel).grams(&network, &picture(), &["conv1_1"]);
    assert!(matches!(stopped, Err(TransferError::Autodiff(AutodiffError::Cancelled))));
}

#[test]
fn a_network_is_cut_where_it_is_asked_to_be() {
    let network = Network::embedded().unwrap();
    let cut = network.up_to("relu2_1").unwrap();
    assert_eq!(cut.convs[..], network.convs[..3]);
    assert_eq!((cut.arch, cut.preprocessing), (network.arch, network.preprocessing));
    assert!(cut.up_to("conv2_2").is_err());
}
