//! The embedded weights against what is published about Oxford's VGG-16.
#![cfg(feature = "embedded-weights")]

use impasto_autodiff::{Layer, Pooling};
use impasto_vgg::{Arch, Network, Precision, Preprocessing, WeightsError};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../weights/vgg16.safetensors");

/// The first number of each kernel (ky 0, kx 0, in 0, out 0; red in conv1_1) and of its biases.
const PUBLISHED: [(f32, f32); 13] = [
    (0.480_015_4, 0.734_298_35),
    (0.166_219_28, -0.309_122_12),
    (-0.008_902_963, -0.045_777_66),
    (-0.002_301_236_6, -0.064_185_42),
    (0.002_486_315, -0.074_358_866),
    (-0.010_326_629_5, 0.019_675_018),
    (0.002_491_828_5, 0.035_415_243),
    (-0.012_453_815, 0.013_485_669),
    (0.007_116_542, 0.023_680_462),
    (-0.004_135_565_4, 0.037_577_68),
    (-0.000_606_893_4, 0.097_223_25),
    (-0.001_126_106_5, 0.213_278_73),
    (0.000_407_882_97, 0.188_378_57),
];

#[test]
fn embedded_network_is_oxfords_vgg16() {
    let network = Network::embedded().unwrap();
    assert_eq!(network.arch, Arch::Vgg16);
    assert_eq!(network.preprocessing, Preprocessing::CAFFE);
    assert_eq!(network.convs.len(), 13);
    // Published numbers of block1_conv1 in Keras' file: the first filter's 3x3 kernel on blue (ky, kx), its first weights on
    // green and red, and the first biases.
    let first = &network.convs[0];
    let weight = |tap: usize, input: usize, output: usize| first.kernel[(tap * 3 + input) * 64 + output];
    let close = |found: f32, published: f32| {
        assert!((found - published).abs() <= published.abs() / 2048.0, "{found} is not {published}");
    };
    let blue = [
        0.429_470_57,
        0.373_467,
        -0.061_360_113,
        0.274_769_87,
        0.038_680_777,
        -0.367_223_35,
        -0.057_468_17,
        -0.262_249_68,
        -0.350_096_76,
    ];
    for (tap, published) in blue.into_iter().enumerate() {
        close(weight(tap, 2, 0), published);
    }
    close(weight(0, 1, 0), 0.550_379_46);
    close(weight(0, 2, 1), 0.117_273_87);
    for (&found, published) in first.bias.iter().zip([0.734_298_35, 0.093_403_675, 0.067_756_74, 0.886_296_6])
    {
        close(found, published);
    }
    // The first weight and the first bias of every layer, as a print-out of MatConvNet's file has them.
    for (conv, (weight, bias)) in network.convs.iter().zip(PUBLISHED) {
        close(conv.kernel[0], weight);
        close(conv.bias[0], bias);
    }
}

#[test]
fn the_chain_ends_after_the_named_convolution() {
    let chain = Network::embedded().unwrap().chain_to("relu5_1", Pooling::Average).unwrap();
    assert_eq!(chain.layers.iter().filter(|layer| **layer == Layer::Pool).count(), 4);
    let Some(Layer::Conv(last)) = chain.layers.last() else { panic!("no convolution at the end") };
    assert_eq!((last.name.as_str(), last.in_channels, last.out_channels), ("conv5_1", 512, 512));
    assert_eq!(last.kernel.len(), 9 * 512 * 512);
}

#[test]
fn an_unknown_layer_is_named_with_the_known_ones() {
    let error = Network::embedded().unwrap().chain_to("conv3_4", Pooling::Max).unwrap_err();
    assert!(matches!(error, WeightsError::UnknownLayer { .. }));
    let text = error.to_string();
    assert!(text.starts_with("VGG-16 has no layer conv3_4; its layers are conv1_1, "), "{text}");
}

#[test]
fn writing_the_embedded_network_gives_its_file_byte_for_byte() {
    let mut bytes = Vec::new();
    Network::embedded().unwrap().write(&mut bytes, Precision::F16).unwrap();
    assert!(bytes == std::fs::read(FILE).unwrap(), "the bytes differ");
}

#[test]
fn a_cut_network_says_what_it_lacks() {
    let folder = std::env::temp_dir().join(format!("impasto-cut-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("cut.safetensors");
    let mut network = Network::embedded().unwrap();
    network.cut_after("conv2_1").unwrap();
    network.save(&path, Precision::F32).unwrap();
    let cut = Network::load(&path).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(cut, network);
    let text = cut.chain_to("conv4_2", Pooling::Max).unwrap_err().to_string();
    assert_eq!(text, "VGG-16 has no layer conv4_2 in this file; its layers are conv1_1, conv1_2, conv2_1");
}
