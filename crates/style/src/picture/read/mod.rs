//! From a picture file to H x W x 3 sRGB.

mod colour;
mod error;
mod jpeg;
mod limits;
mod png;
mod raster;
mod tiff;
mod warning;

pub use warning::Warning;

use error::ReadError;
