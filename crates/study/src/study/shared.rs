//! P and A that several cells of a study have in common.

use impasto_autodiff::{Border, ConvMode, Loss, Pooling, Reach, Tap};
use impasto_style::{
    Colours, PreparedNetwork, Scene, Source, Subject, Targets, TransferError, TransferOptions,
};

use super::{Cell, Material};

/// All that a measurement of a subject depends on, beside the weights. A memory limit changes no bit.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    source: Source,
    /// (H, W) of the measured picture.
    size: (usize, usize),
    taps: Vec<Tap>,
    pooling: Pooling,
    border: Border,
    conv: ConvMode,
    /// How a painting's mask reaches the layers.
    reach: Option<Reach>,
    /// Whose colours it was given, and for a result of which longest side, where they are not its own.
    recoloured: Option<(Colours, usize)>,
}

impl Key {
    /// The key of a picture of a subject for a result with that longest side.
    fn new(subject: &Subject, source: Source, longest: usize, options: &TransferOptions) -> Self {
        let (size, reach) = match source {
            Source::Photo => (subject.size(longest), None),
            Source::Painting(number) => {
                (subject.painting_sizes(longest, options)[number], Some(options.mask_reach))
            }
        };
        let recoloured = (options.colours != Colours::Painting).then_some((options.colours, longest));
        let taps = subject.taps_of(source, options);
        let &TransferOptions { pooling, border, conv, .. } = options;
        Self { source, size, taps, pooling, border, conv, reach, recoloured }
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
        let subject = material.subject;
        for Cell { options, .. } in later {
            for scale in options.schedule(subject.longest_side(options)) {
                let paintings = (0..subject.paintings().len()).map(Source::Painting);
                let sources = paintings.chain([Source::Photo]);
                self.later.extend(sources.map(|source| Key::new(subject, source, scale.size, options)));
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
        let longest = scene.photo().height().max(scene.photo().width());
        let targets = scene.measure_with(network, options, |view| {
            let evaluator = options.evaluator_options(view.picture.height(), view.picture.width());
            let key = Key::new(scene.subject(), view.source, longest, options);
            self.get(key, || network.measure(view, evaluator))
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
    use impasto_style::{
        Cancel, Mask, Network, Photo, Picture, Preset, Region, RegionMask, Size, StyleImage, Subject,
        white_noise,
    };

    fn noise(height: usize, width: usize, seed: u64) -> Picture {
        white_noise(height, width, seed).unwrap()
    }

    fn base() -> TransferOptions {
        Preset::Paper.options().with_size(Size::Longest(48))
    }

    /// How many measurements all cells need together, each of which gets the bits of separate ones.
    fn measurements(subject: &Subject, cells: &[Cell]) -> usize {
        let network = Network::embedded().unwrap();
        let material = Material { subject, network: &network, inputs: &[], cancel: &Cancel::default() };
        let prepared = PreparedNetwork::new(network.clone(), &base()).unwrap();
        let mut shared = SharedTargets::default();
        for (index, Cell { options, .. }) in cells.iter().enumerate() {
            shared.keep_for(&cells[index + 1..], material);
            let scene = subject.at(48, options).unwrap();
            let targets = shared.targets(&prepared, &scene, options).unwrap();
            assert_eq!(targets, scene.measure(&prepared, options).unwrap());
        }
        assert!(shared.known.is_empty());
        shared.measurements
    }

    #[test]
    fn shared_targets_are_the_bits_of_separate_ones_and_measured_once() {
        let subject = Subject::new(noise(36, 48, 1), noise(40, 32, 2));
        let layers = ["conv1_1", "conv2_1", "conv3_1"].map(str::to_owned);
        let study = grid(&base(), &layers, &[1e-4, 1e-3]);
        assert_eq!(measurements(&subject, &study.cells), 1 + 3, "P for all cells, A for each row");
    }

    #[test]
    fn parts_of_paintings_and_regions_are_measured_once_for_each_way_in_which_they_reach() {
        let half = |is_in: fn(usize, usize) -> bool| {
            let values = (0..36 * 48).map(|at| f32::from(is_in(at / 48, at % 48))).collect();
            Mask::new(36, 48, values).unwrap()
        };
        let regions = vec![
            Region { name: "left".to_owned(), mask: RegionMask::Mask(half(|_, x| x < 20)) },
            Region { name: "-".to_owned(), mask: RegionMask::Rest },
        ];
        let painting = |part, region| StyleImage { picture: noise(36, 48, 2).into(), part, region };
        let paintings = vec![painting(Some(half(|y, _| y < 20)), 0), painting(None, 1)];
        let photo = Photo { picture: noise(36, 48, 1), keep: None, content_mask: Some(half(|_, x| x > 30)) };
        let subject = Subject::compose(photo, paintings, regions).unwrap();
        let cell = |style_weight, blend: &[f64], mask_reach| {
            let options =
                base().with_style_weight(style_weight).with_blend(blend.to_vec()).with_mask_reach(mask_reach);
            Cell { name: String::new(), options }
        };
        let (average, inside) = (Reach::Average, Reach::Inside);
        let cells = [cell(1.0, &[], average), cell(2.0, &[1.0, 5.0], average), cell(1.0, &[], inside)];
        assert_eq!(measurements(&subject, &cells), 1 + 2 + 2, "P for all, two paintings for each way");
    }

    #[test]
    fn whatever_changes_a_measurement_makes_another_key() {
        let base = Preset::Paper.options();
        let subject = Subject::new(noise(36, 48, 1), noise(40, 32, 2));
        let key = |options: &TransferOptions| Key::new(&subject, Source::Painting(0), 48, options);
        for other in [
            base.clone().with_pooling(Pooling::Max),
            base.clone().with_border(Border::Reflect),
            base.clone().with_conv(ConvMode::Exact),
            base.clone().with_style_layers("conv1_1".parse().unwrap()),
            base.clone().with_style_scale(0.5),
            base.clone().with_mask_reach(Reach::Inside),
            base.clone().with_colours(Colours::Photo),
            base.clone().with_style_weight(0.0),
        ] {
            assert_ne!(key(&base), key(&other));
        }
        let memory_limit = Some(1 << 30);
        let sharing = base.clone().with_content_weight(1.0).with_seed(7).with_memory_limit(memory_limit);
        assert_eq!(key(&base), key(&sharing));
    }
}
