//! safetensors: a little-endian u64 N, N bytes of JSON that name type, shape and place of each tensor, then the numbers.
//! <https://github.com/huggingface/safetensors>

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use byteorder::{ByteOrder, LittleEndian, WriteBytesExt};
use half::f16;
use safetensors::tensor::{Dtype as FileDtype, Metadata};

use super::{Collected, Dtype, Format, Input, Layout, RawFile};
use crate::Problem;

/// Far above what 32 tensors need, so that no file makes the JSON parser work for long.
const MAX_HEADER: u64 = 4 << 20;

/// Whether the first bytes are a plausible length and the `{` of a JSON object.
pub(crate) fn is_safetensors(start: &[u8]) -> bool {
    start.len() > 8 && start[8] == b'{'
}

pub(crate) fn read(input: &Input) -> Result<RawFile, Problem> {
    let malformed = |detail: String| Format::Safetensors.malformed(detail);
    let header_len = LittleEndian::read_u64(&input.bytes_at(0, 8)?);
    if header_len > MAX_HEADER {
        return Err(malformed(format!("its header claims {header_len} bytes")));
    }
    let header = input.bytes_at(8, header_len)?;
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|error| malformed(format!("its header: {error}")))?;
    let data = 8 + header_len;
    let expected = data + metadata.data_len() as u64;
    if expected > input.len() {
        return Err(Problem::Read(io::ErrorKind::UnexpectedEof.into()));
    }
    if expected < input.len() {
        return Err(malformed(format!("{} bytes follow its last tensor", input.len() - expected)));
    }
    let mut found = Collected::new(Format::Safetensors);
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else { continue };
        let dtype = match info.dtype {
            FileDtype::F64 => Dtype::F64,
            FileDtype::F32 => Dtype::F32,
            FileDtype::F16 => Dtype::F16,
            FileDtype::BF16 => Dtype::Bf16,
            _ => Dtype::Other,
        };
        found.add(name, info.shape.clone(), dtype, |_, shape| {
            let offset = data + info.data_offsets.0 as u64;
            Ok(input.numbers_at(offset, shape.iter().product(), dtype, true)?)
        })?;
    }
    let metadata = metadata.metadata().iter().flatten();
    let metadata = metadata.map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok(RawFile { metadata, ..found.into_file(Layout::Oihw) })
}

/// A tensor to be written. Its numbers are made when their turn comes, so that there is one tensor at a time.
pub(crate) struct Written<'a> {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Box<dyn Fn() -> Cow<'a, [f32]> + 'a>,
}

/// Writes the tensors in the given order, as single or half precision (rounded to nearest even). The same tensors give
/// the same bytes: metadata sorted, no spaces but those that fill the header to a multiple of 8 bytes.
pub(crate) fn write(
    out: &mut dyn Write,
    metadata: &BTreeMap<String, String>,
    tensors: &[Written],
    half: bool,
) -> io::Result<()> {
    let mut header = format!("{{\"__metadata__\":{}", serde_json::to_string(metadata)?);
    let mut offset = 0;
    for tensor in tensors {
        let end = offset + tensor.shape.iter().product::<usize>() * if half { 2 } else { 4 };
        write!(
            header,
            ",{}:{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{offset},{end}]}}",
            serde_json::to_string(&tensor.name)?,
            if half { "F16" } else { "F32" },
            serde_json::to_string(&tensor.shape)?
        )
        .map_err(io::Error::other)?;
        offset = end;
    }
    header.push('}');
    header.extend(std::iter::repeat_n(' ', header.len().wrapping_neg() % 8));
    out.write_u64::<LittleEndian>(header.len() as u64)?;
    out.write_all(header.as_bytes())?;
    for tensor in tensors {
        for &value in &*(tensor.values)() {
            if half {
                out.write_all(&f16::from_f32(value).to_le_bytes())?;
            } else {
                out.write_all(&value.to_le_bytes())?;
            }
        }
    }
    Ok(())
}
