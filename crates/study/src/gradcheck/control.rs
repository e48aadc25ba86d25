//! The objective of what is masked, blended, kept and painted in light alone, in `f64`: from the variables that move to the total
//! loss of what a transfer measures.
//!
//! ```text
//! x = (l, l, l),   l = m Y_photo + (1 - m) y            dL/dy = (1 - m) (dL/dR + dL/dG + dL/dB)
//! ```
//!
//! Targets and guides are a transfer's own, from `f32` pictures: they are constants of the loss. The losses, the network and the way
//! to x are computed in `f64`.

use impasto_autodiff::check::Ladder;
use impasto_autodiff::{AutodiffError, Chain, Term, Weight};
use impasto_style::{
    Colours, Init, Mask, Network, Photo, Picture, PictureError, PreparedNetwork, Region, RegionMask,
    StyleImage, StyleLoss, Subject, SubjectError, TransferError, TransferOptions, first_picture,
};
use impasto_tensor::{Shape, Tensor, TensorError};

use super::Objective;
use super::registry::Case;

/// Why the objective of a subject could not be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// It does not fit together.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// It cannot be measured.
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

impl From<AutodiffError> for ControlError {
    fn from(error: AutodiffError) -> Self {
        Self::Transfer(error.into())
    }
}

impl From<TensorError> for ControlError {
    fn from(error: TensorError) -> Self {
        AutodiffError::from(error).into()
    }
}

impl From<PictureError> for ControlError {
    fn from(error: PictureError) -> Self {
        Self::Transfer(error.into())
    }
}

/// The name of the row.
pub(super) const NAME: &str = "masks, blend, keep, light alone";

/// The case of a photo with everything at once, at the options' size: two regions with a soft edge between them, of which one is of two
/// blended paintings (a part of the painting, and the photo itself) and the other of the whole painting; a content mask; a part of
/// the photo that is kept by half and less; light alone. The style is compared by Gram matrices: the square roots of the other loss,
/// which has rows of its own, are slow in `f64`. The start is noise of the options' seed.
///
/// # Errors
/// [`ControlError`] if a picture is too small for the network's layers.
pub(super) fn case(
    network: Network,
    photo: Picture,
    painting: Picture,
    options: &TransferOptions,
) -> Result<Case, ControlError> {
    let options = options
        .clone()
        .with_blend(vec![3.0, 1.0, 1.0])
        .with_colours(Colours::Photo)
        .with_init(Init::Noise)
        .with_style_loss(StyleLoss::Gram)
        .with_tv_weight(1.0);
    let subject = composed(photo, painting)?;
    let prepared = PreparedNetwork::new(network.clone(), &options)?;
    let scene = subject.at(subject.longest_side(&options), &options)?;
    let variables = Variables::new(scene.photo(), subject.keep())?;
    let start = first_picture(&scene, &prepared, &options)?;
    let y: Vec<f64> = start.data().iter().step_by(3).map(|&value| f64::from(value)).collect();

    let targets = scene.measure(&prepared, &options)?.terms.into_iter();
    let terms: Vec<Term<f64>> = targets
        .map(|target| Term { layer: target.spec.layer, weight: Weight::alone(1.0), loss: target.loss.cast() })
        .collect();
    let mut deepest = (0, "");
    for layer in terms.iter().filter_map(|term| term.layer.as_deref()) {
        deepest = deepest.max((network.position(layer).map_err(TransferError::from)?, layer));
    }
    let chain = network.chain_to(deepest.1, options.pooling).map_err(TransferError::from)?;
    let chain = Chain { border: options.border, ..chain }.cast();
    let losses = terms.len();
    let objective = Objective::balanced(chain, terms, &variables.picture(&y))?;
    let gradient = variables.gradient(&objective.gradient(&variables.picture(&y))?);
    let shapes = format!("{} x {}, {losses} losses", start.height(), start.width());
    Ok(Case {
        shapes,
        gradient,
        // The size was accepted before.
        f: Box::new(move |y| objective.loss(&variables.picture(y)).unwrap_or(f64::NAN)),
        x: y,
        ladder: Ladder::new(1.0, 4.0, 14),
    })
}

/// A photo with masks of all kinds.
fn composed(picture: Picture, painting: Picture) -> Result<Subject, ControlError> {
    let (of_photo, of_painting) =
        ((picture.height(), picture.width()), (painting.height(), painting.width()));
    let (second, painting) = (picture.clone().into(), std::sync::Arc::new(painting));
    let left = ramp(of_photo, |_, across| 2.0 - 3.0 * across)?;
    let upper = ramp(of_painting, |down, _| 1.2 - down)?;
    let photo = Photo {
        picture,
        keep: Some(ramp(of_photo, |down, _| 0.5 * down)?),
        content_mask: Some(ramp(of_photo, |down, across| down + across)?),
    };
    let image = |picture, part, region| StyleImage { picture, part, region };
    let paintings = vec![
        image(std::sync::Arc::clone(&painting), Some(upper), 0),
        image(second, None, 0),
        image(painting, None, 1),
    ];
    let regions = vec![
        Region { name: "left".to_owned(), mask: RegionMask::Mask(left) },
        Region { name: "the rest".to_owned(), mask: RegionMask::Rest },
    ];
    Ok(Subject::compose(photo, paintings, regions)?)
}

