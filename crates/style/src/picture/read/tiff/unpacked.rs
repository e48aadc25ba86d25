//! A file that the crate `tiff` can decode, made of one that it cannot: a directory of our own in front of the file, which
//! calls the samples channels of grey, so that the crate hands them on as they are, and chunks that are unpacked when they are
//! asked for if they are packed as a JPEG, by LZW or by ZSTD.

use std::io::{self, Read, Seek, SeekFrom};

use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::layout::{Chunks, Compression, Layout};

/// Bytes that ZSTD may look back, however small the chunk: what level 19 takes.
pub(super) const ZSTD_WINDOW: u64 = 8 << 20;

/// The most bytes that a chunk of so many bytes may have while it is packed: what packs badly doubles, and small JPEGs have
/// headers.
pub(super) fn most_packed(chunk_bytes: u64) -> u64 {
    chunk_bytes.saturating_mul(2).saturating_add(1 << 16)
}

/// Rows and columns of pixels, of the picture and of its chunks, and samples of each pixel, as the crate is told them.
#[derive(Clone, Copy)]
pub(super) struct Geometry {
    pub(super) height: u32,
    pub(super) width: u32,
    pub(super) chunk_height: u32,
    pub(super) chunk_width: u32,
    pub(super) samples: u16,
}

impl Geometry {
    /// Bytes of one unpacked chunk, with the padding of tiles at the borders.
    pub(super) fn chunk_bytes(&self, layout: &Layout) -> u64 {
        let samples = if layout.planar { 1 } else { u64::from(self.samples) };
        let row = (u64::from(self.chunk_width) * samples * u64::from(layout.bits)).div_ceil(8);
        row.saturating_mul(u64::from(self.chunk_height))
    }
}

/// The directory, then the file.
pub(super) struct Unpacked<'l, R> {
    head: Vec<u8>,
    position: u64,
    file: R,
    reversed: bool,
    unpack: Option<Unpack<'l>>,
    /// Bytes of the packed chunk at the place that is sought next.
    expected: Option<u64>,
    chunk: Option<io::Cursor<Vec<u8>>>,
}

/// What turns the bytes of a chunk into samples.
struct Unpack<'l> {
    /// Tables that all JPEGs of the file share.
    tables: Option<&'l [u8]>,
    /// (H, W, samples) of a chunk.
    shape: (u32, u32, u16),
    chunk_bytes: u64,
    compression: Compression,
}

impl<'l, R: Read + Seek> Unpacked<'l, R> {
    pub(super) fn new(
        file: R,
        layout: &Layout,
        geometry: Geometry,
        little_endian: bool,
        tables: Option<&'l [u8]>,
    ) -> Self {
        let samples = if layout.planar { 1 } else { geometry.samples };
        let unpack = !matches!(layout.compression, Compression::Plain(_));
        let unpack = unpack.then(|| Unpack {
            tables,
            shape: (geometry.chunk_height, geometry.chunk_width, samples),
            chunk_bytes: geometry.chunk_bytes(layout),
            compression: layout.compression,
        });
        let head = head(layout, geometry, little_endian);
        Self { head, position: 0, file, reversed: layout.reversed, unpack, expected: None, chunk: None }
    }

    /// What is sought next is the start of a chunk of `length` bytes in the file.
    pub(super) fn expect_chunk(&mut self, length: u64) {
        self.expected = Some(length);
    }
}

impl<R: Read + Seek> Read for Unpacked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(chunk) = &mut self.chunk {
            return chunk.read(buffer);
        }
        let start = usize::try_from(self.position).unwrap_or(usize::MAX);
        let read = if start < self.head.len() {
            (&self.head[start..]).read(buffer)?
        } else {
            let read = self.file.read(buffer)?;
            if self.reversed {
                reverse_bits(&mut buffer[..read]);
            }
            read
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Unpacked<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(step) => self.position.checked_add_signed(step),
            SeekFrom::End(_) => None,
        };
        self.position = position.ok_or(io::ErrorKind::Unsupported)?;
        self.chunk = None;
        let head = self.head.len() as u64;
        if self.position >= head {
            self.file.seek(SeekFrom::Start(self.position - head))?;
        }
        if let Some(unpack) = &self.unpack
            && let Some(length) = self.expected.take()
        {
            let length = length.min(most_packed(unpack.chunk_bytes));
            let mut packed = Vec::new();
            packed.try_reserve_exact(usize::try_from(length).map_err(io::Error::other)?)?;
            (&mut self.file).take(length).read_to_end(&mut packed)?;
            if self.reversed {
                reverse_bits(&mut packed);
            }
            let unpacked = match unpack.compression {
                Compression::Zstd => unpack.zstd(&packed),
                Compression::Lzw => unpack.lzw(&packed),
                _ => unpack.jpeg(packed),
            };
            self.chunk = Some(io::Cursor::new(unpacked?));
        }
        Ok(self.position)
    }
}

fn reverse_bits(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = byte.reverse_bits();
    }
}

fn invalid(detail: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, detail.into())
}

