//! The picture's own numbers as variables: all of them, or the light of its pixels alone; and a photo that stays where it is to.
//!
//! ```text
//! x = y                       y: H x W x 3
//! x = (y, y, y)               y: H x W, the light of each pixel        dL/dy = dL/dR + dL/dG + dL/dB
//! x = m photo + (1 - m) y     m: H x W, 0 to 1                         dL/dy = (1 - m) dL/dx
//! ```
//!
//! With both of the last, m photo + (1 - m) y is the light, and the photo in it the photo's light.

use super::Coordinates;
use crate::colour::lights;
use crate::{Mask, Picture, PictureError};

/// u = y: the picture's own numbers.
#[derive(Debug, Clone)]
pub struct Pixels {
    start: Vec<f32>,
    kept: Option<Kept>,
    light: Option<Light>,
}

impl Pixels {
    /// From a picture's numbers on, H x W x 3.
    pub const fn of(start: Vec<f32>) -> Self {
        Self { start, kept: None, light: None }
    }

    /// From a picture's light on, H x W.
    pub const fn of_light(start: Vec<f32>) -> Self {
        Self { start, kept: None, light: Some(Light { pixels: Vec::new(), gradient: Vec::new() }) }
    }

    /// The same, with a photo that stays where `mask` is 1. Of light alone, its light stays.
    ///
    /// # Errors
    /// [`PictureError::MaskSize`] if the mask has another size than the photo.
    pub fn keeping(self, photo: &Picture, mask: Mask) -> Result<Self, PictureError> {
        let (height, width) = (mask.height(), mask.width());
        if (photo.height(), photo.width()) != (height, width) {
            return Err(PictureError::MaskSize { height, width, picture: (photo.height(), photo.width()) });
        }
        let photo = if self.light.is_some() { lights(photo.data()) } else { photo.data().to_vec() };
        let kept = Kept { mask: mask.into_values(), mixed: vec![0.0; photo.len()], photo };
        Ok(Self { kept: Some(kept), ..self })
    }

    /// The bytes beside start and gradient, for H W `pixels` of light alone or of all colours, with or without a photo that is
    /// kept.
    pub(crate) const fn bytes(pixels: usize, light: bool, kept: bool) -> u64 {
        let values = if light { pixels } else { 3 * pixels };
        let of_light = if light { 6 * pixels } else { 0 };
        let of_kept = if kept { 2 * values + pixels } else { 0 };
        ((of_light + of_kept) * size_of::<f32>()) as u64
    }
}

impl Coordinates for Pixels {
    fn start(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.start)
    }

    fn evaluate<V, E>(
        &mut self,
        u: &[f32],
        gradient: &mut [f32],
        objective: impl FnOnce(&[f32], &mut [f32]) -> Result<V, E>,
    ) -> Result<V, E> {
        let light = &mut self.light;
        let of_values = |values: &[f32], gradient: &mut [f32]| match light {
            Some(light) => light.evaluate(values, gradient, objective),
            None => objective(values, gradient),
        };
        match &mut self.kept {
            Some(kept) => kept.evaluate(u, gradient, of_values),
            None => of_values(u, gradient),
        }
    }

    fn pixels<'a>(&'a mut self, u: &'a [f32], evaluated_last: bool) -> &'a [f32] {
        if !evaluated_last {
            let values = match &mut self.kept {
                Some(kept) => kept.mix(u),
                None => u,
            };
            if let Some(light) = &mut self.light {
                light.spread(values);
            }
        }
        match (&self.light, &self.kept) {
            (Some(light), _) => &light.pixels,
            (None, Some(kept)) => &kept.mixed,
            (None, None) => u,
        }
    }

    fn into_pixels(mut self, u: Vec<f32>) -> Vec<f32> {
        let values = match &mut self.kept {
            Some(kept) => {
                kept.mix(&u);
                std::mem::take(&mut kept.mixed)
            }
            None => u,
        };
        match self.light {
            Some(mut light) => {
                light.spread(&values);
                light.pixels
            }
            None => values,
        }
    }
}

