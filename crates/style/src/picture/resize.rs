//! Resampling, by the `fast_image_resize` crate.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::F32x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use super::{Picture, PictureError};

pub(super) fn lanczos(picture: &Picture, height: usize, width: usize) -> Result<Picture, PictureError> {
    if (height, width) == (picture.height, picture.width) {
        return Ok(picture.clone());
    }
    let refused = || PictureError::Length { height, width, length: picture.data.len() };
    let side = |length: usize| u32::try_from(length).ok().filter(|&length| length > 0).ok_or_else(refused);
    let (rows, columns) = (side(height)?, side(width)?);
    let length = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(3)).ok_or_else(refused)?;
    let mut data = vec![0.0_f32; length];

    let pixels = |data| {
        TypedImageRef::<F32x3>::from_buffer(side(picture.width).ok()?, side(picture.height).ok()?, data).ok()
    };
    let source = pixels(bytemuck::cast_slice(&picture.data)).ok_or_else(refused)?;
    let target = bytemuck::cast_slice_mut(&mut data);
    let mut target = TypedImage::<F32x3>::from_buffer(columns, rows, target).map_err(|_| refused())?;
    let options =
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false);
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|_| refused())?;
    Picture::new(height, width, data)
}
