//! A raster as RGB from 0 to 255, some rows at a time: the whole in f32 would be four times its bytes, or more.

use std::ops::Range;

use image::metadata::Orientation;

use super::ReadError;
use super::colour::Converter;
use super::raster::{Alpha, Model, Raster, Samples};

/// Pixels of a strip, about; at least one row.
const PIXELS_AT_ONCE: usize = 1 << 19;

/// The rows of a raster, turned as it is meant to be seen, in sRGB, and on white where it is transparent.
pub(super) struct Strips<'a> {
    raster: &'a Raster,
    converter: &'a Converter,
    order: Order,
    /// Numbers of the model's channels of one strip.
    colours: Vec<f32>,
}

impl<'a> Strips<'a> {
    pub(super) fn new(raster: &'a Raster, converter: &'a Converter) -> Self {
        Self { raster, converter, order: Order::new(raster), colours: Vec::new() }
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

    /// Rows of the picture as RGB, 0 to 255: over white, a c + (1 - a) with the alpha a of the file, in the file's own
    /// numbers as browsers do; then converted to sRGB.
    ///
    /// # Errors
    /// [`ReadError::NotFinite`]: the profile cannot be used for this picture.
    pub(super) fn rgb(&mut self, rows: Range<usize>, rgb: &mut [f32]) -> Result<(), ReadError> {
        let channels = self.raster.model.channels();
        self.colours.resize(rows.len() * self.order.width * channels, 0.0);
        for channel in 0..channels {
            let colours = &mut self.colours[channel..];
            self.order.gather(self.raster, channel, rows.clone(), colours, channels);
        }
        if self.raster.alpha != Alpha::None {
            self.lay_on_white(rows);
        }
        self.converter.convert(&self.colours, rgb);
        if rgb.iter().any(|value| !value.is_finite()) {
            return Err(ReadError::NotFinite);
        }
        for value in rgb {
            *value *= 255.0;
        }
        Ok(())
    }

    /// Rows of alpha, 0 to 1; 1 where the raster has none.
    pub(super) fn alpha(&self, rows: Range<usize>, alpha: &mut [f32]) {
        if self.raster.alpha == Alpha::None {
            alpha.fill(1.0);
        } else {
            self.order.gather(self.raster, self.raster.model.channels(), rows, alpha, 1);
        }
    }

    fn lay_on_white(&mut self, rows: Range<usize>) {
        let mut alpha = vec![0.0; rows.len() * self.order.width];
        self.alpha(rows, &mut alpha);
        let white: &[f32] = match self.raster.model {
            Model::Grey => &[1.0],
            Model::Rgb => &[1.0; 3],
            Model::Cmyk => &[0.0; 4],
            Model::Lab => &[1.0, 0.5, 0.5],
        };
        let associated = self.raster.alpha == Alpha::Associated;
        for (pixel, a) in self.colours.chunks_exact_mut(white.len()).zip(alpha) {
            let share = if associated { 1.0 } else { a };
            for (c, white) in pixel.iter_mut().zip(white) {
                *c = c.mul_add(share, white * (1.0 - a));
            }
        }
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
