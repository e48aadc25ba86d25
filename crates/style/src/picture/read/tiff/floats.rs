//! Whether the numbers of a picture of floats are colours.

use crate::picture::read::raster::{Raster, Samples};
use crate::picture::read::{ReadError, Warning};

/// Clamps the few numbers of a picture of floats that lie outside 0..1, and says so.
///
/// # Errors
/// [`ReadError::Values`] if one is no number or infinite, or if most lie outside 0..1.
pub(super) fn check(raster: &mut Raster) -> Result<(), ReadError> {
    let (channels, width) = (raster.channels(), raster.width);
    let Samples::F32(values) = &mut raster.samples else { return Ok(()) };
    // Rows and columns are counted from 1.
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        let (row, column) = (index / channels / width + 1, index / channels % width + 1);
        let what = if values[index].is_nan() { "not a number (NaN)" } else { "infinite" };
        return Err(ReadError::Values(format!(
            "has a value that is {what} at row {row}, column {column}; replace it first"
        )));
    }
    let count = values.iter().filter(|value| !(0.0..=1.0).contains(*value)).count();
    if count == 0 {
        return Ok(());
    }
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if 2 * count > values.len() {
        return Err(ReadError::Values(format!(
            "has values from {least:?} to {most:?}, most of them outside 0 (black) to 1 (white); scale them to 0 to 1 first"
        )));
    }
    values.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
    raster.warnings.push(Warning::Clamped { count: count as u64, least, most });
    Ok(())
}
