//! NumPy: `.npz` archives of arrays, and `.npy` files that hold a pickled dictionary of arrays, as the TensorFlow ports of
//! VGG have them (`{'conv1_1': [kernel, bias], ...}` or `{'conv1_1': {'weights': ..., 'biases': ...}, ...}`).
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::io::{self, Read};

use super::input::read_numbers;
use super::pickle::{Id, Node, Pickle};
use super::strides::{column_strides, gather};
use super::zipped::Archive;
use super::{Collected, Dtype, Format, Input, Layout, RawFile};
use crate::Problem;

pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";

/// Far more entries of a dictionary than a network has.
const MAX_LAYERS: usize = 256;

/// The text in front of an array: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 3, 64), }`.
struct Header {
    descr: String,
    columns: bool,
    shape: Vec<usize>,
    /// Bytes before the numbers.
    len: u64,
}

impl Header {
    fn read(stream: &mut dyn Read, format: Format) -> Result<Self, Problem> {
        let mut start = [0; 8];
        stream.read_exact(&mut start)?;
        if !start.starts_with(MAGIC) {
            return Err(format.malformed("an array without its magic"));
        }
        let (len, start) = if start[6] == 1 {
            let mut len = [0; 2];
            stream.read_exact(&mut len)?;
            (u64::from(u16::from_le_bytes(len)), 10)
        } else {
            let mut len = [0; 4];
            stream.read_exact(&mut len)?;
            (u64::from(u32::from_le_bytes(len)), 12)
        };
        if len > 1 << 16 {
            return Err(format.malformed("an array's header is too long"));
        }
        let mut text = vec![0; len as usize];
        stream.read_exact(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let broken = || format.malformed("an array's header cannot be understood");
        let value = |key: &str| {
            let rest = text.split_once(&format!("'{key}'"))?.1;
            Some(rest.trim_start().strip_prefix(':')?.trim_start())
        };
        let descr = value("descr").ok_or_else(broken)?;
        let descr = descr.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).ok_or_else(broken)?.0;
        let columns = value("fortran_order").ok_or_else(broken)?.starts_with("True");
        let shape = value("shape").and_then(|text| text.strip_prefix('(')?.split_once(')'));
        let shape: Result<Vec<usize>, _> = shape
            .ok_or_else(broken)?
            .0
            .split(',')
            .map(|side| side.trim().trim_end_matches('L'))
            .filter(|side| !side.is_empty())
            .map(str::parse)
            .collect();
        let shape = shape.map_err(|_| broken())?;
        Ok(Self { descr: descr.to_owned(), columns, shape, len: start + len })
    }
}

/// A type such as `<f4` and whether it is little-endian.
fn dtype(descr: &str) -> (Dtype, bool) {
    let (order, kind) = descr.split_at_checked(1).unwrap_or((descr, ""));
    let kind = if order == "f" { descr } else { kind };
    let dtype = match kind {
        "f2" => Dtype::F16,
        "f4" => Dtype::F32,
        "f8" => Dtype::F64,
        _ => Dtype::Other,
    };
    (dtype, order != ">")
}

/// `count` numbers of an array, brought into C's order if they are in Fortran's.
fn values(
    stream: &mut dyn Read,
    shape: &[usize],
    dtype: Dtype,
    little: bool,
    columns: bool,
) -> io::Result<Vec<f32>> {
    let values = read_numbers(stream, shape.iter().product(), dtype, little)?;
    Ok(if columns { gather(values, shape, &column_strides(shape)) } else { values })
}

pub(crate) fn read_npz(archive: &mut Archive, names: &[String]) -> Result<RawFile, Problem> {
    let format = Format::Npz;
    let mut found = Collected::new(format);
    for member in names {
        let Some(name) = member.strip_suffix(".npy") else { continue };
        let mut stream = archive.member(member, format)?;
        let header = Header::read(&mut stream, format)?;
        let (dtype, little) = dtype(&header.descr);
        found.add(name.to_owned(), header.shape, dtype, |_, shape| {
            Ok(values(&mut stream, shape, dtype, little, header.columns)?)
        })?;
    }
    Ok(found.into_file(Layout::Hwio))
}

