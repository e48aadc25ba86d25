//! P and A that several cells of a study have in common.

use impasto_autodiff::{ConvMode, Loss, Pooling, Tap};
use impasto_style::{PreparedNetwork, Scene, Source, Targets, TransferError, TransferOptions};

use super::{Cell, Material};

/// All that a measurement depends on, beside the weights. A memory limit changes no bit.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    source: Source,
    /// (H, W) of the measured picture.
    size: (usize, usize),
    taps: Vec<Tap>,
    pooling: Pooling,
    conv: ConvMode,
}

impl Key {
    fn new(source: Source, taps: &[Tap], size: (usize, usize), options: &TransferOptions) -> Self {
        Self { source, size, taps: taps.to_vec(), pooling: options.pooling, conv: options.conv }
    }
}

/// Measurements that wait for further cells. What no further cell asks for is not kept, as P can be large.
#[derive(Debug, Default)]
pub(super) struct SharedTargets {
    known: Vec<(Key, Vec<Loss>)>,
    /// What further cells will ask for.
    later: Vec<Key>,
    measurements: usize,
}

impl SharedTargets {
    /// Prepares for a cell, and after it `later` ones.
    pub(super) fn keep_for(&mut self, later: &[Cell], material: Material<'_>) {
        self.later.clear();
        for Cell { options, .. } in later {
            let (at_positions, of_sums) =
                (options.taps_of(Source::Photo), options.taps_of(Source::Painting(0)));
            for scale in options.schedule(material.subject.longest_side(options)) {
                let photo = material.subject.size(scale.size);
                self.later.push(Key::new(Source::Photo, &at_positions, photo, options));
                let paintings = material.subject.painting_sizes(scale.size, options);
                self.later.extend(
                    (0..)
                        .map(Source::Painting)
                        .zip(paintings)
                        .map(|(painting, size)| Key::new(painting, &of_sums, size, options)),
                );
            }
        }
    }

    /// [`Scene::measure`], or the same from an earlier cell.
    pub(super) fn targets(
        &mut self,
        network: &PreparedNetwork,
        scene: &Scene<'_>,
        options: &TransferOptions,
    ) -> Result<Targets, TransferError> {
        let targets = scene.measure_with(options, |source, picture, taps| {
            let size = (picture.height(), picture.width());
            let evaluator = options.evaluator_options(size.0, size.1);
            self.get(Key::new(source, taps, size, options), || network.measure(picture, taps, evaluator))
        });
        self.known.retain(|(known, _)| self.later.contains(known));
        targets
    }

    fn get(
        &mut self,
        key: Key,
        measure: impl FnOnce() -> Result<Vec<Loss>, TransferError>,
    ) -> Result<Vec<Loss>, TransferError> {
        let losses = if let Some(at) = self.known.iter().position(|(known, _)| *known == key) {
            self.known.swap_remove(at).1
        } else {
            self.measurements += 1;
            measure()?
        };
        if self.later.contains(&key) {
            self.known.push((key, losses.clone()));
        }
        Ok(losses)
    }
}

#[cfg(all(test, feature = "embedded-weights"))]
mod tests {
    use super::*;
    use crate::study::grid;
    use impasto_style::{Cancel, Network, Preset, Size, Subject, white_noise};

    #[test]
    fn shared_targets_are_the_bits_of_separate_ones_and_measured_once() {
        let subject = Subject::new(white_noise(36, 48, 1).unwrap(), white_noise(40, 32, 2).unwrap());
        let network = Network::embedded().unwrap();
        let material = Material {
            subject: &subject,
            network: &network,
            inputs: &[],
            cancel: &Cancel::default(),
        };
        let base = TransferOptions { size: Size::Longest(48), ..Preset::Paper.options() };
        let layers = ["conv1_1", "conv2_1", "conv3_1"].map(str::to_owned);
        let study = grid(&base, &layers, &[1e-4, 1e-3]);
        let prepared = PreparedNetwork::new(network.clone(), &base).unwrap();

        let mut shared = SharedTargets::default();
        for (index, Cell { options, .. }) in study.cells.iter().enumerate() {
            shared.keep_for(&study.cells[index + 1..], material);
            let scene = subject.at(48, options).unwrap();
            let targets = shared.targets(&prepared, &scene, options).unwrap();
            assert_eq!(targets, scene.measure(&prepared, options).unwrap());
        }
        assert_eq!(shared.measurements, 1 + 3, "P for all cells, A for each row");
        assert!(shared.known.is_empty());
    }

    #[test]
    fn whatever_changes_a_measurement_makes_another_key() {
        let base = Preset::Paper.options();
        let key = |options: &TransferOptions| {
            let painting = Source::Painting(0);
            Key::new(painting, &options.taps_of(painting), (48, 48), options)
        };
        for other in [
            TransferOptions { pooling: Pooling::Max, ..base.clone() },
            TransferOptions { conv: ConvMode::Exact, ..base.clone() },
            TransferOptions { style_layers: impasto_style::LayerWeights::even(&["conv1_1"]), ..base.clone() },
            TransferOptions { style_weight: 0.0, ..base.clone() },
        ] {
            assert_ne!(key(&base), key(&other));
        }
        let memory_limit = Some(1 << 30);
        let sharing = TransferOptions { content_weight: 1.0, seed: 7, memory_limit, ..base.clone() };
        assert_eq!(key(&base), key(&sharing));
    }
}
