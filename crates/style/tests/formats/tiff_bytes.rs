//! TIFF files made of tags and chunks.

use std::collections::BTreeMap;

pub(crate) const SHORT: u16 = 3;
pub(crate) const LONG: u16 = 4;

/// A file with one picture.
#[derive(Clone)]
pub(crate) struct Tiff {
    pub(crate) big_endian: bool,
    /// Whether it is a `BigTIFF`.
    pub(crate) big: bool,
    pub(crate) tiled: bool,
    /// Type and numbers of each tag, but where the chunks are.
    pub(crate) tags: BTreeMap<u16, (u16, Vec<u64>)>,
    /// Strips or tiles, as they are in the file.
    pub(crate) chunks: Vec<Vec<u8>>,
}

impl Tiff {
    /// One strip of `samples` samples of `bits` bits, not compressed, little-endian.
    pub(crate) fn new((height, width): (u64, u64), photometric: u64, samples: u64, bits: u64) -> Self {
        let mut tiff =
            Self { big_endian: false, big: false, tiled: false, tags: BTreeMap::new(), chunks: Vec::new() };
        let one = [(256, width), (257, height), (259, 1), (262, photometric), (277, samples), (278, height)];
        for (tag, number) in one {
            tiff.set(tag, &[number]);
        }
        tiff.set(258, &vec![bits; samples as usize]);
        tiff
    }

    /// Sets a tag to numbers of 16 bits, or of 32 if they need so many.
    pub(crate) fn set(&mut self, tag: u16, numbers: &[u64]) {
        let kind = if numbers.iter().all(|&number| number < 65_536) { SHORT } else { LONG };
        self.tags.insert(tag, (kind, numbers.to_vec()));
    }

    pub(crate) fn with(mut self, tag: u16, numbers: &[u64]) -> Self {
        self.set(tag, numbers);
        self
    }

    /// A tag with bytes of a type, such as 1 (BYTE) or 7 (UNDEFINED).
    pub(crate) fn with_bytes(mut self, tag: u16, kind: u16, bytes: &[u8]) -> Self {
        self.tags.insert(tag, (kind, bytes.iter().map(|&byte| byte.into()).collect()));
        self
    }

    pub(crate) fn with_chunk(mut self, chunk: impl Into<Vec<u8>>) -> Self {
        self.chunks.push(chunk.into());
        self
    }

    /// A number in the file's order.
    pub(crate) fn number(&self, number: u64, bytes: usize) -> Vec<u8> {
        if self.big_endian {
            number.to_be_bytes()[8 - bytes..].to_vec()
        } else {
            number.to_le_bytes()[..bytes].to_vec()
        }
    }

    /// The file: header, chunks, values of tags, directory.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let word = if self.big { 8 } else { 4 };
        let header = if self.big { 16 } else { 8 };
        let mut body = Vec::new();
        let mut offsets = Vec::new();
        for chunk in &self.chunks {
            offsets.push((header + body.len()) as u64);
            body.extend_from_slice(chunk);
        }
        let mut tags = self.tags.clone();
        let (offset_tag, length_tag) = if self.tiled { (324, 325) } else { (273, 279) };
        tags.insert(offset_tag, (LONG, offsets));
        tags.insert(length_tag, (LONG, self.chunks.iter().map(|chunk| chunk.len() as u64).collect()));
        let mut directory = self.number(tags.len() as u64, if self.big { 8 } else { 2 });
        for (tag, (kind, numbers)) in tags {
            let size = match kind {
                SHORT => 2,
                LONG => 4,
                // A fraction is one number here, its two halves.
                5 => 8,
                _ => 1,
            };
            let mut value: Vec<u8> = numbers.iter().flat_map(|&number| self.number(number, size)).collect();
            if value.len() > word {
                let at = (header + body.len()) as u64;
                body.append(&mut value);
                value = self.number(at, word);
            }
            value.resize(word, 0);
            directory.extend(self.number(tag.into(), 2));
            directory.extend(self.number(kind.into(), 2));
            directory.extend(self.number(numbers.len() as u64, word));
            directory.extend(value);
        }
        directory.extend(self.number(0, word));
        let mut file = if self.big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        if self.big {
            for (number, bytes) in [(43, 2), (8, 2), (0, 2)] {
                file.extend(self.number(number, bytes));
            }
        } else {
            file.extend(self.number(42, 2));
        }
        file.extend(self.number((header + body.len()) as u64, word));
        [file, body, directory].concat()
    }
}
