//! What a transfer is of: the photo and the paintings; and the same at one size.

use std::borrow::Cow;

use impasto_autodiff::{Loss, LossKind, Tap};

use crate::picture::is_worth_shrinking;
use crate::{OptionsError, Picture, PictureError, PreparedNetwork, TransferError, TransferOptions};

/// The photo whose scene is kept, and the paintings whose style is taken, with their shares in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    photo: Picture,
    paintings: Vec<WeightedPainting>,
    /// The most bytes that reading them took.
    reading: u64,
}

/// A painting and its share b in the style: A = sum b A.
#[derive(Debug, Clone, PartialEq)]
struct WeightedPainting {
    picture: Picture,
    share: f64,
}

impl Subject {
    /// A photo and one painting.
    pub fn new(photo: Picture, painting: Picture) -> Self {
        Self { photo, paintings: vec![WeightedPainting { picture: painting, share: 1.0 }], reading: 0 }
    }

    /// A photo and several paintings, each with its weight in the blend of their styles. The shares are the weights divided by
    /// their sum.
    ///
    /// # Errors
    /// [`OptionsError::Value`] unless there is a painting, and every weight is above 0.
    pub fn blend(photo: Picture, paintings: Vec<(Picture, f64)>) -> Result<Self, OptionsError> {
        let sum: f64 = paintings.iter().map(|(_, weight)| weight).sum();
        let usable = |weight: f64| weight > 0.0 && (weight / sum).is_finite();
        if paintings.is_empty() || !paintings.iter().all(|&(_, weight)| usable(weight)) {
            let weights: Vec<String> = paintings.iter().map(|(_, weight)| weight.to_string()).collect();
            return Err(OptionsError::Value {
                option: "blend",
                requirement: "a number above 0 for each painting".to_owned(),
                value: weights.join(","),
            });
        }
        let paintings = paintings
            .into_iter()
            .map(|(picture, weight)| WeightedPainting { picture, share: weight / sum })
            .collect();
        Ok(Self { photo, paintings, reading: 0 })
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

    /// The bytes of the pictures in memory.
    pub fn bytes(&self) -> u64 {
        self.photo.bytes() + self.paintings().map(Picture::bytes).sum::<u64>()
    }

    /// The photo, as it was given.
    pub const fn photo(&self) -> &Picture {
        &self.photo
    }

    /// The paintings, as they were given.
    pub fn paintings(&self) -> impl Iterator<Item = &Picture> {
        self.paintings.iter().map(|painting| &painting.picture)
    }

    /// The longest side of the result.
    pub fn longest_side(&self, options: &TransferOptions) -> usize {
        options.size.longest_side_for((self.photo.height(), self.photo.width()))
    }

    /// (H, W) of the result with that longest side.
    pub fn size(&self, longest: usize) -> (usize, usize) {
        self.photo.size_with_longest_side(longest)
    }

    /// (H, W) of each painting for a result with that longest side.
    pub fn painting_sizes(&self, longest: usize, options: &TransferOptions) -> Vec<(usize, usize)> {
        self.paintings().map(|painting| options.style_size(painting, longest)).collect()
    }

    /// The same subject for transfers of one size: pictures that are much larger than they will be worked at are brought to
    /// that size, and the originals' memory is let go. Strips too narrow for a network are left alone, so that what is said
    /// of them is said of the picture as it was given.
    ///
    /// # Errors
    /// [`PictureError`] if there is not the memory.
    pub fn shrunk(self, options: &TransferOptions) -> Result<Self, PictureError> {
        let longest = self.longest_side(options);
        let photo_size = self.size(longest);
        let shrink = |painting: WeightedPainting| {
            let size = options.style_size(&painting.picture, longest);
            Ok(WeightedPainting { picture: shrunk(painting.picture, size)?, ..painting })
        };
        let paintings = self.paintings.into_iter().map(shrink).collect::<Result<_, PictureError>>()?;
        Ok(Self { photo: shrunk(self.photo, photo_size)?, paintings, ..self })
    }

    /// The subject as it is seen by a transfer whose result has that longest side.
    ///
    /// # Errors
    /// [`PictureError`] if there is not the memory.
    pub fn at(&self, longest: usize, options: &TransferOptions) -> Result<Scene<'_>, PictureError> {
        let paintings = self.paintings.iter().map(|painting| {
            Ok((resized(&painting.picture, options.style_size(&painting.picture, longest))?, painting.share))
        });
        Ok(Scene {
            photo: resized(&self.photo, self.size(longest))?,
            paintings: paintings.collect::<Result<_, PictureError>>()?,
        })
    }
}

