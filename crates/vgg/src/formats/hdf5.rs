//! HDF5, as Keras writes it: groups named after layers, with the kernel and the bias of each. The crate `hdf5-reader` reads
//! the container.
//!
//! Keras 2: `block1_conv1/block1_conv1_W_1:0` or `block1_conv1/block1_conv1/kernel:0`, in a whole model under
//! `model_weights`. Keras 3: `layers/conv2d/vars/0` (kernel) and `/1` (bias), numbered in the order of the layers.

use std::sync::Arc;

use hdf5_reader::error::Error;
use hdf5_reader::group::Group;
use hdf5_reader::{ByteOrder, Datatype, Hdf5File, OpenOptions, Storage, StorageBuffer};

use super::input::read_numbers;
use super::{Collected, Dtype, Format, Input, Layout, MAX_NUMBERS, RawFile};
use crate::Problem;

/// Groups inside each other; Keras has five.
const MAX_DEPTH: usize = 8;
/// All groups together.
const MAX_GROUPS: usize = 2000;

impl Storage for Input {
    fn len(&self) -> u64 {
        self.len()
    }

    fn read_range(&self, offset: u64, len: usize) -> Result<StorageBuffer, Error> {
        Ok(StorageBuffer::from_vec(self.bytes_at(offset, len as u64).map_err(Error::Io)?))
    }
}

pub(crate) fn read(input: &Input, format: Format) -> Result<RawFile, Problem> {
    let broken = |error: Error| match error {
        Error::Io(error) => Problem::Read(error),
        error => format.malformed(error.to_string()),
    };
    let options = OpenOptions::default()
        .with_chunk_cache_bytes(1 << 20)
        .with_max_chunk_bytes(8 * MAX_NUMBERS)
        .with_max_read_bytes(8 * MAX_NUMBERS);
    let file = Hdf5File::from_storage_with_options(Arc::new(input.clone()), options).map_err(broken)?;
    let mut found = Collected::new(format);
    let mut groups = vec![(file.root_group().map_err(broken)?, String::new(), 0)];
    let mut visited = 0;
    while let Some((group, path, depth)) = groups.pop() {
        visited += 1;
        if visited > MAX_GROUPS || depth > MAX_DEPTH {
            return Err(format.malformed("it has more groups than a network needs"));
        }
        let (children, datasets) = group.members().map_err(broken)?;
        for dataset in datasets {
            let name = format!("{path}{}", dataset.name());
            let shape: Vec<usize> =
                dataset.shape().iter().map(|&side| usize::try_from(side).unwrap_or(usize::MAX)).collect();
            let (dtype, little) = number_type(dataset.dtype());
            found.add(name, shape, dtype, |_, shape| {
                let bytes = dataset.read_raw_bytes().map_err(broken)?;
                Ok(read_numbers(&mut bytes.as_slice(), shape.iter().product(), dtype, little)?)
            })?;
        }
        groups.extend(children.into_iter().filter(is_layers).map(|child| {
            let path = format!("{path}{}/", child.name());
            (child, path, depth + 1)
        }));
    }
    Ok(found.into_file(Layout::Hwio))
}

/// An optimiser's state repeats the layers' names.
fn is_layers(group: &Group) -> bool {
    !matches!(group.name(), "optimizer" | "optimizer_weights")
}

fn number_type(datatype: &Datatype) -> (Dtype, bool) {
    match datatype {
        Datatype::FloatingPoint { size, byte_order } => {
            let dtype = match size {
                2 => Dtype::F16,
                4 => Dtype::F32,
                8 => Dtype::F64,
                _ => Dtype::Other,
            };
            (dtype, *byte_order == ByteOrder::LittleEndian)
        }
        _ => (Dtype::Other, true),
    }
}
