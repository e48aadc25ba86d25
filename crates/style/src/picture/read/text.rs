//! The text that a picture carries beside its pixels, which are not decoded: where [`Provenance`](crate::Provenance) is written.
//!
//! | format | where |
//! |---|---|
//! | PNG | a chunk iTXt or tEXt, not compressed (PNG, third edition, 11.3.3) |
//! | JPEG | the tag `ImageDescription` of EXIF, in a segment APP1 |
//! | WebP | the same tag, in the chunk `EXIF` |
//! | TIFF | the same tag, in the first directory |

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use super::tiff::Directory;
use super::{FIRST_BYTES, Kind, ReadError, ReadOptions, kind_of, to_end};
use crate::PictureError;

/// The longest text that is read, in bytes.
pub(crate) const MOST_TEXT: usize = 1 << 20;
/// More than a keyword, the name of a language and what else stands beside a text.
const FRAME: usize = 1 << 10;
/// The tag of EXIF and TIFF.
const IMAGE_DESCRIPTION: u16 = 270;
/// What stands before EXIF data in a JPEG, and in some WebPs.
const EXIF_NAME: &[u8] = b"Exif\0\0";

/// The first text of a file that begins so, if there is one.
pub(in crate::picture) fn text_of_file(
    path: &Path,
    begins: &str,
    options: &ReadOptions,
) -> Result<Option<String>, PictureError> {
    let open = |source| PictureError::Open { path: path.into(), source };
    let file = File::open(path).map_err(open)?;
    let metadata = file.metadata().map_err(open)?;
    if metadata.is_dir() {
        return Err(open(ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        return text_of_stream(file, path, begins, options);
    }
    find(BufReader::new(file), begins).map_err(|error| error.of(path))
}

/// [`text_of_file`] of a stream, which is first read to its end; `path` is for the messages.
pub(in crate::picture) fn text_of_stream(
    stream: impl Read,
    path: &Path,
    begins: &str,
    options: &ReadOptions,
) -> Result<Option<String>, PictureError> {
    let found = to_end(stream, options).and_then(|file| find(Cursor::new(file), begins));
    found.map_err(|error| error.of(path))
}

fn find<R: BufRead + Seek>(mut reader: R, begins: &str) -> Result<Option<String>, ReadError> {
    let mut first = Vec::new();
    reader.by_ref().take(FIRST_BYTES as u64).read_to_end(&mut first)?;
    let kind = kind_of(&first)?;
    let is_it = |text: &String| text.starts_with(begins);
    match kind {
        Kind::Png => in_png(reader, is_it),
        Kind::Jpeg => in_jpeg(reader, is_it),
        Kind::WebP => in_webp(reader, is_it),
        Kind::Tiff => Ok(description(reader)?.filter(is_it)),
        Kind::Gif | Kind::Bmp => Ok(None),
    }
}

fn in_png<R: BufRead + Seek>(
    mut reader: R,
    is_it: impl Fn(&String) -> bool,
) -> Result<Option<String>, ReadError> {
    reader.seek(SeekFrom::Start(8))?;
    loop {
        let [a, b, c, d, kind @ ..]: [u8; 8] = next(&mut reader)?;
        let mut length = u32::from_be_bytes([a, b, c, d]);
        if kind == *b"IEND" {
            return Ok(None);
        }
        if matches!(&kind, b"iTXt" | b"tEXt") && length as usize <= MOST_TEXT + FRAME {
            let data = bytes(&mut reader, length)?;
            if let Some(text) = text_of_chunk(kind, &data).filter(&is_it) {
                return Ok(Some(text));
            }
            length = 0;
        }
        // What is left of the data, and the checksum.
        reader.seek_relative(i64::from(length) + 4)?;
    }
}

/// The text of a chunk, without its keyword and what else stands before it; none if it is compressed.
fn text_of_chunk(kind: [u8; 4], data: &[u8]) -> Option<String> {
    let after_zero = |data: &[u8]| {
        let zero = data.iter().position(|&byte| byte == 0)?;
        Some(data[zero + 1..].to_vec())
    };
    let mut text = after_zero(data)?;
    if kind == *b"iTXt" {
        let [0, _, after @ ..] = &text[..] else { return None };
        // The language, and the keyword in it.
        text = after_zero(&after_zero(after)?)?;
    }
    String::from_utf8(text).ok()
}

fn in_jpeg<R: BufRead + Seek>(
    mut reader: R,
    is_it: impl Fn(&String) -> bool,
) -> Result<Option<String>, ReadError> {
    const START_OF_SCAN: u8 = 0xda;
    const END_OF_IMAGE: u8 = 0xd9;
    const APP1: u8 = 0xe1;
    reader.seek(SeekFrom::Start(2))?;
    loop {
        let [mark] = next(&mut reader)?;
        if mark != 0xff {
            return Err(ReadError::Damaged("there is something else where a marker should be".to_owned()));
        }
        let mut marker = mark;
        while marker == 0xff {
            [marker] = next(&mut reader)?;
        }
        match marker {
            START_OF_SCAN | END_OF_IMAGE => return Ok(None),
            // They have no length.
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let length = u16::from_be_bytes(next(&mut reader)?).saturating_sub(2);
        if marker != APP1 {
            reader.seek_relative(i64::from(length))?;
            continue;
        }
        let segment = bytes(&mut reader, length.into())?;
        let text = segment.strip_prefix(EXIF_NAME).and_then(exif_description);
        if let Some(text) = text.filter(&is_it) {
            return Ok(Some(text));
        }
    }
}

fn in_webp<R: BufRead + Seek>(
    mut reader: R,
    is_it: impl Fn(&String) -> bool,
) -> Result<Option<String>, ReadError> {
    reader.seek(SeekFrom::Start(12))?;
    loop {
        let [name @ .., a, b, c, d]: [u8; 8] = match next(&mut reader) {
            Ok(header) => header,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let length = u32::from_le_bytes([a, b, c, d]);
        let padding = i64::from(length % 2);
        if name == *b"EXIF" && length as usize <= MOST_TEXT + FRAME {
            let data = bytes(&mut reader, length)?;
            let exif = data.strip_prefix(EXIF_NAME).unwrap_or(&data);
            if let Some(text) = exif_description(exif).filter(&is_it) {
                return Ok(Some(text));
            }
            reader.seek_relative(padding)?;
        } else {
            reader.seek_relative(i64::from(length) + padding)?;
        }
    }
}

/// The description in EXIF data; none of data that is broken, which is no reason to say that the picture is.
fn exif_description(exif: &[u8]) -> Option<String> {
    description(Cursor::new(exif)).ok().flatten()
}

/// The tag `ImageDescription` of the first directory of a TIFF, up to its first zero.
fn description<R: Read + Seek>(reader: R) -> Result<Option<String>, ReadError> {
    // With the zero behind it.
    let text = match Directory::read(reader)?.bytes(IMAGE_DESCRIPTION, MOST_TEXT + 1) {
        // A longer one is a stranger's.
        Err(ReadError::Damaged(_)) => return Ok(None),
        other => other?.unwrap_or_default(),
    };
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8(text.to_vec()).ok())
}

fn next<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// As many bytes, which are taken as they come: a file may say more than it has.
fn bytes(reader: &mut impl Read, length: u32) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    if reader.take(length.into()).read_to_end(&mut bytes)? < length as usize {
        return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
    }
    Ok(bytes)
}
