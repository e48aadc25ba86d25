//! The total loss as the options ask for it: which terms count, and what each weighs.
//!
//! ```text
//! L(x) = alpha sum_l w_l s_l L_content,l + beta sum_l w_l t_l E_l + gamma TV(x)
//! ```
//!
//! s_l and t_l are the factors of [`LossScale`] (the paper's: 1). A term whose weight is 0 is not in the list, and nothing
//! that follows from the list (the network's depth, the plan, the targets, the log) knows of it.

use impasto_autodiff::{LossKind, Tap, Weight};
use impasto_tensor::Shape;

use crate::{LayerWeights, LossScale, Network, Source, TransferOptions, WeightsError};

/// A term before its target is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct TermSpec {
    /// The loss.
    pub kind: LossKind,
    /// The layer; none for the picture itself.
    pub layer: Option<String>,
    /// alpha or beta and w_l, without the factor of the loss scale.
    pub weight: Weight,
}

impl TermSpec {
    /// Where a measurement looks for the term's target; nowhere for the picture itself.
    pub fn tap(&self) -> Option<Tap> {
        self.layer.as_ref().map(|layer| Tap::new(layer.clone(), self.kind))
    }
}

impl TransferOptions {
    /// The losses of layers, each with alpha or beta and its layers, whether it counts or not.
    pub(crate) const fn losses_of_layers(&self) -> [(LossKind, f64, &LayerWeights); 2] {
        [
            (LossKind::Content, self.content_weight, &self.content_layers),
            (LossKind::Gram, self.style_weight, &self.style_layers),
        ]
    }

    /// Checks that the network has every layer that is named, whether its loss counts or not.
    ///
    /// # Errors
    /// [`WeightsError::UnknownLayer`].
    pub fn check_layers(&self, network: &Network) -> Result<(), WeightsError> {
        for entry in self.losses_of_layers().iter().flat_map(|(_, _, layers)| &layers.0) {
            network.position(&entry.layer)?;
        }
        Ok(())
    }

    /// The terms that count, in the order in which they are added up: content, style, total variation.
    pub fn terms(&self) -> Vec<TermSpec> {
        let mut terms = Vec::new();
        for (kind, sum, layers) in self.losses_of_layers() {
            let counts = layers.0.iter().filter(|entry| sum > 0.0 && entry.weight > 0.0);
            terms.extend(counts.map(|entry| TermSpec {
                kind,
                layer: Some(entry.layer.clone()),
                weight: Weight { sum, share: entry.weight },
            }));
        }
        if self.tv_weight > 0.0 {
            let weight = Weight::alone(self.tv_weight);
            terms.push(TermSpec { kind: LossKind::TotalVariation, layer: None, weight });
        }
        terms
    }

    /// The taps of the terms, in their order.
    pub fn taps(&self) -> Vec<Tap> {
        self.terms().iter().filter_map(TermSpec::tap).collect()
    }

    /// The taps at which a picture of the subject is measured: paintings for sums, the photo for what is compared place by place.
    pub fn taps_of(&self, source: Source) -> Vec<Tap> {
        let of_sums = matches!(source, Source::Painting(_));
        self.taps().into_iter().filter(|tap| tap.kind.is_of_sums() == of_sums).collect()
    }
}

impl LossScale {
    /// What the loss of a layer is multiplied with besides its weights, for a picture of `pixels` = H W and a response of
    /// that shape.
    pub fn factor(self, kind: LossKind, pixels: usize, response: Shape) -> f64 {
        match kind {
            LossKind::Content => self.content(pixels, response.channels, response.positions()),
            LossKind::Gram => self.style(response.channels),
            LossKind::TotalVariation => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Preset;

    fn names(options: &TransferOptions) -> Vec<String> {
        options.terms().iter().map(|term| term.layer.clone().unwrap_or_default()).collect()
    }

    #[test]
    fn terms_that_weigh_nothing_are_not_there() {
        let mut options = TransferOptions { tv_weight: 1e-3, ..Preset::Paper.options() };
        options.style_layers = "conv1_1:1,conv2_1:0,conv3_1:2".parse().unwrap();
        assert_eq!(names(&options), ["conv4_2", "conv1_1", "conv3_1", ""]);
        assert_eq!(names(&TransferOptions { style_weight: 0.0, ..options.clone() }), ["conv4_2", ""]);
        assert_eq!(
            names(&TransferOptions { content_weight: 0.0, ..options.clone() }),
            ["conv1_1", "conv3_1", ""]
        );
        assert_eq!(names(&TransferOptions { tv_weight: 0.0, ..options.clone() }).len(), 3);
        assert_eq!(options.taps().len(), 3);
    }

    #[test]
    fn weights_are_those_of_the_options() {
        let options = TransferOptions { content_weight: 0.25, style_weight: 3.0, ..Preset::Paper.options() };
        let weights: Vec<Weight> = options.terms().iter().map(|term| term.weight).collect();
        assert_eq!(weights[0], Weight { sum: 0.25, share: 1.0 });
        assert!(weights[1..].iter().all(|weight| *weight == Weight { sum: 3.0, share: 0.2 }));
    }

    #[test]
    fn the_factor_is_that_of_the_loss() {
        let response = Shape::new(4, 5, 8);
        let factors = |scale: LossScale| {
            [LossKind::Content, LossKind::Gram, LossKind::TotalVariation]
                .map(|kind| scale.factor(kind, 1 << 16, response))
        };
        assert_eq!(factors(LossScale::Paper), [1.0; 3]);
        assert_eq!(factors(LossScale::Balanced), [4.0, 1.0, 1.0]);
        assert_eq!(factors(LossScale::NeuralStyle), [2.0 / 160.0, 4.0 / 64.0, 1.0]);
    }
}
