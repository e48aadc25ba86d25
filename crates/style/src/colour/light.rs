//! Light and chroma: what is painted, and what the photo keeps, when a picture keeps the photo's colours.
//!
//! ```text
//! Y = 0.299 R + 0.587 G + 0.114 B         light: the luma of gamma-encoded R, G, B, the Y of YIQ
//! c = (R - Y, G - Y, B - Y)               chroma; its own light is 0
//! ```
//!
//! This is the space of "Controlling Perceptual Factors in Neural Style Transfer" (Gatys et al., 2017, section 5.1) and of its
//! notebooks. I and Q are linear in c, so whoever keeps c keeps both. Light and chroma are sums of gamma-encoded values, which
//! is what the network sees, and light changes without any change to the differences of channels. A perceptual space such as
//! CIE L*a*b* separates them more truly, but its way back to R, G, B is not linear: chroma kept there is not what it was where the light
//! changes.
//!
//! The painting's light is first brought to the mean and the spread of the photo's:
//!
//! ```text
//! Y_s -> (sigma_c / sigma_s) (Y_s - mu_s) + mu_c
//! ```

use super::Weighted;
use crate::Picture;

/// A painting whose light varies by less has nothing that could be spread.
const LEAST_SPREAD: f64 = 1e-3;

/// A change that rounding to 8 bits hides.
const VISIBLE: f32 = 0.5;

/// Y = 0.299 R + 0.587 G + 0.114 B, in the units of the pixel: its luma. Of a grey pixel it is the pixel's value, to the bit.
pub fn light([r, g, b]: [f32; 3]) -> f32 {
    g + 0.299 * (r - g) + 0.114 * (b - g)
}

/// Y of each pixel of H x W x 3 numbers.
pub(crate) fn lights(pixels: &[f32]) -> Vec<f32> {
    pixels.as_chunks::<3>().0.iter().map(|pixel| light(*pixel)).collect()
}

/// Each pixel becomes (Y, Y, Y).
pub(crate) fn make_grey(picture: &mut Picture) {
    for pixel in picture.data_mut().as_chunks_mut::<3>().0 {
        *pixel = [light(*pixel); 3];
    }
}

/// Each pixel becomes (Y, Y, Y), Y with the mean and the spread of the photo's pixels that count.
pub(super) fn match_light(painting: &mut Picture, own: &Spread, photo: &Spread) {
    let slope = if own.deviation > LEAST_SPREAD { photo.deviation / own.deviation } else { 1.0 };
    for pixel in painting.data_mut().as_chunks_mut::<3>().0 {
        let moved = slope * (f64::from(light(*pixel)) - own.mean) + photo.mean;
        *pixel = [moved as f32; 3];
    }
}

/// Mean and standard deviation of light.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    mean: f64,
    deviation: f64,
}

impl Spread {
    /// Of the pixels that count; none if no pixel does.
    pub(super) fn of(weighted: Weighted<'_>) -> Option<Self> {
        let lights = || {
            let pixels = weighted.picture.data().as_chunks::<3>().0.iter();
            pixels.zip(weighted.weights()).map(|(pixel, weight)| (weight, f64::from(light(*pixel))))
        };
        let total: f64 = lights().map(|(weight, _)| weight).sum();
        if total <= 0.0 {
            return None;
        }
        let mean = lights().map(|(weight, light)| weight * light).sum::<f64>() / total;
        let variance = lights().map(|(weight, light)| weight * (light - mean).powi(2)).sum::<f64>() / total;
        Some(Self { mean, deviation: variance.sqrt() })
    }
}

