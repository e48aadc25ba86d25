//! From the colours of a file to sRGB, by the `moxcms` crate.

use std::sync::Arc;

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformF32Executor, TransformOptions};

use super::Profile;
use super::raster::{Colour, Model};

/// Converts pixels to sRGB.
pub(super) struct Converter {
    model: Model,
    /// None: the numbers are sRGB already.
    transform: Option<Arc<TransformF32Executor>>,
}

impl Converter {
    /// The conversion of a file's colours, and what becomes of its profile.
    pub(super) fn new(colour: &Colour, model: Model) -> (Self, Profile) {
        let Colour::Icc(profile) = colour else {
            return (Self { model, transform: None }, Profile::Absent);
        };
        let transform = transform(profile, model);
        let outcome = if transform.is_some() { Profile::Converted } else { Profile::Unusable };
        (Self { model, transform }, outcome)
    }

    /// Converts n pixels of the model's channels in 0..1 to n pixels of RGB in 0..1.
    pub(super) fn convert(&self, from: &[f32], to: &mut [f32]) {
        let converted =
            self.transform.as_ref().is_some_and(|transform| transform.transform(from, to).is_ok());
        if converted {
            return;
        }
        match self.model {
            Model::Grey => {
                to.as_chunks_mut::<3>().0.iter_mut().zip(from).for_each(|(rgb, &grey)| *rgb = [grey; 3])
            }
            _ => to.copy_from_slice(from),
        }
    }
}

fn transform(profile: &[u8], model: Model) -> Option<Arc<TransformF32Executor>> {
    let source = ColorProfile::new_from_slice(profile).ok()?;
    let layout = match (source.color_space, model) {
        (DataColorSpace::Rgb, Model::Rgb) => Layout::Rgb,
        (DataColorSpace::Gray, Model::Grey) => Layout::Gray,
        _ => return None,
    };
    let srgb = ColorProfile::new_srgb();
    source.create_transform_f32(layout, &srgb, Layout::Rgb, TransformOptions::default()).ok()
}