/// A mask by how far down and across a pixel is, each from 0 to 1.
fn ramp((height, width): (usize, usize), value: impl Fn(f32, f32) -> f32) -> Result<Mask, PictureError> {
    let at = |index: usize, side: usize| (index as f32 + 0.5) / side as f32;
    let values = (0..height * width).map(|i| value(at(i / width, height), at(i % width, width)));
    Mask::new(height, width, values.collect())
}

/// The light y of each pixel, and the picture x that it stands for.
struct Variables {
    shape: Shape,
    /// Y of the photo.
    photo: Vec<f64>,
    /// m.
    keep: Vec<f64>,
}

impl Variables {
    /// Of a grey photo.
    fn new(photo: &Picture, keep: Option<&Mask>) -> Result<Self, PictureError> {
        let shape = Shape::new(photo.height(), photo.width(), 3);
        let numbers = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<f64>>();
        let keep = keep.map(|keep| keep.resized(photo.height(), photo.width())).transpose()?;
        let keep = keep.map_or_else(|| vec![0.0; shape.positions()], |keep| numbers(keep.values()));
        let photo = photo.data().iter().step_by(3).map(|&value| f64::from(value)).collect();
        Ok(Self { shape, photo, keep })
    }

    fn picture(&self, y: &[f64]) -> Tensor<f64> {
        let light =
            y.iter().zip(&self.photo).zip(&self.keep).map(|((y, photo), m)| m * photo + (1.0 - m) * y);
        Tensor::from_vec(self.shape, light.flat_map(|light| [light; 3]).collect()).expect("3 H W numbers")
    }

    fn gradient(&self, of_picture: &[f64]) -> Vec<f64> {
        let sums = of_picture.chunks_exact(3).map(|rgb| rgb.iter().sum::<f64>());
        sums.zip(&self.keep).map(|(sum, m)| (1.0 - m) * sum).collect()
    }
}

#[cfg(all(test, feature = "embedded-weights"))]
mod tests {
    use impasto_autodiff::check::Verdict;
    use impasto_style::coordinates::{Coordinates, Pixels};
    use impasto_style::{Preset, Size, white_noise};

    use super::super::{OBJECTIVE_TOLERANCE, Operation, Row};
    use super::*;

    #[test]
    fn the_gradient_of_masks_blends_keep_and_light_matches_finite_differences() {
        let options = Preset::Paper.options().with_size(Size::Longest(21));
        let (photo, painting) = (white_noise(19, 21, 1).unwrap(), white_noise(17, 20, 2).unwrap());
        let case = case(Network::embedded().unwrap(), photo, painting, &options).unwrap();
        let row = Row::of(&Operation::new(NAME, |_| unreachable!()).within(OBJECTIVE_TOLERANCE), &case);
        assert_eq!(row.verdict(), Verdict::Pass, "{:e}", row.worst().relative_error());
        assert!(
            row.shapes.ends_with("12 losses"),
            "content, 5 layers of each region, variation: {}",
            row.shapes
        );
    }

    /// What is checked here in `f64` is what a transfer moves in `f32`.
    #[test]
    fn variables_are_those_of_a_transfer() {
        let photo =
            Picture::new(2, 2, [10.0, 80.0, 120.0, 250.0].iter().flat_map(|&y| [y; 3]).collect()).unwrap();
        let keep = Mask::new(2, 2, vec![0.0, 0.25, 0.5, 1.0]).unwrap();
        let (variables, y) = (Variables::new(&photo, Some(&keep)).unwrap(), [30.0, 40.0, 60.0, 70.0]);
        let w: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7) - 3.0).collect();
        let mut pixels = Pixels::of_light(vec![0.0; 4]).keeping(&photo, keep).unwrap();
        let mut gradient = vec![0.0; 4];
        let evaluated = pixels.evaluate(&y.map(|y| y as f32), &mut gradient, |x, gradient| {
            gradient.iter_mut().zip(&w).for_each(|(gradient, w)| *gradient = *w as f32);
            Ok::<_, std::convert::Infallible>(x.to_vec())
        });
        let as_f64 = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<f64>>();
        let Ok(x) = evaluated;
        assert_eq!(as_f64(x), variables.picture(&y).data());
        assert_eq!(as_f64(gradient), variables.gradient(&w));
    }
}
