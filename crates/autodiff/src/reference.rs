//! The whole network's losses and gradient, operation by operation on whole tensors, in `f32` or `f64`.
//!
//! This is the twin that the planned [`crate::Evaluator`] is held to, and what finite differences check in `f64`.

use std::borrow::Cow;

use impasto_tensor::{Element, Shape, Tensor};

use crate::ops::{conv, pool, relu};
use crate::terms::{Losses, Term};
use crate::{AutodiffError, Chain, Layer};

/// The response to a picture after each layer of the chain up to index `last`; that of a convolution is F, after its ReLU.
///
/// # Errors
/// [`AutodiffError`] if the picture does not fit the chain or is too small for a pooling.
pub fn responses<T: Element>(
    chain: &Chain<T>,
    image: &Tensor<T>,
    last: usize,
) -> Result<Vec<Tensor<T>>, AutodiffError> {
    let image = input(chain, image);
    let mut responses: Vec<Tensor<T>> = Vec::new();
    for (at, layer) in chain.layers.iter().enumerate().take(last + 1) {
        let input = responses.last().unwrap_or(&image);
        responses.push(match layer {
            Layer::Conv(layer) => {
                let mut z = conv::forward(layer, chain.border_at(at), input)?;
                relu::forward(z.data_mut());
                z
            }
            Layer::Pool => {
                check_pooled(chain, image.shape(), at)?;
                pool::forward(chain.pooling, input)?
            }
        });
    }
    Ok(responses)
}

/// Checks that a picture has a position after the pooling `chain.layers[at]`: else the convolution behind it is named.
fn check_pooled<T>(chain: &Chain<T>, image: Shape, at: usize) -> Result<(), AutodiffError> {
    let Shape { height, width, .. } = image;
    let is_pool = |layer: &&Layer<T>| matches!(layer, Layer::Pool);
    let minimum = 1 << chain.layers[..=at].iter().filter(is_pool).count();
    if height.min(width) >= minimum {
        return Ok(());
    }
    let behind = chain.layers[at..].iter().find_map(|layer| match layer {
        Layer::Conv(conv) => Some(conv.name.clone()),
        Layer::Pool => None,
    });
    let layer = behind.unwrap_or_else(|| "its last pooling".to_owned());
    Err(AutodiffError::TooSmall { height, width, layer, minimum })
}

/// What the first layer reads of a picture.
fn input<'a, T: Element>(chain: &Chain<T>, image: &'a Tensor<T>) -> Cow<'a, Tensor<T>> {
    let Some(preprocessing) = chain.input else { return Cow::Borrowed(image) };
    let mut z = image.clone();
    preprocessing.apply(image.data(), z.data_mut());
    Cow::Owned(z)
}

/// The losses of `image` (H x W x 3), without their gradient.
///
/// # Errors
/// [`AutodiffError`] if a term names no layer of the chain, or shapes do not fit.
pub fn losses<T: Element>(
    chain: &Chain<T>,
    image: &Tensor<T>,
    terms: &[Term<T>],
) -> Result<Losses, AutodiffError> {
    Ok(forward(chain, image, terms)?.losses)
}

/// The losses of `image` (H x W x 3) and the gradient of their total with respect to it.
///
/// # Errors
/// [`AutodiffError`] if a term names no layer of the chain, or shapes do not fit.
pub fn evaluate<T: Element>(
    chain: &Chain<T>,
    image: &Tensor<T>,
    terms: &[Term<T>],
) -> Result<(Losses, Tensor<T>), AutodiffError> {
    evaluate_looking(chain, image, terms, |_| ())
}

/// A gradient that the backward sweep has at a convolution.
#[derive(Debug, Clone, Copy)]
pub struct Swept<'a, T> {
    /// The layer's name, such as `conv4_2`.
    pub layer: &'a str,
    /// What the gradient is by.
    pub by: By,
    /// F of the layer, after its ReLU, H x W x C.
    pub response: &'a Tensor<T>,
    /// dL/dF or dL/dZ of the whole L: of the layer's own losses, and of all that lie deeper. The shape of F.
    pub gradient: &'a Tensor<T>,
}

