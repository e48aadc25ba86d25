//! MATLAB's MAT-files of version 5 (level 5), as MatConvNet saves networks: a cell of structures, one a layer, with the
//! fields `name` and `weights` (a cell of kernel and bias; until 2015 the fields `filters` and `biases`).
//! <https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf>
//!
//! Arrays have their first index fastest. MatConvNet's kernels are height x width x in x out: its importer of Caffe models
//! exchanges Caffe's width and height since its first version.

use std::io::{self, Read};

use flate2::read::ZlibDecoder;

use super::input::read_numbers;
use super::strides::{column_strides, gather};
use super::{Collected, Dtype, Format, Input, Layout, RawFile};
use crate::Problem;

const FORMAT: Format = Format::Matlab;
/// Cells and structures inside each other; a network has six.
const MAX_DEPTH: usize = 16;
/// Elements of cells and structures together.
const MAX_ELEMENTS: usize = 1 << 16;
/// Fields of a structure.
const MAX_FIELDS: usize = 1 << 10;

const MI_SINGLE: u32 = 7;
const MI_DOUBLE: u32 = 9;
const MI_MATRIX: u32 = 14;
const MI_COMPRESSED: u32 = 15;

/// Whether the first bytes are a version 5 header: a text, then the version 0x0100 and the letters IM or MI.
pub(crate) fn is_matlab(start: &[u8]) -> bool {
    start.len() >= 128 && matches!(start[124..128], [0x00, 0x01, b'I', b'M'] | [0x01, 0x00, b'M', b'I'])
}

pub(crate) fn read(input: &Input) -> Result<RawFile, Problem> {
    let little = input.bytes_at(126, 1)? == b"I";
    let mut found = Collected::new(FORMAT);
    let mut elements = 0;
    let mut offset = 128;
    while offset < input.len() {
        let mut tag = Reader { stream: Box::new(input.part(offset, 8)?.cursor()), position: 0, little };
        let (kind, len) = (tag.word()?, tag.word()?);
        let part = input.part(offset + 8, len.into())?;
        // Numbers that hardly compress are what a network is made of: a stream that swells more is an attack.
        let limit = if kind == MI_COMPRESSED { 16 * part.len() + (64 << 20) } else { part.len() };
        let stream: Box<dyn Read> = match kind {
            MI_COMPRESSED => Box::new(ZlibDecoder::new(part.stream()).take(limit)),
            _ => Box::new(part.stream()),
        };
        let mut reader = Reader { stream, position: 0, little };
        let (kind, len) = if kind == MI_COMPRESSED { (reader.word()?, reader.word()?) } else { (kind, len) };
        if kind == MI_MATRIX {
            let end = reader.position + u64::from(len);
            let mut walk = Walk { reader, found: &mut found, elements: &mut elements };
            walk.matrix(end, "", 0)?;
        }
        offset += 8 + part.len();
    }
    Ok(found.into_file(Layout::Hwio))
}

/// A stream of words and elements.
struct Reader {
    stream: Box<dyn Read>,
    position: u64,
    little: bool,
}

impl Reader {
    fn word(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.stream.read_exact(&mut bytes)?;
        self.position += 4;
        Ok(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    /// The head of an element: its type, the bytes of its data, and the bytes that fill it up. A short element has all of
    /// its data in the second word.
    fn tag(&mut self) -> io::Result<(u32, u64, u64)> {
        let first = self.word()?;
        if first >> 16 != 0 {
            let len = u64::from(first >> 16).min(4);
            return Ok((first & 0xffff, len, 4 - len));
        }
        let len = u64::from(self.word()?);
        // Numbers are filled up to eight bytes, and matrices are multiples of eight anyway.
        Ok((first, len, len.wrapping_neg() % 8))
    }

    fn skip(&mut self, len: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.stream).take(len), &mut io::sink())?;
        self.position += skipped;
        if skipped < len { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// A short element's data.
    fn short(&mut self, limit: u64) -> Result<Vec<u8>, Problem> {
        let (_, len, fill) = self.tag()?;
        if len > limit {
            return Err(FORMAT.malformed("an element is longer than it can be"));
        }
        let mut bytes = vec![0; len as usize];
        self.stream.read_exact(&mut bytes)?;
        self.position += len;
        self.skip(fill)?;
        Ok(bytes)
    }

    fn shorts_as_words(&mut self, limit: u64) -> Result<Vec<u32>, Problem> {
        let bytes = self.short(limit)?;
        let words = bytes.chunks_exact(4).map(|chunk| {
            let bytes = [chunk[0], chunk[1], chunk[2], chunk[3]];
            if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
        });
        Ok(words.collect())
    }
}

struct Walk<'a> {
    reader: Reader,
    found: &'a mut Collected,
    elements: &'a mut usize,
}

impl Walk<'_> {
    /// Reads the matrix that ends at `end`; its arrays get the name `path`. Gives the text, if it is one.
    fn matrix(&mut self, end: u64, path: &str, depth: usize) -> Result<Option<String>, Problem> {
        *self.elements += 1;
        if depth > MAX_DEPTH || *self.elements > MAX_ELEMENTS {
            return Err(FORMAT.malformed("its cells go deeper or wider than any network's"));
        }
        if self.reader.position == end {
            // An empty element of a cell.
            return Ok(None);
        }
        let flags = self.reader.shorts_as_words(8)?;
        let class = flags.first().map_or(0, |flags| flags & 0xff);
        let sides = self.reader.shorts_as_words(4 * 32)?;
        let shape: Vec<usize> = sides.into_iter().map(|side| side as usize).collect();
        let name = String::from_utf8_lossy(&self.reader.short(4096)?).into_owned();
        let path = if path.is_empty() { name } else { path.to_owned() };
        let mut text = None;
        match class {
            1 => self.cell(&shape, &path, depth)?,
            2 => self.structure(&shape, &path, depth)?,
            4 => text = self.characters()?,
            6 | 7 => self.numbers(shape, path)?,
            _ => {}
        }
        match end.checked_sub(self.reader.position) {
            Some(rest) => self.reader.skip(rest)?,
            None => return Err(FORMAT.malformed("an array is longer than it says")),
        }
        Ok(text)
    }

