//! Caffe: a protocol buffer `NetParameter` with layers in the field `layers` (2, until 2014) or `layer` (100), each with its
//! blobs: the kernel, then the bias.
//! <https://github.com/BVLC/caffe/blob/master/src/caffe/proto/caffe.proto>

use std::io;

use super::protobuf::{self, Fields, Numbers, Value, push_integers, text};
use super::{Collected, Dtype, Format, Input, Layout, RawFile};
use crate::Problem;

/// Fields of a layer: its own number in `NetParameter`, then those of name and blobs in it.
const OLD: (u64, u64, u64) = (2, 4, 6);
const NEW: (u64, u64, u64) = (100, 1, 7);

/// Whether the bytes are a network: a name, or layers at once, and the first layer is one.
pub(crate) fn is_caffemodel(input: &Input) -> bool {
    let first_layer = || -> io::Result<bool> {
        let mut fields = Fields::of(input, 0, input.len())?;
        while let Some((number, value)) = fields.next()? {
            if (number == OLD.0 || number == NEW.0) && matches!(value, Value::Bytes { .. }) {
                return Ok(true);
            }
            if number > 8 {
                return Ok(false);
            }
        }
        Ok(false)
    };
    first_layer().unwrap_or(false)
}

pub(crate) fn read(input: &Input) -> Result<RawFile, Problem> {
    let mut found = Collected::new(Format::Caffemodel);
    let mut fields = Fields::of(input, 0, input.len())?;
    while let Some((number, value)) = fields.next().map_err(broken)? {
        let Value::Bytes { offset, len } = value else { continue };
        for (layer, name, blobs) in [OLD, NEW] {
            if number == layer {
                read_layer(input, offset, len, name, blobs, &mut found)?;
            }
        }
    }
    Ok(found.into_file(Layout::Oihw))
}

fn broken(error: io::Error) -> Problem {
    protobuf::broken(error, Format::Caffemodel)
}

fn read_layer(
    input: &Input,
    offset: u64,
    len: u64,
    name_field: u64,
    blobs_field: u64,
    found: &mut Collected,
) -> Result<(), Problem> {
    let (mut name, mut blobs) = (String::new(), Vec::new());
    let mut fields = Fields::of(input, offset, len)?;
    while let Some((number, value)) = fields.next().map_err(broken)? {
        match value {
            _ if number == name_field => name = text(input, value).map_err(broken)?,
            Value::Bytes { offset, len } if number == blobs_field => blobs.push((offset, len)),
            _ => {}
        }
    }
    for (index, (offset, len)) in blobs.into_iter().enumerate() {
        read_blob(input, offset, len, format!("{name}.blobs[{index}]"), found)?;
    }
    Ok(())
}

/// A `BlobProto`: the shape as one field, or as num, channels, height and width.
fn read_blob(
    input: &Input,
    offset: u64,
    len: u64,
    name: String,
    found: &mut Collected,
) -> Result<(), Problem> {
    let (mut sides, mut shape) = ([1_usize; 4], Vec::new());
    let (mut floats, mut doubles) = (Numbers::default(), Numbers::default());
    let mut fields = Fields::of(input, offset, len)?;
    while let Some((number, value)) = fields.next().map_err(broken)? {
        match (number, value) {
            (1..=4, Value::Varint(side)) => {
                sides[number as usize - 1] = usize::try_from(side).unwrap_or(usize::MAX);
            }
            (5, value) => floats.push(value),
            (7, Value::Bytes { offset, len }) => {
                let mut dims = Fields::of(input, offset, len)?;
                while let Some((number, value)) = dims.next().map_err(broken)? {
                    if number == 1 {
                        push_integers(&mut shape, input, value).map_err(broken)?;
                    }
                }
            }
            (8, value) => doubles.push(value),
            _ => {}
        }
    }
    if shape.is_empty() {
        // A bias is 1 x 1 x 1 x N in the old form.
        shape = if sides[..3] == [1; 3] { vec![sides[3]] } else { sides.to_vec() };
    }
    let (numbers, dtype) =
        if doubles.count(Dtype::F64) > 0 { (doubles, Dtype::F64) } else { (floats, Dtype::F32) };
    found.add(name, shape, dtype, |name, shape| {
        let count: usize = shape.iter().product();
        if numbers.count(dtype) != count as u64 {
            return Err(Format::Caffemodel.wrong_count(name, count));
        }
        Ok(numbers.read(input, dtype)?)
    })
}
