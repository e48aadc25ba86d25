//! From a picture file to H x W x 3 sRGB.

mod error;
mod limits;
mod raster;
mod warning;

pub use warning::Warning;

use error::ReadError;
