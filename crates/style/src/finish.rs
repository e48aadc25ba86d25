//! From the pixels that were painted to the picture that is written.
//!
//! Where only light is painted, the result has the photo's chroma: Y + (photo - Y_photo), with chroma shrunk where that leaves
//! 0..=255. The photo's alpha is the result's.

use std::borrow::Cow;

use crate::colour::{in_light, light};
use crate::{Mask, Picture, PictureError, Scene};

/// What becomes of painted pixels at one size.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finish<'a> {
    /// (H, W).
    size: (usize, usize),
    /// The photo in its colours, where only light is painted.
    colours: Option<Cow<'a, Picture>>,
    /// The photo's alpha.
    alpha: Option<Mask>,
}

/// A picture as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finished {
    pub(crate) picture: Picture,
    /// The share of pixels whose chroma shrank, 0 to 1.
    pub(crate) shrunk: f64,
}

impl<'a> Finish<'a> {
    /// For the pixels of a scene, which is not needed any more.
    pub(crate) fn of(scene: Scene<'a>) -> Self {
        let photo = scene.photo();
        let (size, alpha) = ((photo.height(), photo.width()), photo.alpha().cloned());
        Self { size, alpha, colours: scene.into_colours() }
    }

    /// The same with a photo of its own.
    pub(crate) fn into_owned(self) -> Finish<'static> {
        Finish { colours: self.colours.map(|photo| Cow::Owned(photo.into_owned())), ..self }
    }

    /// The picture of H x W x 3 pixels.
    pub(crate) fn picture(&self, mut pixels: Vec<f32>) -> Result<Finished, PictureError> {
        let mut shrunk = 0;
        if let Some(photo) = &self.colours {
            let (painted, photo) = (pixels.as_chunks_mut::<3>().0, photo.data().as_chunks::<3>().0);
            for (pixel, photo) in painted.iter_mut().zip(photo) {
                let (colour, seen) = in_light(*photo, light(*pixel));
                *pixel = colour;
                shrunk += usize::from(seen);
            }
        }
        let shrunk = shrunk as f64 / (self.size.0 * self.size.1) as f64;
        let picture = Picture::new(self.size.0, self.size.1, pixels)?;
        let picture = match &self.alpha {
            Some(alpha) => picture.with_alpha(alpha.clone())?,
            None => picture,
        };
        Ok(Finished { picture, shrunk })
    }
}