/// x = m photo + (1 - m) y, of one or three numbers a pixel.
#[derive(Debug, Clone)]
struct Kept {
    photo: Vec<f32>,
    /// m, one number a pixel.
    mask: Vec<f32>,
    /// x of the point that was looked at last.
    mixed: Vec<f32>,
}

impl Kept {
    /// x of y.
    fn mix(&mut self, y: &[f32]) -> &[f32] {
        let colours = self.photo.len() / self.mask.len();
        let pixels = self.mixed.chunks_exact_mut(colours).zip(self.photo.chunks_exact(colours));
        for (((mixed, photo), y), m) in pixels.zip(y.chunks_exact(colours)).zip(&self.mask) {
            for ((mixed, photo), y) in mixed.iter_mut().zip(photo).zip(y) {
                *mixed = m * photo + (1.0 - m) * y;
            }
        }
        &self.mixed
    }

    fn evaluate<V, E>(
        &mut self,
        y: &[f32],
        gradient: &mut [f32],
        objective: impl FnOnce(&[f32], &mut [f32]) -> Result<V, E>,
    ) -> Result<V, E> {
        let value = objective(self.mix(y), gradient)?;
        let colours = self.photo.len() / self.mask.len();
        for (gradient, m) in gradient.chunks_exact_mut(colours).zip(&self.mask) {
            for gradient in gradient {
                *gradient *= 1.0 - m;
            }
        }
        Ok(value)
    }
}

/// x = (y, y, y).
#[derive(Debug, Clone)]
struct Light {
    /// x of the point that was looked at last.
    pixels: Vec<f32>,
    /// dL/dx there.
    gradient: Vec<f32>,
}

impl Light {
    /// x of y.
    fn spread(&mut self, y: &[f32]) -> &[f32] {
        self.pixels.resize(3 * y.len(), 0.0);
        for (pixel, y) in self.pixels.as_chunks_mut::<3>().0.iter_mut().zip(y) {
            *pixel = [*y; 3];
        }
        &self.pixels
    }

    fn evaluate<V, E>(
        &mut self,
        y: &[f32],
        gradient: &mut [f32],
        objective: impl FnOnce(&[f32], &mut [f32]) -> Result<V, E>,
    ) -> Result<V, E> {
        self.spread(y);
        self.gradient.resize(3 * y.len(), 0.0);
        let value = objective(&self.pixels, &mut self.gradient)?;
        for (gradient, [r, g, b]) in gradient.iter_mut().zip(self.gradient.as_chunks::<3>().0) {
            *gradient = r + g + b;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::white_noise;

    /// After an evaluation.
    #[test]
    fn bytes_are_those_of_what_is_held_beside_start_and_gradient() {
        let (photo, mask) = (white_noise(5, 7, 1).unwrap(), Mask::new(5, 7, vec![0.5; 35]).unwrap());
        for (is_light, is_kept) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut pixels =
                if is_light { Pixels::of_light(vec![1.0; 35]) } else { Pixels::of(vec![1.0; 105]) };
            if is_kept {
                pixels = pixels.keeping(&photo, mask.clone()).unwrap();
            }
            let u = pixels.start();
            let mut gradient = vec![0.0; u.len()];
            pixels.evaluate(&u, &mut gradient, |_, _| Ok::<(), ()>(())).unwrap();
            let of_light = pixels.light.iter().map(|light| light.pixels.len() + light.gradient.len());
            let of_kept =
                pixels.kept.iter().map(|kept| kept.photo.len() + kept.mask.len() + kept.mixed.len());
            let held = 4 * (of_light.sum::<usize>() + of_kept.sum::<usize>());
            assert_eq!(Pixels::bytes(35, is_light, is_kept), held as u64, "{is_light} {is_kept}");
        }
    }
}
