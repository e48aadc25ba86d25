//! P and A that several cells of a study have in common.

use impasto_autodiff::{ConvMode, EvaluatorOptions, GramMatrix, Pooling};
use impasto_tensor::Tensor;

use super::{Cell, Material};
use impasto_style::{Picture, PreparedNetwork, Targets, TransferError, TransferOptions};

/// All that a measurement depends on, beside the picture and the weights.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    /// (H, W) of the measured picture.
    size: (usize, usize),
    layers: Vec<String>,
    pooling: Pooling,
    conv: ConvMode,
    /// A limit may cut the picture into bands, which rounds differently.
    evaluator: EvaluatorOptions,
}

impl Key {
    fn new(layers: Vec<String>, size: (usize, usize), options: &TransferOptions) -> Self {
        let evaluator = options.evaluator_options(size.0, size.1);
        Self { size, layers, pooling: options.pooling, conv: options.conv, evaluator }
    }

    fn content(options: &TransferOptions, size: (usize, usize)) -> Self {
        Self::new(options.active_content_layers(), size, options)
    }

    fn style(options: &TransferOptions, size: (usize, usize)) -> Self {
        Self::new(options.active_style_layers(), size, options)
    }
}

/// Measurements that wait for further cells. What no further cell asks for is not kept, as P can be large.
#[derive(Debug, Default)]
pub(super) struct SharedTargets {
    content: Shared<Tensor<f32>>,
    style: Shared<GramMatrix>,
}

impl SharedTargets {
    /// Prepares for a cell, and after it `later` ones.
    pub(super) fn keep_for(&mut self, later: &[Cell], material: Material<'_>) {
        let scales = || {
            later
                .iter()
                .flat_map(|cell| cell.options.schedule().into_iter().map(|at| (&cell.options, at.size)))
        };
        let content = |(options, size): (&TransferOptions, usize)| {
            Key::content(options, material.content.size_with_longest_side(size))
        };
        let style = |(options, size): (&TransferOptions, usize)| {
            Key::style(options, options.style_size(material.style, size))
        };
        self.content.later = scales().map(content).collect();
        self.style.later = scales().map(style).collect();
    }

    /// [`Targets::measure`], or the same from an earlier cell.
    pub(super) fn targets(
        &mut self,
        network: &PreparedNetwork,
        content: &Picture,
        style: &Picture,
        options: &TransferOptions,
    ) -> Result<Targets, TransferError> {
        let size = |picture: &Picture| (picture.height(), picture.width());
        let style =
            self.style.get(Key::style(options, size(style)), || Targets::style(network, style, options))?;
        let content = self
            .content
            .get(Key::content(options, size(content)), || Targets::content(network, content, options))?;
        Ok(Targets { content, style })
    }
}

/// Measurements of one picture.
#[derive(Debug)]
struct Shared<T> {
    known: Vec<(Key, Vec<T>)>,
    /// What further cells will ask for.
    later: Vec<Key>,
    measurements: usize,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { known: Vec::new(), later: Vec::new(), measurements: 0 }
    }
}

impl<T: Clone> Shared<T> {
    fn get(
        &mut self,
        key: Key,
        measure: impl FnOnce() -> Result<Vec<T>, TransferError>,
    ) -> Result<Vec<T>, TransferError> {
        let value = if let Some(at) = self.known.iter().position(|(known, _)| *known == key) {
            self.known.swap_remove(at).1
        } else {
            self.measurements += 1;
            measure()?
        };
        if self.later.contains(&key) {
            self.known.push((key, value.clone()));
        }
        self.known.retain(|(known, _)| self.later.contains(known));
        Ok(value)
    }
}

#[cfg(all(test, feature = "embedded-weights"))]
mod tests {
    use super::*;
    use crate::study::{Paths, grid};
    use impasto_style::{Network, Preset, white_noise};

    #[test]
    fn shared_targets_are_the_bits_of_separate_ones_and_measured_once() {
        let (photo, painting) = (white_noise(36, 48, 1).unwrap(), white_noise(40, 32, 2).unwrap());
        let network = Network::embedded().unwrap();
        let material =
            Material { content: &photo, style: &painting, network: &network, paths: Paths::default() };
        let base = TransferOptions { size: 48, ..Preset::Paper.options() };
        let layers = ["conv1_1", "conv2_1", "conv3_1"].map(str::to_owned);
        let study = grid(&base, &layers, &[1e-4, 1e-3]);
        let prepared = PreparedNetwork::new(network.clone(), &base).unwrap();

        let mut shared = SharedTargets::default();
        for (index, Cell { options, .. }) in study.cells.iter().enumerate() {
            shared.keep_for(&study.cells[index + 1..], material);
            let (height, width) = options.style_size(&painting, 48);
            let painting = painting.resized(height, width).unwrap();
            let targets = shared.targets(&prepared, &photo, &painting, options).unwrap();
            assert_eq!(targets, Targets::measure(&prepared, &photo, &painting, options).unwrap());
        }
        assert_eq!(shared.content.measurements, 1, "P for all cells");
        assert_eq!(shared.style.measurements, 3, "A for each row");
        assert!(shared.content.known.is_empty() && shared.style.known.is_empty());
    }

    #[test]
    fn whatever_changes_a_measurement_makes_another_key() {
        let base = Preset::Paper.options();
        let key = |options: &TransferOptions| Key::style(options, (48, 48));
        for other in [
            TransferOptions { pooling: Pooling::Max, ..base.clone() },
            TransferOptions { conv: ConvMode::Exact, ..base.clone() },
            TransferOptions { memory_limit: Some(1 << 30), ..base.clone() },
            TransferOptions { style_layers: impasto_style::LayerWeights::even(&["conv1_1"]), ..base.clone() },
            TransferOptions { style_weight: 0.0, ..base.clone() },
        ] {
            assert_ne!(key(&base), key(&other));
        }
        let sharing = TransferOptions { content_weight: 1.0, seed: 7, ..base.clone() };
        assert_eq!(key(&base), key(&sharing));
    }
}
