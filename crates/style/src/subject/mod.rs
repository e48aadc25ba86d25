//! What a transfer is of: the photo, the paintings, and where in the photo each of them acts; and the same at one size.

mod check;
mod coverage;
mod error;
mod masks;
mod region;
mod scene;
mod targets;
mod vanished;
mod view;

use std::sync::Arc;

use crate::colour::HISTOGRAM_BYTES_PER_PIXEL;
use crate::picture::is_worth_shrinking;
use crate::{Colours, Mask, Picture, PictureError, TransferOptions};

pub(crate) use coverage::Coverages;
pub use error::SubjectError;
pub(crate) use masks::Masks;
pub use region::{Region, RegionMask};
pub use scene::Scene;
pub use targets::{Target, Targets};
pub use vanished::{Masked, Vanished};
pub use view::{Source, View};

/// The picture whose scene is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Photo {
    /// The picture.
    pub picture: Picture,
    /// m: where the result stays what the photo is. x = m photo + (1 - m) y, and y is what is painted.
    pub keep: Option<Mask>,
    /// c: what each position counts in the content loss.
    pub content_mask: Option<Mask>,
}

impl From<Picture> for Photo {
    fn from(picture: Picture) -> Self {
        Self { picture, keep: None, content_mask: None }
    }
}

/// A painting whose style is taken, and the region of the photo that it acts in.
#[derive(Debug, Clone, PartialEq)]
pub struct StyleImage {
    /// The picture. One that acts in several regions is in memory once.
    pub picture: Arc<Picture>,
    /// Which part of it is taken; none for all of it.
    pub part: Option<Mask>,
    /// The number of its region. Those of one region are blended there.
    pub region: usize,
}

impl StyleImage {
    /// Whether its mask, or its transparency, says which part is taken.
    fn is_masked(&self) -> bool {
        self.part.is_some() || self.picture.alpha().is_some()
    }
}

/// The photo, the paintings, and the regions where they act.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    photo: Photo,
    paintings: Vec<StyleImage>,
    regions: Vec<Region>,
    /// The most bytes that reading them took.
    reading: u64,
}

impl Subject {
    /// A photo and one painting.
    pub fn new(photo: Picture, painting: Picture) -> Self {
        Self::everywhere(photo, vec![painting])
    }

    /// A photo and several paintings, whose styles are blended everywhere as [`TransferOptions::blend`] says.
    ///
    /// # Errors
    /// [`SubjectError::NoPainting`].
    pub fn blend(photo: Picture, paintings: Vec<Picture>) -> Result<Self, SubjectError> {
        if paintings.is_empty() {
            return Err(SubjectError::NoPainting);
        }
        Ok(Self::everywhere(photo, paintings))
    }

    fn everywhere(photo: Picture, paintings: Vec<Picture>) -> Self {
        let painting = |picture| StyleImage { picture: Arc::new(picture), part: None, region: 0 };
        let paintings = paintings.into_iter().map(painting).collect();
        Self { photo: photo.into(), paintings, regions: vec![Region::everywhere()], reading: 0 }
    }

    /// A photo, paintings, and regions of the photo that the paintings act in.
    ///
    /// # Errors
    /// [`SubjectError`] if a painting has no region or a region no painting, there are two rests, a mask is black everywhere or
    /// has other proportions than its picture, or all of the photo is kept.
    pub fn compose(
        photo: Photo,
        paintings: Vec<StyleImage>,
        regions: Vec<Region>,
    ) -> Result<Self, SubjectError> {
        let subject = Self { photo, paintings, regions, reading: 0 };
        subject.check_parts()?;
        Ok(subject)
    }

    /// The paintings of a region, each by its number, with their shares b_s in its style: the weights divided by their sum.
    pub(crate) fn shares(&self, region: usize, options: &TransferOptions) -> Vec<(usize, f64)> {
        let weight = |number: usize| options.blend.get(number).copied().unwrap_or(1.0);
        let paintings = self.paintings.iter().enumerate();
        let own: Vec<usize> =
            paintings.filter(|(_, painting)| painting.region == region).map(|(number, _)| number).collect();
        let sum: f64 = own.iter().map(|&number| weight(number)).sum();
        let share = |number| if sum > 0.0 { weight(number) / sum } else { 0.0 };
        own.into_iter().map(|number| (number, share(number))).collect()
    }

    /// The same pictures, whose reading took that many bytes at the most: what a transfer announces is no less.
    #[must_use]
    pub fn after_reading(self, bytes: u64) -> Self {
        Self { reading: bytes, ..self }
    }

    /// The most bytes that reading the pictures took, as far as it was said.
    pub(crate) const fn reading(&self) -> u64 {
        self.reading
    }

    /// The bytes of the pictures and masks in memory.
    pub fn bytes(&self) -> u64 {
        let mut pictures: Vec<&Arc<Picture>> = Vec::new();
        for StyleImage { picture, .. } in &self.paintings {
            if !pictures.iter().any(|known| Arc::ptr_eq(known, picture)) {
                pictures.push(picture);
            }
        }
        let of_photo = [&self.photo.keep, &self.photo.content_mask].into_iter().flatten();
        let of_regions = self.regions.iter().filter_map(Region::own_mask);
        let of_paintings = self.paintings.iter().filter_map(|painting| painting.part.as_ref());
        let masks: u64 = of_photo.chain(of_regions).chain(of_paintings).map(Mask::bytes).sum();
        self.photo().bytes() + pictures.iter().map(|picture| picture.bytes()).sum::<u64>() + masks
    }

