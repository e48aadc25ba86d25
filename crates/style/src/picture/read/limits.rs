//! What reading a picture may take.

use super::ReadError;

/// The most bytes that a colour profile, EXIF data or another chunk beside the pixels may have, unpacked: 16 MiB.
pub(super) const METADATA_LIMIT: usize = 16 << 20;

/// The most pixels whatever memory there is: 2^31.
const PIXEL_LIMIT: u64 = 1 << 31;

/// What a decoder may take, and what comes after it.
pub(super) struct Limits<'a> {
    /// The bytes that reading may take; none is no limit.
    pub(super) bytes: Option<u64>,
    /// Bytes that a picture of (H, W) takes beside its raster once it is decoded: strips and the result.
    pub(super) after: &'a dyn Fn(usize, usize) -> u64,
}

impl Limits<'_> {
    /// Whether a picture may be decoded: `raster` bytes of samples at the depth at which they are kept, and `decoder` bytes
    /// that the decoder takes beside them while it works (lines, planes, the whole compressed file if it keeps that).
    /// To be asked with the header's numbers, before anything is allocated for pixels.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`], which names both.
    pub(super) fn admit(
        &self,
        (height, width): (usize, usize),
        raster: u64,
        decoder: u64,
    ) -> Result<(), ReadError> {
        let pixels = height as u64 * width as u64;
        let needed = raster.saturating_add(decoder.max((self.after)(height, width)));
        let limit = self.bytes.unwrap_or(u64::MAX);
        if pixels > PIXEL_LIMIT || needed > limit {
            return Err(ReadError::TooLarge { height, width, needed, limit });
        }
        Ok(())
    }

    /// What of the limit is left for a decoder that keeps to a number of bytes by itself.
    pub(super) fn left(&self) -> u64 {
        self.bytes.unwrap_or(u64::MAX)
    }
}
