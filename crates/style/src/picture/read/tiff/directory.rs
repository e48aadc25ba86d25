//! The first directory of a TIFF (TIFF 6.0, section 2; `BigTIFF`): where each of its values stands.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use crate::picture::read::ReadError;
use crate::picture::read::limits::METADATA_LIMIT;

/// The tags and values of the first picture of a file.
pub(super) struct Directory<R> {
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

/// Bytes of a value of each type, by its number in the file; 0 for what is no type.
const TYPE_SIZES: [u64; 19] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

impl<R: Read + Seek> Directory<R> {
    /// Reads the entries; their values are read when they are asked for.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] if the file does not start as a TIFF or ends within the directory.
    pub(super) fn read(mut reader: R) -> Result<Self, ReadError> {
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
            let size = TYPE_SIZES.get(usize::from(kind)).copied().unwrap_or(0).saturating_mul(count);
            let at = if size <= word as u64 { inline } else { value };
            self.entries.entry(tag).or_insert(Entry { kind, count, position: at });
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

    /// The bytes of a tag's value, of any type; none if the tag is not there.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] if there are more than [`METADATA_LIMIT`], or the file ends before them.
    pub(super) fn bytes(&mut self, tag: u16) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(entry) = self.entries.get(&tag).copied() else { return Ok(None) };
        let size = TYPE_SIZES.get(usize::from(entry.kind)).copied().unwrap_or(0).saturating_mul(entry.count);
        if size > METADATA_LIMIT as u64 {
            let detail = format!("tag {tag} has {size} bytes, more than the {METADATA_LIMIT} that are read");
            return Err(ReadError::Damaged(detail));
        }
        self.reader.seek(SeekFrom::Start(entry.position))?;
        let mut bytes = Vec::new();
        (&mut self.reader).take(size).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < size {
            return Err(ReadError::Damaged(format!("it ends before the value of tag {tag}")));
        }
        Ok(Some(bytes))
    }

    /// The integers of a tag; none if the tag is not there.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] as [`Directory::bytes`], or if they are no integers.
    pub(super) fn numbers(&mut self, tag: u16) -> Result<Option<Vec<u64>>, ReadError> {
        let Some(entry) = self.entries.get(&tag).copied() else { return Ok(None) };
        if !matches!(entry.kind, 1 | 3 | 4 | 7 | 13 | 16) {
            return Err(ReadError::Damaged(format!("tag {tag} has values that are no integers")));
        }
        let Some(bytes) = self.bytes(tag)? else { return Ok(None) };
        let size = TYPE_SIZES[usize::from(entry.kind)] as usize;
        Ok(Some(bytes.chunks_exact(size).map(|value| self.number(value)).collect()))
    }

    /// The first integer of a tag, or `absent` if the tag is not there.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] as [`Directory::numbers`].
    pub(super) fn number_or(&mut self, tag: u16, absent: u64) -> Result<u64, ReadError> {
        Ok(self.numbers(tag)?.and_then(|values| values.first().copied()).unwrap_or(absent))
    }

    /// The fractions of a tag; none if it is not there or holds other numbers.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] as [`Directory::bytes`].
    pub(super) fn fractions(&mut self, tag: u16) -> Result<Option<Vec<f32>>, ReadError> {
        if self.entries.get(&tag).is_none_or(|entry| entry.kind != 5) {
            return Ok(None);
        }
        let Some(bytes) = self.bytes(tag)? else { return Ok(None) };
        let fraction =
            |bytes: &[u8]| (self.number(&bytes[..4]) as f64 / self.number(&bytes[4..]) as f64) as f32;
        Ok(Some(bytes.chunks_exact(8).map(fraction).collect()))
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
