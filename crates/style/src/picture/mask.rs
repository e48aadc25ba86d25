//! Masks: how much each pixel of a picture counts.

use std::fmt;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use crate::colour::lights;

use super::{NAMELESS, Picture, PictureError, ReadOptions, Warning, named, read, resize};

/// H x W numbers from 0 (not here) to 1 (here).
#[derive(Clone, PartialEq)]
pub struct Mask {
    height: usize,
    width: usize,
    values: Vec<f32>,
}

/// A mask that was read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReadMask {
    /// The mask.
    pub mask: Mask,
    /// What is doubtful about its file, each said once.
    pub warnings: Vec<Warning>,
    /// The most bytes that reading it took, as they were counted.
    pub bytes: u64,
}

/// Without the numbers.
impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask")
            .field("height", &self.height)
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

impl Mask {
    /// A mask from its numbers, row by row, each brought into 0..=1 (what is no number counts as 0).
    ///
    /// # Errors
    /// [`PictureError::Length`] if `values` does not have H W numbers, or the mask has none.
    pub fn new(height: usize, width: usize, mut values: Vec<f32>) -> Result<Self, PictureError> {
        if height.checked_mul(width) != Some(values.len()) || values.is_empty() {
            return Err(PictureError::Length { height, width, length: values.len() });
        }
        for value in &mut values {
            *value = if *value > 0.0 { value.min(1.0) } else { 0.0 };
        }
        Ok(Self { height, width, values })
    }

    /// Reads a picture file as a mask: white is 1, black is 0. A colour counts by its [luma](Self::of); what is transparent is
    /// black. Everything else is as [`Picture::read`] has it, but that a larger one is shrunk as by [`Self::resized`];
    /// `transparency` and `profile` of the options change nothing.
    ///
    /// # Errors
    /// As [`Picture::read`].
    pub fn read(path: &Path, options: &ReadOptions) -> Result<ReadMask, PictureError> {
        read::mask_of_file(path, options)
    }

    /// [`Mask::read`] of a stream, such as standard input, as [`Picture::read_stream`] reads one.
    ///
    /// # Errors
    /// As [`Picture::read`].
    pub fn read_stream(
        stream: impl Read,
        name: &Path,
        options: &ReadOptions,
    ) -> Result<ReadMask, PictureError> {
        read::mask_of_stream(stream, name, options)
    }

    /// [`Mask::read`] of the bytes of a file, as [`Picture::from_bytes`] reads them.
    ///
    /// # Errors
    /// As [`Picture::read`].
    pub fn from_bytes(bytes: &[u8], options: &ReadOptions) -> Result<ReadMask, PictureError> {
        read::mask_of_reader(Cursor::new(bytes), bytes.len() as u64, Path::new(NAMELESS), options)
    }

    /// [`Mask::read`] of anything that can be read anywhere, as [`Picture::read_from`] reads it.
    ///
    /// # Errors
    /// As [`Picture::read`].
    pub fn read_from(
        reader: impl Read + Seek,
        name: &Path,
        options: &ReadOptions,
    ) -> Result<ReadMask, PictureError> {
        read::mask_of_reader(BufReader::new(reader), 0, named(name), options)
    }

    /// The mask that a picture stands for: a Y / 255, with its luma Y = 0.299 R + 0.587 G + 0.114 B (of gamma-encoded values)
    /// and its alpha a, brought into 0..=1.
    pub fn of(picture: &Picture) -> Self {
        let mut values: Vec<f32> = lights(picture.data()).into_iter().map(|light| light / 255.0).collect();
        for (value, alpha) in values.iter_mut().zip(picture.alpha().map_or(&[][..], Self::values)) {
            *value *= alpha;
        }
        Self::settled(picture.height(), picture.width(), values)
    }

    /// The mask at another size: a mean over what a new pixel covers where it shrinks (a triangle of twice its width), bilinear
    /// where it grows. All weights are positive, so it never swings beyond an edge, and areas of 0 or 1 stay exactly that.
    ///
    /// # Errors
    /// [`PictureError::Length`] for a side of 0 or over 2^32.
    pub fn resized(&self, height: usize, width: usize) -> Result<Self, PictureError> {
        let values = resize::means(&self.values, 1, (self.height, self.width), (height, width))?;
        Ok(Self::settled(height, width, values))
    }

    /// Where this mask is not: 1 - m.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self { values: self.values.iter().map(|value| 1.0 - value).collect(), ..*self }
    }

    /// Where both masks are: m n, with n brought to the size of m.
    ///
    /// # Errors
    /// [`PictureError::Length`] for a side over 2^32.
    pub fn times(&self, other: &Self) -> Result<Self, PictureError> {
        let resized;
        let other = if (other.height, other.width) == (self.height, self.width) {
            other
        } else {
            resized = other.resized(self.height, self.width)?;
            &resized
        };
        let values = self.values.iter().zip(&other.values).map(|(a, b)| a * b).collect();
        Ok(Self { values, ..*self })
    }

    /// Whether the mask has the proportions of a picture of H x W pixels: its aspect is the same to 2 %, or a side to one pixel
    /// once the other is right.
    pub fn fits(&self, picture: (usize, usize)) -> bool {
        fits((self.height, self.width), picture)
    }

    /// Rows.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// The numbers, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The numbers, by value.
    pub(crate) fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The bytes of the numbers in memory.
    pub fn bytes(&self) -> u64 {
        size_of_val::<[f32]>(&self.values) as u64
    }

    /// Whether no pixel counts.
    pub fn is_empty(&self) -> bool {
        self.values.iter().all(|&value| value <= 0.0)
    }

    /// Whether every pixel counts in full.
    pub fn is_full(&self) -> bool {
        self.values.iter().all(|&value| value >= 1.0)
    }

    /// A mask from numbers that were computed: what is 0 or 1 but for rounding becomes that.
    pub(super) fn settled(height: usize, width: usize, mut values: Vec<f32>) -> Self {
        const ROUNDING: f32 = 1e-6;
        for value in &mut values {
            *value = match *value {
                v if v > 1.0 - ROUNDING => 1.0,
                v if v > ROUNDING => v,
                _ => 0.0,
            };
        }
        Self { height, width, values }
    }
}

