//! Readers: one file a format. Each gives the tensors of a file as [`RawTensor`]s; [`crate::assemble`] makes a network
//! of them.
//!
//! Files from strangers are hostile. Every length is checked against what the file can hold before memory is taken,
//! and only tensors that a VGG convolution could be made of are read at all (`tensors`).

mod caffemodel;
#[cfg(feature = "hdf5")]
mod hdf5;
#[cfg(not(feature = "hdf5"))]
#[path = "no_hdf5.rs"]
mod hdf5;
mod input;
mod matlab;
mod npy;
mod onnx;
mod pickle;
mod protobuf;
pub(crate) mod safetensors;
mod strides;
mod tensors;
mod torch;
mod zipped;

use std::fmt;

pub(crate) use input::Input;
use tensors::{Collected, MAX_NUMBERS, MAX_TENSORS};
pub(crate) use tensors::{Layout, RawFile, RawTensor};
use zipped::Archive;

use crate::Problem;
use crate::error::printable;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A JSON header and raw little-endian numbers.
    Safetensors,
    /// PyTorch since 1.6: a zip archive with a pickle and one member for each storage.
    TorchZip,
    /// PyTorch before 1.6: pickles, then the storages.
    TorchLegacy,
    /// Caffe's binary protocol buffer, with the fields `layers` or `layer`.
    Caffemodel,
    /// HDF5 as Keras 2 and 3 write it (`.h5`, `.weights.h5`).
    KerasH5,
    /// Keras 3's zip archive (`.keras`) around such a file.
    Keras,
    /// MATLAB version 5, as MatConvNet saves networks.
    Matlab,
    /// An ONNX model.
    Onnx,
    /// NumPy's zip archive of arrays.
    Npz,
    /// A pickled Python dictionary of arrays in a `.npy` file.
    NpyDict,
}

impl Format {
    const ALL: [Self; 10] = [
        Self::TorchZip,
        Self::TorchLegacy,
        Self::Safetensors,
        Self::Caffemodel,
        Self::KerasH5,
        Self::Keras,
        Self::Matlab,
        Self::Onnx,
        Self::Npz,
        Self::NpyDict,
    ];

    /// All of them, for messages.
    pub(crate) fn list() -> String {
        let names: Vec<String> = Self::ALL.iter().map(ToString::to_string).collect();
        names.join(", ")
    }

    /// The error of a file that contradicts its format; `detail` may hold names from the file.
    pub(crate) fn malformed(self, detail: impl AsRef<str>) -> Problem {
        Problem::Malformed { format: self, detail: printable(detail.as_ref()) }
    }

    /// The error of a tensor whose numbers are more or fewer than the `count` of its shape.
    fn wrong_count(self, name: &str, count: usize) -> Problem {
        self.malformed(format!("{name} does not hold the {count} numbers of its shape"))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::TorchZip => "PyTorch zip",
            Self::TorchLegacy => "PyTorch legacy",
            Self::Caffemodel => "caffemodel",
            Self::KerasH5 => "Keras HDF5",
            Self::Keras => "Keras zip",
            Self::Matlab => "MatConvNet MAT",
            Self::Onnx => "ONNX",
            Self::Npz => "NumPy npz",
            Self::NpyDict => "NumPy npy dictionary",
        })
    }
}

/// The number type of a tensor in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dtype {
    /// IEEE double precision.
    F64,
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of single precision.
    Bf16,
    /// Anything that weights are not stored in.
    Other,
}

impl Dtype {
    /// Bytes of one number.
    pub(crate) const fn bytes(self) -> u64 {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Other => 1,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Other => "other",
        })
    }
}

/// Tells the format from the content and reads it.
pub(crate) fn read(input: &Input) -> Result<RawFile, Problem> {
    let start = input.bytes_at(0, input.len().min(512))?;
    if start.starts_with(b"\x89HDF\r\n\x1a\n") {
        hdf5::read(input, Format::KerasH5)
    } else if start.starts_with(b"PK\x03\x04") {
        read_zip(input)
    } else if start.starts_with(&torch::LEGACY_MAGIC) {
        torch::read_legacy(input)
    } else if start.starts_with(npy::MAGIC) {
        npy::read_dict(input)
    } else if matlab::is_matlab(&start) {
        matlab::read(input)
    } else if safetensors::is_safetensors(&start) {
        safetensors::read(input)
    } else if onnx::is_onnx(input) {
        onnx::read(input)
    } else if caffemodel::is_caffemodel(input) {
        caffemodel::read(input)
    } else {
        Err(Problem::UnknownFormat)
    }
}

/// Tells PyTorch's, Keras' and NumPy's archives by their members and reads them.
fn read_zip(input: &Input) -> Result<RawFile, Problem> {
    let mut archive = Archive::open(input)?;
    let names = archive.names()?;
    if let Some(root) = names.iter().find_map(|name| name.strip_suffix("data.pkl")) {
        torch::read_zip(&mut archive, root)
    } else if names.iter().any(|name| name == "model.weights.h5") {
        hdf5::read(&archive.stored("model.weights.h5", Format::Keras)?, Format::Keras)
    } else if names.iter().any(|name| name.strip_suffix(".npy").is_some()) {
        npy::read_npz(&mut archive, &names)
    } else {
        Err(Problem::UnknownFormat)
    }
}
