//! The terms of a test's loss and what is computed of them: the one place in the tests that knows how terms are written.

use impasto_autodiff::losses::{Content, Style, gram};
use impasto_autodiff::{
    AutodiffError, Chain, GramMatrix, Loss, LossKind, Losses, Tap, Term, Weight, reference,
};
use impasto_tensor::{Element, Tensor};

/// A list of terms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Terms<T>(pub(crate) Vec<Term<T>>);

impl<T: Element> Terms<T> {
    fn with(mut self, layer: &str, weight: f64, loss: Loss<T>) -> Self {
        self.0.push(Term::at(layer, Weight::alone(weight), loss));
        self
    }

    /// Adds `weight` L_content at a layer.
    pub(crate) fn content(self, layer: &str, weight: f64, target: Tensor<T>) -> Self {
        self.with(layer, weight, Loss::Content(Content { target, guide: None }))
    }

    /// Adds `weight` E_l at a layer; the painting's Gram matrix is that of its response there.
    pub(crate) fn style(self, layer: &str, weight: f64, response: &Tensor<T>) -> Self {
        self.gram(layer, weight, gram::gram(response).expect("a consistent tensor"))
    }

    /// Adds `weight` times any loss of sums.
    pub(crate) fn sums(self, kind: LossKind, layer: &str, weight: f64, response: &Tensor<T>) -> Self {
        self.with(layer, weight, kind.target_of(response).expect("a consistent tensor"))
    }

    /// The same with a Gram matrix that is known already.
    pub(crate) fn gram(self, layer: &str, weight: f64, target: GramMatrix<T>) -> Self {
        self.with(layer, weight, Loss::Gram(Style { target, guide: None }))
    }

    /// Adds the total variation of the picture.
    pub(crate) fn total_variation(mut self, weight: f64) -> Self {
        self.0.push(Term::total_variation(weight));
        self
    }

    /// Each term as a list of its own.
    pub(crate) fn one_by_one(&self) -> impl Iterator<Item = Self> {
        self.0.iter().map(|term| Self(vec![term.clone()]))
    }

    /// The terms that compare with the photo, and those that compare with the painting.
    pub(crate) fn by_picture(self) -> [Self; 2] {
        let (photo, painting) = self.0.into_iter().partition(|term| term.loss.kind() == LossKind::Content);
        [Self(photo), Self(painting)]
    }

    /// Where they look.
    pub(crate) fn taps(&self) -> Vec<Tap> {
        let tap = |term: &Term<T>| {
            Some(Tap::new(term.layer.clone()?, term.loss.kind()).guided(term.loss.guide().is_some()))
        };
        self.0.iter().filter_map(tap).collect()
    }

    /// The index in the chain of the deepest term's layer; none without terms.
    pub(crate) fn deepest(&self, chain: &Chain<T>) -> Option<usize> {
        let position = |layer: &String| chain.position(layer).expect("a layer of the chain");
        self.0.iter().filter_map(|term| term.layer.as_ref()).map(position).max()
    }

    /// The same terms in another precision.
    pub(crate) fn cast<U: Element>(&self) -> Terms<U> {
        Terms(self.0.iter().map(Term::cast).collect())
    }

    /// The losses of a picture by the reference.
    pub(crate) fn losses(&self, chain: &Chain<T>, image: &Tensor<T>) -> Result<Losses, AutodiffError> {
        reference::losses(chain, image, &self.0)
    }

    /// The losses of a picture and the gradient of their total by the reference.
    pub(crate) fn evaluate(
        &self,
        chain: &Chain<T>,
        image: &Tensor<T>,
    ) -> Result<(Losses, Tensor<T>), AutodiffError> {
        reference::evaluate(chain, image, &self.0)
    }
}

/// The unweighted losses in the order of the terms.
pub(crate) fn each(losses: &Losses) -> Vec<f64> {
    losses.each.clone()
}
