//! PNG, 8 or 16 bits.

use std::io;

use png::{BitDepth, ColorType, Compression, Encoder, Filter};

use super::samples::Samples;
use super::{Frame, Writing};

pub(super) fn encode(frame: &Frame, _writing: &Writing) -> io::Result<Vec<u8>> {
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
    let mut writer = encoder.write_header()?;
    writer.write_image_data(samples)?;
    writer.finish()?;
    Ok(bytes)
}
