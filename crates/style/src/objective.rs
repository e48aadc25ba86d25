//! The total loss as a function of the picture's pixels, and its gradient.
//!
//! ```text
//! L(x) = alpha sum_l w_l s_l L_content,l(z) + beta sum_r sum_l W_lr t_l lambda_lr E_lr(z) + gamma TV(x)
//! z_c  = (scale x_c - mean_c) / std_c
//! dL/dx_c = dL/dz_c scale / std_c + gamma dTV/dx_c
//! ```
//!
//! x is the picture in 0..=255, z the network's input. `terms.rs` makes the list of terms; the evaluator goes all the way
//! from x to L and back. lambda_lr = S_r / M is the share of a layer's positions that a region has: so every position is pulled as
//! strongly as it would be without regions, whatever the size of its own.

use impasto_autodiff::{AutodiffError, Evaluator, GroupSum, LossKind, Term, Weight, group_sums};

use impasto_tensor::Shape;

use crate::{PreparedNetwork, Target, Targets, TransferError, TransferOptions};

/// The losses of one picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Breakdown {
    /// L(x).
    pub total: f64,
    /// The loss of each term, in the order of the terms.
    pub terms: Vec<TermLoss>,
}

/// The loss of one term.
#[derive(Debug, Clone, PartialEq)]
pub struct TermLoss {
    /// Which loss.
    pub kind: LossKind,
    /// The layer; none for the picture itself.
    pub layer: Option<String>,
    /// The name of its region; none where the one region is the whole photo, and for losses that are of no region.
    pub region: Option<String>,
    /// alpha, and w_l times the factor of the loss scale and the share of the region.
    pub weight: Weight,
    /// L_content, E_l or W_l, or TV: plain.
    pub loss: f64,
}

impl Breakdown {
    /// The terms with these losses, and their total.
    pub(crate) fn of(terms: &[TermLoss], total: f64, each: impl IntoIterator<Item = f64>) -> Self {
        let mut terms = terms.to_vec();
        terms.iter_mut().zip(each).for_each(|(term, loss)| term.loss = loss);
        Self { total, terms }
    }

    /// Whether a term is of that kind.
    pub fn has(&self, kind: LossKind) -> bool {
        self.terms.iter().any(|term| term.kind == kind)
    }

    /// The sum over the terms of a kind of w_l L_l, times the factors of the loss scale: what alpha is multiplied with. 0
    /// without such a term.
    pub fn sum(&self, kind: LossKind) -> f64 {
        self.groups(kind).iter().fold(0.0, |sum, group| sum + group.sum)
    }

    /// What a kind of loss contributes to the total: alpha times the sum.
    pub fn weighed(&self, kind: LossKind) -> f64 {
        self.groups(kind).iter().fold(0.0, |sum, group| sum + group.weight * group.sum)
    }

    fn groups(&self, kind: LossKind) -> Vec<GroupSum> {
        let terms = self.terms.iter().filter(|term| term.kind == kind);
        group_sums(terms.map(|term| (term.kind, term.weight, term.loss)))
    }

    /// The layers of a kind's terms that are of no region, with their plain losses.
    pub fn layers(&self, kind: LossKind) -> impl Iterator<Item = (&str, f64)> {
        let terms = self.terms.iter().filter(move |term| term.kind == kind && term.region.is_none());
        terms.filter_map(|term| Some((term.layer.as_deref()?, term.loss)))
    }

    /// The layers of the style of a region, with their plain losses.
    pub fn layers_of<'a>(&'a self, region: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        let terms = self.terms.iter().filter(move |term| term.region.as_deref() == Some(region));
        terms.filter_map(|term| Some((term.layer.as_deref()?, term.loss)))
    }
}

/// L(x) and its gradient, for pictures of one size.
#[derive(Debug)]
pub struct Objective {
    evaluator: Evaluator,
    /// The terms, with losses of 0.
    terms: Vec<TermLoss>,
}

impl Objective {
    /// The objective of pictures of `height` x `width`, the size of the photo that was measured.
    ///
    /// # Errors
    /// [`TransferError`] if the targets do not fit the size, or the memory limit is too low.
    pub fn new(
        network: &PreparedNetwork,
        targets: Targets,
        (height, width): (usize, usize),
        options: &TransferOptions,
    ) -> Result<Self, TransferError> {
        let (terms, labels) = weighed(targets, (height, width), options, |layer| {
            Ok(network.response_shape(layer, (height, width))?)
        })?;
        let evaluator =
            network.evaluator((height, width), terms, options.evaluator_options(height, width))?;
        Ok(Self { evaluator, terms: labels })
    }