    /// The bytes of the subject at the size of a result, beside the photo: paintings, masks, what they leave of the layers,
    /// which all layers of a VGG together have less than 3 times in the picture's size, and what matching of histograms takes.
    pub(crate) fn scene_bytes(&self, longest: usize, options: &TransferOptions) -> u64 {
        const NUMBER: usize = size_of::<f32>();
        let area = |(height, width): (usize, usize)| height * width;
        let (positions, sizes) = (area(self.size(longest)), self.painting_sizes(longest, options));
        let regions = if self.has_masked_regions() { self.regions.len() } else { 0 };
        let masked = regions + usize::from(self.has_content_mask());
        let of_photo = masked * (1 + 3) * positions;
        let largest = sizes.iter().copied().map(area).max().unwrap_or_default();
        let of_paintings = self.paintings.iter().zip(sizes).map(|(painting, size)| {
            let masks = if painting.is_masked() { 1 + 3 } else { 0 };
            (3 + masks) * area(size)
        });
        let matching = match options.colours {
            Colours::Histogram => HISTOGRAM_BYTES_PER_PIXEL * (positions + largest),
            _ => 0,
        };
        (NUMBER * (of_photo + of_paintings.sum::<usize>()) + matching) as u64
    }

    /// The photo, as it was given.
    pub const fn photo(&self) -> &Picture {
        &self.photo.picture
    }

    /// Where the result stays what the photo is.
    pub const fn keep(&self) -> Option<&Mask> {
        self.photo.keep.as_ref()
    }

    /// What each position counts in the content loss.
    pub const fn content_mask(&self) -> Option<&Mask> {
        self.photo.content_mask.as_ref()
    }

    /// The paintings, as they were given.
    pub fn paintings(&self) -> impl ExactSizeIterator<Item = &Picture> {
        self.paintings.iter().map(|painting| &*painting.picture)
    }

    /// The paintings with their parts and regions.
    pub fn style_images(&self) -> &[StyleImage] {
        &self.paintings
    }

    /// The regions of the photo.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// Whether there are regions to be told apart: more than one, or one that is not everywhere.
    pub(crate) fn has_regions(&self) -> bool {
        !matches!(self.regions[..], [Region { mask: RegionMask::Everywhere, .. }])
    }

    /// Whether something says where the regions' styles act: their masks, or the photo's transparency.
    pub(crate) fn has_masked_regions(&self) -> bool {
        self.photo().alpha().is_some() || self.has_regions()
    }

    /// Whether something says where the content counts.
    pub(crate) fn has_content_mask(&self) -> bool {
        self.photo.content_mask.is_some() || self.photo.picture.alpha().is_some()
    }

    /// The longest side of the result.
    pub fn longest_side(&self, options: &TransferOptions) -> usize {
        options.size.longest_side_for(sides(self.photo()))
    }

    /// (H, W) of the result with that longest side.
    pub fn size(&self, longest: usize) -> (usize, usize) {
        self.photo().size_with_longest_side(longest)
    }

    /// (H, W) of each painting for a result with that longest side.
    pub fn painting_sizes(&self, longest: usize, options: &TransferOptions) -> Vec<(usize, usize)> {
        let paintings = self.paintings().enumerate();
        paintings.map(|(number, painting)| options.style_size(number, painting, longest)).collect()
    }

    /// The same subject for transfers of one size: pictures that are much larger than they will be worked at are brought to
    /// that size, and the originals' memory is let go. Strips too narrow for a network are left alone, so that what is said
    /// of them is said of the picture as it was given.
    ///
    /// # Errors
    /// [`PictureError`] if there is not the memory.
    pub fn shrunk(mut self, options: &TransferOptions) -> Result<Self, PictureError> {
        let longest = self.longest_side(options);
        let (photo_size, sizes) = (self.size(longest), self.painting_sizes(longest, options));
        let pictures = self.paintings_at(&sizes, is_worth_shrinking)?;
        for (painting, picture) in self.paintings.iter_mut().zip(pictures) {
            painting.picture = picture;
        }
        if is_worth_shrinking(sides(self.photo()), photo_size) {
            self.photo.picture = self.photo.picture.resized(photo_size.0, photo_size.1)?;
        }
        Ok(self)
    }

    /// The paintings at these sizes where `resizes` says so of their own and that one, else as they are. A painting that acts in
    /// several regions is resized once.
    fn paintings_at(
        &self,
        sizes: &[(usize, usize)],
        resizes: impl Fn((usize, usize), (usize, usize)) -> bool,
    ) -> Result<Vec<Arc<Picture>>, PictureError> {
        let mut pictures: Vec<Arc<Picture>> = Vec::new();
        for (number, (painting, &size)) in self.paintings.iter().zip(sizes).enumerate() {
            let own = &painting.picture;
            let is_it =
                |&other: &usize| Arc::ptr_eq(&self.paintings[other].picture, own) && sizes[other] == size;
            pictures.push(match (0..number).find(is_it) {
                Some(other) => Arc::clone(&pictures[other]),
                None if resizes(sides(own), size) => Arc::new(own.resized(size.0, size.1)?),
                None => Arc::clone(own),
            });
        }
        Ok(pictures)
    }

    /// The subject as it is seen by a transfer whose result has that longest side.
    ///
    /// # Errors
    /// [`PictureError`] if there is not the memory.
    pub fn at(&self, longest: usize, options: &TransferOptions) -> Result<Scene<'_>, PictureError> {
        Scene::new(self, longest, options)
    }
}

/// (H, W) of a picture.
fn sides(picture: &Picture) -> (usize, usize) {
    (picture.height(), picture.width())
}

#[cfg(test)]
mod tests;
