//! Regions of the photo, and how their masks share its positions.
//!
//! ```text
//! m_r     the mask of a region: 1 here, 0 elsewhere
//! rest    = 1 - min(1, sum of the other regions)
//! M_r     = a m_r / max(1, sum of all)       a: the photo's alpha
//! ```
//!
//! So the M_r of a position add up to 1 at the most: regions that overlap share it, and where no region is, or the photo is not,
//! there is no style.

use crate::{Mask, PictureError};

/// A part of the photo that has a style of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// What messages, logs and pages call it.
    pub name: String,
    /// Where it is.
    pub mask: RegionMask,
}

/// Where a region is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RegionMask {
    /// In the whole photo.
    Everywhere,
    /// Where a mask says, of any size and the photo's proportions.
    Mask(Mask),
    /// Where no other region is.
    Rest,
}

impl Region {
    /// The one region of a subject without masks.
    pub fn everywhere() -> Self {
        Self { name: "the photo".to_owned(), mask: RegionMask::Everywhere }
    }

    /// The mask, if it has one of its own.
    pub(crate) const fn own_mask(&self) -> Option<&Mask> {
        if let RegionMask::Mask(mask) = &self.mask { Some(mask) } else { None }
    }
}

/// The masks M_r of regions at a size (H, W); `alpha` is the photo's at that size. None of a region that is all of an opaque
/// photo, alone.
pub(super) fn partition(
    regions: &[Region],
    (height, width): (usize, usize),
    alpha: Option<&Mask>,
) -> Result<Vec<Option<Mask>>, PictureError> {
    if let ([Region { mask: RegionMask::Everywhere, .. }], None) = (regions, alpha) {
        return Ok(vec![None]);
    }
    let mut shares = Vec::new();
    let mut sum = vec![0.0_f32; height * width];
    for region in regions {
        let values = match &region.mask {
            RegionMask::Everywhere => vec![1.0; height * width],
            RegionMask::Mask(mask) => mask.resized(height, width)?.into_values(),
            RegionMask::Rest => Vec::new(),
        };
        sum.iter_mut().zip(&values).for_each(|(sum, value)| *sum += value);
        shares.push(values);
    }
    for values in shares.iter_mut().filter(|values| values.is_empty()) {
        *values = sum.iter().map(|sum| 1.0 - sum.min(1.0)).collect();
    }
    for values in &mut shares {
        values.iter_mut().zip(&sum).for_each(|(value, sum)| *value /= sum.max(1.0));
        if let Some(alpha) = alpha {
            values.iter_mut().zip(alpha.values()).for_each(|(value, alpha)| *value *= alpha);
        }
    }
    shares.into_iter().map(|values| Mask::new(height, width, values).map(Some)).collect()
}
