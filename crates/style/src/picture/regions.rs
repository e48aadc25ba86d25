//! Regions from a pair of segmentations: two pictures in the same few flat colours, each of which is a region.

use std::fmt;

use super::mask::fits;
use super::{Mask, Picture, PictureError};

/// The most regions of a pair of segmentations.
const MOST_REGIONS: usize = 32;
/// The share of a picture's pixels that a colour must have to be one of a segmentation: what an edge is blended from has less.
const ENOUGH: f64 = 1e-3;
/// Colours of this distance in RGB are the same one, unless both pictures are exact.
const SAME: f64 = 32.0;
/// The share of a picture's pixels that must be near the colours of the segmentation.
const MOSTLY: f64 = 0.8;
/// The share of a picture's pixels that must have exactly its colours for the picture to be exact, as label maps are.
const EXACT: f64 = 0.995;
/// How much neighbours of a flat area may differ in a channel.
const FLAT: u8 = 8;

/// The regions of a pair of segmentations.
#[derive(Debug, Clone, PartialEq)]
pub struct ColourRegions {
    /// The names of their colours, such as `red` or `#12ab00`, from the largest in the photo to the smallest.
    pub names: Vec<String>,
    /// Where in the photo they are.
    pub photo: Labels,
    /// Where in the painting they are.
    pub painting: Labels,
    /// The names of the painting's other colours: nothing of the photo has them, so what they cover is not taken.
    pub unused: Vec<String>,
}

impl ColourRegions {
    /// The most bytes that [`regions`] takes beside two pictures of (H, W): for each pixel its colour in 8 bits, a key by which colours
    /// are counted, and its region twice.
    pub const fn bytes(photo: (usize, usize), painting: (usize, usize)) -> u64 {
        9 * (photo.0 * photo.1 + painting.0 * painting.1) as u64
    }
}

/// The region of each pixel of a segmentation.
#[derive(Clone, PartialEq)]
pub struct Labels {
    height: usize,
    width: usize,
    /// The number of the region; [`NONE`] where it is of no region.
    numbers: Vec<u8>,
}

/// The label of a pixel that is of no region.
const NONE: u8 = u8::MAX;

/// Without the numbers.
impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Labels")
            .field("height", &self.height)
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

impl Labels {
    /// (H, W) of the segmentation.
    pub const fn size(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    /// The bytes in memory.
    pub const fn bytes(&self) -> u64 {
        self.numbers.len() as u64
    }

    /// Whether the segmentation has the proportions of a picture of (H, W), as [`Mask::fits`] says.
    pub fn fits(&self, picture: (usize, usize)) -> bool {
        fits(self.size(), picture)
    }

    /// (H, W) of the masks for a picture of that size: the segmentation's own, or the picture's where that has less than half the
    /// pixels.
    pub const fn size_for(&self, picture: (usize, usize)) -> (usize, usize) {
        if picture.0 * picture.1 * 2 < self.numbers.len() { picture } else { (self.height, self.width) }
    }

    /// The mask of a region, by its number from 0 on, for a picture of that size (H, W). Making it takes one at the segmentation's
    /// own size.
    ///
    /// # Errors
    /// [`PictureError::Length`] for a side of 0.
    pub fn mask(&self, region: usize, picture: (usize, usize)) -> Result<Mask, PictureError> {
        let here = |&label: &u8| f32::from(u8::from(usize::from(label) == region));
        let mask = Mask::settled(self.height, self.width, self.numbers.iter().map(here).collect());
        match self.size_for(picture) {
            own if own == self.size() => Ok(mask),
            (height, width) => mask.resized(height, width),
        }
    }
}

/// Why two pictures are no pair of segmentations.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegionsError {
    /// One of them is not made of flat colours: it is a photo, perhaps.
    #[error(
        "the {whose} segmentation is not made of a few flat colours: draw each region in one colour, and save it as a PNG"
    )]
    NotFlat {
        /// `photo's` or `painting's`.
        whose: &'static str,
    },
    /// There are too many colours.
    #[error(
        "the segmentations have {colours} colours, and {MOST_REGIONS} at most can be told apart: use fewer"
    )]
    TooMany {
        /// How many.
        colours: usize,
    },
    /// A colour of the photo's segmentation has nothing in the painting's.
    #[error(
        "the painting's segmentation has nothing in {}, which the photo's has: give each colour of the photo's a place in the \
         painting's",
        colours.join(" and ")
    )]
    NotInPainting {
        /// The names of such colours.
        colours: Vec<String>,
    },
}

