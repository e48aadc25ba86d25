//! The total loss as the options ask for it: which terms count, and what each weighs.
//!
//! ```text
//! L(x) = alpha sum_l w_l s_l L_content,l + beta sum_r sum_l W_lr t_l lambda_lr E_lr + gamma TV(x)
//! W_lr = sum_s b_s w_ls                         s: the paintings of region r, sum_s b_s = 1
//! ```
//!
//! s_l and t_l are the factors of [`LossScale`] (the paper's: 1), lambda_lr is the share of the layer's positions that the region
//! has ([`Guide::share`](crate::Guide::share)); of a region that is everywhere it is 1, and where all paintings have the same w_l,
//! W_lr is w_l. A term whose weight is 0 is not in the list, and nothing that follows from the list (the network's depth, the plan,
//! the targets, the log) knows of it.

use impasto_autodiff::{LossKind, Tap, Weight};
use impasto_tensor::Shape;

use crate::{LayerWeights, LossScale, Masked, Network, Source, Subject, TransferOptions, WeightsError};

/// A term before its target is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct TermSpec {
    /// The loss.
    pub kind: LossKind,
    /// The layer; none for the picture itself.
    pub layer: Option<String>,
    /// alpha or beta and w_l, without the factor of the loss scale and the share of a region.
    pub weight: Weight,
    /// The number of its region; none where the one region is the whole photo, and for losses that are of no region.
    pub region: Option<usize>,
    /// Whether a mask, or the photo's transparency, says where it acts.
    pub guided: bool,
    /// The paintings whose sums make its target, each with its share b_s w_ls / W_l; none for losses of the photo.
    pub paintings: Vec<(usize, f64)>,
}

impl TermSpec {
    /// Where an evaluation looks for the term, and a measurement for its target; nowhere for the picture itself.
    pub fn tap(&self) -> Option<Tap> {
        self.layer.as_ref().map(|layer| Tap::new(layer.clone(), self.kind))
    }

    /// Whether its target is measured of that picture of the subject: of paintings for sums, of the photo for what is compared
    /// place by place.
    pub fn is_measured_of(&self, source: Source) -> bool {
        match source {
            Source::Photo => self.kind.is_of_a_layer() && !self.kind.is_of_sums(),
            Source::Painting(number) => self.paintings.iter().any(|&(painting, _)| painting == number),
        }
    }

    /// Whether it is a term of the style of a region.
    pub(crate) fn is_in(&self, region: usize) -> bool {
        self.kind.is_of_sums() && self.region.unwrap_or(0) == region
    }

    /// What its mask limits.
    pub(crate) fn masked(&self, subject: &Subject) -> Masked {
        if !self.kind.is_of_sums() {
            return Masked::Content;
        }
        let region = subject.regions().get(self.region.unwrap_or(0));
        Masked::Region(region.map_or_else(String::new, |region| region.name.clone()))
    }
}

impl TransferOptions {
    /// alpha and beta with the lists of layers that they are for.
    fn lists_of_layers(&self) -> impl Iterator<Item = (f64, &LayerWeights)> {
        let style = self.style_layers.values().map(|layers| (self.style_weight, layers));
        std::iter::once((self.content_weight, &self.content_layers)).chain(style)
    }

    /// Checks that the network has every layer that is named, whether its loss counts or not.
    ///
    /// # Errors
    /// [`WeightsError::UnknownLayer`].
    pub fn check_layers(&self, network: &Network) -> Result<(), WeightsError> {
        for entry in self.lists_of_layers().flat_map(|(_, layers)| &layers.0) {
            network.position(&entry.layer)?;
        }
        Ok(())
    }

    /// The layers of losses that count, whatever the subject; one that counts twice is there twice.
    pub fn layers(&self) -> Vec<&str> {
        let counting = self.lists_of_layers().filter(|&(sum, _)| sum > 0.0);
        let entries = counting.flat_map(|(_, layers)| &layers.0).filter(|entry| entry.weight > 0.0);
        entries.map(|entry| &*entry.layer).collect()
    }
}

impl Subject {
    /// The terms that count, in the order in which they are added up: content, style (region by region), total variation.
    pub fn terms(&self, options: &TransferOptions) -> Vec<TermSpec> {
        let mut terms = Vec::new();
        let content = options.content_layers.0.iter();
        let content = content.filter(|entry| options.content_weight > 0.0 && entry.weight > 0.0);
        terms.extend(content.map(|entry| TermSpec {
            kind: LossKind::Content,
            layer: Some(entry.layer.clone()),
            weight: Weight { sum: options.content_weight, share: entry.weight },
            region: None,
            guided: self.has_content_mask(),
            paintings: Vec::new(),
        }));
        if options.style_weight > 0.0 {
            (0..self.regions().len()).for_each(|region| terms.extend(self.style_terms(region, options)));
        }
        if options.tv_weight > 0.0 {
            terms.push(TermSpec {
                kind: options.tv_points.loss(),
                layer: None,
                weight: Weight::alone(options.tv_weight),
                region: None,
                guided: false,
                paintings: Vec::new(),
            });
        }
        terms
    }

