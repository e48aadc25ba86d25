//! Whether pictures, masks and regions go together, and options with them.

use super::{StyleImage, SubjectError, sides};
use crate::{Mask, OptionsError, Picture, RegionMask, Subject, TransferOptions};

impl Subject {
    /// Checks what [`Subject::compose`] says.
    pub(super) fn check_parts(&self) -> Result<(), SubjectError> {
        self.check_regions()?;
        let of_the_photo = (self.photo(), "the photo");
        check_mask(self.photo.keep.as_ref(), || "the mask of what is kept".to_owned(), of_the_photo)?;
        check_mask(self.photo.content_mask.as_ref(), || "the mask of the content".to_owned(), of_the_photo)?;
        if self.photo.keep.as_ref().is_some_and(Mask::is_full) {
            return Err(SubjectError::AllKept);
        }
        for region in &self.regions {
            check_mask(region.own_mask(), || format!("the mask of {}", region.name), of_the_photo)?;
        }
        for (number, painting) in self.paintings.iter().enumerate() {
            let name = format!("painting {}", number + 1);
            check_mask(painting.part.as_ref(), || format!("the mask of {name}"), (&painting.picture, &name))?;
        }
        Ok(())
    }

    fn check_regions(&self) -> Result<(), SubjectError> {
        let regions = self.regions.len();
        if self.paintings.is_empty() {
            return Err(SubjectError::NoPainting);
        }
        for (painting, StyleImage { region, .. }) in self.paintings.iter().enumerate() {
            if *region >= regions {
                return Err(SubjectError::NoSuchRegion { painting, region: *region, regions });
            }
        }
        for (number, region) in self.regions.iter().enumerate() {
            if self.paintings.iter().all(|painting| painting.region != number) {
                return Err(SubjectError::Unpainted { region: region.name.clone() });
            }
        }
        if self.regions.iter().filter(|region| region.mask == RegionMask::Rest).count() > 1 {
            return Err(SubjectError::Rests);
        }
        Ok(())
    }

    /// Checks that options which may have a value for each painting have as many as there are, and that no region's paintings all
    /// weigh nothing.
    ///
    /// # Errors
    /// [`OptionsError::Count`] or [`OptionsError::NoShare`].
    pub fn check(&self, options: &TransferOptions) -> Result<(), OptionsError> {
        let paintings = self.paintings.len();
        let check = |option, values, fits| {
            if fits || values == paintings {
                Ok(())
            } else {
                Err(OptionsError::Count { option, values, paintings })
            }
        };
        let (scales, layers) = (options.style_scale.count(), options.style_layers.count());
        check("style-scale", scales, scales == 1)?;
        check("style-layers", layers, layers == 1)?;
        check("blend", options.blend.len(), options.blend.is_empty())?;
        for (number, region) in self.regions.iter().enumerate() {
            if self.shares(number, options).iter().all(|&(_, share)| share <= 0.0) {
                return Err(OptionsError::NoShare { region: region.name.clone() });
            }
        }
        Ok(())
    }
}

/// Checks that a mask counts somewhere and has the proportions of its picture.
fn check_mask(
    mask: Option<&Mask>,
    name: impl FnOnce() -> String,
    (picture, picture_name): (&Picture, &str),
) -> Result<(), SubjectError> {
    let Some(mask) = mask else { return Ok(()) };
    if mask.is_empty() {
        return Err(SubjectError::Empty { mask: name() });
    }
    if !mask.fits(sides(picture)) {
        return Err(SubjectError::Proportions {
            mask: name(),
            size: (mask.height(), mask.width()),
            picture: picture_name.to_owned(),
            of: sides(picture),
        });
    }
    Ok(())
}
