//! The same small network from every format gives the same bits, and PyTorch's features.

use std::collections::BTreeMap;

use crate::common::{SMALL, fixture};
use impasto_autodiff::ConvLayer;
use impasto_vgg::{
    Arch, Convention, Decision, Format, LoadOptions, Loaded, Precision, Problem, WeightsError,
};

fn load(name: &str) -> Loaded {
    Loaded::read(&fixture(name), SMALL).unwrap_or_else(|error| panic!("{error}"))
}

/// The kernels as (ky, kx, in, out) and the biases, from `kernels.bin`.
fn expected_layers() -> Vec<(Vec<f32>, Vec<f32>)> {
    let bytes = std::fs::read(fixture("kernels.bin")).unwrap();
    let words: Vec<[u8; 4]> = bytes.chunks_exact(4).map(|word| word.try_into().unwrap()).collect();
    let mut words = words.into_iter();
    let mut layers = Vec::new();
    while let Some(outputs) = words.next() {
        let outputs = u32::from_le_bytes(outputs) as usize;
        let inputs = u32::from_le_bytes(words.next().unwrap()) as usize;
        let mut numbers = |count: usize| -> Vec<f32> {
            (0..count).map(|_| f32::from_le_bytes(words.next().unwrap())).collect()
        };
        let oihw = numbers(outputs * inputs * 9);
        let bias = numbers(outputs);
        let mut kernel = Vec::new();
        for tap in 0..9 {
            for i in 0..inputs {
                kernel.extend((0..outputs).map(|o| oihw[(o * inputs + i) * 9 + tap]));
            }
        }
        layers.push((kernel, bias));
    }
    layers
}

fn assert_same_network(name: &str, loaded: &Loaded) {
    assert_eq!(loaded.network.arch, Arch::Vgg19, "{name}");
    assert_eq!(loaded.network.convs.len(), 16, "{name}");
    for (conv, (kernel, bias)) in loaded.network.convs.iter().zip(expected_layers()) {
        assert!(conv.kernel == kernel, "{name}: the kernel of {} differs", conv.name);
        assert!(conv.bias == bias, "{name}: the bias of {} differs", conv.name);
    }
}

/// Every fixture with the format, the convention of its file, and how that is known.
const FILES: [(&str, Format, Convention, Decision); 20] = [
    ("vision.pth", Format::TorchZip, Convention::Torch, Decision::Names),
    ("vision_legacy.pth", Format::TorchLegacy, Convention::Torch, Decision::Names),
    ("johnson_legacy.pth", Format::TorchLegacy, Convention::CaffeBgr, Decision::Names),
    ("gatys.pth", Format::TorchZip, Convention::CaffeBgr, Decision::Names),
    ("checkpoint_channels_last.pth", Format::TorchZip, Convention::Torch, Decision::Names),
    ("timm.safetensors", Format::Safetensors, Convention::Torch, Decision::Names),
    ("layers.caffemodel", Format::Caffemodel, Convention::CaffeBgr, Decision::Format),
    ("layer.caffemodel", Format::Caffemodel, Convention::CaffeBgr, Decision::Format),
    ("keras1_notop.h5", Format::KerasH5, Convention::CaffeBgr, Decision::Format),
    ("keras2_notop.h5", Format::KerasH5, Convention::CaffeBgr, Decision::Format),
    ("keras3_full.h5", Format::KerasH5, Convention::CaffeBgr, Decision::Format),
    ("keras3.weights.h5", Format::KerasH5, Convention::CaffeBgr, Decision::Format),
    ("keras3.keras", Format::Keras, Convention::CaffeBgr, Decision::Format),
    ("matconvnet.mat", Format::Matlab, Convention::CaffeRgb, Decision::Format),
    ("matconvnet_2014.mat", Format::Matlab, Convention::CaffeRgb, Decision::Format),
    ("zoo.onnx", Format::Onnx, Convention::Torch, Decision::Names),
    ("tf2onnx.onnx", Format::Onnx, Convention::CaffeBgr, Decision::Names),
    ("ports.npz", Format::Npz, Convention::CaffeBgr, Decision::Names),
    ("ports_compressed.npz", Format::Npz, Convention::CaffeBgr, Decision::Names),
    ("lists.npy", Format::NpyDict, Convention::CaffeBgr, Decision::Format),
];

