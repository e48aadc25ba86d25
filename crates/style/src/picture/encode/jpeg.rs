//! JPEG, 8 bits, full colour resolution.

use std::io;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::exif::exif;
use super::samples::Samples;
use super::{Frame, Writing};

pub(super) fn encode(frame: &Frame, quality: u8, writing: &Writing) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    if let Some(exif) = exif(writing.text.as_deref(), None) {
        encoder.set_exif_metadata(exif).map_err(io::Error::other)?;
    }
    let Samples::Eight(samples) = &frame.samples else { return Err(io::ErrorKind::InvalidInput.into()) };
    encoder
        .write_image(samples, frame.width, frame.height, ExtendedColorType::Rgb8)
        .map_err(io::Error::other)?;
    Ok(bytes)
}
