//! The size of a result, before and after the photo is known.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use super::Sheet;

/// How large a result is. Its proportions are always the photo's.
///
/// As text: `512` (the longest side), `800x600` (width and height of a box), `A3@300` (a sheet of paper at so many pixels to the
/// inch), or `original`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Size {
    /// The longest side has that many pixels.
    Longest(usize),
    /// As large as fits into a box: one side fills it, and the other does not exceed it.
    Within {
        /// Columns of the box.
        width: usize,
        /// Rows of the box.
        height: usize,
    },
    /// As large as fits on a sheet of paper that is turned as the photo is.
    On(Sheet),
    /// That of the photo.
    Original,
}

impl Size {
    /// The most pixels of a side of a result.
    pub const LARGEST_SIDE: usize = 10_000;

    /// The longest side of the result for a photo of H x W pixels; at least 1. A photo that has the result's size already, as one
    /// that was [shrunk](crate::Subject::shrunk) to it, gives the same.
    ///
    /// Within a box, or on a sheet, of h x w pixels the photo is scaled by s = min(h / H, w / W), and a side is rounded to the nearest pixel.
    pub fn longest_side_for(self, photo: (usize, usize)) -> usize {
        let (high, wide) = photo;
        let longest = match self {
            Self::Longest(side) => side,
            Self::Original => high.max(wide),
            Self::On(sheet) => {
                let (width, height) = sheet.turned_as(photo);
                return Self::Within { width, height }.longest_side_for(photo);
            }
            Self::Within { width, height } => {
                let (to, from) = if height as u128 * wide as u128 <= width as u128 * high as u128 {
                    (height, high)
                } else {
                    (width, wide)
                };
                (to as f64 * high.max(wide) as f64 / from as f64).round() as usize
            }
        };
        longest.max(1)
    }

    /// Whether its numbers are from 1 to 10000.
    pub(super) fn is_valid(self) -> bool {
        let possible = |side| (1..=Self::LARGEST_SIDE).contains(&side);
        match self {
            Self::Longest(side) => possible(side),
            Self::Within { width, height } => possible(width) && possible(height),
            Self::On(sheet) => possible(sheet.sides().1),
            Self::Original => true,
        }
    }
}

impl From<usize> for Size {
    fn from(longest: usize) -> Self {
        Self::Longest(longest)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Longest(side) => side.fmt(f),
            Self::Within { width, height } => write!(f, "{width}x{height}"),
            Self::On(sheet) => sheet.fmt(f),
            Self::Original => f.write_str("original"),
        }
    }
}

impl FromStr for Size {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        if text == "original" {
            return Ok(Self::Original);
        }
        if let Ok(sheet) = text.parse() {
            return Ok(Self::On(sheet));
        }
        Ok(match text.split_once('x') {
            Some((width, height)) => Self::Within { width: width.parse()?, height: height.parse()? },
            None => Self::Longest(text.parse()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::picture::with_longest_side;

    fn within(width: usize, height: usize) -> Size {
        Size::Within { width, height }
    }

    #[test]
    fn texts_are_sizes() {
        for (text, size) in [("512", 512.into()), ("800x600", within(800, 600)), ("original", Size::Original)]
        {
            assert_eq!(text.parse::<Size>().ok(), Some(size));
            assert_eq!(size.to_string(), text);
        }
        for text in ["", "x", "800x", "x600", "800 x 600", "-1", "800x600x2", "Original"] {
            assert!(text.parse::<Size>().is_err(), "{text:?}");
        }
        assert!(within(1, 10_000).is_valid() && !within(0, 10).is_valid() && !within(10, 10_001).is_valid());
    }

    #[test]
    fn a_photo_is_fitted_into_a_box() {
        let size = |photo, size: Size| with_longest_side(photo, size.longest_side_for(photo));
        assert_eq!(size((300, 451), within(800, 600)), (532, 800));
        assert_eq!(size((451, 300), within(800, 600)), (600, 399));
        assert_eq!(size((999, 1000), within(2000, 600)), (600, 601));
        assert_eq!(size((10, 1000), within(300, 300)), (3, 300));
        assert_eq!(size((1, 10_000), within(100, 100)), (1, 100));
        assert_eq!(size((300, 451), Size::Original), (300, 451));
    }

    #[test]
    fn paper_is_turned_as_the_photo_is() {
        let on = |photo, text: &str| {
            with_longest_side(photo, text.parse::<Size>().unwrap().longest_side_for(photo))
        };
        assert_eq!(on((4961, 3508), "A3@300"), (4961, 3508));
        assert_eq!(on((3508, 4961), "A3@300"), (3508, 4961));
        assert_eq!(on((300, 450), "A3@300"), (3307, 4961));
        assert_eq!(on((600, 300), "A3@300"), (4961, 2481));
        assert_eq!(on((500, 500), "A3@300"), (3508, 3508));
        assert_eq!("a3@300".parse::<Size>().unwrap().to_string(), "A3@300");
        let valid = |text: &str| text.parse::<Size>().unwrap().is_valid();
        assert!(valid("A0@213") && !valid("A0@300") && "A7@300".parse::<Size>().is_err());
    }

    proptest! {
        #[test]
        fn sizes_fit_inside_and_fill_one_side(
            photo in (1_usize..9999, 1_usize..9999), box_of in (1_usize..10_000, 1_usize..10_000),
        ) {
            let fit = within(box_of.1, box_of.0);
            let (height, width) = with_longest_side(photo, fit.longest_side_for(photo));
            prop_assert!(height <= box_of.0 && width <= box_of.1);
            prop_assert!(height == box_of.0 || width == box_of.1);
            // A photo that was brought to that size stays.
            prop_assert_eq!(with_longest_side((height, width), fit.longest_side_for((height, width))), (height, width));
        }
    }
}
