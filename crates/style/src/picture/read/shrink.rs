//! A picture brought to a smaller size while it is read, strip by strip.

use std::ops::Range;

use fast_image_resize::{FilterType, PixelTrait};

use super::ReadError;
use super::limits::zeros;
use super::strips::Strips;
use crate::picture::resize::resample;

/// The numbers of a picture of one or three channels at another size, bit for bit those of the whole picture resampled by
/// [`resample`]: each strip of rows is brought to the new width, then all of them to the new height. `fill` gives rows of the
/// picture at its own size.
///
/// # Errors
/// Those of `fill`, and [`ReadError::NoMemory`].
pub(super) fn shrunk<P: PixelTrait>(
    from: (usize, usize),
    to: (usize, usize),
    filter: FilterType,
    strips: impl Iterator<Item = Range<usize>>,
    mut fill: impl FnMut(Range<usize>, &mut [f32]) -> Result<(), ReadError>,
) -> Result<Vec<f32>, ReadError> {
    let channels = size_of::<P>() / size_of::<f32>();
    let (row, narrow_row) = (from.1 * channels, to.1 * channels);
    let mut narrow = zeros::<f32>(from.0 * narrow_row)?;
    let mut strip = Vec::new();
    let refused = || ReadError::Damaged("it has more pixels on a side than can be resized".to_owned());
    for rows in strips {
        strip.resize(rows.len() * row, 0.0);
        fill(rows.clone(), &mut strip)?;
        let narrowed = &mut narrow[rows.start * narrow_row..rows.end * narrow_row];
        resample::<P>(&strip, (rows.len(), from.1), narrowed, (rows.len(), to.1), filter)
            .ok_or_else(refused)?;
    }
    drop(strip);
    let mut result = zeros::<f32>(to.0 * narrow_row)?;
    resample::<P>(&narrow, (from.0, to.1), &mut result, to, filter).ok_or_else(refused)?;
    Ok(result)
}

/// The numbers of a picture at its own size, filled strip by strip.
///
/// # Errors
/// Those of `fill`, and [`ReadError::NoMemory`].
pub(super) fn whole(
    size: (usize, usize),
    channels: usize,
    mut fill: impl FnMut(Range<usize>, &mut [f32]) -> Result<(), ReadError>,
) -> Result<Vec<f32>, ReadError> {
    let row = size.1 * channels;
    let mut result = zeros::<f32>(size.0 * row)?;
    for rows in Strips::of(size) {
        fill(rows.clone(), &mut result[rows.start * row..rows.end * row])?;
    }
    Ok(result)
}