/// The regions of two segmentations, the photo's and the painting's, of any sizes.
///
/// A colour belongs to the segmentations if flat areas of it are a thousandth of either picture. Every other pixel, of an edge or of a
/// JPEG's noise, is of the colour that it is nearest to. Colours that differ by less than 32 in RGB are one, unless both pictures
/// are exact to the last level, as label maps are.
///
/// # Errors
/// [`RegionsError`] if one is not made of flat colours, if there are more than 32, or if the painting's lacks one of the photo's.
pub fn regions(photo: &Picture, painting: &Picture) -> Result<ColourRegions, RegionsError> {
    let pair = [Levels::new(photo), Levels::new(painting)];
    let palette = palette(&pair)?;
    let of_painting = pair[1].nearest(&palette);
    let shares = |indices: &[u8]| {
        let mut counts = vec![0_usize; palette.len()];
        for &index in indices {
            counts[usize::from(index)] += 1;
        }
        counts.into_iter().map(|count| count as f64 / indices.len() as f64).collect::<Vec<_>>()
    };
    let (in_photo, in_painting) = (shares(&pair[0].nearest(&palette)), shares(&of_painting));
    let mut used: Vec<usize> = (0..palette.len()).filter(|&index| in_photo[index] >= ENOUGH).collect();
    used.sort_by(|&a, &b| in_photo[b].total_cmp(&in_photo[a]).then(a.cmp(&b)));
    let missing = used.iter().filter(|&&index| in_painting[index] < ENOUGH);
    let missing: Vec<String> = missing.map(|&index| name(palette[index])).collect();
    if !missing.is_empty() {
        return Err(RegionsError::NotInPainting { colours: missing });
    }
    // The few pixels of other colours are of the nearest of these.
    let of_used: Vec<[u8; 3]> = used.iter().map(|&index| palette[index]).collect();
    let region = |index: usize| used.iter().position(|&own| own == index).map_or(NONE, |number| number as u8);
    let regions: Vec<u8> = (0..palette.len()).map(region).collect();
    let of_painting = of_painting.into_iter().map(|index| regions[usize::from(index)]).collect();
    let unused = (0..palette.len()).filter(|index| !used.contains(index) && in_painting[*index] >= ENOUGH);
    Ok(ColourRegions {
        names: of_used.iter().map(|&colour| name(colour)).collect(),
        photo: pair[0].labels(pair[0].nearest(&of_used)),
        painting: pair[1].labels(of_painting),
        unused: unused.map(|index| name(palette[index])).collect(),
    })
}

/// The colours of a pair, from the most to the least frequent.
fn palette(pair: &[Levels; 2]) -> Result<Vec<[u8; 3]>, RegionsError> {
    let found = [pair[0].flat_colours(), pair[1].flat_colours()];
    let exact = found.iter().all(|found| found.exact);
    let mut shares: Vec<([u8; 3], f64)> = Vec::new();
    for &(colour, share) in found.iter().flat_map(|found| &found.colours) {
        match shares.iter_mut().find(|(known, _)| *known == colour) {
            Some((_, sum)) => *sum += share,
            None => shares.push((colour, share)),
        }
    }
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut palette: Vec<[u8; 3]> = Vec::new();
    for (colour, _) in shares {
        if exact || palette.iter().all(|&other| distance(colour, other) >= SAME * SAME) {
            palette.push(colour);
        }
    }
    if palette.len() > MOST_REGIONS {
        return Err(RegionsError::TooMany { colours: palette.len() });
    }
    for (levels, whose) in pair.iter().zip(["photo's", "painting's"]) {
        if levels.share_near(&palette) < MOSTLY {
            return Err(RegionsError::NotFlat { whose });
        }
    }
    Ok(palette)
}

/// A picture in 8 bits.
struct Levels {
    height: usize,
    width: usize,
    pixels: Vec<[u8; 3]>,
}

/// Colours with flat areas, and their shares of all pixels.
struct FlatColours {
    colours: Vec<([u8; 3], f64)>,
    /// Whether they are nearly the whole picture.
    exact: bool,
}

