//! Transparency: colours that are not multiplied by alpha, and what is unknown of them.

use super::{Mask, Picture, PictureError, resize};

/// Colours times alpha.
pub(super) fn premultiply(rgb: &mut [f32], alpha: &[f32]) {
    for (pixel, a) in rgb.chunks_exact_mut(3).zip(alpha) {
        for c in pixel {
            *c *= a;
        }
    }
}

/// A picture from colours times alpha and alpha.
pub(super) fn from_premultiplied(mut rgb: Vec<f32>, alpha: Mask) -> Picture {
    for (pixel, &a) in rgb.chunks_exact_mut(3).zip(alpha.values()) {
        if a > 0.0 {
            for c in pixel {
                *c /= a;
            }
        }
    }
    from_straight(rgb, alpha)
}

/// A picture from colours and alpha: colours that nobody can see become the mean of the others, and an alpha that is 1
/// everywhere is none.
pub(super) fn from_straight(mut rgb: Vec<f32>, alpha: Mask) -> Picture {
    let (height, width) = (alpha.height(), alpha.width());
    if alpha.is_full() {
        return Picture { height, width, data: rgb, alpha: None };
    }
    let unseen = mean(&rgb, &alpha);
    for (pixel, &a) in rgb.chunks_exact_mut(3).zip(alpha.values()) {
        if a <= 0.0 {
            pixel.copy_from_slice(&unseen);
        }
    }
    Picture { height, width, data: rgb, alpha: Some(alpha) }
}

/// sum a c / sum a, added row by row in double precision; white where there is nothing to see.
fn mean(rgb: &[f32], alpha: &Mask) -> [f32; 3] {
    let (mut sums, mut weight) = ([0.0_f64; 3], 0.0_f64);
    for (pixel, &a) in rgb.chunks_exact(3).zip(alpha.values()) {
        let a = f64::from(a);
        weight += a;
        if a > 0.0 {
            for (sum, &c) in sums.iter_mut().zip(pixel) {
                *sum += a * f64::from(c);
            }
        }
    }
    if weight > 0.0 { sums.map(|sum| (sum / weight) as f32) } else { [255.0; 3] }
}

/// A picture with alpha at another size: colours times alpha and alpha are resized by the filter of masks, and divided. So every
/// colour is a mean of those that can be seen, each counted by its alpha.
pub(super) fn resized(picture: &Picture, alpha: &Mask, to: (usize, usize)) -> Result<Picture, PictureError> {
    let from = (picture.height, picture.width);
    let mut rgb = picture.data.clone();
    premultiply(&mut rgb, alpha.values());
    let rgb = resize::means(&rgb, 3, from, to)?;
    Ok(from_premultiplied(rgb, alpha.resized(to.0, to.1)?))
}

/// A picture laid on a colour b where it has alpha: a c + (1 - a) b.
pub(super) fn on(mut picture: Picture, background: [u8; 3]) -> Picture {
    let Some(alpha) = picture.alpha.take() else { return picture };
    for (pixel, &a) in picture.data.chunks_exact_mut(3).zip(alpha.values()) {
        for (c, b) in pixel.iter_mut().zip(background) {
            *c = c.mul_add(a, f32::from(b) * (1.0 - a));
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn where_there_is_nothing_to_see_all_is_white() {
        let nothing = Mask::new(1, 2, vec![0.0; 2]).unwrap();
        assert_eq!(from_straight(vec![7.0; 6], nothing.clone()).data, [255.0; 6]);
        assert_eq!(from_premultiplied(vec![0.0; 6], nothing).data, [255.0; 6]);
    }

    /// sum a c / sum a takes its place, whatever it was.
    #[test]
    fn what_nobody_can_see_is_not_looked_at() {
        let alpha = Mask::new(1, 3, vec![0.25, 0.0, 0.75]).unwrap();
        let rgb = vec![8.0, 16.0, 24.0, f32::NAN, f32::INFINITY, 1e9, 16.0, 0.0, 24.0];
        assert_eq!(from_straight(rgb, alpha).data[3..6], [14.0, 4.0, 24.0]);
    }

    proptest! {
        /// a c + (1 - a) b, and nothing is transparent afterwards.
        #[test]
        fn a_picture_covers_what_it_lies_on_by_its_alpha(
            pixels in prop::collection::vec((prop::array::uniform3(0.0f32..=255.0), 0.01f32..=0.99), 1..20),
            background: [u8; 3],
        ) {
            let (colours, alpha): (Vec<[f32; 3]>, Vec<f32>) = pixels.iter().copied().unzip();
            let laid = on(from_straight(colours.concat(), Mask::new(1, alpha.len(), alpha).unwrap()), background);
            prop_assert!(laid.alpha.is_none());
            for (ours, (c, a)) in laid.data.as_chunks::<3>().0.iter().zip(pixels) {
                for i in 0..3 {
                    let right = f64::from(a) * f64::from(c[i]) + (1.0 - f64::from(a)) * f64::from(background[i]);
                    prop_assert!((f64::from(ours[i]) - right).abs() < 1e-4, "{} for {}", ours[i], right);
                }
            }
        }

        /// a c, and c again from it wherever there is something to see.
        #[test]
        fn colours_times_alpha_are_divided_by_it_again(
            pixels in prop::collection::vec((prop::array::uniform3(0.0f32..=255.0), 0.01f32..=1.0), 1..20),
        ) {
            let (colours, alpha): (Vec<[f32; 3]>, Vec<f32>) = pixels.iter().copied().unzip();
            let mut rgb = colours.concat();
            premultiply(&mut rgb, &alpha);
            for (times, (pixel, a)) in rgb.as_chunks::<3>().0.iter().zip(&pixels) {
                prop_assert_eq!(*times, pixel.map(|c| c * a));
            }
            let picture = from_premultiplied(rgb, Mask::new(1, alpha.len(), alpha).unwrap());
            for (again, c) in picture.data.iter().zip(colours.concat()) {
                prop_assert!((again - c).abs() <= 1e-4, "{} for {}", again, c);
            }
        }
    }
}