#[test]
fn every_format_gives_the_same_bits() {
    for (name, format, convention, decision) in FILES {
        let loaded = load(name);
        assert_eq!(loaded.format, format, "{name}");
        assert_eq!((loaded.convention, loaded.decision), (convention, decision), "{name}");
        assert_eq!(loaded.network.preprocessing, convention.preprocessing(), "{name}");
        assert_same_network(name, &loaded);
    }
    for name in ["named.npy", "protocol2.npy"] {
        assert_same_network(name, &load(name));
    }
}

#[test]
fn half_precision_is_rounded_and_no_more() {
    for (name, error) in [("timm_f16.safetensors", 1.0 / 2048.0), ("timm_bf16.safetensors", 1.0 / 256.0)] {
        for (conv, (kernel, _)) in load(name).network.convs.iter().zip(expected_layers()) {
            for (found, exact) in conv.kernel.iter().zip(kernel) {
                assert!((found - exact).abs() <= exact.abs() * error + 1e-7, "{name} {}", conv.name);
            }
        }
    }
}

#[test]
fn a_file_that_does_not_tell_its_preprocessing_names_the_three_choices() {
    for name in ["ambiguous.safetensors", "ambiguous.onnx"] {
        let error = Loaded::read(&fixture(name), SMALL).unwrap_err();
        assert!(
            matches!(error, WeightsError::File { problem: Problem::AmbiguousPreprocessing, .. }),
            "{error}"
        );
        let text = error.to_string();
        for choice in Convention::ALL {
            assert!(text.contains(choice.name()), "{text}");
        }
    }
    let bgr = LoadOptions { convention: Some(Convention::CaffeBgr), ..SMALL };
    assert_same_network("", &Loaded::read(&fixture("ambiguous.safetensors"), bgr).unwrap());
    let torch = LoadOptions { convention: Some(Convention::Torch), ..SMALL };
    assert_same_network("", &Loaded::read(&fixture("ambiguous.onnx"), torch).unwrap());
}

#[test]
fn small_networks_are_no_vgg_unless_asked_for() {
    let error = Loaded::read(&fixture("vision.pth"), LoadOptions::default()).unwrap_err().to_string();
    assert!(
        error.ends_with("conv1_1 has the shape 4 x 3 x 3 x 3 where VGG-19 has 64 x 3 x 3 x 3"),
        "{error}"
    );
}

#[test]
fn converting_keeps_every_bit_and_gives_the_same_bytes_from_every_format() {
    let convert = |name: &str| {
        let mut bytes = Vec::new();
        load(name).network.write(&mut bytes, Precision::F32).unwrap();
        bytes
    };
    let torch = convert("vision.pth");
    assert!(convert("vision_legacy.pth") == torch && convert("zoo.onnx") == torch);
    let caffe = convert("layers.caffemodel");
    for name in ["gatys.pth", "keras3.keras", "matconvnet.mat", "ports.npz", "lists.npy"] {
        assert!(convert(name) == caffe, "{name}");
    }
    assert_same_network("", &Loaded::from_bytes(torch, SMALL).unwrap());
    let loaded = Loaded::from_bytes(caffe, SMALL).unwrap();
    assert_eq!((loaded.convention, loaded.decision), (Convention::CaffeRgb, Decision::Metadata));
    assert_same_network("", &loaded);
}

#[test]
fn no_weight_becomes_infinite() {
    let mut network = load("vision.pth").network;
    // Half of the step above 65504 rounds up, to infinity.
    for (value, halves) in
        [(65_519.0, true), (65_520.0, false), (-1e5, false), (f32::INFINITY, false), (f32::NAN, false)]
    {
        network.convs[1].bias[2] = value;
        let mut bytes = Vec::new();
        let half = network.write(&mut bytes, Precision::F16);
        assert_eq!(half.is_ok(), halves, "{value}");
        assert_eq!(network.write(&mut Vec::new(), Precision::F32).is_ok(), value.is_finite(), "{value}");
        if let Err(error) = half {
            let message = error.to_string();
            assert!(
                message.starts_with("conv1_2.bias has") && message.contains("at position 2"),
                "{message}"
            );
            assert!(bytes.is_empty(), "nothing is written before it is known");
        } else {
            assert!(bytes.len() as u64 <= network.largest_bytes(Precision::F16));
        }
    }
}

