//! JPEG, 8 bits, full colour resolution.

use std::io;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::samples::Samples;
use super::{Frame, Writing};

pub(super) fn encode(frame: &Frame, quality: u8, _writing: &Writing) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    let Samples::Eight(samples) = &frame.samples else { return Err(io::ErrorKind::InvalidInput.into()) };
    encoder
        .write_image(samples, frame.width, frame.height, ExtendedColorType::Rgb8)
        .map_err(io::Error::other)?;
    Ok(bytes)
}
