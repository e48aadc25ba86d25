//! A raster as RGB from 0 to 255 and alpha, some rows at a time: the whole in f32 would be four times its bytes, or more.

use std::ops::Range;

use image::metadata::Orientation;

use super::ReadError;
use super::colour::Converter;
use super::raster::{Alpha, Model, Raster, Samples};
use crate::picture::alpha::premultiply;

/// Pixels of a strip, about; at least one row.
const PIXELS_AT_ONCE: usize = 1 << 19;

/// The rows of a raster, turned as it is meant to be seen, in sRGB.
pub(super) struct Strips<'a> {
    raster: &'a Raster,
    converter: &'a Converter,
    order: Order,
    /// Numbers of the model's channels of one strip.
    colours: Vec<f32>,
    /// Alpha of one strip.
    alpha: Vec<f32>,
}

impl<'a> Strips<'a> {
    pub(super) fn new(raster: &'a Raster, converter: &'a Converter) -> Self {
        Self { raster, converter, order: Order::new(raster), colours: Vec::new(), alpha: Vec::new() }
    }

    /// (H, W) of the turned picture.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.order.height, self.order.width)
    }

    /// The rows of a picture of that size, strip by strip.
    pub(super) fn of((height, width): (usize, usize)) -> impl Iterator<Item = Range<usize>> {
        let step = rows_at_once(width);
        (0..height).step_by(step).map(move |first| first..(first + step).min(height))
    }

    /// The bytes that the strips of a picture take, turned or not: RGB, the model's channels, and alpha.
    pub(super) fn bytes(height: u64, width: u64) -> u64 {
        let pixels = (PIXELS_AT_ONCE as u64).max(height).max(width).min(height * width);
        pixels * (3 + 4 + 1) * size_of::<f32>() as u64
    }

    /// Rows of the picture as RGB, 0 to 255, of whatever it covers: what is transparent has its colour too.
    ///
    /// # Errors
    /// [`ReadError::NotFinite`]: the profile cannot be used for this picture.
    pub(super) fn straight(&mut self, rows: Range<usize>, rgb: &mut [f32]) -> Result<(), ReadError> {
        self.colours(rows, rgb)?;
        for value in rgb {
            *value *= 255.0;
        }
        Ok(())
    }

    /// Rows of the picture as RGB, 0 to 255, each multiplied by its alpha.
    ///
    /// # Errors
    /// As [`Self::straight`].
    pub(super) fn premultiplied(&mut self, rows: Range<usize>, rgb: &mut [f32]) -> Result<(), ReadError> {
        self.straight(rows.clone(), rgb)?;
        self.gather_alpha(rows);
        premultiply(rgb, &self.alpha);
        Ok(())
    }

    /// Rows of the picture as RGB, 0 to 255, over a colour b: a c + (1 - a) b.
    ///
    /// # Errors
    /// As [`Self::straight`].
    pub(super) fn on(
        &mut self,
        background: [u8; 3],
        rows: Range<usize>,
        rgb: &mut [f32],
    ) -> Result<(), ReadError> {
        self.colours(rows.clone(), rgb)?;
        if self.raster.alpha != Alpha::None {
            let background = background.map(|value| f32::from(value) / 255.0);
            self.gather_alpha(rows);
            for (pixel, a) in rgb.chunks_exact_mut(3).zip(&self.alpha) {
                for (c, b) in pixel.iter_mut().zip(background) {
                    *c = c.mul_add(*a, b * (1.0 - a));
                }
            }
        }
        for value in rgb {
            *value *= 255.0;
        }
        Ok(())
    }

    /// Rows of the picture as RGB, 0 to 1.
    fn colours(&mut self, rows: Range<usize>, rgb: &mut [f32]) -> Result<(), ReadError> {
        let channels = self.raster.model.channels();
        self.colours.resize(rows.len() * self.order.width * channels, 0.0);
        for channel in 0..channels {
            let colours = &mut self.colours[channel..];
            self.order.gather(self.raster, channel, rows.clone(), colours, channels);
        }
        if self.raster.alpha == Alpha::Associated {
            self.gather_alpha(rows);
            for (pixel, a) in self.colours.chunks_exact_mut(channels).zip(&self.alpha) {
                for c in pixel {
                    *c = if *a > 0.0 { (*c / a).min(1.0) } else { 0.0 };
                }
            }
        }
        self.converter.convert(&self.colours, rgb);
        if rgb.iter().any(|value| !value.is_finite()) {
            return Err(ReadError::NotFinite);
        }
        Ok(())
    }

    /// Rows of alpha, 0 to 1, of a raster that has it.
    pub(super) fn alpha(&self, rows: Range<usize>, alpha: &mut [f32]) {
        self.order.gather(self.raster, self.raster.model.channels(), rows, alpha, 1);
    }

    fn gather_alpha(&mut self, rows: Range<usize>) {
        let mut alpha = std::mem::take(&mut self.alpha);
        alpha.resize(rows.len() * self.order.width, 0.0);
        self.alpha(rows, &mut alpha);
        self.alpha = alpha;
    }
}