/// The picture at another size, or itself if it has that size.
fn resized(picture: &Picture, size: (usize, usize)) -> Result<Cow<'_, Picture>, PictureError> {
    if (picture.height(), picture.width()) == size {
        return Ok(Cow::Borrowed(picture));
    }
    picture.resized(size.0, size.1).map(Cow::Owned)
}

/// The picture at the size that it will be worked at, if that is much smaller.
fn shrunk(picture: Picture, (height, width): (usize, usize)) -> Result<Picture, PictureError> {
    if is_worth_shrinking((picture.height(), picture.width()), (height, width)) {
        return picture.resized(height, width);
    }
    Ok(picture)
}

/// Which picture of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The photo: what is compared place by place is its.
    Photo,
    /// A painting, by its number from 0 on: what is summed over places is theirs.
    Painting(usize),
}

/// A subject at one size: what is measured, and what the result is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene<'a> {
    photo: Cow<'a, Picture>,
    paintings: Vec<(Cow<'a, Picture>, f64)>,
}

/// What the photo and the paintings are at the layers that count: a loss for each term, in the terms' order.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets(pub Vec<Loss>);

impl Scene<'_> {
    /// The photo; its size is the result's.
    pub fn photo(&self) -> &Picture {
        &self.photo
    }

    /// The paintings.
    pub fn paintings(&self) -> impl Iterator<Item = &Picture> {
        self.paintings.iter().map(|(painting, _)| &**painting)
    }

    /// P, A and whatever else the options' terms compare with.
    ///
    /// # Errors
    /// [`TransferError`] if a picture is too small, or does not fit the memory limit.
    pub fn measure(
        &self,
        network: &PreparedNetwork,
        options: &TransferOptions,
    ) -> Result<Targets, TransferError> {
        self.measure_with(options, |_, picture, taps| {
            let evaluator = options.evaluator_options(picture.height(), picture.width());
            network.measure(picture, taps, evaluator)
        })
    }

    /// [`Self::measure`] by a function that gives the losses at some taps whose targets are those of a picture: for callers
    /// that have measured them before.
    ///
    /// # Errors
    /// Those of `measure`.
    pub fn measure_with<E>(
        &self,
        options: &TransferOptions,
        mut measure: impl FnMut(Source, &Picture, &[Tap]) -> Result<Vec<Loss>, E>,
    ) -> Result<Targets, E> {
        let terms = options.terms();
        // Sums are of the paintings, wherever something is; the rest is of the photo, place by place.
        let mut paintings = Vec::new();
        for (number, (painting, share)) in self.paintings.iter().enumerate() {
            let source = Source::Painting(number);
            paintings.push((*share, measure(source, painting, &options.taps_of(source))?));
        }
        let mut style = blend(paintings).into_iter();
        let mut content = measure(Source::Photo, &self.photo, &options.taps_of(Source::Photo))?.into_iter();
        let target = |kind: LossKind| {
            if !kind.is_of_a_layer() {
                return kind.without_target();
            }
            if kind.is_of_sums() { style.next() } else { content.next() }
        };
        Ok(Targets(terms.iter().map(|term| term.kind).filter_map(target).collect()))
    }
}

