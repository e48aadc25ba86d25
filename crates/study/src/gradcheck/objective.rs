//! The whole objective in `f64`: pixels -> preprocessing -> VGG -> every loss there is.

use impasto_autodiff::check::Ladder;
use impasto_autodiff::{AutodiffError, Chain, LossKind, Term, Weight, reference};
use impasto_tensor::Tensor;

use super::registry::Case;

/// The most filters of layers whose loss takes square roots of matrices, which in `f64` are slow.
const MOST_ROOT: usize = 128;

/// The total loss of a picture in `f64`, by the reference path.
#[derive(Debug)]
pub struct Objective {
    chain: Chain<f64>,
    terms: Vec<Term<f64>>,
}

impl Objective {
    /// The paper's objective and whatever else there is: losses at positions at conv4_2, losses of sums at the chain's first
    /// convolutions of each block (those of square roots where there are few filters), losses of the picture itself; each scaled so that it is 1 at `start`, which lets none hide
    /// behind the others.
    ///
    /// `photo`, `painting` and `start` are RGB in 0..=255, H x W x 3; `start` has the size of `photo`.
    ///
    /// # Errors
    /// [`AutodiffError`] if a picture is too small for the chain or sizes differ.
    pub fn new(
        chain: Chain<f64>,
        photo: &Tensor<f64>,
        painting: &Tensor<f64>,
        start: &Tensor<f64>,
    ) -> Result<Self, AutodiffError> {
        let names: Vec<String> = chain.convs().map(|conv| conv.name.clone()).collect();
        let last = chain.layers.len() - 1;
        let p = reference::responses(&chain, photo, last)?;
        let a = reference::responses(&chain, painting, last)?;
        let mut terms = Vec::new();
        for kind in LossKind::ALL {
            let (responses, wanted): (_, fn(&str) -> bool) = match kind {
                kind if kind.is_of_sums() => (&a, |name| name.ends_with("_1")),
                kind if kind.is_of_a_layer() => (&p, |name| name == "conv4_2"),
                kind => {
                    let loss = kind.target_of(start)?;
                    terms.push(Term { layer: None, weight: Weight::alone(1.0), loss });
                    continue;
                }
            };
            for layer in names.iter().filter(|name| wanted(name)) {
                let response = &responses[chain.position(layer)?];
                if kind.is_of_means() && response.shape().channels > MOST_ROOT {
                    continue;
                }
                let loss = kind.target_of(response)?;
                terms.push(Term::at(layer, Weight::alone(1.0), loss));
            }
        }
        Self::balanced(chain, terms, start)
    }

    /// The sum of these losses, every weight set to 1 / (the loss at `start`).
    pub(super) fn balanced(
        chain: Chain<f64>,
        mut terms: Vec<Term<f64>>,
        start: &Tensor<f64>,
    ) -> Result<Self, AutodiffError> {
        let losses = reference::losses(&chain, start, &terms)?;
        for (term, loss) in terms.iter_mut().zip(losses.each) {
            term.weight.share = if loss > 0.0 { 1.0 / loss } else { 1.0 };
        }
        Ok(Self { chain, terms })
    }

    /// The total loss of a picture.
    ///
    /// # Errors
    /// [`AutodiffError`] if the picture does not have the photo's size.
    pub fn loss(&self, picture: &Tensor<f64>) -> Result<f64, AutodiffError> {
        Ok(reference::losses(&self.chain, picture, &self.terms)?.total)
    }

    /// Its gradient with respect to the pixels.
    ///
    /// # Errors
    /// [`AutodiffError`] if the picture does not have the photo's size.
    pub fn gradient(&self, picture: &Tensor<f64>) -> Result<Vec<f64>, AutodiffError> {
        Ok(reference::evaluate(&self.chain, picture, &self.terms)?.1.into_vec())
    }
}

/// The case of the whole objective at `start`. Steps go from 1 to 1e-8 grey levels.
///
/// # Errors
/// [`AutodiffError`] if a picture is too small for the chain or sizes differ.
pub(super) fn case(
    chain: Chain<f64>,
    photo: &Tensor<f64>,
    painting: &Tensor<f64>,
    start: &Tensor<f64>,
) -> Result<Case, AutodiffError> {
    let objective = Objective::new(chain, photo, painting, start)?;
    let shape = start.shape();
    Ok(Case {
        shapes: format!("{shape}, painting {}", painting.shape()),
        gradient: objective.gradient(start)?,
        f: Box::new(move |x| {
            let picture = Tensor::from_vec(shape, x.to_vec()).map_err(AutodiffError::from);
            // The size was accepted before.
            picture.and_then(|picture| objective.loss(&picture)).unwrap_or(f64::NAN)
        }),
        x: start.data().to_vec(),
        ladder: Ladder::new(1.0, 4.0, 14),
    })
}

#[cfg(all(test, feature = "embedded-weights"))]
mod tests {
    use impasto_autodiff::Pooling;
    use impasto_autodiff::check::Verdict;
    use impasto_tensor::Shape;
    use impasto_vgg::Network;

    use super::super::{OBJECTIVE_TOLERANCE, Operation, Row};
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
        let chain = network.chain_to("conv5_1", Pooling::Average).unwrap().cast();
        let (photo, painting, start) = (wavy(19, 17, 0.7), wavy(16, 21, 1.9), wavy(19, 17, 0.3));
        let case = case(chain, &photo, &painting, &start).unwrap();
        let row = Row::of(&Operation::new("", |_| unreachable!()).within(OBJECTIVE_TOLERANCE), &case);
        assert_eq!(row.verdict(), Verdict::Pass, "{:e}", row.worst().relative_error());
        assert!(row.nearest_kink().is_some(), "a step of a grey level switches some of the ReLUs");
    }
}
