//! The whole objectives: the paper's to the deepest layer, and that of a photo with everything at once.

use impasto_autodiff::Chain;
use impasto_style::{Network, Picture, TransferError, TransferOptions, white_noise};

use super::registry::Operation;
use super::{OBJECTIVE_TOLERANCE, control, objective};

/// What the whole objectives are checked on: a network, a photo, a painting and the options of pooling and border.
#[derive(Debug, Clone)]
pub struct Material {
    /// The network.
    pub network: Network,
    /// The photo.
    pub photo: Picture,
    /// The painting.
    pub painting: Picture,
    /// Pooling, border and size.
    pub options: TransferOptions,
}

/// The deepest layer of the first one.
const DEEPEST: &str = "conv5_1";

/// The names of both.
pub(super) const NAMES: [&str; 2] = ["the whole objective to conv5_1", control::NAME];

/// Both, each of starts of noise of the point's seed.
pub(super) fn all(material: Material) -> Vec<Operation> {
    let Material { network, photo, painting, options } = material.clone();
    let whole = Operation::new(NAMES[0], move |random| {
        let start = white_noise(photo.height(), photo.width(), random.seed)?;
        let chain = network.clone().chain_to(DEEPEST, options.pooling).map_err(TransferError::from)?;
        let chain: Chain<f64> = Chain { border: options.border, ..chain }.cast();
        Ok(objective::case(chain, &photo.tensor(), &painting.tensor(), &start.tensor())?)
    });
    let Material { network, photo, painting, options } = material;
    let everything = Operation::new(NAMES[1], move |random| {
        let options = options.clone().with_seed(random.seed);
        control::case(network.clone(), photo.clone(), painting.clone(), &options)
    });
    vec![whole.within(OBJECTIVE_TOLERANCE), everything.within(OBJECTIVE_TOLERANCE)]
}
