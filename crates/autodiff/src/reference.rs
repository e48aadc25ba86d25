//! The whole network's losses and gradient, operation by operation on whole tensors, in `f32` or `f64`.
//!
//! This is the twin that the planned [`crate::Evaluator`] is held to, and what finite differences check in `f64`.

use impasto_tensor::{Element, Tensor};

use crate::losses::{ContentTerm, Losses, StyleTerm};
use crate::ops::style::GramMatrix;
use crate::ops::{content, conv, pool, relu, style};
use crate::{AutodiffError, Chain, Layer};

/// The response after each layer of the chain up to index `last`; that of a convolution is F, after its ReLU.
///
/// # Errors
/// [`AutodiffError`] if the picture does not fit the chain or is too small for a pooling.
pub fn responses<T: Element>(
    chain: &Chain<T>,
    image: &Tensor<T>,
    last: usize,
) -> Result<Vec<Tensor<T>>, AutodiffError> {
    let mut responses: Vec<Tensor<T>> = Vec::new();
    for layer in chain.layers.iter().take(last + 1) {
        let input = responses.last().unwrap_or(image);
        responses.push(match layer {
            Layer::Conv(layer) => {
                let mut z = conv::forward(layer, input)?;
                relu::forward(z.data_mut());
                z
            }
            Layer::Pool => pool::forward(chain.pooling, input)?,
        });
    }
    Ok(responses)
}

/// The losses of `image` (H x W x 3, preprocessed), without their gradient.
///
/// # Errors
/// [`AutodiffError`] if a term names no layer of the chain, or shapes do not fit.
pub fn losses<T: Element>(
    chain: &Chain<T>,
    image: &Tensor<T>,
    content_terms: &[ContentTerm<T>],
    style_terms: &[StyleTerm<T>],
) -> Result<Losses, AutodiffError> {
    Ok(forward(chain, image, content_terms, style_terms)?.losses)
}

/// The losses of `image` (H x W x 3, preprocessed) and the gradient of their total with respect to it.
///
/// # Errors
/// [`AutodiffError`] if a term names no layer of the chain, or shapes do not fit.
pub fn evaluate<T: Element>(
    chain: &Chain<T>,
    image: &Tensor<T>,
    content_terms: &[ContentTerm<T>],
    style_terms: &[StyleTerm<T>],
) -> Result<(Losses, Tensor<T>), AutodiffError> {
    let Forward { losses, responses, content_at, style_at, grams } =
        forward(chain, image, content_terms, style_terms)?;
    let Some(deepest) = responses.len().checked_sub(1) else {
        return Ok((losses, Tensor::zeros(image.shape())?));
    };

    // The backward sweep: `gradient` is dL/d(response of layer `at`), to which each tap there adds its own.
    let mut gradient = Tensor::zeros(responses[deepest].shape())?;
    for at in (0..=deepest).rev() {
        let f = &responses[at];
        for (term, _) in content_terms.iter().zip(&content_at).filter(|(_, tap)| **tap == at) {
            content::add_gradient(f.data(), term.target.data(), term.weight, gradient.data_mut());
        }
        for ((term, gram), _) in style_terms.iter().zip(&grams).zip(&style_at).filter(|(_, tap)| **tap == at)
        {
            style::add_gradient(f, gram, &term.target, term.weight, gradient.data_mut())?;
        }
        let input = if at == 0 { image } else { &responses[at - 1] };
        gradient = match &chain.layers[at] {
            Layer::Conv(layer) => {
                relu::backward(f.data(), gradient.data_mut());
                conv::backward(layer, &gradient)?
            }
            Layer::Pool => pool::backward(chain.pooling, input, &gradient)?,
        };
    }
    Ok((losses, gradient))
}

/// The losses, and what the backward sweep reads again.
struct Forward<T> {
    losses: Losses,
    /// The response of every layer up to the deepest tap; none without a term.
    responses: Vec<Tensor<T>>,
    /// The layers of the terms, as indices of the chain.
    content_at: Vec<usize>,
    style_at: Vec<usize>,
    /// The Gram matrix of each style term's layer.
    grams: Vec<GramMatrix<T>>,
}

fn forward<T: Element>(
    chain: &Chain<T>,
    image: &Tensor<T>,
    content_terms: &[ContentTerm<T>],
    style_terms: &[StyleTerm<T>],
) -> Result<Forward<T>, AutodiffError> {
    let content_at = positions(chain, content_terms.iter().map(|term| &term.layer))?;
    let style_at = positions(chain, style_terms.iter().map(|term| &term.layer))?;
    let mut losses = Losses::default();
    let mut grams: Vec<GramMatrix<T>> = Vec::new();
    let Some(&deepest) = content_at.iter().chain(&style_at).max() else {
        return Ok(Forward { losses, responses: Vec::new(), content_at, style_at, grams });
    };
    let responses = responses(chain, image, deepest)?;

    for (term, &at) in content_terms.iter().zip(&content_at) {
        check_target(&term.layer, &responses[at].shape(), &term.target.shape())?;
        losses.content.push(content::loss(responses[at].data(), term.target.data()));
    }
    for (term, &at) in style_terms.iter().zip(&style_at) {
        let gram = style::gram(&responses[at])?;
        check_target(&term.layer, &gram.channels, &term.target.channels)?;
        losses.style.push(style::loss(&gram, &term.target));
        grams.push(gram);
    }
    losses.total =
        content_terms.iter().map(|term| term.weight).zip(&losses.content).map(|(w, l)| w * l).sum::<f64>()
            + style_terms.iter().map(|term| term.weight).zip(&losses.style).map(|(w, l)| w * l).sum::<f64>();
    Ok(Forward { losses, responses, content_at, style_at, grams })
}

fn positions<'a, T: Element>(
    chain: &Chain<T>,
    layers: impl Iterator<Item = &'a String>,
) -> Result<Vec<usize>, AutodiffError> {
    layers.map(|layer| chain.position(layer)).collect()
}

/// Refuses a target whose size is not its layer's.
pub(crate) fn check_target<S: PartialEq + std::fmt::Display>(
    layer: &str,
    expected: &S,
    got: &S,
) -> Result<(), AutodiffError> {
    if expected == got {
        return Ok(());
    }
    Err(AutodiffError::Target {
        layer: layer.to_owned(),
        expected: expected.to_string(),
        got: got.to_string(),
    })
}
