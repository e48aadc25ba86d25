//! What paintings have at the layers: measured once at a size, however many photos are painted in their style.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use impasto_style::{
    Border, ConvMode, Guide, Input, Loss, Pooling, PreparedNetwork, Role, Scene, Source, Tap, Targets,
    TransferError, TransferOptions, View,
};

/// The most bytes of targets that are kept: the Gram matrices of some ten paintings at some sizes.
const MOST: u64 = 24 << 20;

/// All that the measurement of a painting depends on. Pictures and weights are known by their hashes.
#[derive(Debug, Clone, PartialEq)]
struct Key {
    network: Option<String>,
    picture: Option<String>,
    taps: Vec<Tap>,
    guides: Vec<Option<Guide>>,
    pooling: Pooling,
    border: Border,
    conv: ConvMode,
}

/// Measurements of paintings, the last used ones.
#[derive(Debug, Default)]
pub(super) struct PaintingTargets {
    known: Mutex<VecDeque<(Key, Vec<Loss>, u64)>>,
}

impl PaintingTargets {
    fn known(&self) -> MutexGuard<'_, VecDeque<(Key, Vec<Loss>, u64)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [`Scene::measure`] with what is known of the paintings; `hash` is that of the network.
    pub(super) fn measure(
        &self,
        scene: &Scene<'_>,
        (network, hash): (&PreparedNetwork, &Input),
        options: &TransferOptions,
    ) -> Result<Targets, TransferError> {
        scene.measure_with(network, options, |view| {
            let size = (view.picture.height(), view.picture.width());
            let measure = || network.measure(view, options.evaluator_options(size.0, size.1));
            match view.source {
                Source::Photo => measure(),
                Source::Painting(_) => self.of_painting(view, (network, hash), options, measure),
            }
        })
    }

    fn of_painting(
        &self,
        view: View<'_>,
        (network, hash): (&PreparedNetwork, &Input),
        options: &TransferOptions,
        measure: impl FnOnce() -> Result<Vec<Loss>, TransferError>,
    ) -> Result<Vec<Loss>, TransferError> {
        let key = Key {
            network: hash.sha256.clone(),
            picture: Input::picture(Role::Style, None, view.picture).sha256,
            taps: view.taps.to_vec(),
            guides: view.guides.to_vec(),
            pooling: options.pooling,
            border: options.border,
            conv: options.conv,
        };
        let found = self.known().iter().position(|(known, ..)| *known == key);
        if let Some(entry) = found.and_then(|at| self.known().remove(at)).filter(|entry| entry.0 == key) {
            let losses = entry.1.clone();
            self.known().push_back(entry);
            return Ok(losses);
        }
        let losses = measure()?;
        self.keep(key, &losses, bytes(view, network)?);
        Ok(losses)
    }

    /// Keeps one, in place of those that were used longest ago.
    fn keep(&self, key: Key, losses: &[Loss], bytes: u64) {
        let mut known = self.known();
        if bytes > MOST || known.iter().any(|(other, ..)| *other == key) {
            return;
        }
        while known.iter().map(|(.., bytes)| bytes).sum::<u64>() + bytes > MOST {
            known.pop_front();
        }
        known.push_back((key, losses.to_vec(), bytes));
    }
}

/// The bytes of what a view's picture has: an N x N matrix for each tap, and as much again for what some losses make of it; and its guides.
fn bytes(view: View<'_>, network: &PreparedNetwork) -> Result<u64, TransferError> {
    let size = (view.picture.height(), view.picture.width());
    let mut bytes = 0;
    for (at, tap) in view.taps.iter().enumerate() {
        let shape = network.response_shape(&tap.layer, size)?;
        let guided = view.guides.get(at).is_some_and(Option::is_some);
        bytes +=
            8 * shape.channels * shape.channels + if guided { 4 * shape.height * shape.width } else { 0 };
    }
    Ok(bytes as u64)
}

#[cfg(all(test, feature = "embedded-weights"))]
mod tests {
    use super::*;
    use impasto_style::{Network, Preset, Subject, white_noise};

    #[test]
    fn shared_targets_are_the_bits_of_separate_ones_and_measured_once() {
        let options = Preset::Default.options().with_size(64);
        let network = Network::embedded().unwrap();
        let hash = Input::network(None, &network);
        let prepared = PreparedNetwork::new(network, &options).unwrap();
        let targets = PaintingTargets::default();
        let noise = |height, width, seed| white_noise(height, width, seed).unwrap();
        for (photo, painting) in [(1, 7), (2, 7), (2, 8), (3, 7)] {
            let subject = Subject::new(noise(48, 64, photo), noise(64, 50, painting));
            for side in [32, 64] {
                let scene = subject.at(side, &options).unwrap();
                let shared = targets.measure(&scene, (&prepared, &hash), &options).unwrap();
                assert_eq!(shared, scene.measure(&prepared, &options).unwrap());
            }
        }
        assert_eq!(targets.known().len(), 4, "two paintings at two sizes");
        let other = options.clone().with_pooling(Pooling::Average);
        let subject = Subject::new(noise(48, 64, 1), noise(64, 50, 7));
        targets.measure(&subject.at(64, &other).unwrap(), (&prepared, &hash), &other).unwrap();
        assert_eq!(targets.known().len(), 5, "whatever changes a measurement is another one");
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let targets = PaintingTargets::default();
        let key = |picture: u64| Key {
            network: None,
            picture: Some(picture.to_string()),
            taps: Vec::new(),
            guides: Vec::new(),
            pooling: Pooling::Max,
            border: Border::Zero,
            conv: ConvMode::Fast,
        };
        for picture in 0..10 {
            targets.keep(key(picture), &[], MOST / 4);
        }
        targets.keep(key(10), &[], MOST + 1);
        let left: Vec<_> = targets.known().iter().map(|(key, ..)| key.picture.clone().unwrap()).collect();
        assert_eq!(left, ["6", "7", "8", "9"]);
    }
}
