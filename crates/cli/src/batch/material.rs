//! What jobs have in common: networks that are ready, the hashes of files, the Gram matrices of paintings.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use impasto_batch::Stamps;
use impasto_style::{
    Border, Cancel, ConvMode, Each, Input, LayerWeights, Pooling, PreparedNetwork, TransferOptions,
};
use impasto_vgg::Convention;

use super::targets::PaintingTargets;
use crate::checkpoint::Job;
use crate::failure::Failure;

/// As many networks are kept: jobs of one network and several sets of layers take turns.
const NETWORKS: usize = 2;

/// What jobs have in common.
#[derive(Default)]
pub(super) struct Material {
    cancel: Cancel,
    networks: Mutex<Vec<(Key, Shared)>>,
    pub(super) stamps: Stamps,
    pub(super) targets: PaintingTargets,
}

/// A network that is ready, and what it is as an input.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) network: PreparedNetwork,
    pub(super) input: Input,
}

/// All that a prepared network depends on.
#[derive(PartialEq)]
struct Key {
    weights: Option<PathBuf>,
    preprocess: Option<&'static str>,
    layers: (LayerWeights, Each<LayerWeights>),
    pooling: Pooling,
    border: Border,
    conv: ConvMode,
}

impl Material {
    /// Of runs that `cancel` ends.
    pub(super) fn new(cancel: Cancel) -> Self {
        Self { cancel, ..Self::default() }
    }

    /// The network of a job. Its options have been checked by whoever made it ready.
    pub(super) fn network(&self, job: &Job, options: &TransferOptions) -> Result<Shared, Failure> {
        options.validate()?;
        let key = Key::new(job, options);
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = networks.iter().position(|(known, _)| *known == key) {
            let entry = networks.remove(at);
            let shared = entry.1.clone();
            networks.push(entry);
            return Ok(shared);
        }
        let network = job.network.read()?;
        let input = job.network_input(&network);
        let network = PreparedNetwork::new(network, options)?.with_cancel(self.cancel.clone());
        let shared = Shared { network, input };
        if networks.len() == NETWORKS {
            networks.remove(0);
        }
        networks.push((key, shared.clone()));
        Ok(shared)
    }
}

impl Key {
    fn new(job: &Job, options: &TransferOptions) -> Self {
        Self {
            weights: job.network.path().map(Into::into),
            preprocess: job.network.preprocess().map(Convention::name),
            layers: (options.content_layers.clone(), options.style_layers.clone()),
            pooling: options.pooling,
            border: options.border,
            conv: options.conv,
        }
    }
}
