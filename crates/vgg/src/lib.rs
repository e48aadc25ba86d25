//! VGG-16 and VGG-19: their tables, preprocessing conventions, weight files and the embedded weights.
//!
//! ```
//! # #[cfg(feature = "embedded-weights")] {
//! use impasto_autodiff::Pooling;
//! let network = impasto_vgg::Network::embedded()?;
//! let chain = network.chain_to("relu4_2", Pooling::Average)?;
//! assert_eq!(chain.layers.len(), 9 + 3); // nine convolutions, three poolings
//! # }
//! # Ok::<(), impasto_vgg::WeightsError>(())
//! ```
#![forbid(unsafe_code)]

mod arch;
mod assemble;
mod convert;
mod decide;
mod error;
mod formats;
mod inspect;
mod known;
mod network;
mod normalise;
mod preprocessing;
mod resolve;

pub use arch::{Arch, Conv, canonical_name};
pub use convert::Precision;
pub use decide::Decision;
pub use error::{Problem, WeightsError};
pub use formats::{Dtype, Format};
pub use inspect::{Inspection, LayerStatistics, Statistics};
pub use known::KnownFile;
pub use network::{LoadOptions, Loaded, Network, TensorInfo};
pub use normalise::Activations;
pub use preprocessing::{Convention, Preprocessing};
pub use resolve::{Weights, resolve, weights_folder};
