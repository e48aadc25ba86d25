//! Which preprocessing a file's network expects, and how that is known.

use std::collections::BTreeMap;
use std::fmt;

use impasto_autodiff::ConvLayer;

use crate::formats::RawFile;
use crate::{Arch, Convention, Format, Problem};

/// How the preprocessing of a file is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The caller said it.
    Asked,
    /// The file's metadata say it.
    Metadata,
    /// The first filter is that of Oxford's network, whose numbers are published, in this channel order.
    Oxford(Arch),
    /// Only one convention goes with the names of the tensors.
    Names,
    /// Only one convention goes with the format.
    Format,
    /// The file's sha256 is known.
    KnownFile,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("as asked for"),
            Self::Metadata => f.write_str("the file's metadata say so"),
            Self::Oxford(arch) => write!(f, "the first filter is that of Oxford's {arch}"),
            Self::Names => f.write_str("from the names of the tensors"),
            Self::Format => f.write_str("from the format"),
            Self::KnownFile => f.write_str("the file is a known one"),
        }
    }
}

/// What the file says of itself.
pub(crate) fn from_metadata(file: &RawFile) -> Result<Option<(Convention, Decision)>, Problem> {
    let Some(name) = file.metadata.get("preprocessing") else { return Ok(None) };
    let convention = Convention::from_name(name)
        .ok_or_else(|| file.format.malformed(format!("its metadata name the preprocessing {name:?}")))?;
    Ok(Some((convention, Decision::Metadata)))
}

/// Conv1_1's weights (ky 0, kx 0, filter 0) on red, green and blue in Oxford's files, as Keras and MatConvNet publish them.
/// Torchvision trained its own networks, so that theirs are others.
const OXFORD: [(Arch, [f32; 3]); 2] = [
    (Arch::Vgg16, [0.480_015_4, 0.550_379_46, 0.429_470_57]),
    (Arch::Vgg19, [0.394_167_04, 0.464_183_72, 0.341_195_23]),
];

/// Tells Oxford's numbers, and the channel order that they are in. Only their ratios are compared, so that filters that were
/// scaled (normalised networks) are told too; rounding to half precision changes them by less than the tolerance.
pub(crate) fn from_first_filter(arch: Arch, first: &ConvLayer<f32>) -> Option<(Convention, Decision)> {
    const TOLERANCE: f32 = 2e-3;
    let outputs = first.out_channels;
    let weights = direction([first.kernel[0], first.kernel[outputs], first.kernel[2 * outputs]])?;
    let (_, published) = OXFORD.iter().find(|(known, _)| *known == arch)?;
    let [r, g, b] = direction(*published)?;
    let is = |expected: [f32; 3]| {
        weights.iter().zip(expected).all(|(weight, expected)| (weight - expected).abs() < TOLERANCE)
    };
    let convention = match (is([r, g, b]), is([b, g, r])) {
        (true, _) => Convention::CaffeRgb,
        (_, true) => Convention::CaffeBgr,
        _ => return None,
    };
    Some((convention, Decision::Oxford(arch)))
}

/// Where such numbers come from, and their licence.
pub(crate) fn oxford_provenance(arch: Arch) -> BTreeMap<String, String> {
    let file = match arch {
        Arch::Vgg16 => "VGG_ILSVRC_16_layers",
        Arch::Vgg19 => "VGG_ILSVRC_19_layers",
    };
    let authors = "Karen Simonyan and Andrew Zisserman, Visual Geometry Group, University of Oxford";
    BTreeMap::from([
        ("licence".to_owned(), "CC-BY-4.0".to_owned()),
        ("source".to_owned(), format!("{file}, {authors}")),
    ])
}

/// A vector of length 1.
fn direction(vector: [f32; 3]) -> Option<[f32; 3]> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    (length > 0.0).then(|| vector.map(|value| value / length))
}

/// What format and names tell where the numbers are not Oxford's.
pub(crate) fn from_names(file: &RawFile) -> Option<(Convention, Decision)> {
    let has = |word: &str| file.tensors.iter().any(|tensor| tensor.name.contains(word));
    let convention = match file.format {
        Format::Caffemodel | Format::KerasH5 | Format::Keras | Format::NpyDict => {
            return Some((Convention::CaffeBgr, Decision::Format));
        }
        Format::Matlab => return Some((Convention::CaffeRgb, Decision::Format)),
        // Caffe's fully connected layers under torchvision's names: the conversions that neural-style-pt uses.
        Format::TorchZip | Format::TorchLegacy if has("features.") && has("classifier.1.weight") => {
            Convention::CaffeBgr
        }
        // torchvision and timm.
        Format::TorchZip | Format::TorchLegacy | Format::Safetensors | Format::Onnx if has("features.") => {
            Convention::Torch
        }
        // Gatys' conversion.
        Format::TorchZip | Format::TorchLegacy if has("conv1_1") => Convention::CaffeBgr,
        // The ONNX model zoo.
        Format::Onnx if has("vgg0_conv") => Convention::Torch,
        // The TensorFlow ports; conv1_1_W is a conversion of which both channel orders exist.
        Format::Npz if has("conv1_1") && !has("conv1_1_W") => Convention::CaffeBgr,
        // Keras.
        Format::Onnx | Format::Safetensors | Format::Npz if has("block1_conv1") => Convention::CaffeBgr,
        _ => return None,
    };
    Some((convention, Decision::Names))
}
