//! Readers: one file a format. Each gives the tensors of a file as [`RawTensor`]s; [`crate::assemble`] makes a network
//! of them.
//!
//! Files from strangers are hostile. Every length is checked against what the file can hold before memory is taken,
//! and only tensors that a VGG convolution could be made of are read at all ([`is_wanted`]).

pub(crate) mod safetensors;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use half::{bf16, f16};

use crate::Problem;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A JSON header and raw little-endian numbers.
    Safetensors,
}

impl Format {
    const ALL: [Self; 1] = [Self::Safetensors];

    /// All of them, for messages.
    pub(crate) fn list() -> String {
        let names: Vec<String> = Self::ALL.iter().map(ToString::to_string).collect();
        names.join(", ")
    }

    pub(crate) fn malformed(self, detail: impl Into<String>) -> Problem {
        Problem::Malformed { format: self, detail: detail.into() }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
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

    /// Numbers from bytes; `little` tells their order. The length of `bytes` is a multiple of the type's.
    fn decode(self, bytes: &[u8], little: bool, out: &mut Vec<f32>) {
        macro_rules! numbers {
            ($type:ty, $size:literal, $to_f32:expr) => {
                out.extend(bytes.chunks_exact($size).map(|chunk| {
                    let mut array = [0_u8; $size];
                    array.copy_from_slice(chunk);
                    let number =
                        if little { <$type>::from_le_bytes(array) } else { <$type>::from_be_bytes(array) };
                    $to_f32(number)
                }))
            };
        }
        match self {
            Self::F64 => numbers!(f64, 8, |x: f64| x as f32),
            Self::F32 => numbers!(f32, 4, |x: f32| x),
            Self::F16 => numbers!(f16, 2, f16::to_f32),
            Self::Bf16 => numbers!(bf16, 2, bf16::to_f32),
            Self::Other => {}
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
}

/// One tensor of a file.
#[derive(Debug, Clone)]
pub(crate) struct RawTensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// The numbers, for tensors that [`is_wanted`]; the others are never read.
    pub(crate) values: Option<Vec<f32>>,
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

/// Where the bytes come from: a file, or memory.
pub(crate) trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// A source that knows its length and takes no memory that the length does not justify.
pub(crate) struct Input<'a> {
    source: &'a mut dyn Source,
    len: u64,
}

impl<'a> Input<'a> {
    pub(crate) fn new(source: &'a mut dyn Source) -> io::Result<Self> {
        let len = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        Ok(Self { source, len })
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// The bytes `offset .. offset + len`; they are in the file, or this fails before memory is taken.
    pub(crate) fn bytes_at(&mut self, offset: u64, len: u64) -> io::Result<Vec<u8>> {
        if offset.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.source.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        self.source.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// `count` numbers at `offset`, read in pieces.
    pub(crate) fn numbers_at(
        &mut self,
        offset: u64,
        count: usize,
        dtype: Dtype,
        little: bool,
    ) -> io::Result<Vec<f32>> {
        let len = (count as u64).checked_mul(dtype.bytes());
        if len.and_then(|len| offset.checked_add(len)).is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.source.seek(SeekFrom::Start(offset))?;
        read_numbers(&mut *self.source, count, dtype, little)
    }
}

/// `count` numbers from a stream. Memory grows with what arrives, so a stream may promise more than it holds.
pub(crate) fn read_numbers(
    stream: &mut dyn Read,
    count: usize,
    dtype: Dtype,
    little: bool,
) -> io::Result<Vec<f32>> {
    const PIECE: usize = 1 << 16;
    let mut buffer = vec![0_u8; PIECE];
    let mut left = count * dtype.bytes() as usize;
    let mut numbers = Vec::new();
    while left > 0 {
        let piece = left.min(PIECE);
        stream.read_exact(&mut buffer[..piece])?;
        if numbers.capacity() - numbers.len() < PIECE / dtype.bytes() as usize {
            numbers.reserve_exact(numbers.len().max(PIECE).min(count - numbers.len()));
        }
        dtype.decode(&buffer[..piece], little, &mut numbers);
        left -= piece;
    }
    Ok(numbers)
}

/// Whether a tensor can be part of a VGG convolution: a 3x3 kernel of at most 512 x 512 filters, or at most 512 biases.
/// Fully connected layers are neither, and stay unread.
pub(crate) fn is_wanted(shape: &[usize], dtype: Dtype) -> bool {
    const FILTERS: usize = 512;
    if dtype == Dtype::Other {
        return false;
    }
    match *shape {
        [biases] => biases <= FILTERS,
        [a, b, 3, 3] | [3, 3, a, b] => a <= FILTERS && b <= FILTERS,
        _ => false,
    }
}

/// Tells the format from the content and reads it.
pub(crate) fn read_any(input: &mut Input) -> Result<RawFile, Problem> {
    let start = input.bytes_at(0, input.len().min(512))?;
    if safetensors::is_safetensors(&start) {
        return safetensors::read(input);
    }
    Err(Problem::UnknownFormat)
}
