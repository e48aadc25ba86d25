//! Numbers as pictures, and pictures as `data:` addresses inside the page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use impasto_style::picture::Encoding;
use impasto_style::{Picture, PictureError};

/// An `<img>` that carries its picture with it.
pub(super) fn embedded(picture: &Picture, encoding: Encoding, what: &str) -> std::io::Result<String> {
    let kind = if encoding == Encoding::Png { "png" } else { "jpeg" };
    let data = STANDARD.encode(picture.encode(encoding)?);
    let (width, height) = (picture.width(), picture.height());
    Ok(format!(
        "<img alt=\"{what}\" width=\"{width}\" height=\"{height}\" src=\"data:image/{kind};base64,{data}\">"
    ))
}

/// Values from 0 to 1 from black over red and yellow to white, H x W.
pub(super) fn heat(
    height: usize,
    width: usize,
    values: impl Iterator<Item = f32>,
) -> Result<Picture, PictureError> {
    let ramp = |value: f32, start: f32| (255.0 * (3.0 * value - start)).clamp(0.0, 255.0);
    let pixels = values.flat_map(|value| [ramp(value, 0.0), ramp(value, 1.0), ramp(value, 2.0)]);
    Picture::new(height, width, pixels.collect())
}

/// Values from 0 to 1 from black to white, H x W.
pub(super) fn grey(
    height: usize,
    width: usize,
    values: impl Iterator<Item = f32>,
) -> Result<Picture, PictureError> {
    Picture::new(height, width, values.flat_map(|value| [255.0 * value.clamp(0.0, 1.0); 3]).collect())
}

/// Divides by a value that only one in a hundred exceeds, so that single peaks do not leave the rest black.
pub(super) fn normalised(values: &[f32]) -> impl Iterator<Item = f32> + '_ {
    let mut sorted: Vec<f32> = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let top = sorted.get(sorted.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(1.0);
    let top = if top > 0.0 { top } else { 1.0 };
    values.iter().map(move |value| (value / top).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_runs_from_black_to_white() {
        let picture = heat(1, 3, [0.0, 0.5, 1.0].into_iter()).unwrap();
        assert_eq!(picture.data(), [0.0, 0.0, 0.0, 255.0, 127.5, 0.0, 255.0, 255.0, 255.0]);
    }

    #[test]
    fn one_peak_does_not_darken_the_rest() {
        let mut values = vec![1.0; 200];
        values[7] = 1e6;
        assert!(normalised(&values).all(|value| value == 1.0));
        assert!(normalised(&[0.0; 5]).all(|value| value == 0.0));
    }
}
