//! Readers: one file a format. Each gives the tensors of a file as [`RawTensor`]s; [`crate::assemble`] makes a network
//! of them.
//!
//! Files from strangers are hostile. Every length is checked against what the file can hold before memory is taken,
//! and only tensors that a VGG convolution could be made of are read at all ([`is_wanted`]).

mod caffemodel;
mod hdf5;
mod input;
mod matlab;
mod npy;
mod onnx;
mod pickle;
mod protobuf;
pub(crate) mod safetensors;
mod torch;
mod zipped;

use std::collections::BTreeMap;
use std::fmt;

pub(crate) use input::Input;

use crate::Problem;
use crate::error::printable;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// How a kernel's numbers are ordered, slowest index first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// out, in, ky, kx: Caffe, PyTorch, ONNX.
    Oihw,
    /// ky, kx, in, out: TensorFlow, Keras.
    Hwio,
}

/// One tensor of a file.
#[derive(Debug, Clone)]
pub(crate) struct RawTensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: Dtype,
    /// The numbers, for tensors that [`is_wanted`]; the others are never read.
    pub(crate) values: Option<Vec<f32>>,
    /// Which convolution it belongs to, counted from 0, where the file says so better than the name.
    pub(crate) order: Option<usize>,
}

/// What a reader finds in a file.
#[derive(Debug)]
pub(crate) struct RawFile {
    pub(crate) format: Format,
    pub(crate) layout: Layout,
    pub(crate) tensors: Vec<RawTensor>,
    /// Key and value texts, where the format has them.
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Filters of the widest layer.
const FILTERS: usize = 512;

/// More tensors than any network has.
const MAX_TENSORS: usize = 10_000;

/// All kernels and biases of VGG-19, and short tensors of other layers.
const MAX_TOTAL: usize = 20_100_000;

/// Numbers of the largest kernel.
const MAX_NUMBERS: usize = 9 * FILTERS * FILTERS;

/// Whether a tensor can be part of a VGG convolution: a 3x3 kernel of at most 512 x 512 filters, or at most 512 biases.
/// Fully connected layers are neither, and stay unread.
fn is_wanted(shape: &[usize], dtype: Dtype) -> bool {
    if dtype == Dtype::Other {
        return false;
    }
    match *shape {
        [biases] => biases <= FILTERS,
        [a, b, 3, 3] | [3, 3, a, b] => a <= FILTERS && b <= FILTERS,
        _ => false,
    }
}

/// The tensors of a file while it is read, within the limits of what a network can need.
pub(crate) struct Collected {
    format: Format,
    pub(crate) tensors: Vec<RawTensor>,
    numbers: usize,
}

impl Collected {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, tensors: Vec::new(), numbers: 0 }
    }

    /// Whether a tensor of this shape is to be read.
    pub(crate) fn admit(&mut self, shape: &[usize], dtype: Dtype) -> Result<bool, Problem> {
        if self.tensors.len() == MAX_TENSORS {
            return Err(self.format.malformed(format!("it holds more than {MAX_TENSORS} tensors")));
        }
        if !is_wanted(shape, dtype) {
            return Ok(false);
        }
        self.numbers += shape.iter().product::<usize>();
        if self.numbers > MAX_TOTAL {
            return Err(Problem::NotVgg("it holds more 3x3 kernels than VGG-19".into()));
        }
        Ok(true)
    }

    pub(crate) fn push(&mut self, name: String, shape: Vec<usize>, dtype: Dtype, values: Option<Vec<f32>>) {
        self.tensors.push(RawTensor { name, shape, dtype, values, order: None });
    }
}

/// The elements in the order of the shape, last index fastest, from where the strides say they are. Every place must be
/// within `stored`.
pub(crate) fn gather(stored: Vec<f32>, shape: &[usize], strides: &[usize]) -> Vec<f32> {
    let mut dense = 1;
    let is_dense = shape.iter().zip(strides).rev().all(|(&side, &stride)| {
        let expected = dense;
        dense *= side;
        side == 1 || stride == expected
    });
    if is_dense {
        return stored;
    }
    let count = shape.iter().product();
    let mut values = Vec::with_capacity(count);
    let mut index = vec![0; shape.len()];
    let mut place = 0;
    for _ in 0..count {
        values.push(stored[place]);
        for ((i, &side), &stride) in index.iter_mut().zip(shape).zip(strides).rev() {
            *i += 1;
            place += stride;
            if *i < side {
                break;
            }
            place -= side * stride;
            *i = 0;
        }
    }
    values
}

/// Strides of an array whose first index is fastest (MATLAB, Fortran).
pub(crate) fn column_strides(shape: &[usize]) -> Vec<usize> {
    let strides = shape.iter().scan(1, |stride, side| {
        let this = *stride;
        *stride *= side;
        Some(this)
    });
    strides.collect()
}

/// Tells the format from the content and reads it.
pub(crate) fn read(input: &Input) -> Result<RawFile, Problem> {
    let start = input.bytes_at(0, input.len().min(512))?;
    if start.starts_with(b"\x89HDF\r\n\x1a\n") {
        hdf5::read(input, Format::KerasH5)
    } else if start.starts_with(b"PK\x03\x04") {
        zipped::read(input)
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
