//! What every reader gives: the tensors of a file, and of those that a network may need the numbers.

use std::collections::BTreeMap;

use super::{Dtype, Format};
use crate::Problem;

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
pub(super) const MAX_TENSORS: usize = 10_000;

/// All kernels and biases of VGG-19, and short tensors of other layers.
const MAX_TOTAL: usize = 20_100_000;

/// Numbers of the largest kernel.
pub(super) const MAX_NUMBERS: usize = 9 * FILTERS * FILTERS;

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
    pub(super) tensors: Vec<RawTensor>,
    numbers: usize,
}

impl Collected {
    pub(super) fn new(format: Format) -> Self {
        Self { format, tensors: Vec::new(), numbers: 0 }
    }

    /// Adds a tensor; `read` gives its numbers, in the order of the shape, and is called only if it is wanted.
    pub(super) fn add(
        &mut self,
        name: String,
        shape: Vec<usize>,
        dtype: Dtype,
        read: impl FnOnce(&str, &[usize]) -> Result<Vec<f32>, Problem>,
    ) -> Result<(), Problem> {
        let values = if self.admit(&shape, dtype)? { Some(read(&name, &shape)?) } else { None };
        self.tensors.push(RawTensor { name, shape, dtype, values, order: None });
        Ok(())
    }

    /// Whether a tensor of this shape is to be read.
    fn admit(&mut self, shape: &[usize], dtype: Dtype) -> Result<bool, Problem> {
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

    /// What was found, in a format without metadata.
    pub(super) fn into_file(self, layout: Layout) -> RawFile {
        RawFile { format: self.format, layout, tensors: self.tensors, metadata: BTreeMap::new() }
    }
}