impl Levels {
    fn new(picture: &Picture) -> Self {
        let level = |value: f32| value.clamp(0.0, 255.0).round() as u8;
        let pixels = picture.data().chunks_exact(3).map(|pixel| [0, 1, 2].map(|c| level(pixel[c])));
        Self { height: picture.height(), width: picture.width(), pixels: pixels.collect() }
    }

    fn flat_colours(&self) -> FlatColours {
        // The colour in the upper 24 bits, whether it is flat there in the lowest.
        let key = |index: usize| {
            let [r, g, b] = self.pixels[index];
            u32::from_be_bytes([r, g, b, u8::from(self.is_flat(index))])
        };
        let mut keys: Vec<u32> = (0..self.pixels.len()).map(key).collect();
        keys.sort_unstable();
        let share = |count: usize| count as f64 / self.pixels.len() as f64;
        let runs = keys.chunk_by(|a, b| a >> 8 == b >> 8);
        let colours: Vec<([u8; 3], f64)> = runs
            .filter(|run| share(run.iter().filter(|&&key| key & 1 == 1).count()) >= ENOUGH)
            .map(|run| {
                let [r, g, b, _] = run[0].to_be_bytes();
                ([r, g, b], share(run.len()))
            })
            .collect();
        let exact = colours.iter().map(|(_, share)| share).sum::<f64>() >= EXACT;
        FlatColours { colours, exact }
    }

    /// Whether the pixels to the right and below have nearly the same colour.
    fn is_flat(&self, index: usize) -> bool {
        let (row, column) = (index / self.width, index % self.width);
        let is_same = |other: usize| {
            self.pixels[index].iter().zip(self.pixels[other]).all(|(a, b)| a.abs_diff(b) <= FLAT)
        };
        (column + 1 == self.width || is_same(index + 1))
            && (row + 1 == self.height || is_same(index + self.width))
    }

    /// For each pixel which of the colours is nearest; the first of equals.
    fn nearest(&self, palette: &[[u8; 3]]) -> Vec<u8> {
        let nearest = |&pixel: &[u8; 3]| {
            let distances = palette.iter().map(|&colour| distance(pixel, colour)).enumerate();
            distances.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index as u8)
        };
        self.pixels.iter().map(nearest).collect()
    }

    /// The share of pixels that some colour is near to.
    fn share_near(&self, palette: &[[u8; 3]]) -> f64 {
        let near = |pixel: &&[u8; 3]| palette.iter().any(|&colour| distance(**pixel, colour) < SAME * SAME);
        self.pixels.iter().filter(near).count() as f64 / self.pixels.len() as f64
    }

    /// Labels of the pixels.
    const fn labels(&self, numbers: Vec<u8>) -> Labels {
        Labels { height: self.height, width: self.width, numbers }
    }
}

/// The squared distance of two colours in RGB.
fn distance(one: [u8; 3], other: [u8; 3]) -> f64 {
    one.iter().zip(other).map(|(&a, b)| f64::from(a.abs_diff(b)).powi(2)).sum()
}

