//! A picture, as a file or as the pixels of a canvas.

use std::path::Path;

use impasto_style::picture::{Encoding, ReadOptions, Transparency};
use impasto_style::{Mask, PictureError, Size};
use wasm_bindgen::prelude::*;

use crate::MEMORY_LIMIT;

/// A picture: R, G, B from 0 to 255 in single precision, and alpha if it has any.
#[wasm_bindgen]
pub struct Picture(impasto_style::Picture);

#[wasm_bindgen]
impl Picture {
    /// The picture of a JPEG, PNG, WebP, TIFF, BMP or GIF file, which `name` stands for in messages: turned as it says, and in sRGB. One
    /// whose longest side is much over `longest` pixels is brought to that size while it is read.
    ///
    /// # Errors
    /// If it is no picture, is damaged, or is too large.
    pub fn read(bytes: &[u8], name: &str, longest: Option<usize>) -> Result<Self, JsError> {
        let options = ReadOptions {
            memory_limit: Some(MEMORY_LIMIT),
            held: 0,
            size: longest.map_or(Size::Original, |longest| Size::Longest(longest.max(1))),
            transparency: Transparency::Kept,
            profile: false,
        };
        let read = impasto_style::Picture::read_stream(bytes, Path::new(name), &options)?;
        Ok(Self(read.picture))
    }

    /// The picture of the R, G, B and alpha of a canvas (`ImageData`), row by row, 0 to 255.
    ///
    /// # Errors
    /// If there are not 4 numbers for each of width x height pixels.
    #[wasm_bindgen(js_name = fromRgba)]
    pub fn from_rgba(rgba: &[u8], width: usize, height: usize) -> Result<Self, JsError> {
        let (pixels, rest) = rgba.as_chunks::<4>();
        if !rest.is_empty() || width.checked_mul(height) != Some(pixels.len()) {
            return Err(PictureError::Length { height, width, length: rgba.len() }.into());
        }
        let colours = pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]).map(f32::from).collect();
        let alpha = pixels.iter().map(|&[.., alpha]| f32::from(alpha) / 255.0).collect();
        let picture = impasto_style::Picture::new(height, width, colours)?;
        Ok(Self(picture.with_alpha(Mask::new(height, width, alpha)?)?))
    }

    /// The picture with `longest` pixels on its longest side, or as it is if it has no more.
    ///
    /// # Errors
    /// If there is not the memory.
    pub fn within(&self, longest: usize) -> Result<Self, JsError> {
        let (height, width) = (self.0.height(), self.0.width());
        let own = height.max(width);
        if own <= longest {
            return Ok(Self(self.0.clone()));
        }
        let side = |side: usize| ((side * longest + own / 2) / own).max(1);
        Ok(Self(self.0.resized(side(height), side(width))?))
    }

    /// Columns.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> usize {
        self.0.width()
    }

    /// Rows.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> usize {
        self.0.height()
    }

    /// R, G, B and alpha of each pixel, row by row, rounded and cut to 0 to 255: what a canvas shows.
    pub fn rgba(&self) -> Vec<u8> {
        let level = |value: f32| value.round().clamp(0.0, 255.0) as u8;
        let alpha = self.0.alpha().map_or(&[][..], Mask::values);
        let pixels = self.0.data().as_chunks::<3>().0.iter().enumerate();
        pixels
            .flat_map(|(index, &[r, g, b])| {
                let alpha = alpha.get(index).map_or(255, |alpha| level(255.0 * alpha));
                [level(r), level(g), level(b), alpha]
            })
            .collect()
    }

    /// The bytes of a PNG file of it.
    ///
    /// # Errors
    /// None that a picture of impasto has.
    pub fn png(&self) -> Result<Vec<u8>, JsError> {
        Ok(self.0.encode(Encoding::Png)?)
    }
}

impl Picture {
    pub(crate) const fn of(picture: impasto_style::Picture) -> Self {
        Self(picture)
    }

    pub(crate) fn into_inner(self) -> impasto_style::Picture {
        self.0
    }

    pub(crate) const fn inner(&self) -> &impasto_style::Picture {
        &self.0
    }
}
