//! A subject at one size.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Masks, sides};
use crate::{Mask, Picture, PictureError, Subject, TransferOptions};

/// A subject at one size: what is measured, and what the result is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene<'a> {
    pub(super) subject: &'a Subject,
    pub(crate) photo: Cow<'a, Picture>,
    pub(crate) paintings: Vec<Arc<Picture>>,
    pub(crate) masks: Masks,
    /// The photo in its colours, where only its light is compared.
    pub(crate) colours: Option<Cow<'a, Picture>>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        subject: &'a Subject,
        longest: usize,
        options: &TransferOptions,
    ) -> Result<Self, PictureError> {
        let (height, width) = subject.size(longest);
        let photo = if sides(subject.photo()) == (height, width) {
            Cow::Borrowed(subject.photo())
        } else {
            Cow::Owned(subject.photo().resized(height, width)?)
        };
        let paintings =
            subject.paintings_at(&subject.painting_sizes(longest, options), |own, size| own != size)?;
        let masks = Masks::new(subject, longest, options)?;
        let mut scene = Self { subject, photo, paintings, masks, colours: None };
        scene.recolour(options.colours);
        Ok(scene)
    }

    /// What it is made of.
    pub const fn subject(&self) -> &'a Subject {
        self.subject
    }

    /// The photo; its size is the result's.
    pub fn photo(&self) -> &Picture {
        &self.photo
    }

    /// The photo in its colours, where only its light is compared.
    pub(crate) fn into_colours(self) -> Option<Cow<'a, Picture>> {
        self.colours
    }

    /// The paintings.
    pub fn paintings(&self) -> impl ExactSizeIterator<Item = &Picture> {
        self.paintings.iter().map(|painting| &**painting)
    }

    /// Where each region is, at the photo's size; none for the whole photo. Where regions overlap they share a position: their
    /// masks add up to 1 at the most.
    pub fn regions(&self) -> impl ExactSizeIterator<Item = Option<&Mask>> {
        self.masks.regions.iter().map(Option::as_ref)
    }

    /// Which part of each painting is taken, at its size; none for all of it.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = Option<&Mask>> {
        self.masks.parts.iter().map(Option::as_ref)
    }

    /// What each position of the photo counts in the content loss; none where all count the same.
    pub fn content_mask(&self) -> Option<&Mask> {
        self.masks.content.as_ref()
    }
}