impl Unpack<'_> {
    fn zstd(&self, packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        let window = self.chunk_bytes.saturating_mul(2).max(ZSTD_WINDOW);
        let decoder = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(packed, window)
            .map_err(|error| invalid(format!("ZSTD: {error}")))?;
        unpacked.try_reserve_exact(usize::try_from(self.chunk_bytes).map_err(io::Error::other)?)?;
        decoder.take(self.chunk_bytes).read_to_end(&mut unpacked)?;
        Ok(unpacked)
    }

    fn lzw(&self, packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut unpacked = vec![0; usize::try_from(self.chunk_bytes).map_err(io::Error::other)?];
        let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
        let (mut input, mut output) = (packed, 0);
        while output < unpacked.len() {
            let step = decoder.decode_bytes(input, &mut unpacked[output..]);
            input = &input[step.consumed_in..];
            output += step.consumed_out;
            match step.status {
                Ok(weezl::LzwStatus::Ok) => {}
                Ok(weezl::LzwStatus::Done | weezl::LzwStatus::NoProgress) => break,
                Err(error) => return Err(invalid(format!("LZW: {error}"))),
            }
        }
        unpacked.truncate(output);
        Ok(unpacked)
    }

    /// The samples of a JPEG as they are coded, without a change of colours; its tables stand before it or in it.
    fn jpeg(&self, mut packed: Vec<u8>) -> io::Result<Vec<u8>> {
        let (height, width, samples) = self.shape;
        // Each starts with the marker of a start (2 bytes), tables end with that of an end.
        if let Some(tables) = self.tables
            && tables.len() > 4
            && packed.len() > 2
        {
            packed.splice(..2, tables[..tables.len() - 2].iter().copied());
        }
        let failed = |error| invalid(format!("JPEG: {error:?}"));
        let options = DecoderOptions::default()
            .set_strict_mode(false)
            .set_max_width(width as usize)
            .set_max_height(height as usize);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(packed), options);
        decoder.decode_headers().map_err(failed)?;
        let colours = decoder.input_colorspace().ok_or_else(|| invalid("JPEG: without colours"))?;
        let (columns, _) = decoder.dimensions().ok_or_else(|| invalid("JPEG: without a size"))?;
        if columns != width as usize || colours.num_components() != usize::from(samples) {
            return Err(invalid("JPEG: of another size than its strip or tile, or with other colours"));
        }
        decoder.set_options(options.jpeg_set_out_colorspace(colours));
        decoder.decode().map_err(failed)
    }
}

/// A directory (`BigTIFF`, which has room for any offset) for a file that starts at its end.
fn head(layout: &Layout, geometry: Geometry, little_endian: bool) -> Vec<u8> {
    let compression = match layout.compression {
        Compression::Plain(number) => number,
        _ => 1,
    };
    let planar = if layout.planar { 2 } else { 1 };
    let format = if layout.float { 3 } else { 1 };
    let (short, long) = (3, 4);
    let mut scalars: Vec<(u16, u16, u32)> = vec![
        (256, long, geometry.width),
        (257, long, geometry.height),
        (258, short, layout.bits.into()),
        (259, short, compression.into()),
        (262, short, 1),
        (277, short, geometry.samples.into()),
        (284, short, planar),
        (317, short, layout.predictor.into()),
        (339, short, format),
    ];
    let arrays: [u16; 2] = if layout.chunks.tiled {
        scalars.extend([(322, long, geometry.chunk_width), (323, long, geometry.chunk_height)]);
        [324, 325]
    } else {
        scalars.push((278, long, geometry.chunk_height));
        [273, 279]
    };
    let mut writer = Writer { bytes: Vec::new(), little_endian };
    writer.directory(&scalars, arrays, &layout.chunks);
    writer.bytes
}

/// Numbers in one order of bytes.
struct Writer {
    bytes: Vec<u8>,
    little_endian: bool,
}

impl Writer {
    fn put(&mut self, number: u64, bytes: usize) {
        if self.little_endian {
            self.bytes.extend_from_slice(&number.to_le_bytes()[..bytes]);
        } else {
            self.bytes.extend_from_slice(&number.to_be_bytes()[8 - bytes..]);
        }
    }

    /// Header, entries, and the offsets and lengths of chunks; offsets count from the end of all this.
    fn directory(&mut self, scalars: &[(u16, u16, u32)], arrays: [u16; 2], chunks: &Chunks) {
        let entries = (scalars.len() + arrays.len()) as u64;
        let values = 24 + 20 * entries + 8;
        // One number stands in its entry.
        let count = chunks.offsets.len() as u64;
        let array = if count == 1 { 0 } else { 8 * count };
        let length = values + 2 * array;
        self.bytes.reserve_exact(length as usize);

        self.bytes.extend_from_slice(if self.little_endian { b"II" } else { b"MM" });
        for (number, bytes) in [(43, 2), (8, 2), (0, 2), (16, 8), (entries, 8)] {
            self.put(number, bytes);
        }
        for &(tag, kind, value) in scalars {
            let size = if kind == 3 { 2 } else { 4 };
            for (number, bytes) in
                [(tag.into(), 2), (kind.into(), 2), (1, 8), (value.into(), size), (0, 8 - size)]
            {
                self.put(number, bytes);
            }
        }
        let offsets = chunks.offsets.iter().map(|offset| offset.saturating_add(length));
        let numbers = offsets.chain(chunks.lengths.iter().copied());
        let single = count == 1;
        let places: Vec<u64> = if single { numbers.clone().collect() } else { vec![values, values + array] };
        for (tag, place) in arrays.into_iter().zip(places) {
            for (number, bytes) in [(tag.into(), 2), (16, 2), (count, 8), (place, 8)] {
                self.put(number, bytes);
            }
        }
        self.put(0, 8);
        if !single {
            numbers.for_each(|number| self.put(number, 8));
        }
    }
}
