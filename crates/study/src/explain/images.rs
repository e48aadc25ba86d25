//! Numbers as pictures, and pictures as `data:` addresses inside the page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use impasto_style::picture::Encoding;
use impasto_style::{Mask, Picture, PictureError, light};

/// An `<img>` that carries its picture with it; what is transparent is a checkerboard.
pub(super) fn embedded(picture: &Picture, encoding: Encoding, what: &str) -> std::io::Result<String> {
    let (width, height, what) = (picture.width(), picture.height(), escaped(what));
    let data = data(picture, encoding)?;
    Ok(format!("<img alt=\"{what}\" width=\"{width}\" height=\"{height}\" src=\"{data}\">"))
}

/// The address that carries a picture with it.
pub(super) fn data(picture: &Picture, encoding: Encoding) -> std::io::Result<String> {
    let kind = if encoding == Encoding::Png { "png" } else { "jpeg" };
    let opaque = picture.alpha().map(|alpha| on_checkerboard(picture, alpha)).transpose();
    let opaque = opaque.map_err(std::io::Error::other)?;
    let data = STANDARD.encode(opaque.as_ref().unwrap_or(picture).encode(encoding)?);
    Ok(format!("data:image/{kind};base64,{data}"))
}

/// Text as HTML, in an element or in a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// The name of a region as HTML: that of a file may break after each folder.
pub(super) fn breakable(name: &str) -> String {
    escaped(name).replace('/', "/<wbr>")
}

/// `The photo` for `the photo`.
pub(super) fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `photo` for `the photo`.
pub(super) fn without_article(name: &str) -> &str {
    name.strip_prefix("the ").unwrap_or(name)
}

/// A transparent picture laid on squares of white and light grey: a c + (1 - a) b.
fn on_checkerboard(picture: &Picture, alpha: &Mask) -> Result<Picture, PictureError> {
    const SQUARE: usize = 8;
    const SHADES: [f32; 2] = [255.0, 204.0];
    let width = picture.width();
    let mut pixels = picture.data().to_vec();
    for (at, (pixel, a)) in pixels.as_chunks_mut::<3>().0.iter_mut().zip(alpha.values()).enumerate() {
        let shade = SHADES[(at / width / SQUARE + at % width / SQUARE) % 2];
        *pixel = pixel.map(|c| a * c + (1.0 - a) * shade);
    }
    Picture::new(picture.height(), width, pixels)
}

/// Where the numbers t of a grid of (H, W) cells lie on a picture: the picture in grey, and in orange by half where t is 1.
pub(super) fn covered(
    picture: &Picture,
    t: &[f32],
    (height, width): (usize, usize),
) -> Result<Picture, PictureError> {
    const ORANGE: [f32; 3] = [255.0, 112.0, 0.0];
    let (rows, columns) = (picture.height(), picture.width());
    let mut pixels = picture.data().to_vec();
    for (at, pixel) in pixels.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let (row, column) = (at / columns * height / rows, at % columns * width / columns);
        let (half, grey) = (0.5 * t[row * width + column], light(*pixel));
        *pixel = ORANGE.map(|orange| half * orange + (1.0 - half) * grey);
    }
    Picture::new(rows, columns, pixels)
}

/// The side of pictures that share the room of `side` with so many others that each has 1 / `share` of it; never more than `side`.
pub(super) fn share_of_side(side: usize, share: f64) -> usize {
    (side as f64 / share.max(1.0).sqrt()) as usize
}

/// The picture with no side over `longest`.
pub(super) fn shrunk(picture: Picture, longest: usize) -> Result<Picture, PictureError> {
    if picture.height().max(picture.width()) <= longest {
        return Ok(picture);
    }
    let (height, width) = picture.size_with_longest_side(longest);
    picture.resized(height, width)
}

/// Each pixel as its light (Y, Y, Y).
pub(crate) fn in_grey(mut picture: Picture) -> Picture {
    picture.data_mut().as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| *pixel = [light(*pixel); 3]);
    picture
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
    fn a_mask_is_orange_on_the_picture_in_grey() {
        let picture = Picture::new(2, 4, vec![100.0; 24]).unwrap();
        let seen = covered(&picture, &[1.0, 0.0], (1, 2)).unwrap();
        let (orange, grey) = ([177.5, 106.0, 50.0], [100.0; 3]);
        let expected = [[orange, orange, grey, grey], [orange, orange, grey, grey]].concat();
        for (value, expected) in seen.data().iter().zip(expected.concat()) {
            assert!((value - expected).abs() < 1e-3, "{value} against {expected}");
        }
    }

    #[test]
    fn what_is_transparent_is_a_checkerboard() {
        let alpha = Mask::new(1, 16, vec![0.0; 16]).unwrap();
        let picture = Picture::new(1, 16, vec![50.0; 48]).unwrap();
        let laid = on_checkerboard(&picture, &alpha).unwrap();
        assert_eq!([laid.data()[0], laid.data()[21], laid.data()[24]], [255.0, 255.0, 204.0]);
        let full = on_checkerboard(&picture, &Mask::new(1, 16, vec![1.0; 16]).unwrap()).unwrap();
        assert_eq!(full, picture);
    }

    #[test]
    fn names_of_files_cannot_be_markup() {
        assert_eq!(escaped("<b> & \"c\""), "&lt;b> &amp; &quot;c&quot;");
    }

    #[test]
    fn one_peak_does_not_darken_the_rest() {
        let mut values = vec![1.0; 200];
        values[7] = 1e6;
        assert!(normalised(&values).all(|value| value == 1.0));
        assert!(normalised(&[0.0; 5]).all(|value| value == 0.0));
    }
}
