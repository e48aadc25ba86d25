//! Colours: what is measured of those of a photo and its paintings, and maps from one to the other. All of it in float, on
//! gamma-encoded values, and before the optimisation: the losses do not know of it.

mod histogram;
mod light;
mod scene;
mod statistics;
mod transport;

pub(crate) use histogram::BYTES_PER_PIXEL as HISTOGRAM_BYTES_PER_PIXEL;
pub use light::light;
pub(crate) use light::{in_light, lights};
pub(crate) use statistics::Statistics;
pub(crate) use transport::ColourMap;

use crate::Picture;
use crate::options::Colours;

/// A picture, and how much each of its pixels counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weighted<'a> {
    pub(crate) picture: &'a Picture,
    /// H W numbers of 0 or more; none if all pixels count alike.
    pub(crate) weights: Option<&'a [f32]>,
}

impl<'a> Weighted<'a> {
    /// All pixels alike.
    #[cfg(test)]
    pub(crate) const fn whole(picture: &'a Picture) -> Self {
        Self { picture, weights: None }
    }

    /// The weight of each pixel.
    fn weights(self) -> impl Iterator<Item = f64> + 'a {
        let pixels = self.picture.data().len() / 3;
        (0..pixels).map(move |pixel| self.weights.map_or(1.0, |weights| f64::from(weights[pixel])))
    }

    /// The weight and the colour of each pixel.
    fn pixels(self) -> impl Iterator<Item = (f64, [f64; 3])> + 'a {
        let colours = self.picture.data().as_chunks::<3>().0.iter();
        self.weights().zip(colours.map(|colour| colour.map(f64::from)))
    }
}

/// Brings a painting's colours to the photo's as `colours` says: by the statistics of the photo's pixels that count, and of
/// the painting's that do (`part`, one number a pixel). Where none count it stays as it is, but for [`Colours::Photo`], which
/// leaves its light.
pub(crate) fn recolour(colours: Colours, painting: &mut Picture, part: Option<&[f32]>, photo: Weighted<'_>) {
    let own = Weighted { picture: painting, weights: part };
    match colours {
        Colours::Painting => {}
        Colours::Photo => match (light::Spread::of(own), light::Spread::of(photo)) {
            (Some(own), Some(photo)) => light::match_light(painting, &own, &photo),
            _ => light::make_grey(painting),
        },
        Colours::Histogram => histogram::match_histograms(painting, part, photo),
        Colours::Transfer(form) => {
            if let (Some(own), Some(photo)) = (Statistics::of(own), Statistics::of(photo)) {
                map_colours(painting, &ColourMap::between(form, &own, &photo));
            }
        }
    }
}

/// Each pixel through the map.
pub(crate) fn map_colours(picture: &mut Picture, map: &ColourMap) {
    picture.data_mut().as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| *pixel = map.apply(*pixel));
}

#[cfg(test)]
mod tests {
    use super::Weighted;
    use crate::white_noise;

    #[test]
    fn every_pixel_has_a_weight() {
        let picture = white_noise(2, 3, 1).unwrap();
        assert_eq!(Weighted::whole(&picture).weights().collect::<Vec<_>>(), [1.0; 6]);
        let some = [0.0, 0.5, 1.0, 0.25, 0.0, 2.0];
        let weighted = Weighted { picture: &picture, weights: Some(&some) };
        assert_eq!(weighted.weights().collect::<Vec<_>>(), some.map(f64::from));
    }
}