    /// L(x), and its gradient into `gradient`; both H x W x 3. Where x has a NaN, which a ReLU or a maximum would make a number of, all of
    /// them are NaN.
    ///
    /// # Errors
    /// [`AutodiffError::Pixels`] if a slice has another length.
    pub fn evaluate(&mut self, x: &[f32], gradient: &mut [f32]) -> Result<Breakdown, AutodiffError> {
        let losses = self.evaluator.evaluate(x, gradient)?;
        if x.iter().any(|x| x.is_nan()) {
            gradient.fill(f32::NAN);
            return Ok(self.breakdown(f64::NAN, losses.each.iter().map(|_| f64::NAN)));
        }
        Ok(self.breakdown(losses.total, losses.each))
    }

    /// The terms, in their order, with these losses.
    pub(crate) fn breakdown(&self, total: f64, each: impl IntoIterator<Item = f64>) -> Breakdown {
        Breakdown::of(&self.terms, total, each)
    }

    /// The terms in their order; an evaluation returns them with their losses, here these are 0.
    pub fn terms(&self) -> &[TermLoss] {
        &self.terms
    }

    /// Gives a term, by its index in [`Self::terms`], another weight from the next evaluation on. A number is the whole weight of the
    /// term: what its loss counts in L(x), whatever alpha, w_l and the other factors have been.
    ///
    /// # Errors
    /// [`AutodiffError::NoTerm`] if there is no such term, [`AutodiffError::Weight`] if the weight is not finite.
    pub fn set_weight(&mut self, index: usize, weight: impl Into<Weight>) -> Result<(), AutodiffError> {
        let weight = weight.into();
        set_weight(&mut self.terms, index, weight)?;
        self.evaluator.set_weight(index, weight)
    }
}

/// The terms of an objective with their weights, and without what they compare with. `response` is the shape H x W x N of a layer.
pub(crate) fn weighed(
    targets: Targets,
    (height, width): (usize, usize),
    options: &TransferOptions,
    mut response: impl FnMut(&str) -> Result<Shape, TransferError>,
) -> Result<(Vec<Term>, Vec<TermLoss>), TransferError> {
    let (mut terms, mut labels) = (Vec::new(), Vec::new());
    for Target { spec, region, loss } in targets.terms {
        let response = match &spec.layer {
            Some(layer) => response(layer)?,
            None => Shape::new(height, width, 3),
        };
        loss.check(spec.layer.as_deref().unwrap_or_default(), response)?;
        let factor = options.loss_scale.factor(spec.kind, height * width, response);
        let mut share = spec.weight.share * factor;
        if let Some(guide) = loss.guide().filter(|_| spec.kind.is_of_sums()) {
            share *= guide.share();
        }
        let weight = Weight { share, ..spec.weight };
        terms.push(Term { layer: spec.layer.clone(), weight, loss });
        labels.push(TermLoss { kind: spec.kind, layer: spec.layer, region, weight, loss: 0.0 });
    }
    Ok((terms, labels))
}

/// Gives one of the terms another weight.
pub(crate) fn set_weight(terms: &mut [TermLoss], index: usize, weight: Weight) -> Result<(), AutodiffError> {
    if !weight.product().is_finite() {
        return Err(AutodiffError::Weight { weight: weight.product().to_string() });
    }
    let count = terms.len();
    let term = terms.get_mut(index).ok_or(AutodiffError::NoTerm { index, terms: count })?;
    term.weight = weight;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_by_their_kind() {
        let term = |kind, layer: Option<&str>, sum, share, loss| TermLoss {
            kind,
            layer: layer.map(str::to_owned),
            region: None,
            weight: Weight { sum, share },
            loss,
        };
        let terms = vec![
            term(LossKind::Content, Some("conv4_2"), 2.0, 3.0, 5.0),
            term(LossKind::Content, Some("conv1_1"), 2.0, 0.5, 8.0),
            term(LossKind::Content, Some("conv2_1"), 4.0, 0.5, 6.0),
            term(LossKind::Gram, Some("conv1_1"), 4.0, 7.0, 2.0),
            term(LossKind::TotalVariation, None, 0.5, 1.0, 9.0),
        ];
        let losses = Breakdown { total: 0.0, terms };
        let of = |kind| (losses.sum(kind), losses.weighed(kind));
        assert_eq!(of(LossKind::Content), (19.0 + 3.0, 2.0 * 19.0 + 4.0 * 3.0));
        assert_eq!(of(LossKind::Gram), (14.0, 4.0 * 14.0));
        assert_eq!(of(LossKind::TotalVariation), (9.0, 0.5 * 9.0));
        let layers = |kind| losses.layers(kind).collect::<Vec<_>>();
        assert_eq!(layers(LossKind::Content), [("conv4_2", 5.0), ("conv1_1", 8.0), ("conv2_1", 6.0)]);
        assert_eq!(layers(LossKind::Gram), [("conv1_1", 2.0)]);
        assert!(layers(LossKind::TotalVariation).is_empty());
        assert_eq!(Breakdown::default().sum(LossKind::Gram), 0.0);
    }
}