/// The colour's name, if it has one.
fn name(colour: [u8; 3]) -> String {
    const NAMES: [([u8; 3], &str); 9] = [
        ([255, 255, 255], "white"),
        ([0, 0, 0], "black"),
        ([128, 128, 128], "grey"),
        ([255, 0, 0], "red"),
        ([0, 255, 0], "green"),
        ([0, 0, 255], "blue"),
        ([255, 255, 0], "yellow"),
        ([0, 255, 255], "cyan"),
        ([255, 0, 255], "magenta"),
    ];
    let known = NAMES.iter().find(|(known, _)| *known == colour).map(|(_, name)| (*name).to_owned());
    known.unwrap_or_else(|| format!("#{:02x}{:02x}{:02x}", colour[0], colour[1], colour[2]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::picture::{Encoding, ReadOptions};
    use crate::white_noise;

    const SKY: [u8; 3] = [0, 0, 255];
    const GROUND: [u8; 3] = [0, 255, 0];
    const HOUSE: [u8; 3] = [250, 10, 3];

    /// Sky above, ground below, a house across the horizon.
    fn segmentation(height: usize, width: usize) -> Picture {
        let colour = |row: usize, column: usize| match (row * 8 / height, column * 8 / width) {
            (2..=5, 3..=4) => HOUSE,
            (0..=3, _) => SKY,
            _ => GROUND,
        };
        drawn(height, width, colour)
    }

    fn drawn(height: usize, width: usize, colour: impl Fn(usize, usize) -> [u8; 3]) -> Picture {
        let data = (0..height * width).flat_map(|k| colour(k / width, k % width).map(f32::from)).collect();
        Picture::new(height, width, data).unwrap()
    }

    /// The masks of each region, of the photo and of the painting, at the segmentations' sizes.
    fn masks(found: &ColourRegions) -> Vec<[Mask; 2]> {
        let mask = |labels: &Labels, number| labels.mask(number, labels.size()).unwrap();
        (0..found.names.len())
            .map(|number| [&found.photo, &found.painting].map(|labels| mask(labels, number)))
            .collect()
    }

    fn share(mask: &Mask) -> f64 {
        mask.values().iter().map(|&value| f64::from(value)).sum::<f64>() / mask.values().len() as f64
    }

    #[test]
    fn each_colour_is_a_region_of_both() {
        let found = regions(&segmentation(80, 120), &segmentation(64, 64)).unwrap();
        assert_eq!(found.names, ["blue", "green", "#fa0a03"]);
        assert!(found.unused.is_empty());
        for ([photo, painting], share_of) in masks(&found).iter().zip([0.4375, 0.4375, 0.125]) {
            assert_eq!((photo.height(), photo.width()), (80, 120));
            assert_eq!((painting.height(), painting.width()), (64, 64));
            assert_eq!((share(photo), share(painting)), (share_of, share_of));
        }
    }

    #[test]
    fn labels_have_the_size_and_proportions_of_their_picture() {
        let found = regions(&segmentation(80, 120), &segmentation(64, 64)).unwrap();
        let labels = &found.photo;
        assert_eq!((labels.size(), labels.bytes()), ((80, 120), 9600));
        assert!(labels.fits((40, 60)) && !labels.fits((60, 40)));
        // Half of the pixels are enough for masks of the segmentation's own size.
        for (picture, masks) in
            [((40, 120), (80, 120)), ((40, 119), (40, 119)), ((800, 1200), (80, 120)), ((80, 12), (80, 12))]
        {
            assert_eq!(labels.size_for(picture), masks, "{picture:?}");
        }
        assert_eq!(ColourRegions::bytes((80, 120), (64, 65)), 9 * (80 * 120 + 64 * 65));
    }

    /// Of two colours that are one, the more frequent of both pictures together is it.
    #[test]
    fn colours_that_are_one_are_the_more_frequent() {
        const EVENING: [u8; 3] = [0, 0, 235];
        let of = |sky: usize, evening: usize| {
            let colour = |row: usize, column: usize| {
                let [r, g, b] = match row {
                    row if row < sky => SKY,
                    row if row < sky + evening => EVENING,
                    _ => HOUSE,
                };
                // Enough noise for the pictures not to be exact.
                if row % 3 == 1 && column % 3 == 1 { [r, g + 9, b] } else { [r, g, b] }
            };
            drawn(60, 60, colour)
        };
        assert_eq!(regions(&of(18, 12), &of(6, 36)).unwrap().names[0], "#0000eb");
        assert_eq!(regions(&of(18, 12), &of(36, 6)).unwrap().names[0], "blue");
    }

    #[test]
    fn there_may_be_as_many_regions_as_are_said() {
        let of = |regions: usize| drawn(regions, 8, |row, _| [row as u8; 3]);
        let found = |count: usize| regions(&of(count), &of(count)).map(|found| found.names.len());
        assert_eq!(found(MOST_REGIONS), Ok(MOST_REGIONS));
        assert_eq!(found(MOST_REGIONS + 1), Err(RegionsError::TooMany { colours: MOST_REGIONS + 1 }));
    }

    /// Four fifths of the pixels, and nearer than the distance of colours that are the same.
    #[test]
    fn most_pixels_are_near_a_colour_of_the_segmentation() {
        let five = drawn(1, 5, |_, column| if column == 4 { [SAME as u8, 0, 0] } else { [0; 3] });
        assert_eq!(Levels::new(&five).share_near(&[[0; 3]]), 0.8);
        let above = |flat: usize| {
            drawn(40, 40, move |row, column| match (row + column) % 2 {
                _ if row < flat => SKY,
                0 => GROUND,
                _ => HOUSE,
            })
        };
        assert!(regions(&above(32), &above(32)).is_ok());
        let refused = regions(&above(32), &above(31)).err();
        assert_eq!(refused, Some(RegionsError::NotFlat { whose: "painting's" }));
    }

    #[test]
    fn soft_edges_and_the_noise_of_a_jpeg_are_of_the_nearest_colour() {
        let large = segmentation(240, 320);
        let soft = segmentation(480, 640).resized(201, 283).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("segmentation.jpg");
        soft.write(&path, Encoding::Jpeg { quality: 60 }).unwrap();
        let noisy = Picture::read(&path, &ReadOptions::default()).unwrap().picture;
        for (photo, painting) in [(&soft, &large), (&large, &noisy), (&noisy, &soft)] {
            let found = regions(photo, painting).unwrap();
            assert_eq!(found.names.len(), 3, "{:?}", found.names);
            assert!(found.unused.is_empty());
            for ([photo, painting], name) in masks(&found).iter().zip(&found.names) {
                assert!((share(photo) - share(painting)).abs() < 0.01, "{name}");
            }
        }
    }

    #[test]
    fn label_maps_are_told_apart_to_the_last_level() {
        let labels = |order: [u8; 4]| drawn(40, 40, |row, _| [order[row / 10]; 3]);
        let found = regions(&labels([0, 1, 2, 3]), &labels([3, 2, 1, 0])).unwrap();
        assert_eq!(found.names.len(), 4);
        for ([photo, painting], name) in masks(&found).iter().zip(&found.names) {
            assert!(photo.times(painting).unwrap().is_empty(), "{name}");
        }
    }

    #[test]
    fn what_only_the_painting_has_is_not_taken_and_what_only_the_photo_has_is_refused() {
        let (three, two) =
            (segmentation(80, 80), drawn(80, 80, |row, _| if row < 40 { SKY } else { GROUND }));
        let found = regions(&two, &three).unwrap();
        assert_eq!((found.names.len(), &*found.unused), (2, &["#fa0a03".to_owned()][..]));
        let error = regions(&three, &two).unwrap_err();
        assert_eq!(error, RegionsError::NotInPainting { colours: vec!["#fa0a03".to_owned()] });
        assert!(error.to_string().contains("nothing in #fa0a03"), "{error}");
    }

    /// Segmentations may be of any size, and there are as many masks as colours.
    #[test]
    fn masks_of_a_much_larger_segmentation_have_the_size_of_their_picture() {
        let found = regions(&segmentation(240, 320), &segmentation(64, 64)).unwrap();
        let (small, nearly) = ((24, 32), (180, 240));
        for number in 0..found.names.len() {
            let whole = found.photo.mask(number, nearly).unwrap();
            assert_eq!((whole.height(), whole.width()), (240, 320), "that is not much larger");
            let shrunk = found.photo.mask(number, small).unwrap();
            assert_eq!(shrunk, whole.resized(24, 32).unwrap());
            assert_eq!((shrunk.height(), shrunk.width()), found.photo.size_for(small));
        }
    }

    #[test]
    fn a_photo_is_no_segmentation() {
        let (noise, flat) = (white_noise(90, 90, 1).unwrap(), segmentation(90, 90));
        assert_eq!(regions(&noise, &flat).unwrap_err(), RegionsError::NotFlat { whose: "photo's" });
        assert_eq!(regions(&flat, &noise).unwrap_err(), RegionsError::NotFlat { whose: "painting's" });
        let stripes = drawn(64, 640, |_, column| [(column / 10 * 4) as u8, 0, 0]);
        assert_eq!(regions(&stripes, &stripes).unwrap_err(), RegionsError::TooMany { colours: 64 });
    }

    proptest! {
        #[test]
        fn the_regions_cover_the_photo_once(
            height in 1_usize..40, width in 1_usize..40,
            colours in prop::collection::vec(prop::array::uniform3(any::<u8>()), 1..9),
            seed: u64,
        ) {
            let block = |row: usize, column: usize| (row / 4 * 31 + column / 4).wrapping_mul(seed as usize | 1) >> 7;
            let picture = drawn(height, width, |row, column| colours[block(row, column) % colours.len()]);
            if let Ok(found) = regions(&picture, &picture) {
                let masks = masks(&found);
                for pixel in 0..height * width {
                    let sum: f32 = masks.iter().map(|[photo, _]| photo.values()[pixel]).sum();
                    prop_assert_eq!(sum, 1.0);
                }
            }
        }
    }
}
