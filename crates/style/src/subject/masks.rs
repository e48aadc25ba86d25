//! The masks of a subject at one size.

use super::region::partition;
use crate::{Mask, PictureError, Subject, TransferOptions};

/// The masks of a subject at the size of a scene: those of the photo at the result's, a painting's part at the painting's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Masks {
    /// Where each region is, with the photo's alpha; none where it is all of the photo.
    pub(crate) regions: Vec<Option<Mask>>,
    /// What each position counts in the content loss, with the photo's alpha; none where all count the same.
    pub(crate) content: Option<Mask>,
    /// Which part of each painting is taken, with its alpha; none for all of it.
    pub(crate) parts: Vec<Option<Mask>>,
}

impl Masks {
    /// The masks for a result with that longest side.
    pub(crate) fn new(
        subject: &Subject,
        longest: usize,
        options: &TransferOptions,
    ) -> Result<Self, PictureError> {
        let size = subject.size(longest);
        let at = |mask: &Mask, (height, width): (usize, usize)| mask.resized(height, width);
        let alpha = subject.photo().alpha().map(|alpha| at(alpha, size)).transpose()?;
        let content = subject.photo.content_mask.as_ref().map(|mask| at(mask, size)).transpose()?;
        let sizes = subject.painting_sizes(longest, options);
        let part = |(painting, size): (&super::StyleImage, (usize, usize))| {
            let part = painting.part.as_ref().map(|part| at(part, size)).transpose()?;
            let alpha = painting.picture.alpha().map(|alpha| at(alpha, size)).transpose()?;
            both(part, alpha)
        };
        Ok(Self {
            regions: partition(&subject.regions, size, alpha.as_ref())?,
            content: both(content, alpha)?,
            parts: subject.paintings.iter().zip(sizes).map(part).collect::<Result<_, PictureError>>()?,
        })
    }
}

/// The product of two masks of one size, if there are any.
fn both(one: Option<Mask>, other: Option<Mask>) -> Result<Option<Mask>, PictureError> {
    match (one, other) {
        (Some(one), Some(other)) => one.times(&other).map(Some),
        (one, other) => Ok(one.or(other)),
    }
}
