//! WebP, 8 bits, lossless.

use std::io;

use image_webp::{ColorType, WebPEncoder};

use super::exif::exif;
use super::samples::Samples;
use super::{Frame, Writing};

pub(super) fn encode(frame: &Frame, writing: &Writing) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = WebPEncoder::new(&mut bytes);
    if let Some(exif) = exif(writing.text.as_deref(), writing.dpi) {
        encoder.set_exif_metadata(exif);
    }
    let colour = if frame.alpha { ColorType::Rgba8 } else { ColorType::Rgb8 };
    let Samples::Eight(samples) = &frame.samples else { return Err(io::ErrorKind::InvalidInput.into()) };
    encoder.encode(samples, frame.width, frame.height, colour).map_err(io::Error::other)?;
    Ok(bytes)
}
