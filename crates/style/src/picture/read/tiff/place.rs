//! From strips and tiles to the rows of a picture.

use std::io::{Read, Seek};

use tiff::decoder::{Decoder, DecodingResult};

use super::layout::{Colours, Layout, YCbCr};
use super::unpacked::{Geometry, Unpacked};
use crate::picture::read::ReadError;
use crate::picture::read::limits::zeros;
use crate::picture::read::raster::Samples;

/// What the crate is told: the picture, or of subsampled YCbCr its blocks, each a pixel of many samples (the luminance of
/// its pixels row by row, then Cb and Cr; TIFF 6.0, section 21).
pub(super) fn geometry(layout: &Layout) -> Geometry {
    let chunks = &layout.chunks;
    let (across, down) = subsampling(layout);
    let samples = if (across, down) == (1, 1) { layout.samples } else { across * down + 2 };
    let (across, down) = (u32::from(across), u32::from(down));
    Geometry {
        height: layout.height.div_ceil(down),
        width: layout.width.div_ceil(across),
        chunk_height: chunks.height.div_ceil(down),
        chunk_width: chunks.width.div_ceil(across),
        samples,
    }
}

fn subsampling(layout: &Layout) -> (u16, u16) {
    match &layout.colours {
        Colours::YCbCr(YCbCr { subsampling, .. }) => *subsampling,
        _ => (1, 1),
    }
}

/// Decodes every chunk: H x W x (the samples of the colours, then alpha if there is any), of floats in 32 bits, of 1, 2 and
/// 4 bits as bytes that are not scaled.
pub(super) fn decode<R: Read + Seek>(
    decoder: &mut Decoder<Unpacked<'_, R>>,
    layout: &Layout,
) -> Result<Samples, ReadError> {
    let mut select: Vec<usize> = (0..layout.colours.samples()).collect();
    select.extend(layout.alpha.map(|(sample, _)| sample));
    let length = layout.height as usize * layout.width as usize * select.len();
    let mut samples = match (layout.float, layout.bits) {
        (true, _) => Samples::F32(zeros(length)?),
        (false, 32) => Samples::U32(zeros(length)?),
        (false, 16) => Samples::U16(zeros(length)?),
        (false, _) => Samples::U8(zeros(length)?),
    };
    for (index, &length) in layout.chunks.lengths.iter().enumerate() {
        decoder.inner().expect_chunk(length);
        let chunk = decoder.read_chunk(index as u32).map_err(super::explain)?;
        let columns = decoder.chunk_data_dimensions(index as u32).0 as usize;
        let place = Place { layout, select: &select, index, columns };
        match (&mut samples, chunk) {
            (Samples::U8(out), DecodingResult::U8(chunk)) if layout.bits < 8 => {
                let row = columns * place.stored();
                place.put(out, &unpack_bits(&chunk, layout.bits, row))?;
            }
            (Samples::U8(out), DecodingResult::U8(chunk)) => place.put(out, &chunk)?,
            (Samples::U16(out), DecodingResult::U16(chunk)) => place.put(out, &chunk)?,
            (Samples::U32(out), DecodingResult::U32(chunk)) => place.put(out, &chunk)?,
            (Samples::F32(out), DecodingResult::F32(chunk)) => place.put(out, &chunk)?,
            (Samples::F32(out), DecodingResult::F16(chunk)) => {
                place.put(out, &chunk.iter().map(|value| value.to_f32()).collect::<Vec<_>>())?;
            }
            (Samples::F32(out), DecodingResult::F64(chunk)) => {
                place.put(out, &chunk.iter().map(|&value| value as f32).collect::<Vec<_>>())?;
            }
            _ => return Err(ReadError::Damaged("a TIFF whose samples change their kind".to_owned())),
        }
    }
    Ok(samples)
}

/// Samples of 1, 2 or 4 bits as bytes; a row of `row` samples starts at a byte.
fn unpack_bits(chunk: &[u8], bits: u16, row: usize) -> Vec<u8> {
    let bits = usize::from(bits);
    let mask = (1_u8 << bits) - 1;
    let packed = (row * bits).div_ceil(8).max(1);
    let unpack = |line: &[u8], k: usize| line[k * bits / 8] >> (8 - bits - k * bits % 8) & mask;
    chunk.chunks_exact(packed).flat_map(|line| (0..row).map(move |k| unpack(line, k))).collect()
}

/// Where a chunk belongs.
struct Place<'l> {
    layout: &'l Layout,
    /// The samples that are kept.
    select: &'l [usize],
    index: usize,
    /// Pixels (or blocks) in a row of the decoded chunk.
    columns: usize,
}

impl Place<'_> {
    /// Samples of a pixel (or block) in the chunk.
    fn stored(&self) -> usize {
        if self.layout.planar { 1 } else { usize::from(geometry(self.layout).samples) }
    }

    fn put<T: Copy>(&self, out: &mut [T], chunk: &[T]) -> Result<(), ReadError> {
        let chunks = &self.layout.chunks;
        let (height, width) = (self.layout.height as usize, self.layout.width as usize);
        let across = width.div_ceil(chunks.width as usize);
        let down = height.div_ceil(chunks.height as usize);
        let (plane, cell) = (self.index / (across * down), self.index % (across * down));
        let top = cell / across * chunks.height as usize;
        let left = cell % across * chunks.width as usize;
        let rows = (height - top).min(chunks.height as usize);
        let columns = (width - left).min(chunks.width as usize);
        let subsampled = subsampling(self.layout);
        let (block_width, block_height) = (usize::from(subsampled.0), usize::from(subsampled.1));
        let row_length = self.columns * self.stored();
        if columns.div_ceil(block_width) > self.columns
            || rows.div_ceil(block_height) * row_length > chunk.len()
        {
            return Err(ReadError::Damaged("a TIFF with a strip or tile that is too small".to_owned()));
        }
        let channels = self.select.len();
        for row in 0..rows {
            let start = ((top + row) * width + left) * channels;
            let line = &mut out[start..start + columns * channels];
            let stored = &chunk[row / block_height * row_length..][..row_length];
            if self.layout.planar {
                self.put_plane(line, stored, plane);
            } else if subsampled == (1, 1) {
                self.put_pixels(line, stored);
            } else {
                self.put_blocks(line, stored, (block_width, row % block_height, block_height));
            }
        }
        Ok(())
    }

    /// A row of one sample of each pixel.
    fn put_plane<T: Copy>(&self, line: &mut [T], stored: &[T], plane: usize) {
        let Some(channel) = self.select.iter().position(|&sample| sample == plane) else { return };
        for (pixel, &value) in line.chunks_exact_mut(self.select.len()).zip(stored) {
            pixel[channel] = value;
        }
    }

    /// A row of pixels.
    fn put_pixels<T: Copy>(&self, line: &mut [T], stored: &[T]) {
        for (pixel, samples) in
            line.chunks_exact_mut(self.select.len()).zip(stored.chunks_exact(self.stored()))
        {
            for (value, &sample) in pixel.iter_mut().zip(self.select) {
                *value = samples[sample];
            }
        }
    }

    /// Row `row` of blocks of (`width`, `height`) pixels, which share their chroma.
    fn put_blocks<T: Copy>(&self, line: &mut [T], stored: &[T], (width, row, height): (usize, usize, usize)) {
        for (pixels, block) in line.chunks_mut(3 * width).zip(stored.chunks_exact(self.stored())) {
            for (pixel, &luminance) in pixels.chunks_exact_mut(3).zip(&block[row * width..]) {
                pixel.copy_from_slice(&[luminance, block[width * height], block[width * height + 1]]);
            }
        }
    }
}