pub(crate) fn read_dict(input: &Input) -> Result<RawFile, Problem> {
    let format = Format::NpyDict;
    let header = Header::read(&mut input.stream(), format)?;
    if !header.descr.ends_with('O') {
        return Err(format.malformed("it holds a single array, not a dictionary of them"));
    }
    let pickle = Pickle::read(input, header.len, format)?;
    let dict = object_elements(&pickle, pickle.root)
        .and_then(|elements| elements.first().copied())
        .filter(|&dict| pickle.items(dict).is_some())
        .ok_or_else(|| format.malformed("it holds no dictionary"))?;
    let mut found = Collected::new(format);
    for (key, value) in pickle.items(dict).unwrap_or_default().into_iter().take(MAX_LAYERS) {
        let Some(layer) = pickle.text(key) else { continue };
        // Layers have two arrays.
        let parts: Vec<(String, Id)> = if let Some(items) = pickle.items(value) {
            let named = items
                .into_iter()
                .take(8)
                .filter_map(|(key, part)| Some((pickle.text(key)?.to_owned(), part)));
            named.collect()
        } else if let Some(elements) = pickle.elements(value).or_else(|| object_elements(&pickle, value)) {
            elements.iter().take(8).enumerate().map(|(index, &part)| (index.to_string(), part)).collect()
        } else {
            vec![(String::new(), value)]
        };
        for (part, id) in parts {
            if let Some(array) = Array::of(&pickle, id) {
                array.read(&pickle, input, format!("{layer}/{part}"), &mut found)?;
            }
        }
    }
    Ok(found.into_file(Layout::Hwio))
}

/// A pickled array: `_reconstruct(...)` with the state (version, shape, dtype, fortran_order, data).
struct Array {
    shape: Vec<usize>,
    descr: String,
    columns: bool,
    data: Id,
}

impl Array {
    fn of(pickle: &Pickle, id: Id) -> Option<Self> {
        let Node::Call { function, state: Some(state), .. } = *pickle.node(id) else { return None };
        let [_, shape, dtype, columns, data] = *pickle.elements(state)? else { return None };
        (pickle.global(function)? == "_reconstruct").then_some(())?;
        let Node::Call { arguments, state, .. } = *pickle.node(dtype) else { return None };
        let kind = pickle.text(*pickle.elements(arguments)?.first()?)?;
        // The dtype's state starts with its version and its byte order.
        let order = state
            .and_then(|state| pickle.elements(state)?.get(1).copied())
            .and_then(|order| pickle.text(order))
            .unwrap_or("<");
        Some(Self {
            shape: pickle.integers(shape)?,
            descr: format!("{order}{kind}"),
            columns: *pickle.node(columns) == Node::Bool(true),
            data,
        })
    }

    fn read(
        self,
        pickle: &Pickle,
        input: &Input,
        name: String,
        found: &mut Collected,
    ) -> Result<(), Problem> {
        let (dtype, little) = dtype(&self.descr);
        let Self { shape, columns, data, .. } = self;
        found.add(name, shape, dtype, |name, shape| {
            let count: usize = shape.iter().product();
            let bytes = bytes(pickle, data, input, count as u64 * dtype.bytes())?
                .ok_or_else(|| Format::NpyDict.wrong_count(name, count))?;
            Ok(values(&mut bytes.as_slice(), shape, dtype, little, columns)?)
        })
    }
}

/// The elements of a pickled array of objects.
fn object_elements(pickle: &Pickle, id: Id) -> Option<&[Id]> {
    let array = Array::of(pickle, id)?;
    array.descr.contains('O').then(|| pickle.elements(array.data))?
}

/// `len` bytes that a pickle holds: a byte string, or text that Python 3 encodes as Latin-1 when it writes protocol 2.
fn bytes(pickle: &Pickle, id: Id, input: &Input, len: u64) -> io::Result<Option<Vec<u8>>> {
    match pickle.node(id) {
        Node::Text(text) if text.len() as u64 == len => Ok(Some(text.clone().into_bytes())),
        &Node::Blob { offset, len: stored, latin1: false } if stored == len => {
            input.bytes_at(offset, len).map(Some)
        }
        &Node::Blob { offset, len: stored, latin1: true } if stored <= 2 * len => {
            let text = String::from_utf8(input.bytes_at(offset, stored)?).unwrap_or_default();
            let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            Ok(bytes.filter(|bytes| bytes.len() as u64 == len))
        }
        Node::Call { function, arguments, .. } if pickle.global(*function) == Some("encode") => {
            match pickle.elements(*arguments).and_then(|arguments| arguments.first()) {
                // One level: encode's argument is text, never another call.
                Some(&text) if !matches!(pickle.node(text), Node::Call { .. }) => {
                    bytes(pickle, text, input, len)
                }
                _ => Ok(None),
            }
        }
        _ => Ok(None),
    }
}