/// The targets of several paintings as one. A single painting's stay what they are, to the bit.
fn blend(mut measured: Vec<(f64, Vec<Loss>)>) -> Vec<Loss> {
    if measured.len() == 1 {
        return measured.swap_remove(0).1;
    }
    let terms = measured.first().map_or(0, |(_, losses)| losses.len());
    let part = |term: usize| measured.iter().map(move |(share, losses)| (*share, &losses[term]));
    (0..terms).filter_map(|term| Loss::blend(part(term))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Preset, Size, white_noise};

    fn noise(height: usize, width: usize) -> Picture {
        white_noise(height, width, 1).unwrap()
    }

    #[test]
    fn a_scene_has_the_sizes_of_the_options_and_copies_nothing_that_has_them() {
        let subject = Subject::new(noise(30, 60), noise(80, 40));
        let options = TransferOptions { style_scale: 0.5, ..Preset::Paper.options() };
        let scene = subject.at(60, &options).unwrap();
        assert!(matches!(scene.photo, Cow::Borrowed(_)) && matches!(scene.paintings[0].0, Cow::Owned(_)));
        assert_eq!((scene.paintings[0].0.height(), scene.paintings[0].0.width()), (30, 15));
        assert_eq!(subject.painting_sizes(60, &options), [(30, 15)]);
        let scene = subject.at(30, &options).unwrap();
        assert_eq!((scene.photo().height(), scene.photo().width()), (15, 30));
    }

    #[test]
    fn only_much_larger_pictures_are_shrunk_beforehand() {
        let options = TransferOptions { size: Size::Longest(100), ..Preset::Paper.options() };
        let shrunk = |photo, painting| {
            let subject = Subject::new(photo, painting).shrunk(&options).unwrap();
            (subject.photo.width(), subject.paintings[0].picture.width())
        };
        assert_eq!(
            shrunk(noise(100, 200), noise(200, 200)),
            (200, 100),
            "50 pixels are too narrow to be shrunk to"
        );
        assert_eq!(shrunk(noise(150, 200), noise(110, 110)), (100, 110), "110 is not much larger than 100");
    }

    #[test]
    fn weights_of_a_blend_become_shares() {
        let two = |a, b| Subject::blend(noise(9, 9), vec![(noise(9, 9), a), (noise(9, 9), b)]);
        let shares: Vec<f64> =
            two(3.0, 1.0).unwrap().paintings.iter().map(|painting| painting.share).collect();
        assert_eq!(shares, [0.75, 0.25]);
        assert_eq!(two(1e200, 1e200).unwrap().paintings[1].share, 0.5);
        for (a, b) in [(0.0, 1.0), (-1.0, 2.0), (f64::NAN, 1.0), (f64::INFINITY, 1.0)] {
            assert!(two(a, b).is_err(), "{a}, {b}");
        }
        assert!(Subject::blend(noise(9, 9), Vec::new()).is_err());
    }

    #[test]
    fn a_side_of_64_is_wide_enough_to_be_shrunk_to() {
        let options = TransferOptions { size: Size::Longest(64), ..Preset::Paper.options() };
        let subject = Subject::new(noise(128, 128), noise(64, 64)).shrunk(&options).unwrap();
        assert_eq!((subject.photo.height(), subject.photo.width()), (64, 64));
    }

    #[test]
    fn half_the_pixels_are_not_much_smaller() {
        let options = TransferOptions { size: Size::Longest(99), ..Preset::Paper.options() };
        let subject = Subject::new(noise(99, 140), noise(64, 64));
        assert_eq!(subject.size(99), (70, 99));
        assert_eq!(subject.shrunk(&options).unwrap().photo.width(), 140);
    }

    /// Each target is a number that tells whose it is, at which layer and of which loss.
    #[test]
    fn sums_are_measured_of_every_painting_and_the_rest_of_the_photo() {
        use impasto_autodiff::losses::{Content, GramMatrix, Style};
        use impasto_tensor::{Shape, Tensor};
        use std::convert::Infallible;

        let mut options = TransferOptions { tv_weight: 1.0, style_scale: 1e3, ..Preset::Paper.options() };
        options.content_layers = "conv2_1,conv1_1".parse().unwrap();
        options.style_layers = "conv1_1,conv3_1".parse().unwrap();
        let content = |number: f32| {
            let target = Tensor::from_vec(Shape::new(1, 1, 1), vec![number]).unwrap();
            Loss::Content(Content { target, guide: None })
        };
        let gram = |number: f32| {
            Loss::Gram(Style { target: GramMatrix { channels: 1, data: vec![number] }, guide: None })
        };
        let number = |source: Source, tap: &Tap| {
            let layer = tap.layer.as_bytes()[4] - b'0';
            let picture = if let Source::Painting(number) = source { 1 + number as u8 } else { 0 };
            f32::from(100 * picture + 10 * layer)
        };
        let measure = |subject: &Subject| {
            let mut widths = Vec::new();
            let scene = subject.at(30, &options).unwrap();
            let Ok(Targets(targets)) = scene.measure_with(&options, |source, picture, taps| {
                widths.push((source, picture.width()));
                let loss = |tap: &Tap| match tap.kind {
                    LossKind::Gram => gram(number(source, tap)),
                    _ => content(number(source, tap) + 1.0),
                };
                Ok::<_, Infallible>(taps.iter().map(loss).collect())
            });
            (widths, targets)
        };
        let photo = [content(21.0), content(11.0)];
        let (widths, targets) = measure(&Subject::new(noise(20, 30), noise(40, 44)));
        assert_eq!(widths, [(Source::Painting(0), 44), (Source::Photo, 30)]);
        assert_eq!(targets, [&photo[..], &[gram(110.0), gram(130.0), Loss::TotalVariation]].concat());
        let paintings = vec![(noise(40, 44), 1.0), (noise(50, 55), 3.0)];
        let (widths, targets) = measure(&Subject::blend(noise(20, 30), paintings).unwrap());
        assert_eq!(widths, [(Source::Painting(0), 44), (Source::Painting(1), 55), (Source::Photo, 30)]);
        assert_eq!(targets, [&photo[..], &[gram(185.0), gram(205.0), Loss::TotalVariation]].concat());
    }
}
