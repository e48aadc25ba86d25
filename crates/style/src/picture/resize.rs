//! Resampling, by the `fast_image_resize` crate.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::F32x3;
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use super::{Picture, PictureError};

pub(super) fn lanczos(picture: &Picture, height: usize, width: usize) -> Result<Picture, PictureError> {
    if (height, width) == (picture.height, picture.width) {
        return Ok(picture.clone());
    }
    let refused = || PictureError::Length { height, width, length: picture.data.len() };
    let pixels = height.checked_mul(width).filter(|&pixels| pixels > 0);
    let length = pixels.and_then(|pixels| pixels.checked_mul(3)).ok_or_else(refused)?;
    let mut data = vec![0.0_f32; length];
    let from = (picture.height, picture.width);
    resample::<F32x3>(&picture.data, from, &mut data, (height, width)).ok_or_else(refused)?;
    Picture::new(height, width, data)
}

/// Resamples pixels of f32 from one size (H, W) to another: along the rows first, then along the columns, and not at all
/// where a side stays what it is. So a picture may be brought to its new width in strips of rows, and then to its new height,
/// with the same bits. None for a side of 2^32 or more, or numbers that do not fit the size.
pub(super) fn resample<P: PixelTrait>(
    source: &[f32],
    from: (usize, usize),
    target: &mut [f32],
    to: (usize, usize),
) -> Option<()> {
    let side = |length: usize| u32::try_from(length).ok();
    let source = bytemuck::cast_slice(source);
    let source = TypedImageRef::<P>::from_buffer(side(from.1)?, side(from.0)?, source).ok()?;
    let target = bytemuck::cast_slice_mut(target);
    let mut target = TypedImage::<P>::from_buffer(side(to.1)?, side(to.0)?, target).ok()?;
    let options =
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false);
    Resizer::new().resize_typed(&source, &mut target, &options).ok()
}

/// Whether a picture of one size (H, W) is brought to another as soon as it can be, because the numbers that it has beyond
/// that are never looked at: if it has more than twice the pixels, and the result is not too narrow for a network (so that
/// what is said of narrow strips is said of the picture as it was given).
pub(crate) fn is_worth_shrinking((height, width): (usize, usize), to: (usize, usize)) -> bool {
    to.0.min(to.1) >= 64 && to.0 * to.1 * 2 < height * width
}

/// (H, W) with the same proportions and the given longest side. No side becomes 0.
pub(super) fn with_longest_side((height, width): (usize, usize), longest: usize) -> (usize, usize) {
    let scale = longest as f64 / height.max(width) as f64;
    let side = |length: usize| ((length as f64 * scale).round() as usize).max(1);
    (side(height), side(width))
}
