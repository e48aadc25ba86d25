//! As much of the protocol buffer wire format as ONNX and Caffe files need: fields of a message, read by position.
//! <https://protobuf.dev/programming-guides/encoding/>

use std::io::{self, BufReader, Read};

use super::input::Cursor;
use super::{Dtype, Format, Input, MAX_NUMBERS};
use crate::Problem;

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    Varint(u64),
    Fixed32(u32),
    Fixed64(u64),
    /// Text, packed numbers or a message: a part of the input.
    Bytes {
        offset: u64,
        len: u64,
    },
}

/// The fields of one message, in file order.
pub(crate) struct Fields {
    stream: BufReader<Cursor>,
    /// The message's place in the whole input.
    start: u64,
    position: u64,
    end: u64,
}

impl Fields {
    /// The fields of the message at `offset`.
    pub(crate) fn of(input: &Input, offset: u64, len: u64) -> io::Result<Self> {
        // Most messages are short: a small buffer keeps what is skipped unread.
        let stream = BufReader::with_capacity(512, input.part(offset, len)?.cursor());
        Ok(Self { stream, start: offset, position: 0, end: len })
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte)?;
        self.position += 1;
        Ok(byte[0])
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "a number of more than ten bytes"))
    }

    fn fixed<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        self.position += N as u64;
        Ok(bytes)
    }

    /// The next field's number and value; none at the end of the message.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Value)>> {
        if self.position == self.end {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.fixed()?)),
            2 => {
                let len = self.varint()?;
                let offset = self.position;
                if len > self.end - offset {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.stream.seek_relative(i64::try_from(len).map_err(io::Error::other)?)?;
                self.position += len;
                Value::Bytes { offset: self.start + offset, len }
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.fixed()?)),
            kind => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a field of type {kind}")));
            }
        };
        if key >> 3 == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a field without a number"));
        }
        Ok(Some((key >> 3, value)))
    }
}

/// A repeated number field as it stands in the file: packed pieces, or single values.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    packed: Vec<(u64, u64)>,
    single: Vec<f32>,
    /// Single values beyond what a wanted tensor can have: counted, not kept.
    surplus: u64,
}

impl Numbers {
    /// Takes one occurrence of the field; `dtype` is its wire type, F32 or F64.
    pub(crate) fn push(&mut self, value: Value) {
        match value {
            Value::Bytes { len: 0, .. } | Value::Varint(_) => {}
            Value::Bytes { offset, len } => self.packed.push((offset, len)),
            Value::Fixed32(_) | Value::Fixed64(_) if self.single.len() == MAX_NUMBERS => self.surplus += 1,
            Value::Fixed32(bits) => self.single.push(f32::from_bits(bits)),
            Value::Fixed64(bits) => self.single.push(f64::from_bits(bits) as f32),
        }
    }

    /// How many numbers there are.
    pub(crate) fn count(&self, dtype: Dtype) -> u64 {
        self.packed.iter().map(|&(_, len)| len / dtype.bytes()).sum::<u64>()
            + self.single.len() as u64
            + self.surplus
    }

    /// Reads them.
    pub(crate) fn read(self, input: &Input, dtype: Dtype) -> io::Result<Vec<f32>> {
        let mut numbers = self.single;
        for (offset, len) in self.packed {
            numbers.extend(input.numbers_at(offset, (len / dtype.bytes()) as usize, dtype, true)?);
        }
        Ok(numbers)
    }
}

/// A repeated integer field, packed or not, such as a shape.
pub(crate) fn push_integers(out: &mut Vec<usize>, input: &Input, value: Value) -> io::Result<()> {
    match value {
        Value::Varint(number) => out.push(usize::try_from(number).unwrap_or(usize::MAX)),
        Value::Bytes { offset, len } if len <= 128 => {
            let mut fields = Fields::of(input, offset, len)?;
            while fields.position < fields.end {
                out.push(usize::try_from(fields.varint()?).unwrap_or(usize::MAX));
            }
        }
        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "a shape that is none")),
    }
    if out.len() > 64 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a tensor of more than 64 dimensions"));
    }
    Ok(())
}

/// A text field; names are short.
pub(crate) fn text(input: &Input, value: Value) -> io::Result<String> {
    match value {
        Value::Bytes { offset, len } if len <= 4096 => {
            Ok(String::from_utf8_lossy(&input.bytes_at(offset, len)?).into_owned())
        }
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a name that is none")),
    }
}

/// What broke inside a message is told as such; a truncated file as truncated.
pub(crate) fn broken(error: io::Error, format: Format) -> Problem {
    match error.kind() {
        io::ErrorKind::InvalidData => format.malformed(error.to_string()),
        _ => Problem::Read(error),
    }
}