    /// The style of a region: a term for each layer that some painting of it has, in the order in which they name them.
    fn style_terms(&self, region: usize, options: &TransferOptions) -> Vec<TermSpec> {
        let mut paintings = self.shares(region, options);
        paintings.retain(|&(_, share)| share > 0.0);
        let lists = paintings.iter().map(|&(painting, _)| options.style_layers.of(painting));
        let mut layers: Vec<&str> = Vec::new();
        for entry in lists.flat_map(|list| &list.0) {
            if !layers.contains(&&*entry.layer) {
                layers.push(&entry.layer);
            }
        }
        let term = |layer: &str| {
            let weight = |painting: usize| options.style_layers.of(painting).weight_of(layer);
            let parts = paintings.iter().map(|&(painting, share)| (painting, share, weight(painting)));
            let (share, paintings) = mix(parts.collect());
            (share > 0.0).then(|| TermSpec {
                kind: options.style_loss.kind(),
                layer: Some(layer.to_owned()),
                weight: Weight { sum: options.style_weight, share },
                region: self.has_regions().then_some(region),
                guided: self.has_masked_regions(),
                paintings,
            })
        };
        layers.into_iter().filter_map(term).collect()
    }

    /// The taps of the terms of an evaluation, in their order.
    pub fn taps(&self, options: &TransferOptions) -> Vec<Tap> {
        let tap = |spec: &TermSpec| spec.tap().map(|tap| tap.guided(spec.guided));
        self.terms(options).iter().filter_map(tap).collect()
    }

    /// The taps at which a picture of the subject is measured, where none of its masks is in the way.
    pub fn taps_of(&self, source: Source, options: &TransferOptions) -> Vec<Tap> {
        let terms = self.terms(options);
        terms.iter().filter(|spec| spec.is_measured_of(source)).filter_map(TermSpec::tap).collect()
    }
}

/// W = sum_s b_s w_s and the shares b_s w_s / W of paintings with their b_s and w_s, without those that weigh nothing. Paintings
/// that all weigh the same have w and b_s, to the bit.
fn mix(mut paintings: Vec<(usize, f64, f64)>) -> (f64, Vec<(usize, f64)>) {
    let same = paintings.first().map(|&(_, _, weight)| weight);
    if let Some(same) = same.filter(|same| paintings.iter().all(|(_, _, weight)| weight == same)) {
        return (same, paintings.into_iter().map(|(painting, share, _)| (painting, share)).collect());
    }
    paintings.retain(|&(_, _, weight)| weight > 0.0);
    let sum: f64 = paintings.iter().map(|(_, share, weight)| share * weight).sum();
    (sum, paintings.into_iter().map(|(painting, share, weight)| (painting, share * weight / sum)).collect())
}

impl LossScale {
    /// What a loss is multiplied with besides its weights, for a picture of `pixels` = H W and a response of that shape, which of a
    /// loss of the picture itself is its own.
    pub fn factor(self, kind: LossKind, pixels: usize, response: Shape) -> f64 {
        match kind {
            LossKind::Content => self.content(pixels, response.channels, response.positions()),
            LossKind::Gram => self.style(response.channels),
            LossKind::Wasserstein => self.wasserstein(response.channels),
            LossKind::TotalVariation | LossKind::NinePoints => self.total_variation(pixels),
            // A loss that no scale speaks of counts as it is.
            _ => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Preset, white_noise};

    fn subject() -> Subject {
        Subject::new(white_noise(4, 4, 1).unwrap(), white_noise(4, 4, 2).unwrap())
    }

    fn names(options: &TransferOptions) -> Vec<String> {
        subject().terms(options).iter().map(|term| term.layer.clone().unwrap_or_default()).collect()
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
        assert_eq!(subject().taps(&options).len(), 3);
        assert_eq!(options.layers(), ["conv4_2", "conv1_1", "conv3_1"]);
    }

    #[test]
    fn weights_are_those_of_the_options() {
        let options = TransferOptions { content_weight: 0.25, style_weight: 3.0, ..Preset::Paper.options() };
        let weights: Vec<Weight> = subject().terms(&options).iter().map(|term| term.weight).collect();
        assert_eq!(weights[0], Weight { sum: 0.25, share: 1.0 });
        assert!(weights[1..].iter().all(|weight| *weight == Weight { sum: 3.0, share: 0.2 }));
    }

    /// A = sum_s b_s w_ls A_s / W, W = sum_s b_s w_ls.
    #[test]
    fn layers_of_each_painting_are_blended_by_what_they_weigh() {
        let picture = |seed| white_noise(4, 4, seed).unwrap();
        let three = Subject::blend(picture(1), vec![picture(2), picture(3), picture(4)]).unwrap();
        let mut options = TransferOptions { content_weight: 0.0, ..Preset::Paper.options() };
        options.blend = vec![2.0, 6.0, 0.0];
        options.style_layers = "conv1_1:4,conv2_1:1/conv2_1:1,conv3_1:2,conv1_1:0/conv5_1:9".parse().unwrap();
        let terms = three.terms(&options);
        let terms: Vec<_> = terms
            .iter()
            .map(|term| (term.layer.as_deref().unwrap(), term.weight.share, term.paintings.clone()))
            .collect();
        let expected = [
            ("conv1_1", 1.0, vec![(0, 1.0)]),
            ("conv2_1", 1.0, vec![(0, 0.25), (1, 0.75)]),
            ("conv3_1", 1.5, vec![(1, 1.0)]),
        ];
        assert_eq!(terms, expected);
    }

    #[test]
    fn the_factor_is_that_of_the_loss() {
        let response = Shape::new(4, 5, 8);
        let factors = |scale: LossScale| {
            [LossKind::Content, LossKind::Gram, LossKind::Wasserstein, LossKind::TotalVariation]
                .map(|kind| scale.factor(kind, 1 << 16, response))
        };
        assert_eq!(factors(LossScale::Paper), [1.0, 1.0, 3000.0, 1.0]);
        assert_eq!(factors(LossScale::Balanced), [4.0, 1.0, 3000.0, 1.0]);
        assert_eq!(factors(LossScale::NeuralStyle), [2.0 / 160.0, 4.0 / 64.0, 12000.0 / 64.0, 1.0]);
    }
}
