//! Resampling, by the `fast_image_resize` crate.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{F32, F32x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use super::{Picture, PictureError};

/// What colours are resized by: sharp, and swings beyond an edge.
pub(super) const LANCZOS: FilterType = FilterType::Lanczos3;
/// What masks are resized by: a triangle, with positive weights only, so that a mean stays between what it is of.
pub(super) const TRIANGLE: FilterType = FilterType::Bilinear;

/// What signed numbers of an optimiser are resized by: Catmull and Rom's cubic.
const CUBIC: FilterType = FilterType::CatmullRom;

pub(super) fn lanczos(picture: &Picture, height: usize, width: usize) -> Result<Picture, PictureError> {
    let from = (picture.height, picture.width);
    let data = resampled(&picture.data, 3, from, (height, width), LANCZOS)?;
    Picture::new(height, width, data)
}

/// H x W x 1 or 3 numbers at another size, by [`TRIANGLE`].
pub(crate) fn means(
    numbers: &[f32],
    channels: usize,
    from: (usize, usize),
    to: (usize, usize),
) -> Result<Vec<f32>, PictureError> {
    if from == to {
        return Ok(numbers.to_vec());
    }
    resampled(numbers, channels, from, to, TRIANGLE)
}

/// H x W x 1 or 3 numbers at another size, by [`CUBIC`].
pub(crate) fn cubic(
    numbers: &[f32],
    channels: usize,
    from: (usize, usize),
    to: (usize, usize),
) -> Result<Vec<f32>, PictureError> {
    resampled(numbers, channels, from, to, CUBIC)
}

fn resampled(
    numbers: &[f32],
    channels: usize,
    from: (usize, usize),
    to: (usize, usize),
    filter: FilterType,
) -> Result<Vec<f32>, PictureError> {
    let refused = || PictureError::Length { height: to.0, width: to.1, length: numbers.len() };
    let pixels = to.0.checked_mul(to.1).filter(|&pixels| pixels > 0);
    let length = pixels.and_then(|pixels| pixels.checked_mul(channels)).ok_or_else(refused)?;
    let mut data = room_for(length, to)?;
    data.resize(length, 0.0);
    let done = match channels {
        1 => resample::<F32>(numbers, from, &mut data, to, filter),
        _ => resample::<F32x3>(numbers, from, &mut data, to, filter),
    };
    done.ok_or_else(refused)?;
    Ok(data)
}

/// Room for the numbers of a picture of a size (H, W), of which there are none yet.
pub(crate) fn room_for(numbers: usize, (height, width): (usize, usize)) -> Result<Vec<f32>, PictureError> {
    let mut data = Vec::new();
    data.try_reserve_exact(numbers).map_err(|_| PictureError::NoRoom { height, width })?;
    Ok(data)
}

/// Resamples pixels of f32 from one size (H, W) to another: along the rows first, then along the columns, and not at all
/// where a side stays what it is. So a picture may be brought to its new width in strips of rows, and then to its new height,
/// with the same bits. None for a side of 2^32 or more, or numbers that do not fit the size.
pub(super) fn resample<P: PixelTrait>(
    source: &[f32],
    from: (usize, usize),
    target: &mut [f32],
    to: (usize, usize),
    filter: FilterType,
) -> Option<()> {
    let side = |length: usize| u32::try_from(length).ok();
    let source = bytemuck::cast_slice(source);
    let source = TypedImageRef::<P>::from_buffer(side(from.1)?, side(from.0)?, source).ok()?;
    let target = bytemuck::cast_slice_mut(target);
    let mut target = TypedImage::<P>::from_buffer(side(to.1)?, side(to.0)?, target).ok()?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false);
    Resizer::new().resize_typed(&source, &mut target, &options).ok()
}

/// Whether a picture of one size (H, W) is brought to another as soon as it can be, because the numbers that it has beyond
/// that are never looked at: if it has more than twice the pixels, and the result is not too narrow for a network (so that
/// what is said of narrow strips is said of the picture as it was given).
pub(crate) fn is_worth_shrinking((height, width): (usize, usize), to: (usize, usize)) -> bool {
    to.0.min(to.1) >= 64 && to.0 * to.1 * 2 < height * width
}

/// (H, W) with the same proportions and the given longest side. No side becomes 0.
pub fn with_longest_side((height, width): (usize, usize), longest: usize) -> (usize, usize) {
    let scale = longest as f64 / height.max(width) as f64;
    let side = |length: usize| ((length as f64 * scale).round() as usize).max(1);
    (side(height), side(width))
}
