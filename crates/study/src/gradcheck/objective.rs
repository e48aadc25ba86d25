//! The whole objective in `f64`: pixels -> preprocessing -> VGG -> content and style losses, plus TV.

use impasto_autodiff::check::Ladder;
use impasto_autodiff::ops::style;
use impasto_autodiff::{AutodiffError, Chain, ContentTerm, StyleTerm, reference, tv};
use impasto_tensor::Tensor;
use impasto_vgg::Preprocessing;

use super::{Claim, OBJECTIVE_TOLERANCE, Row};

/// The total loss of a picture in `f64`, by the reference path.
#[derive(Debug)]
pub struct Objective {
    chain: Chain<f64>,
    preprocessing: Preprocessing,
    content: Vec<ContentTerm<f64>>,
    style: Vec<StyleTerm<f64>>,
    tv_weight: f64,
}

impl Objective {
    /// The paper's objective: content conv4_2, the five style layers of the chain's first convolutions of each block,
    /// each loss and TV scaled so that it is 1 at `start`, which lets none hide behind the others.
    ///
    /// `photo`, `painting` and `start` are RGB in 0..=255, H x W x 3; `start` has the size of `photo`.
    ///
    /// # Errors
    /// [`AutodiffError`] if a picture is too small for the chain or sizes differ.
    pub fn new(
        chain: Chain<f64>,
        preprocessing: Preprocessing,
        photo: &Tensor<f64>,
        painting: &Tensor<f64>,
        start: &Tensor<f64>,
    ) -> Result<Self, AutodiffError> {
        let names: Vec<String> = chain.convs().map(|conv| conv.name.clone()).collect();
        let content_layers = names.iter().filter(|name| *name == "conv4_2");
        let style_layers = names.iter().filter(|name| name.ends_with("_1"));
        let last = chain.layers.len() - 1;
        let p = reference::responses(&chain, &input(preprocessing, photo), last)?;
        let a = reference::responses(&chain, &input(preprocessing, painting), last)?;
        let content = content_layers
            .map(|layer| {
                let target = p[chain.position(layer)?].clone();
                Ok(ContentTerm { layer: layer.clone(), weight: 1.0, target })
            })
            .collect::<Result<_, AutodiffError>>()?;
        let style = style_layers
            .map(|layer| {
                let target = style::gram(&a[chain.position(layer)?])?;
                Ok(StyleTerm { layer: layer.clone(), weight: 1.0, target })
            })
            .collect::<Result<_, AutodiffError>>()?;
        let mut objective = Self { chain, preprocessing, content, style, tv_weight: 1.0 };
        objective.balance(start)?;
        Ok(objective)
    }

    /// Sets every weight to 1 / (the loss at `start`).
    fn balance(&mut self, start: &Tensor<f64>) -> Result<(), AutodiffError> {
        let image = input(self.preprocessing, start);
        let losses = reference::losses(&self.chain, &image, &self.content, &self.style)?;
        let inverse = |loss: f64| if loss > 0.0 { 1.0 / loss } else { 1.0 };
        for (term, loss) in self.content.iter_mut().zip(&losses.content) {
            term.weight = inverse(*loss);
        }
        for (term, loss) in self.style.iter_mut().zip(&losses.style) {
            term.weight = inverse(*loss);
        }
        let tv = tv::total_variation(start.data(), start.shape(), 0.0, &mut vec![0.0; start.shape().len()]);
        self.tv_weight = inverse(tv);
        Ok(())
    }

    /// The total loss of a picture.
    ///
    /// # Errors
    /// [`AutodiffError`] if the picture does not have the photo's size.
    pub fn loss(&self, picture: &Tensor<f64>) -> Result<f64, AutodiffError> {
        let image = input(self.preprocessing, picture);
        let losses = reference::losses(&self.chain, &image, &self.content, &self.style)?;
        let mut unused = vec![0.0; picture.shape().len()];
        let tv = tv::total_variation(picture.data(), picture.shape(), 0.0, &mut unused);
        Ok(losses.total + self.tv_weight * tv)
    }

    /// Its gradient with respect to the pixels.
    ///
    /// # Errors
    /// [`AutodiffError`] if the picture does not have the photo's size.
    pub fn gradient(&self, picture: &Tensor<f64>) -> Result<Vec<f64>, AutodiffError> {
        let image = input(self.preprocessing, picture);
        let (_, gradient) = reference::evaluate(&self.chain, &image, &self.content, &self.style)?;
        let mut gradient = gradient.into_vec();
        self.preprocessing.gradient(&mut gradient);
        tv::total_variation(picture.data(), picture.shape(), self.tv_weight, &mut gradient);
        Ok(gradient)
    }
}

/// The network's input z of an RGB picture x.
fn input(preprocessing: Preprocessing, picture: &Tensor<f64>) -> Tensor<f64> {
    let mut z = picture.clone();
    preprocessing.apply(picture.data(), z.data_mut());
    z
}

/// The row of the whole objective at `start`. Steps go from 1 to 1e-8 grey levels.
///
/// # Errors
/// [`AutodiffError`] if a picture is too small for the chain or sizes differ.
pub fn objective(
    chain: Chain<f64>,
    preprocessing: Preprocessing,
    photo: &Tensor<f64>,
    painting: &Tensor<f64>,
    start: &Tensor<f64>,
) -> Result<Row, AutodiffError> {
    let objective = Objective::new(chain, preprocessing, photo, painting, start)?;
    let gradient = objective.gradient(start)?;
    let f = |x: &[f64]| {
        let mut picture = start.clone();
        picture.data_mut().copy_from_slice(x);
        objective.loss(&picture).unwrap_or(f64::NAN) // the size was accepted before
    };
    let deepest = objective.chain.convs().last().map_or("", |conv| &conv.name);
    Ok(Row::new(
        &format!("the whole objective to {deepest}"),
        format!("{}, painting {}", start.shape(), painting.shape()),
        OBJECTIVE_TOLERANCE,
        &Ladder::new(1.0, 4.0, 14),
        &Claim { f: &f, x: start.data(), gradient: &gradient },
    ))
}

#[cfg(all(test, feature = "embedded-weights"))]
mod tests {
    use impasto_autodiff::Pooling;
    use impasto_autodiff::check::Verdict;
    use impasto_tensor::Shape;
    use impasto_vgg::Network;

    use super::*;

    fn wavy(height: usize, width: usize, step: f64) -> Tensor<f64> {
        let shape = Shape::new(height, width, 3);
        let pixels =
            (0..shape.len()).map(|i| 127.5 + 90.0 * (i as f64 * step).sin() + (i * i % 71) as f64 * 0.5);
        Tensor::from_vec(shape, pixels.collect()).unwrap()
    }

    /// Odd sizes, a painting of another size, the embedded weights.
    #[test]
    fn vgg_objective_gradient_matches_finite_differences() {
        let network = Network::embedded().unwrap();
        let preprocessing = network.preprocessing;
        let chain = network.chain_to("conv5_1", Pooling::Average).unwrap().cast();
        let (photo, painting, start) = (wavy(19, 17, 0.7), wavy(16, 21, 1.9), wavy(19, 17, 0.3));
        let row = objective(chain, preprocessing, &photo, &painting, &start).unwrap();
        assert_eq!(row.verdict(), Verdict::Pass, "{:e}", row.worst().relative_error());
        assert!(row.nearest_kink().is_some(), "a step of a grey level switches some of the ReLUs");
    }
}
