//! PNG, 8 or 16 bits.

use std::io;

use png::{BitDepth, ColorType, Compression, Encoder, Filter};

use super::samples::Samples;
use super::{Frame, SOFTWARE, Writing};

pub(super) fn encode(frame: &Frame, writing: &Writing) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, frame.width, frame.height);
    encoder.set_color(if frame.alpha { ColorType::Rgba } else { ColorType::Rgb });
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Adaptive);
    let swapped: Vec<u8>;
    let (depth, samples) = match &frame.samples {
        Samples::Eight(samples) => (BitDepth::Eight, samples),
        Samples::Sixteen(samples) => {
            swapped = samples.iter().flat_map(|sample| sample.to_be_bytes()).collect();
            (BitDepth::Sixteen, &swapped)
        }
    };
    encoder.set_depth(depth);
    if let Some(text) = &writing.text {
        encoder.add_text_chunk("Software".to_owned(), SOFTWARE.to_owned())?;
        encoder.add_itxt_chunk("impasto".to_owned(), text.clone())?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(samples)?;
    writer.finish()?;
    Ok(bytes)
}
