//! The first directory of a TIFF (TIFF 6.0, section 2; `BigTIFF`): where each of its values stands.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use crate::picture::read::ReadError;

/// The tags and values of the first picture of a file.
pub(in crate::picture::read) struct Directory<R> {
    reader: R,
    little_endian: bool,
    entries: BTreeMap<u16, Entry>,
}

/// `count` values of a type, at a position in the file.
#[derive(Clone, Copy)]
struct Entry {
    kind: u16,
    count: u64,
    position: u64,
}

impl Entry {
    /// Bytes of all values.
    fn size(self) -> u64 {
        TYPE_SIZES.get(usize::from(self.kind)).copied().unwrap_or(0).saturating_mul(self.count)
    }
}

/// Bytes of a value of each type, by its number in the file; 0 for what is no type.
const TYPE_SIZES: [u64; 19] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

impl<R: Read + Seek> Directory<R> {
    /// Reads the entries; their values are read when they are asked for.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] if the file does not start as a TIFF or ends within the directory.
    pub(in crate::picture::read) fn read(mut reader: R) -> Result<Self, ReadError> {
        reader.rewind()?;
        let mut start = [0; 4];
        reader.read_exact(&mut start)?;
        let little_endian = match &start[..2] {
            b"II" => true,
            b"MM" => false,
            _ => return Err(ReadError::Damaged("a TIFF without the bytes that start one".to_owned())),
        };
        let mut directory = Self { reader, little_endian, entries: BTreeMap::new() };
        let big = match directory.number(&start[2..]) {
            42 => false,
            43 => true,
            _ => return Err(ReadError::Damaged("a TIFF without its version number".to_owned())),
        };
        directory.read_entries(big)?;
        Ok(directory)
    }

    fn read_entries(&mut self, big: bool) -> Result<(), ReadError> {
        let word = if big { 8 } else { 4 };
        if big {
            // Bytes of an offset, and a zero.
            self.next(4)?;
        }
        let start = self.next(word)?;
        self.reader.seek(SeekFrom::Start(start))?;
        let count = self.next(if big { 8 } else { 2 })?;
        let mut position = start.saturating_add(if big { 8 } else { 2 });
        for _ in 0..count {
            let tag = self.next(2)? as u16;
            let kind = self.next(2)? as u16;
            let count = self.next(word)?;
            let value = self.next(word)?;
            let inline = position.saturating_add(4 + word as u64);
            let mut entry = Entry { kind, count, position: value };
            if entry.size() <= word as u64 {
                entry.position = inline;
            }
            self.entries.entry(tag).or_insert(entry);
            position = inline.saturating_add(word as u64);
        }
        Ok(())
    }

    /// The next `length` bytes, at most 8, as a number.
    fn next(&mut self, length: usize) -> Result<u64, ReadError> {
        let mut bytes = [0; 8];
        self.reader.read_exact(&mut bytes[..length])?;
        Ok(self.number(&bytes[..length]))
    }

    /// At most 8 bytes as a number, in the file's order.
    fn number(&self, bytes: &[u8]) -> u64 {
        let add = |sum: u64, &byte: &u8| sum << 8 | u64::from(byte);
        if self.little_endian { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
    }

    /// How many values a tag has; 0 if it is not there.
    pub(super) fn count(&self, tag: u16) -> u64 {
        self.entries.get(&tag).map_or(0, |entry| entry.count)
    }

    /// The bytes of a tag's value, of any type; none if the tag is not there.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] if there are more than `most`, or the file ends before them.
    pub(in crate::picture::read) fn bytes(
        &mut self,
        tag: u16,
        most: usize,
    ) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(entry) = self.entries.get(&tag).copied() else { return Ok(None) };
        let size = entry.size();
        if size > most as u64 {
            let detail = format!("tag {tag} has {size} bytes, more than the {most} that are read");
            return Err(ReadError::Damaged(detail));
        }
        self.value(tag, entry).map(Some)
    }

    fn value(&mut self, tag: u16, entry: Entry) -> Result<Vec<u8>, ReadError> {
        let size = entry.size();
        self.reader.seek(SeekFrom::Start(entry.position))?;
        let mut bytes = Vec::new();
        (&mut self.reader).take(size).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < size {
            return Err(ReadError::Damaged(format!("it ends before the value of tag {tag}")));
        }
        Ok(bytes)
    }

    /// The integers of a tag; none if the tag is not there. Each takes 8 bytes, of which the file may have but one.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] if they are no integers or more than `most`, or the file ends before them.
    pub(super) fn numbers(&mut self, tag: u16, most: usize) -> Result<Option<Vec<u64>>, ReadError> {
        let Some(entry) = self.entries.get(&tag).copied() else { return Ok(None) };
        if entry.count > most as u64 {
            let detail = format!("tag {tag} has {} values, more than the {most} that are read", entry.count);
            return Err(ReadError::Damaged(detail));
        }
        self.integers(tag, entry).map(Some)
    }

    fn integers(&mut self, tag: u16, entry: Entry) -> Result<Vec<u64>, ReadError> {
        if !matches!(entry.kind, 1 | 3 | 4 | 7 | 13 | 16) {
            return Err(ReadError::Damaged(format!("tag {tag} has values that are no integers")));
        }
        let bytes = self.value(tag, entry)?;
        let size = TYPE_SIZES[usize::from(entry.kind)] as usize;
        Ok(bytes.chunks_exact(size).map(|value| self.number(value)).collect())
    }

    /// The first integer of a tag, or `absent` if the tag is not there.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] if it is no integer, or the file ends before it.
    pub(super) fn number_or(&mut self, tag: u16, absent: u64) -> Result<u64, ReadError> {
        let Some(entry) = self.entries.get(&tag).copied() else { return Ok(absent) };
        let first = Entry { count: entry.count.min(1), ..entry };
        Ok(self.integers(tag, first)?.first().copied().unwrap_or(absent))
    }

    /// The fractions of a tag; none if it is not there, or holds other numbers or another count of them.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] if the file ends before them.
    pub(super) fn fractions<const N: usize>(&mut self, tag: u16) -> Result<Option<[f32; N]>, ReadError> {
        let Some(entry) = self.entries.get(&tag).copied() else { return Ok(None) };
        if entry.kind != 5 || entry.count != N as u64 {
            return Ok(None);
        }
        let bytes = self.value(tag, entry)?;
        let fraction =
            |bytes: &[u8]| (self.number(&bytes[..4]) as f64 / self.number(&bytes[4..]) as f64) as f32;
        let fractions: Vec<f32> = bytes.chunks_exact(8).map(fraction).collect();
        Ok(fractions.try_into().ok())
    }

    /// Whether numbers of several bytes start with the least significant one.
    pub(super) fn little_endian(&self) -> bool {
        self.little_endian
    }

    /// The file.
    pub(super) fn into_reader(self) -> R {
        self.reader
    }
}
