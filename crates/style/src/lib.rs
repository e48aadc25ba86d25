//! Style transfer as a library: pictures, the objective, presets and the optimisation loop.
//!
//! | part | file |
//! |---|---|
//! | pictures in and out | `picture/` |
//! | the total loss and its gradient with respect to pixels | `objective.rs` |
//! | options and presets | `options.rs`, `preset.rs` |
//! | the loop, coarse to fine | `transfer.rs` |
//! | what it tells while it runs | `event.rs` |
//! | gradients against finite differences | `gradcheck/` |
//! | a run as an HTML page | `explain/` |
//! | charts as SVG | `plot.rs` |
//! | many transfers that differ in an option or two | `study/` |
//! | labelled contact sheets | `sheet.rs` |
//! | how fast it is here | `benchmark.rs` |
#![forbid(unsafe_code)]

pub mod benchmark;
mod error;
mod event;
pub mod explain;
pub mod gradcheck;
mod memory;
mod network;
mod noise;
mod objective;
mod options;
pub mod picture;
pub mod plot;
mod preset;
pub mod sheet;
pub mod study;
mod transfer;

pub use error::TransferError;
pub use event::{Event, Progress, Summary};
pub use impasto_autodiff::check;
pub use impasto_autodiff::{ConvMode, EvaluatorOptions, Pooling};
pub use impasto_lbfgs::StopReason;
pub use impasto_vgg::{Arch, Network, WeightsError};
pub use memory::available_memory;
pub use network::PreparedNetwork;
pub use noise::white_noise;
pub use objective::{Breakdown, LayerLoss, Objective, Targets};
pub use options::{
    Init, LayerWeight, LayerWeights, LossScale, Optimiser, OptionsError, Scale, TransferOptions,
    default_history,
};
pub use picture::{Picture, PictureError};
pub use preset::Preset;
pub use transfer::{Painting, transfer};