    /// One matrix inside another.
    fn inner(&mut self, path: &str, depth: usize) -> Result<Option<String>, Problem> {
        let (kind, len, _) = self.reader.tag()?;
        let end = self.reader.position + len;
        if kind == MI_MATRIX {
            return self.matrix(end, path, depth + 1);
        }
        Err(FORMAT.malformed("a cell holds what is no array"))
    }

    fn cell(&mut self, shape: &[usize], path: &str, depth: usize) -> Result<(), Problem> {
        for index in 0..count(shape) {
            self.inner(&format!("{path}{{{}}}", index + 1), depth)?;
        }
        Ok(())
    }

    /// The arrays of a structure are named after its field `name`, if it has one.
    fn structure(&mut self, shape: &[usize], path: &str, depth: usize) -> Result<(), Problem> {
        let width = self.reader.shorts_as_words(4)?.first().copied().unwrap_or(0).clamp(1, 1024) as usize;
        let names = self.reader.short((width * MAX_FIELDS) as u64)?;
        let fields: Vec<String> = names
            .chunks(width)
            .map(|name| {
                String::from_utf8_lossy(name.split(|&byte| byte == 0).next().unwrap_or_default()).into_owned()
            })
            .collect();
        if fields.is_empty() {
            return Ok(());
        }
        for _ in 0..count(shape) {
            let first = self.found.tensors.len();
            let mut layer = None;
            for field in &fields {
                let text = self.inner(&format!("{path}.{field}"), depth)?;
                if field == "name" {
                    layer = text;
                }
            }
            if let Some(layer) = layer {
                for tensor in &mut self.found.tensors[first..] {
                    let rest = tensor.name.strip_prefix(path).unwrap_or_default();
                    tensor.name = format!("{layer}{rest}");
                }
            }
        }
        Ok(())
    }

    /// A short text; names are ASCII, in one or two bytes a letter.
    fn characters(&mut self) -> Result<Option<String>, Problem> {
        let (_, len, fill) = self.reader.tag()?;
        if len > 512 {
            self.reader.skip(len + fill)?;
            return Ok(None);
        }
        let mut bytes = vec![0; len as usize];
        self.reader.stream.read_exact(&mut bytes)?;
        self.reader.position += len;
        self.reader.skip(fill)?;
        bytes.retain(u8::is_ascii_graphic);
        Ok(String::from_utf8(bytes).ok())
    }

    fn numbers(&mut self, shape: Vec<usize>, path: String) -> Result<(), Problem> {
        let (kind, len, fill) = self.reader.tag()?;
        // Strides and paddings are numbers too.
        let is_weight = [".weights{", ".filters", ".biases"].iter().any(|field| path.contains(field));
        let dtype = match kind {
            MI_SINGLE if is_weight => Dtype::F32,
            MI_DOUBLE if is_weight => Dtype::F64,
            _ => Dtype::Other,
        };
        // A bias is a row or a column.
        let shape = match shape[..] {
            [1, side] | [side, 1] => vec![side],
            _ => shape,
        };
        let end = self.reader.position + len + fill;
        let reader = &mut self.reader;
        self.found.add(path, shape, dtype, |path, shape| {
            if len != count(shape) as u64 * dtype.bytes() {
                return Err(FORMAT.malformed(format!("{path} does not hold the numbers of its shape")));
            }
            let values = read_numbers(&mut reader.stream, count(shape), dtype, reader.little)?;
            reader.position += len;
            Ok(gather(values, shape, &column_strides(shape)))
        })?;
        // What fills the element up, and all of one that is not wanted.
        Ok(self.reader.skip(end - self.reader.position)?)
    }
}

/// The number of elements; far too many for any shape that overflows.
fn count(shape: &[usize]) -> usize {
    shape.iter().fold(1_usize, |count, &side| count.saturating_mul(side))
}
