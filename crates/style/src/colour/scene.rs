//! The colours of a whole scene: each painting's brought to those of the photo in the painting's region.

use std::sync::Arc;

use super::{Weighted, light, recolour};
use crate::{Colours, Mask, Scene};

impl Scene<'_> {
    /// Brings the paintings' colours to the photo's as `colours` says, region by region: by the statistics of the photo's pixels
    /// that count there and of the part of the painting that is taken. Where only light is painted, the photo becomes its light,
    /// and its colours are kept for [`Scene::into_colours`].
    pub(crate) fn recolour(&mut self, colours: Colours) {
        if colours == Colours::Painting {
            return;
        }
        let images = self.subject().style_images();
        for ((painting, part), image) in self.paintings.iter_mut().zip(&self.masks.parts).zip(images) {
            let photo = Weighted {
                picture: &self.photo,
                weights: self.masks.regions[image.region].as_ref().map(Mask::values),
            };
            recolour(colours, Arc::make_mut(painting), part.as_ref().map(Mask::values), photo);
        }
        if colours == Colours::Photo {
            self.colours = Some(self.photo.clone());
            light::make_grey(self.photo.to_mut());
        }
    }
}
