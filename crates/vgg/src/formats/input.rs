//! Bytes read by position, from a file or from memory, with no memory taken that their number does not justify.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::Dtype;

/// Where the bytes are.
#[derive(Debug)]
enum Bytes {
    File(Mutex<File>),
    Memory(Vec<u8>),
    /// One after the other.
    #[cfg(feature = "embedded-weights")]
    Parts(&'static [&'static [u8]]),
}

/// A file, or a part of one (a member of a zip archive). Clones read the same bytes.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    bytes: Arc<Bytes>,
    start: u64,
    len: u64,
}

impl Input {
    pub(crate) fn file(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { bytes: Arc::new(Bytes::File(Mutex::new(file))), start: 0, len })
    }

    /// All of a stream, in memory; more than `most` bytes are an error.
    pub(crate) fn all_of(mut stream: impl Read, most: u64) -> io::Result<Self> {
        const PIECE: usize = 1 << 20;
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; PIECE]);
        loop {
            let count = match stream.read(&mut buffer) {
                Ok(0) => return Ok(Self::memory(bytes)),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if (bytes.len() + count) as u64 > most {
                return Err(io::Error::other(format!("it has more than {} MiB", most >> 20)));
            }
            bytes.try_reserve(count).map_err(io::Error::other)?;
            bytes.extend_from_slice(&buffer[..count]);
        }
    }

    pub(crate) fn memory(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self { bytes: Arc::new(Bytes::Memory(bytes)), start: 0, len }
    }

    /// A file that is in the program in parts.
    #[cfg(feature = "embedded-weights")]
    pub(crate) fn parts(parts: &'static [&'static [u8]]) -> Self {
        let len = parts.iter().map(|part| part.len() as u64).sum();
        Self { bytes: Arc::new(Bytes::Parts(parts)), start: 0, len }
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// The part `offset .. offset + len`, if it is inside.
    pub(crate) fn part(&self, offset: u64, len: u64) -> io::Result<Self> {
        self.check(offset, len)?;
        Ok(Self { bytes: Arc::clone(&self.bytes), start: self.start + offset, len })
    }

    fn check(&self, offset: u64, len: u64) -> io::Result<()> {
        match offset.checked_add(len) {
            Some(end) if end <= self.len => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Fills `buffer` from `offset` on.
    pub(crate) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.check(offset, buffer.len() as u64)?;
        let from = self.start + offset;
        match &*self.bytes {
            Bytes::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(from))?;
                file.read_exact(buffer)
            }
            Bytes::Memory(bytes) => {
                let from = usize::try_from(from).map_err(io::Error::other)?;
                buffer.copy_from_slice(&bytes[from..from + buffer.len()]);
                Ok(())
            }
            #[cfg(feature = "embedded-weights")]
            Bytes::Parts(parts) => {
                copy_across(parts, usize::try_from(from).map_err(io::Error::other)?, buffer);
                Ok(())
            }
        }
    }

    /// `len` bytes at `offset`; they exist, or this fails before memory is taken.
    pub(crate) fn bytes_at(&self, offset: u64, len: u64) -> io::Result<Vec<u8>> {
        self.check(offset, len)?;
        let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        self.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }

    /// `count` numbers at `offset`.
    pub(crate) fn numbers_at(
        &self,
        offset: u64,
        count: usize,
        dtype: Dtype,
        little: bool,
    ) -> io::Result<Vec<f32>> {
        let len = (count as u64).checked_mul(dtype.bytes()).ok_or(io::ErrorKind::UnexpectedEof)?;
        read_numbers(&mut self.part(offset, len)?.cursor(), count, dtype, little)
    }

    /// A stream over all of it.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor { input: self.clone(), position: 0 }
    }

    /// [`Input::cursor`] with a buffer.
    pub(crate) fn stream(&self) -> BufReader<Cursor> {
        BufReader::new(self.cursor())
    }
}

/// Fills `buffer` from position `from` on of parts that follow each other.
#[cfg(feature = "embedded-weights")]
fn copy_across(parts: &[&[u8]], mut from: usize, mut buffer: &mut [u8]) {
    for part in parts {
        let rest = &part[from.min(part.len())..];
        let (now, later) = buffer.split_at_mut(rest.len().min(buffer.len()));
        now.copy_from_slice(&rest[..now.len()]);
        (from, buffer) = (from.saturating_sub(part.len()), later);
    }
}

/// [`Input`] as a stream.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    input: Input,
    position: u64,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.input.len.saturating_sub(self.position);
        let count = left.min(buffer.len() as u64) as usize;
        self.input.read_at(self.position, &mut buffer[..count])?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.input.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
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
    let size = dtype.bytes() as usize;
    let mut buffer = vec![0_u8; PIECE.min(count.saturating_mul(size))];
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let piece = (count - numbers.len()).min(PIECE / size);
        stream.read_exact(&mut buffer[..piece * size])?;
        if numbers.capacity() - numbers.len() < piece {
            numbers.reserve_exact(numbers.len().max(PIECE).min(count - numbers.len()));
        }
        decode(dtype, &buffer[..piece * size], little, &mut numbers);
    }
    Ok(numbers)
}

/// Numbers from bytes; `little` tells their order. The length of `bytes` is a multiple of the type's.
fn decode(dtype: Dtype, bytes: &[u8], little: bool, out: &mut Vec<f32>) {
    macro_rules! read {
        ($type:ty, $size:literal) => {
            bytes.chunks_exact($size).map(|chunk| {
                let mut array = [0_u8; $size];
                array.copy_from_slice(chunk);
                if little { <$type>::from_le_bytes(array) } else { <$type>::from_be_bytes(array) }
            })
        };
    }
    match dtype {
        Dtype::F64 => out.extend(read!(f64, 8).map(|x| x as f32)),
        Dtype::F32 => out.extend(read!(f32, 4)),
        Dtype::F16 => {
            let numbers: Vec<f16> = read!(f16, 2).collect();
            out.extend(numbers.to_f32_vec());
        }
        Dtype::Bf16 => out.extend(read!(bf16, 2).map(bf16::to_f32)),
        Dtype::Other => out.extend(bytes.iter().copied().map(f32::from)),
    }
}

#[cfg(all(test, feature = "embedded-weights"))]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_one_file() {
        static PARTS: [&[u8]; 4] = [&[0, 1, 2], &[], &[3], &[4, 5, 6, 7]];
        let input = Input::parts(&PARTS);
        assert_eq!(input.len(), 8);
        for from in 0..=8 {
            for len in 0..=8 - from {
                let wanted: Vec<u8> = (from..from + len).map(|byte| byte as u8).collect();
                assert_eq!(input.bytes_at(from, len).expect("they exist"), wanted);
            }
        }
        assert!(input.bytes_at(5, 4).is_err());
    }
}