fn rows_at_once(width: usize) -> usize {
    (PIXELS_AT_ONCE / width).max(1)
}

/// Where the pixels of the turned picture are in the raster: (row, column) at `first + row * down + column * right`.
struct Order {
    height: usize,
    width: usize,
    first: usize,
    down: isize,
    right: isize,
}

impl Order {
    fn new(raster: &Raster) -> Self {
        let (height, width) = (raster.height, raster.width);
        let (row, last_row, last_column) = (width as isize, (height - 1) * width, width - 1);
        let upright = |first, down, right| Self { height, width, first, down, right };
        let on_its_side = |first, down, right| Self { height: width, width: height, first, down, right };
        match raster.orientation {
            Orientation::NoTransforms => upright(0, row, 1),
            Orientation::FlipHorizontal => upright(last_column, row, -1),
            Orientation::Rotate180 => upright(last_row + last_column, -row, -1),
            Orientation::FlipVertical => upright(last_row, -row, 1),
            Orientation::Rotate90FlipH => on_its_side(0, 1, row),
            Orientation::Rotate90 => on_its_side(last_row, 1, -row),
            Orientation::Rotate270FlipH => on_its_side(last_row + last_column, -1, -row),
            Orientation::Rotate270 => on_its_side(last_column, -1, row),
        }
    }

    /// One channel of some rows as numbers from 0 to 1, to every `stride`th place of `to`. Numbers of grey are multiplied by
    /// the rounded 1/255 or 1/65535, all others are divided: the last bit of paintings rests on it.
    fn gather(&self, raster: &Raster, channel: usize, rows: Range<usize>, to: &mut [f32], stride: usize) {
        let channels = raster.channels();
        let grey = raster.model == Model::Grey;
        let of_range =
            |number: f32, largest: f32| if grey { number * (1.0 / largest) } else { number / largest };
        let place = |pixel: usize| pixel * channels + channel;
        match &raster.samples {
            Samples::U8(samples) => {
                self.copy(rows, to, stride, |pixel| of_range(f32::from(samples[place(pixel)]), 255.0));
            }
            Samples::U16(samples) => {
                self.copy(rows, to, stride, |pixel| of_range(f32::from(samples[place(pixel)]), 65535.0));
            }
            Samples::U32(samples) => self.copy(rows, to, stride, |pixel| {
                (f64::from(samples[place(pixel)]) / f64::from(u32::MAX)) as f32
            }),
            Samples::F32(samples) => self.copy(rows, to, stride, |pixel| samples[place(pixel)]),
        }
    }

    /// In the order in which the raster lies in memory.
    fn copy(&self, rows: Range<usize>, to: &mut [f32], stride: usize, number: impl Fn(usize) -> f32) {
        let from = |row: usize, column: usize| {
            self.first.wrapping_add_signed(row as isize * self.down + column as isize * self.right)
        };
        let place = |row: usize, column: usize| ((row - rows.start) * self.width + column) * stride;
        if self.right.unsigned_abs() == 1 {
            for row in rows.clone() {
                for column in 0..self.width {
                    to[place(row, column)] = number(from(row, column));
                }
            }
        } else {
            for column in 0..self.width {
                for row in rows.clone() {
                    to[place(row, column)] = number(from(row, column));
                }
            }
        }
    }
}
