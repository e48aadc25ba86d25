//! What reading a picture may take.

use std::cell::Cell;

use super::ReadError;

/// The most bytes that a colour profile, EXIF data or another chunk beside the pixels may have, unpacked: 16 MiB.
pub(super) const METADATA_LIMIT: usize = 16 << 20;

/// The most pixels whatever memory there is: 2^31.
const PIXEL_LIMIT: u64 = 1 << 31;

/// What a decoder may take, and what comes after it.
pub(super) struct Limits<'a> {
    /// The bytes that may be taken; none is no limit.
    pub(super) bytes: Option<u64>,
    /// The bytes that are taken already.
    pub(super) held: u64,
    /// Bytes that a picture of (H, W), with alpha or without, takes beside its raster once it is decoded: strips and the result.
    pub(super) after: &'a dyn Fn((usize, usize), bool) -> u64,
    /// The bytes of what was admitted.
    pub(super) admitted: Cell<u64>,
}

impl Limits<'_> {
    /// Whether a picture may be decoded: `raster` bytes of samples at the depth at which they are kept, whether it may have
    /// alpha, and `decoder` bytes that the decoder takes beside them while it works (lines, planes, the whole compressed file if
    /// it keeps that).
    /// To be asked with the header's numbers, before anything is allocated for pixels.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`], which names both; [`ReadError::TooManyPixels`]; [`ReadError::Damaged`] without a pixel.
    pub(super) fn admit(
        &self,
        (height, width): (usize, usize),
        alpha: bool,
        raster: u64,
        decoder: u64,
    ) -> Result<(), ReadError> {
        let pixels = height as u64 * width as u64;
        if pixels == 0 {
            return Err(ReadError::Damaged(format!("it has {width} x {height} pixels")));
        }
        if pixels > PIXEL_LIMIT {
            return Err(ReadError::TooManyPixels { height, width, limit: PIXEL_LIMIT });
        }
        // Of no more pixels than that: counting bytes does not overflow.
        let needed = raster.saturating_add(decoder.max((self.after)((height, width), alpha)));
        match self.bytes {
            Some(limit) if needed.saturating_add(self.held) > limit => {
                let room = pixels as f64 * (self.left() as f64 / needed as f64);
                let needed = needed.saturating_add(self.held);
                Err(ReadError::TooLarge { height, width, needed, limit, room: room as u64 })
            }
            _ => {
                self.admitted.set(needed);
                Ok(())
            }
        }
    }

    /// What of the limit is left for a decoder that keeps to a number of bytes by itself.
    pub(super) fn left(&self) -> u64 {
        self.bytes.map_or(u64::MAX, |limit| limit.saturating_sub(self.held))
    }
}

/// That many zeros, or an error where the system has not the memory.
///
/// # Errors
/// [`ReadError::NoMemory`].
pub(super) fn zeros<T: Copy + Default>(length: usize) -> Result<Vec<T>, ReadError> {
    // First asked for, which can fail; then taken as the system has it, so that pages are touched only when they are filled.
    ask_for(length as u64 * size_of::<T>() as u64)?;
    Ok(vec![T::default(); length])
}

/// Whether the system gives that many bytes at once; they are given back.
///
/// # Errors
/// [`ReadError::NoMemory`].
pub(super) fn ask_for(bytes: u64) -> Result<(), ReadError> {
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    Vec::<u8>::new().try_reserve_exact(length).map_err(|_| ReadError::NoMemory { bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whose bytes cannot even be counted.
    #[test]
    fn a_picture_of_more_pixels_than_any_is_refused_before_its_bytes_are_counted() {
        let after = |(height, width): (usize, usize), _| 12 * height as u64 * width as u64;
        let limits = Limits { bytes: None, held: 0, after: &after, admitted: Cell::new(0) };
        let side = u32::MAX as usize;
        assert!(matches!(limits.admit((side, side), false, 0, 0), Err(ReadError::TooManyPixels { .. })));
        assert!(limits.admit((1 << 16, 1 << 15), false, 0, 0).is_ok());
    }
}