#[test]
fn features_are_pytorchs() {
    let mut expected = BTreeMap::new();
    let bytes = std::fs::read(fixture("expected.bin")).unwrap();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let name = std::str::from_utf8(&rest[..32]).unwrap().trim_end_matches('\0');
        let side = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap()) as usize;
        let shape = [side(32), side(36), side(40)];
        let len = shape.iter().product::<usize>() * 8;
        let numbers: Vec<f64> =
            rest[44..44 + len].chunks_exact(8).map(|x| f64::from_le_bytes(x.try_into().unwrap())).collect();
        expected.insert(name, (shape, numbers));
        rest = &rest[44 + len..];
    }
    let ([height, width, _], picture) = &expected["picture"];
    let picture: Vec<f32> = picture.iter().map(|&x| x as f32).collect();
    for (name, convention) in
        [("vision_legacy.pth", "torch"), ("tf2onnx.onnx", "caffe"), ("matconvnet.mat", "caffe")]
    {
        let network = load(name).network;
        let mut input = vec![0.0; picture.len()];
        network.preprocessing.apply(&picture, &mut input);
        let mut features: Vec<f64> = input.into_iter().map(f64::from).collect();
        let (mut height, mut width) = (*height, *width);
        for (position, conv) in network.convs.iter().take(13).enumerate() {
            if position > 0 && network.arch.convs()[position].index == 1 {
                features = max_pool(&features, height, width, conv.in_channels);
                (height, width) = (height / 2, width / 2);
            }
            features = convolve(&features, height, width, conv);
            let Some((shape, pytorch)) = expected.get(format!("{convention}_{}", conv.name).as_str()) else {
                continue;
            };
            assert_eq!(*shape, [height, width, conv.out_channels]);
            let largest = pytorch.iter().fold(0.0_f64, |max, x| max.max(*x));
            for (found, pytorch) in features.iter().zip(pytorch) {
                assert!((found - pytorch).abs() <= 1e-5 * largest, "{name} {}: {found} {pytorch}", conv.name);
            }
        }
    }
}

/// 3x3 convolution with zero padding and ReLU, H x W x C, as plainly as it can be written.
fn convolve(input: &[f64], height: usize, width: usize, conv: &ConvLayer<f32>) -> Vec<f64> {
    let (inputs, outputs) = (conv.in_channels, conv.out_channels);
    let mut output = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for o in 0..outputs {
                let mut sum = f64::from(conv.bias[o]);
                for (ky, kx) in (0..3).flat_map(|ky| (0..3).map(move |kx| (ky, kx))) {
                    let (Some(sy), Some(sx)) = ((y + ky).checked_sub(1), (x + kx).checked_sub(1)) else {
                        continue;
                    };
                    if sy < height && sx < width {
                        for i in 0..inputs {
                            let weight = f64::from(conv.kernel[((ky * 3 + kx) * inputs + i) * outputs + o]);
                            sum += weight * input[(sy * width + sx) * inputs + i];
                        }
                    }
                }
                output.push(sum.max(0.0));
            }
        }
    }
    output
}

fn max_pool(input: &[f64], height: usize, width: usize, channels: usize) -> Vec<f64> {
    let at = |y: usize, x: usize, c: usize| input[(y * width + x) * channels + c];
    let mut output = Vec::new();
    for (y, x) in (0..height / 2).flat_map(|y| (0..width / 2).map(move |x| (2 * y, 2 * x))) {
        output.extend(
            (0..channels)
                .map(|c| at(y, x, c).max(at(y, x + 1, c)).max(at(y + 1, x, c)).max(at(y + 1, x + 1, c))),
        );
    }
    output
}