/// [`Mask::fits`] of a mask of that size (H, W).
pub(super) fn fits((own_height, own_width): (usize, usize), (height, width): (usize, usize)) -> bool {
    let (high, wide) = (own_height as f64 * width as f64, own_width as f64 * height as f64);
    let off = (high - wide).abs();
    off <= 0.02 * high.max(wide) || off <= width as f64 || off <= height as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mask(height: usize, width: usize, seed: u64) -> Mask {
        let number = |k: usize| {
            ((k as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32 / (1 << 24) as f32
        };
        Mask::new(height, width, (1..=height * width).map(number).collect()).unwrap()
    }

    #[test]
    fn a_mask_has_its_sides_and_four_bytes_a_number() {
        let mask = mask(3, 5, 1);
        assert_eq!((mask.height(), mask.width(), mask.bytes()), (3, 5, 4 * mask.values().len() as u64));
    }

    #[test]
    fn a_mask_is_the_light_of_a_picture() {
        let picture =
            Picture::new(1, 4, [[255.0; 3], [0.0; 3], [255.0, 0.0, 0.0], [300.0; 3]].concat()).unwrap();
        assert_eq!(Mask::of(&picture).values(), [1.0, 0.0, 0.299, 1.0]);
        let picture = picture.with_alpha(Mask::new(1, 4, vec![0.5, 1.0, 0.5, 1.0]).unwrap()).unwrap();
        assert_eq!(Mask::of(&picture).values(), [0.5, 0.0, 0.1495, 1.0]);
    }

    #[test]
    fn what_is_0_or_1_but_for_rounding_becomes_that() {
        let values = vec![-0.5, 1e-7, 1e-6, 2e-6, 0.5, 1.0 - 1e-6, 1.0 - 1e-7, 1.5];
        assert_eq!(Mask::settled(1, 8, values).values(), [0.0, 0.0, 0.0, 2e-6, 0.5, 1.0 - 1e-6, 1.0, 1.0]);
    }

    #[test]
    fn proportions_may_be_off_by_a_pixel_or_two_percent() {
        let fits = |mask: (usize, usize), size| {
            Mask::new(mask.0, mask.1, vec![1.0; mask.0 * mask.1]).unwrap().fits(size)
        };
        assert!(fits((300, 451), (600, 902)) && fits((600, 902), (300, 451)));
        assert!(fits((10, 15), (341, 512)) && fits((9, 15), (341, 512)), "a pixel of a small mask");
        assert!(fits((1020, 1000), (1000, 1000)) && !fits((1030, 1000), (1000, 1000)));
        assert!(!fits((451, 300), (300, 451)) && !fits((12, 15), (341, 512)));
    }

    #[test]
    fn masks_are_multiplied_at_the_size_of_the_first() {
        let left = Mask::new(2, 4, [1.0, 1.0, 0.0, 0.0].repeat(2)).unwrap();
        let half = Mask::new(1, 1, vec![0.5]).unwrap();
        assert_eq!(left.times(&half).unwrap().values(), [0.5, 0.5, 0.0, 0.0].repeat(2));
        assert_eq!(left.complement().times(&left).unwrap().values(), [0.0; 8]);
        assert!(left.is_full() == half.is_full() && left.complement().is_empty() == half.is_empty());
    }

    proptest! {
        #[test]
        fn resized_masks_stay_between_their_extremes(
            (height, width, to_height, to_width) in (1_usize..40, 1_usize..40, 1_usize..90, 1_usize..90),
            seed: u64,
        ) {
            let mask = mask(height, width, seed);
            let resized = mask.resized(to_height, to_width).unwrap();
            prop_assert_eq!((resized.height(), resized.width()), (to_height, to_width));
            let least = mask.values().iter().copied().fold(1.0, f32::min);
            let most = mask.values().iter().copied().fold(0.0, f32::max);
            let within = |value: &f32| (0.0..=1.0).contains(value) && *value >= least - 1e-6 && *value <= most + 1e-6;
            prop_assert!(resized.values().iter().all(within));
        }

        #[test]
        fn areas_of_0_and_1_stay_exactly_that(
            (height, width, to_height, to_width) in (1_usize..99, 1_usize..99, 1_usize..99, 1_usize..99),
            split in 0_usize..99,
        ) {
            let hard = (0..height * width).map(|k| f32::from(u8::from(k % width < split))).collect();
            let resized = Mask::new(height, width, hard).unwrap().resized(to_height, to_width).unwrap();
            // A triangle reaches as far as a new pixel or an old one is wide.
            let (step, reach) = (width as f64 / to_width as f64, (width as f64 / to_width as f64).max(1.0));
            for (k, &value) in resized.values().iter().enumerate() {
                let place = ((k % to_width) as f64 + 0.5) * step;
                let edge = split as f64;
                if place + reach + 0.5 < edge || split >= width {
                    prop_assert_eq!(value, 1.0);
                } else if place - reach - 0.5 > edge || split == 0 {
                    prop_assert_eq!(value, 0.0);
                }
            }
        }
    }
}
