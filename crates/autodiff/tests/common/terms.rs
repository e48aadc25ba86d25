//! The terms of a test's loss and what is computed of them: the one place in the tests that knows how terms are written.

use impasto_autodiff::{
    AutodiffError, Chain, ContentTerm, Evaluator, GramMatrix, Losses, StyleTerm, ops::style, reference,
};
use impasto_tensor::{Element, Tensor};

/// A list of terms.
#[derive(Debug, Clone)]
pub(crate) struct Terms<T> {
    content: Vec<ContentTerm<T>>,
    style: Vec<StyleTerm<T>>,
}

impl<T> Default for Terms<T> {
    fn default() -> Self {
        Self { content: Vec::new(), style: Vec::new() }
    }
}

impl<T: Element> Terms<T> {
    /// Adds `weight` L_content at a layer.
    pub(crate) fn content(mut self, layer: &str, weight: f64, target: Tensor<T>) -> Self {
        self.content.push(ContentTerm { layer: layer.to_owned(), weight, target });
        self
    }

    /// Adds `weight` E_l at a layer; the painting's Gram matrix is that of its response there.
    pub(crate) fn style(self, layer: &str, weight: f64, response: &Tensor<T>) -> Self {
        self.gram(layer, weight, style::gram(response).expect("a consistent tensor"))
    }

    /// The same with a Gram matrix that is known already.
    pub(crate) fn gram(mut self, layer: &str, weight: f64, target: GramMatrix<T>) -> Self {
        self.style.push(StyleTerm { layer: layer.to_owned(), weight, target });
        self
    }

    /// Each term as a list of its own, content first.
    pub(crate) fn one_by_one(&self) -> impl Iterator<Item = Self> {
        let content = self.content.iter().map(|term| Self { content: vec![term.clone()], style: Vec::new() });
        let style = self.style.iter().map(|term| Self { content: Vec::new(), style: vec![term.clone()] });
        content.chain(style)
    }

    /// The terms that compare with the photo, and those that compare with the painting.
    pub(crate) fn by_picture(self) -> [Self; 2] {
        let Self { content, style } = self;
        [Self { content, style: Vec::new() }, Self { content: Vec::new(), style }]
    }

    /// Their layers: those of L_content, those of E_l.
    pub(crate) fn layers(&self) -> [Vec<String>; 2] {
        [
            self.content.iter().map(|term| term.layer.clone()).collect(),
            self.style.iter().map(|term| term.layer.clone()).collect(),
        ]
    }

    /// The index in the chain of the deepest term's layer; none without terms.
    pub(crate) fn deepest(&self, chain: &Chain<T>) -> Option<usize> {
        let position = |layer: &String| chain.position(layer).expect("a layer of the chain");
        self.layers().iter().flatten().map(position).max()
    }

    /// The same terms in another precision.
    pub(crate) fn cast<U: Element>(&self) -> Terms<U> {
        let content = |term: &ContentTerm<T>| ContentTerm {
            layer: term.layer.clone(),
            weight: term.weight,
            target: term.target.cast(),
        };
        let style = |term: &StyleTerm<T>| StyleTerm {
            layer: term.layer.clone(),
            weight: term.weight,
            target: GramMatrix {
                channels: term.target.channels,
                data: term.target.data.iter().map(|value| U::from_f64(value.to_f64())).collect(),
            },
        };
        Terms {
            content: self.content.iter().map(content).collect(),
            style: self.style.iter().map(style).collect(),
        }
    }

    /// The losses of a picture by the reference.
    pub(crate) fn losses(&self, chain: &Chain<T>, image: &Tensor<T>) -> Result<Losses, AutodiffError> {
        reference::losses(chain, image, &self.content, &self.style)
    }

    /// The losses of a picture and the gradient of their total by the reference.
    pub(crate) fn evaluate(
        &self,
        chain: &Chain<T>,
        image: &Tensor<T>,
    ) -> Result<(Losses, Tensor<T>), AutodiffError> {
        reference::evaluate(chain, image, &self.content, &self.style)
    }
}

impl Terms<f32> {
    /// Makes them the evaluator's.
    pub(crate) fn set(&self, evaluator: &mut Evaluator) -> Result<(), AutodiffError> {
        evaluator.set_terms(self.content.clone(), self.style.clone())
    }
}

/// The unweighted losses in the order of the terms.
pub(crate) fn each(losses: &Losses) -> Vec<f64> {
    [losses.content.as_slice(), &losses.style].concat()
}
