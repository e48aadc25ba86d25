//! ONNX: a protocol buffer `ModelProto`. Weights are initialisers (or `Constant` nodes), in raw or in typed fields; which
//! convolution is which comes from the order of the graph's `Conv` nodes, so that names do not matter.
//! <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>

use std::collections::HashMap;
use std::io;

use super::protobuf::{self, Fields, Numbers, Value, push_integers, text};
use super::{Collected, Dtype, Format, Input, Layout, RawFile};
use crate::Problem;

/// `ModelProto.graph`.
const GRAPH: u64 = 7;

/// Whether the bytes are a model: its version first, and a graph.
pub(crate) fn is_onnx(input: &Input) -> bool {
    matches!(graph(input), Ok(Some(_)))
}

/// The place of the graph. The first field of a model is its version, the varint 1.
fn graph(input: &Input) -> io::Result<Option<(u64, u64)>> {
    let mut fields = Fields::of(input, 0, input.len())?;
    if !matches!(fields.next()?, Some((1, Value::Varint(1..=1000)))) {
        return Ok(None);
    }
    while let Some((number, value)) = fields.next()? {
        if let (GRAPH, Value::Bytes { offset, len }) = (number, value) {
            return Ok(Some((offset, len)));
        }
    }
    Ok(None)
}

pub(crate) fn read(input: &Input) -> Result<RawFile, Problem> {
    let (offset, len) = graph(input)?.ok_or_else(|| Format::Onnx.malformed("it has no graph"))?;
    let mut found = Collected::new(Format::Onnx);
    let mut convs = 0;
    // A tensor's name to the convolution that takes it as kernel or bias.
    let mut order = HashMap::new();
    let mut fields = Fields::of(input, offset, len)?;
    while let Some((number, value)) = fields.next().map_err(broken)? {
        match (number, value) {
            (1, Value::Bytes { offset, len }) => {
                let node = Node::read(input, offset, len)?;
                if node.operation == "Conv" {
                    order.extend(node.inputs.into_iter().skip(1).map(|name| (name, convs)));
                    convs += 1;
                } else if node.operation == "Constant"
                    && let (Some((offset, len)), Some(name)) = (node.tensor, node.output)
                {
                    tensor(input, offset, len, Some(name), &mut found)?;
                }
            }
            (5, Value::Bytes { offset, len }) => tensor(input, offset, len, None, &mut found)?,
            _ => {}
        }
    }
    for tensor in &mut found.tensors {
        tensor.order = order.get(&tensor.name).copied();
    }
    Ok(found.into_file(Layout::Oihw))
}

fn broken(error: io::Error) -> Problem {
    protobuf::broken(error, Format::Onnx)
}

/// As much of a `NodeProto` as is needed.
#[derive(Default)]
struct Node {
    operation: String,
    inputs: Vec<String>,
    output: Option<String>,
    tensor: Option<(u64, u64)>,
}

impl Node {
    fn read(input: &Input, offset: u64, len: u64) -> Result<Self, Problem> {
        let mut node = Self::default();
        let mut fields = Fields::of(input, offset, len)?;
        while let Some((number, value)) = fields.next().map_err(broken)? {
            match (number, value) {
                (1, value) if node.inputs.len() < 3 => node.inputs.push(text(input, value).map_err(broken)?),
                (2, value) => node.output = Some(text(input, value).map_err(broken)?),
                (4, value) => node.operation = text(input, value).map_err(broken)?,
                (5, Value::Bytes { offset, len }) => {
                    let mut attribute = Fields::of(input, offset, len)?;
                    while let Some(field) = attribute.next().map_err(broken)? {
                        // `AttributeProto.t`
                        if let (5, Value::Bytes { offset, len }) = field {
                            node.tensor = Some((offset, len));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(node)
    }
}

/// A `TensorProto`.
fn tensor(
    input: &Input,
    offset: u64,
    len: u64,
    name: Option<String>,
    found: &mut Collected,
) -> Result<(), Problem> {
    let mut shape = Vec::new();
    let (mut kind, mut tensor_name, mut external) = (0, String::new(), false);
    let (mut floats, mut doubles, mut raw) = (Numbers::default(), Numbers::default(), None);
    let mut halves = Vec::new();
    let mut fields = Fields::of(input, offset, len)?;
    while let Some((number, value)) = fields.next().map_err(broken)? {
        match (number, value) {
            (1, value) => push_integers(&mut shape, input, value).map_err(broken)?,
            (2, Value::Varint(number)) => kind = number,
            (4, value) => floats.push(value),
            (5, Value::Bytes { offset, len }) => halves.push((offset, len)),
            (8, value) => tensor_name = text(input, value).map_err(broken)?,
            (9, Value::Bytes { offset, len }) => raw = Some((offset, len)),
            (10, value) => doubles.push(value),
            (14, Value::Varint(location)) => external = location == 1,
            _ => {}
        }
    }
    let name = name.unwrap_or(tensor_name);
    let dtype = match kind {
        1 => Dtype::F32,
        10 => Dtype::F16,
        11 => Dtype::F64,
        16 => Dtype::Bf16,
        _ => Dtype::Other,
    };
    found.add(name, shape, dtype, |name, shape| {
        if external {
            let detail = format!("{name} is in another file: save the model with its weights inside");
            return Err(Format::Onnx.malformed(detail));
        }
        let count: usize = shape.iter().product();
        let values = match (raw, dtype) {
            (Some((offset, len)), _) if len == count as u64 * dtype.bytes() => {
                input.numbers_at(offset, count, dtype, true)?
            }
            (None, Dtype::F32) if floats.count(dtype) == count as u64 => floats.read(input, dtype)?,
            (None, Dtype::F64) if doubles.count(dtype) == count as u64 => doubles.read(input, dtype)?,
            (None, Dtype::F16 | Dtype::Bf16) => half_numbers(input, &halves, dtype, count)?,
            _ => return Err(Format::Onnx.wrong_count(name, count)),
        };
        if values.len() == count { Ok(values) } else { Err(Format::Onnx.wrong_count(name, count)) }
    })
}

/// Half precision in the field `int32_data`: each number's 16 bits as a varint.
fn half_numbers(
    input: &Input,
    pieces: &[(u64, u64)],
    dtype: Dtype,
    count: usize,
) -> Result<Vec<f32>, Problem> {
    let mut values = Vec::new();
    for &(offset, len) in pieces {
        let bytes = input.bytes_at(offset, len.min(3 * count as u64))?;
        let mut bits = 0_u32;
        let mut shift = 0;
        for byte in bytes {
            bits |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte & 0x80 == 0 {
                let bits16 = bits as u16;
                values.push(if dtype == Dtype::F16 {
                    half::f16::from_bits(bits16).to_f32()
                } else {
                    half::bf16::from_bits(bits16).to_f32()
                });
                (bits, shift) = (0, 0);
            }
        }
    }
    Ok(values)
}
