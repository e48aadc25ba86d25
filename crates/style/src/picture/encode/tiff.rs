//! TIFF, 8 or 16 bits, not packed: RGB, or RGB and alpha that the colours are not multiplied by.

use std::io::{self, Cursor};

use tiff::TiffResult;
use tiff::encoder::colortype::{ColorType, RGB8, RGB16, RGBA8, RGBA16};
use tiff::encoder::{TiffEncoder, TiffValue};
use tiff::tags::{ExtraSamples, Tag};

use super::samples::Samples;
use super::{Frame, SOFTWARE, Writing};

pub(super) fn encode(frame: &Frame, writing: &Writing) -> io::Result<Vec<u8>> {
    let encoded = match (&frame.samples, frame.alpha) {
        (Samples::Eight(samples), false) => image::<RGB8>(samples, frame, writing),
        (Samples::Eight(samples), true) => image::<RGBA8>(samples, frame, writing),
        (Samples::Sixteen(samples), false) => image::<RGB16>(samples, frame, writing),
        (Samples::Sixteen(samples), true) => image::<RGBA16>(samples, frame, writing),
    };
    encoded.map_err(io::Error::other)
}

fn image<C: ColorType>(samples: &[C::Inner], frame: &Frame, writing: &Writing) -> TiffResult<Vec<u8>>
where
    [C::Inner]: TiffValue,
{
    let mut bytes = Vec::new();
    let mut encoder = TiffEncoder::new(Cursor::new(&mut bytes))?;
    let mut image = encoder.new_image::<C>(frame.width, frame.height)?;
    if frame.alpha {
        let what = [ExtraSamples::UnassociatedAlpha.to_u16()];
        image.encoder().write_tag(Tag::ExtraSamples, &what[..])?;
    }
    if let Some(text) = &writing.text {
        image.encoder().write_tag(Tag::ImageDescription, &text[..])?;
        image.encoder().write_tag(Tag::Software, SOFTWARE)?;
    }
    image.write_data(samples)?;
    Ok(bytes)
}
