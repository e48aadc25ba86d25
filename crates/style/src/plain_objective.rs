//! The total loss and its gradient once more, in `f64` and operation by operation: what [`Objective`](crate::Objective) is held to, and
//! what an optimiser can drive that works in double precision.
//!
//! Terms, weights and targets are those of the fast one. Targets come from pictures in `f32`: they are constants of the loss. From x on
//! everything is `f64`, whole tensors one after the other, without a plan, bands or a limit of memory: some hundred times slower, and
//! meant for small pictures.

use impasto_autodiff::losses::PlainRoots;
use impasto_autodiff::reference::{self, Swept};
use impasto_autodiff::{AutodiffError, Chain, Losses, Term, Weight};
use impasto_tensor::{Shape, Tensor};
use impasto_vgg::Network;

use crate::objective::{set_weight, weighed};
use crate::{Breakdown, Targets, TermLoss, TransferError, TransferOptions};

/// L(x) and its gradient in `f64`, for pictures of one size.
#[derive(Debug, Clone)]
pub struct PlainObjective {
    chain: Chain<f64>,
    /// H x W x 3.
    shape: Shape,
    terms: Vec<Term<f64>>,
    /// The terms, with losses of 0.
    labels: Vec<TermLoss>,
}

impl PlainObjective {
    /// The objective of pictures of `height` x `width`, the size of the photo that was measured, with the options' pooling and border.
    ///
    /// # Errors
    /// [`TransferError`] if the targets do not fit the network or the size.
    pub fn new(
        network: &Network,
        targets: Targets,
        (height, width): (usize, usize),
        options: &TransferOptions,
    ) -> Result<Self, TransferError> {
        let shape = Shape::new(height, width, 3).checked().map_err(AutodiffError::from)?;
        let table = network.arch.convs();
        let mut deepest = 0;
        let (terms, labels) = weighed(targets, (height, width), options, |layer| {
            let position = network.position(layer)?;
            deepest = deepest.max(position);
            let (level, filters) = (table[position].block - 1, table[position].outputs);
            if height.min(width) >> level == 0 {
                let (layer, minimum) = (layer.to_owned(), 1 << level);
                return Err(AutodiffError::TooSmall { height, width, layer, minimum }.into());
            }
            Ok(Shape::new(height >> level, width >> level, filters))
        })?;
        let deepest = table[deepest].to_string();
        let chain = network.up_to(&deepest)?.chain_to(&deepest, options.pooling)?;
        let chain = Chain { border: options.border, ..chain }.cast();
        let mut terms: Vec<Term<f64>> = terms.iter().map(Term::cast).collect();
        for term in &mut terms {
            term.loss.prepare(&mut PlainRoots).map_err(AutodiffError::from)?;
        }
        Ok(Self { chain, shape, terms, labels })
    }

    /// The most bytes that an evaluation holds for a picture of (H, W): the responses up to the deepest layer that the options use,
    /// each of which the backward sweep needs, the gradients of two of them, and the network.
    ///
    /// # Errors
    /// [`TransferError::Weights`] for a layer that the network does not have.
    pub fn bytes(
        network: &Network,
        (height, width): (usize, usize),
        options: &TransferOptions,
    ) -> Result<u64, TransferError> {
        let table = network.arch.convs();
        let mut deepest = 0;
        for layer in options.layers() {
            deepest = deepest.max(network.position(layer)?);
        }
        let (mut numbers, mut largest, mut before, mut inputs) = (3 * height * width, 0, 0, 3);
        for conv in &table[..=deepest] {
            let positions = (height >> (conv.block - 1)) * (width >> (conv.block - 1));
            // A pooling before the first convolution of a block has a response of its own.
            numbers += positions * (conv.outputs + if conv.block > before { inputs } else { 0 });
            numbers += 9 * inputs * conv.outputs;
            largest = largest.max(positions * conv.outputs);
            (before, inputs) = (conv.block, conv.outputs);
        }
        Ok(((numbers + 2 * largest) * size_of::<f64>()) as u64)
    }

    /// L(x), and its gradient into `gradient`; both H x W x 3.
    ///
    /// # Errors
    /// [`AutodiffError::Pixels`] if a slice has another length.
    pub fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> Result<Breakdown, AutodiffError> {
        self.evaluate_looking(x, gradient, |_| ())
    }

    /// [`Self::evaluate`], which shows the response of every layer up to the deepest one with a loss, and dL/dF and dL/dZ there
    /// ([`Swept`]), from the deepest one back.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn evaluate_looking(
        &self,
        x: &[f64],
        gradient: &mut [f64],
        look: impl FnMut(Swept<'_, f64>),
    ) -> Result<Breakdown, AutodiffError> {
        let x = self.picture(x)?;
        self.check(gradient.len())?;
        let (losses, of_picture) = reference::evaluate_looking(&self.chain, &x, &self.terms, look)?;
        gradient.copy_from_slice(of_picture.data());
        Ok(self.breakdown(losses))
    }

    /// L(x) alone.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn losses(&self, x: &[f64]) -> Result<Breakdown, AutodiffError> {
        Ok(self.breakdown(reference::losses(&self.chain, &self.picture(x)?, &self.terms)?))
    }

    /// The terms in their order, as [`Objective::terms`](crate::Objective::terms).
    pub fn terms(&self) -> &[TermLoss] {
        &self.labels
    }

    /// Gives a term another weight, as [`Objective::set_weight`](crate::Objective::set_weight).
    ///
    /// # Errors
    /// As there.
    pub fn set_weight(&mut self, index: usize, weight: impl Into<Weight>) -> Result<(), AutodiffError> {
        let weight = weight.into();
        set_weight(&mut self.labels, index, weight)?;
        self.terms[index].weight = weight;
        Ok(())
    }

    fn picture(&self, x: &[f64]) -> Result<Tensor<f64>, AutodiffError> {
        self.check(x.len())?;
        Ok(Tensor::from_vec(self.shape, x.to_vec())?)
    }

    fn check(&self, got: usize) -> Result<(), AutodiffError> {
        let Shape { height, width, channels } = self.shape;
        if got == self.shape.len() {
            Ok(())
        } else {
            Err(AutodiffError::Pixels { height, width, channels, got })
        }
    }

    fn breakdown(&self, losses: Losses) -> Breakdown {
        Breakdown::of(&self.labels, losses.total, losses.each)
    }
}