/// The photo's pixel in another light: photo + (Y - Y_photo), so that the differences of channels stay what they are.
///
/// Where that leaves 0..=255, chroma shrinks towards (Y, Y, Y) until it fits: Y + s c with the largest s of 0..=1 that does.
/// Light outside of 0..=255 stays, without chroma. A pixel in its own light is itself, whatever it is.
///
/// Returned with it is whether shrinking can be seen: it moved a channel by more than half a grey level.
pub(crate) fn in_light(photo: [f32; 3], painted: f32) -> ([f32; 3], bool) {
    let own = light(photo);
    let moved = photo.map(|value| value + (painted - own));
    if painted.to_bits() == own.to_bits() || moved.iter().all(|value| (0.0..=255.0).contains(value)) {
        return (moved, false);
    }
    let chroma = photo.map(|value| value - own);
    let room = |chroma: f32| if chroma > 0.0 { (255.0 - painted) / chroma } else { painted / -chroma };
    let rooms = chroma.iter().filter(|chroma| **chroma != 0.0).map(|chroma| room(*chroma));
    let share = rooms.fold(1.0, f32::min).max(0.0);
    let lost = chroma.iter().fold(0.0, |most: f32, chroma| most.max((1.0 - share) * chroma.abs()));
    (chroma.map(|chroma| painted + share * chroma), lost > VISIBLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::white_noise;
    use proptest::prelude::*;

    fn pixel() -> impl Strategy<Value = [f32; 3]> {
        prop::array::uniform3(0.0f32..=255.0)
    }

    proptest! {
        #[test]
        fn a_grey_pixel_is_its_own_light(value in -50.0f32..300.0) {
            prop_assert_eq!(light([value; 3]), value);
        }

        #[test]
        fn light_is_luma([r, g, b] in pixel()) {
            let luma = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
            prop_assert!((f64::from(light([r, g, b])) - luma).abs() < 1e-4);
        }

        /// The light of a pixel is a k + b: k is the ratio of the spreads, or 1 where the painting has none.
        #[test]
        fn light_gets_the_mean_and_the_spread_of_the_photo(
            levels in prop::array::uniform2(0.0f32..=255.0), means in prop::array::uniform2(0.0f64..255.0), spread in 0.0f64..50.0, own in 0.01f64..50.0,
        ) {
            for deviation in [own, LEAST_SPREAD, 0.0] {
                let mut painting = Picture::new(1, 2, levels.map(|level| [level; 3]).concat()).unwrap();
                let (own, photo) = (Spread { mean: means[0], deviation }, Spread { mean: means[1], deviation: spread });
                match_light(&mut painting, &own, &photo);
                let slope = if deviation > LEAST_SPREAD { spread / deviation } else { 1.0 };
                for (moved, level) in painting.data().iter().zip(levels.map(|level| [level; 3]).concat()) {
                    let right = slope * (f64::from(level) - own.mean) + photo.mean;
                    prop_assert!((f64::from(*moved) - right).abs() <= 1e-6 * right.abs().max(1e3), "{} for {}", moved, right);
                }
            }
        }

        #[test]
        fn differences_of_channels_are_the_photos_wherever_they_fit(photo in pixel(), painted in 0.0f32..=255.0) {
            let (colour, visible) = in_light(photo, painted);
            prop_assert!((light(colour) - painted).abs() < 1e-3, "light {} for {}", light(colour), painted);
            let fits = photo.iter().all(|value| (0.0..=255.0).contains(&(value + (painted - light(photo)))));
            if fits {
                prop_assert!(!visible);
                for (i, j) in [(0, 1), (1, 2)] {
                    prop_assert!(((colour[i] - colour[j]) - (photo[i] - photo[j])).abs() < 1e-4);
                }
            }
        }

        #[test]
        fn chroma_shrinks_no_more_than_it_has_to(photo in pixel(), painted in 0.0f32..=255.0) {
            let (colour, _) = in_light(photo, painted);
            prop_assert!(colour.iter().all(|value| (-1e-3..=255.001).contains(value)), "{:?}", colour);
            // In the same proportions, and up to the edge.
            let own = light(photo);
            let (chroma, kept) = (photo.map(|value| value - own), colour.map(|value| value - painted));
            prop_assert!((chroma[0] * kept[1] - chroma[1] * kept[0]).abs() < 0.2);
            prop_assert!((chroma[1] * kept[2] - chroma[2] * kept[1]).abs() < 0.2);
            let fits = photo.iter().all(|value| (0.0..=255.0).contains(&(value + (painted - own))));
            let edge = colour.iter().any(|value| *value < 1e-3 || *value > 254.999);
            prop_assert!(fits || edge, "{:?}", colour);
        }

        #[test]
        fn a_pixel_in_its_own_light_is_itself(photo in prop::array::uniform3(-20.0f32..280.0)) {
            prop_assert_eq!(in_light(photo, light(photo)), (photo, false));
        }

        #[test]
        fn light_gets_the_mean_and_the_spread(seed in 0u64..100) {
            let (mut painting, photo) = (white_noise(8, 9, seed).unwrap(), white_noise(5, 5, seed + 1).unwrap());
            let weights: Vec<f32> = white_noise(5, 5, seed + 2).unwrap().data()[..25].to_vec();
            let of = |picture: &Picture| Spread::of(Weighted::whole(picture)).unwrap();
            let target = Spread::of(Weighted { picture: &photo, weights: Some(&weights) }).unwrap();
            let own = of(&painting);
            match_light(&mut painting, &own, &target);
            let reached = of(&painting);
            prop_assert!((reached.mean - target.mean).abs() < 1e-4);
            prop_assert!((reached.deviation - target.deviation).abs() < 1e-4);
            prop_assert!(painting.data().as_chunks::<3>().0.iter().all(|[r, g, b]| r == g && g == b));
        }
    }

    #[test]
    fn light_out_of_range_stays_and_has_no_chroma() {
        assert_eq!(in_light([255.0, 10.0, 30.0], 300.0), ([300.0; 3], true));
        assert_eq!(in_light([255.0, 10.0, 30.0], -4.0), ([-4.0; 3], true));
        assert_eq!(in_light([90.0; 3], -4.0), ([-4.0; 3], false));
    }

    #[test]
    fn what_rounding_hides_is_not_seen() {
        assert!(!in_light([255.0, 0.0, 0.0], light([255.0, 0.0, 0.0]) + 0.2).1);
        assert!(in_light([255.0, 0.0, 0.0], light([255.0, 0.0, 0.0]) + 5.0).1);
    }

    #[test]
    fn a_plain_painting_gets_the_mean() {
        let mut plain = Picture::new(2, 2, vec![80.0; 12]).unwrap();
        let own = Spread::of(Weighted::whole(&plain)).unwrap();
        match_light(&mut plain, &own, &Spread { mean: 100.0, deviation: 40.0 });
        assert!(plain.data().iter().all(|value| (value - 100.0).abs() < 1e-4));
    }

    /// White leaves no room for chroma: of a blue that is half a grey level above its light that is lost, and not yet seen.
    #[test]
    fn more_than_half_a_grey_level_can_be_seen() {
        for grey in [32.0_f32, 100.0, 180.0] {
            let blue = std::iter::successors(Some(grey + 0.5643), |blue| Some(blue.next_up()));
            let above = |blue: &f32| *blue - light([grey, grey, *blue]);
            let last = blue.take_while(|blue| above(blue) <= VISIBLE).last().unwrap();
            assert_eq!(above(&last), VISIBLE);
            for (blue, visible) in [(last, false), (last.next_up().next_up(), true)] {
                assert_eq!(in_light([grey, grey, blue], 255.0), ([255.0; 3], visible));
            }
        }
    }
}
