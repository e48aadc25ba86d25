//! PNG, 8 or 16 bits.

use std::borrow::Cow;
use std::io;

use png::{BitDepth, ColorType, Compression, Encoder, Filter, Info, PixelDimensions, Unit};

use super::samples::Samples;
use super::{Frame, SOFTWARE, Writing};

pub(super) fn encode(frame: Frame, writing: &Writing) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut info = Info::with_size(frame.width, frame.height);
    // One of iCCP and sRGB may be there: the profile, which more programs heed.
    info.icc_profile = writing.profile.icc().map(Cow::Borrowed);
    info.pixel_dims = writing.dpi.map(|dpi| {
        let metre = (f64::from(dpi) / 0.0254).round() as u32;
        PixelDimensions { xppu: metre, yppu: metre, unit: Unit::Meter }
    });
    let mut encoder = Encoder::with_info(&mut bytes, info)?;
    encoder.set_color(if frame.alpha { ColorType::Rgba } else { ColorType::Rgb });
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Adaptive);
    encoder.set_depth(match frame.samples {
        Samples::Eight(_) => BitDepth::Eight,
        Samples::Sixteen(_) => BitDepth::Sixteen,
    });
    if let Some(text) = &writing.text {
        encoder.add_text_chunk("Software".to_owned(), SOFTWARE.to_owned())?;
        encoder.add_itxt_chunk("impasto".to_owned(), text.clone())?;
    }
    let mut writer = encoder.write_header()?;
    match frame.samples {
        Samples::Eight(samples) => writer.write_image_data(&samples)?,
        Samples::Sixteen(mut samples) => {
            for sample in &mut samples {
                *sample = sample.to_be();
            }
            writer.write_image_data(bytemuck::cast_slice(&samples))?;
        }
    }
    writer.finish()?;
    Ok(bytes)
}