/// What a gradient of a convolution's result is by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// F, after the ReLU: what the layer's losses look at.
    F,
    /// Z, before the ReLU: 0 where F is 0.
    Z,
}

/// [`evaluate`], which shows what the sweep has at each convolution up to the deepest tap, from there back to the first one: first by
/// F, then by Z.
///
/// # Errors
/// [`AutodiffError`] if a term names no layer of the chain, or shapes do not fit.
pub fn evaluate_looking<T: Element>(
    chain: &Chain<T>,
    image: &Tensor<T>,
    terms: &[Term<T>],
    mut look: impl FnMut(Swept<'_, T>),
) -> Result<(Losses, Tensor<T>), AutodiffError> {
    let Forward { losses, responses, at } = forward(chain, image, terms)?;
    let mut gradient = match responses.last() {
        Some(deepest) => Tensor::zeros(deepest.shape())?,
        None => Tensor::zeros(image.shape())?,
    };
    // The backward sweep: `gradient` is dL/d(response of layer `layer`), to which each term there adds its own.
    for layer in (0..responses.len()).rev() {
        let f = &responses[layer];
        for (term, _) in terms.iter().zip(&at).filter(|(_, at)| **at == Some(layer)) {
            term.loss.add_gradient(f, term.weight.product(), gradient.data_mut())?;
        }
        gradient = match &chain.layers[layer] {
            Layer::Conv(conv) => {
                look(Swept { layer: &conv.name, by: By::F, response: f, gradient: &gradient });
                relu::backward(f.data(), gradient.data_mut());
                look(Swept { layer: &conv.name, by: By::Z, response: f, gradient: &gradient });
                conv::backward(conv, chain.border_at(layer), &gradient)?
            }
            Layer::Pool => {
                let before = layer.checked_sub(1).map(|before| Cow::Borrowed(&responses[before]));
                let before = before.unwrap_or_else(|| input(chain, image));
                pool::backward(chain.pooling, &before, &gradient)?
            }
        };
    }
    if let Some(preprocessing) = chain.input {
        preprocessing.gradient(gradient.data_mut());
    }
    for (term, _) in terms.iter().zip(&at).filter(|(_, at)| at.is_none()) {
        term.loss.add_gradient(image, term.weight.product(), gradient.data_mut())?;
    }
    Ok((losses, gradient))
}

/// The losses, and what the backward sweep reads again.
struct Forward<T> {
    losses: Losses,
    /// The response of every layer up to the deepest tap; none without a term at a layer.
    responses: Vec<Tensor<T>>,
    /// The layer of each term, as an index of the chain; none for the picture itself.
    at: Vec<Option<usize>>,
}

fn forward<T: Element>(
    chain: &Chain<T>,
    image: &Tensor<T>,
    terms: &[Term<T>],
) -> Result<Forward<T>, AutodiffError> {
    let position = |term: &Term<T>| term.place()?.map(|layer| chain.position(layer)).transpose();
    let at: Vec<Option<usize>> = terms.iter().map(position).collect::<Result<_, _>>()?;
    let responses = match at.iter().flatten().max() {
        Some(&deepest) => responses(chain, image, deepest)?,
        None => Vec::new(),
    };
    let value = |(term, at): (&Term<T>, &Option<usize>)| {
        let Some(at) = *at else { return term.loss.value(image) };
        let f: &Tensor<T> = &responses[at];
        term.loss.check(term.layer.as_deref().unwrap_or_default(), f.shape())?;
        term.loss.value(f)
    };
    let each = terms.iter().zip(&at).map(value).collect::<Result<_, AutodiffError>>()?;
    Ok(Forward { losses: Losses::of(terms, each), responses, at })
}
