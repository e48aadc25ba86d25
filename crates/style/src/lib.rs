//! Style transfer as a library: pictures, the objective, presets and the optimisation loop.
//!
//! # The method
//! A picture x is wanted whose responses in a VGG are the photo's, and whose Gram matrices are the painting's. Both are put
//! into one number, which is made small by changing the pixels:
//!
//! ```text
//! L(x) = alpha sum_l w_l L_content,l + beta sum_l w_l E_l + gamma TV(x)
//! L_content,l = 1/2 sum_ij (F_ij - P_ij)^2                    F, P: the responses of x and of the photo
//! E_l         = 1/(4 N^2 M^2) sum_ij (G_ij - A_ij)^2          G, A: the Gram matrices of x and of the painting
//! TV(x)       = 1/2 sum (x_p - x_q)^2 over neighbouring pixels p, q (not in the paper)
//! ```
//!
//! 1. P and A are measured once at a size ([`Subject`], [`Scene`], [`Targets`]);
//! 2. x starts as the photo, as noise or as any picture ([`Init`]);
//! 3. [`Objective`] gives L(x) and dL/dx, through preprocessing, network and losses;
//! 4. L-BFGS or Adam moves x, in [`coordinates`] of its own and as often as the options say; [`transfer`] does all of it,
//!    coarse to fine if wanted.
//!
//! By hand, on pictures of noise and for two iterations:
//!
//! ```
//! # #[cfg(feature = "embedded-weights")] {
//! use impasto_lbfgs::Optimiser;
//! use impasto_style::coordinates::{Coordinates, Spectrum};
//! use impasto_style::{Network, Objective, PreparedNetwork, Preset, Subject, lbfgs, white_noise};
//! use std::ops::ControlFlow;
//!
//! let options = Preset::Paper.options();
//! let network = PreparedNetwork::new(Network::embedded()?, &options)?;
//! let subject = Subject::new(white_noise(32, 48, 1)?, white_noise(40, 40, 2)?);
//! let scene = subject.at(48, &options)?;
//! let mut objective = Objective::new(&network, scene.measure(&network, &options)?, (32, 48), &options)?;
//!
//! let mut waves = Spectrum::around(scene.photo().clone());
//! let (mut u, groups) = (waves.start(), waves.groups());
//! let lbfgs = lbfgs(None, 2, u.len()); // as a transfer has it
//! let outcome = lbfgs.minimise_in_groups(
//!     &mut u,
//!     groups,
//!     |u, gradient| waves.evaluate(u, gradient, |x, gradient| objective.evaluate(x, gradient).map(|losses| losses.total)),
//!     |_| ControlFlow::Continue(()),
//! )?;
//! assert!(outcome.loss < outcome.initial_loss);
//! assert_eq!(waves.into_pixels(u).len(), 32 * 48 * 3);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Modules
//! | part | file |
//! |---|---|
//! | pictures in and out | [`picture`] |
//! | photo, paintings, regions; the same at one size, and what is measured there | `subject/` |
//! | which terms count, and what they weigh | `terms.rs` |
//! | the total loss and its gradient with respect to pixels | `objective.rs` |
//! | the same in `f64`, operation by operation | `plain_objective.rs` |
//! | a network, cut where the losses end and packed | `network.rs` |
//! | options, all in one table ([`OPTIONS`]), and presets | `options/`, `preset.rs` |
//! | what made a picture, as a file | `record.rs` |
//! | what a picture says of itself in its own file | `provenance.rs` |
//! | that of the pictures of one run, and how far they came | `said.rs` |
//! | what one is to be made of, as a file for people | `saved_scene.rs` |
//! | maps between the colours of pictures; light and chroma | `colour/` |
//! | the loop, coarse to fine | `transfer.rs` |
//! | the same loop, moved on by its caller | `painter.rs` |
//! | what is going to be done, and whether it fits together | `summary.rs` |
//! | which pictures are smaller than they should be | `notice.rs` |
//! | what belongs to one run beside inputs and options | `run.rs` |
//! | a run in a file, from which it goes on exactly | `checkpoint/` |
//! | the picture that a transfer starts from; what becomes of painted pixels | `start.rs`, `finish.rs` |
//! | one scale of a run, from a picture or a checkpoint; its optimisation | `stage.rs`, `optimise.rs` |
//! | the variables that a method moves: pixels, waves and colours | [`coordinates`] |
//! | what a network has to say of one picture: responses and Gram matrices ([`measure`](fn@measure)) | `measure.rs` |
//! | what takes how much memory | `memory.rs` |
//! | memory and processors that the machine leaves | [`machine`] |
//! | what it tells while it runs | `event.rs` |
//! | how fast it is here | [`benchmark`] |
#![forbid(unsafe_code)]

pub mod benchmark;
mod carried;
mod checkpoint;
mod clock;
mod colour;
pub mod coordinates;
mod error;
mod event;
mod finish;
pub mod machine;
mod measure;
mod memory;
mod network;
mod noise;
mod notice;
mod objective;
mod optimise;
mod options;
mod painter;
pub mod picture;
mod plain_objective;
mod preset;
mod provenance;
mod record;
mod run;
mod said;
mod saved_scene;
mod stage;
mod start;
mod subject;
mod summary;
mod terms;
mod transfer;

pub use checkpoint::{Checkpoint, CheckpointError, Checkpoints, Difference, Resume, Saved};
pub use colour::light;
pub use error::TransferError;
pub use event::{Event, Measuring, Progress, Summary};
pub use impasto_autodiff::{
    AutodiffError, Border, Cancel, ConvMode, Coverage, EvaluatorOptions, GramMatrix, Guide, LayerPlan, Loss,
    LossKind, Plan, PlanBytes, Pooling, Reach, Tap, Term, Weight,
};
pub use impasto_lbfgs::{Search, StopReason};
pub use impasto_vgg::{Arch, Network, WeightsError};
pub use machine::available_memory;
pub use measure::{Measured, MeasuredLayer, Measurement, measure};
pub use memory::plan;
pub use network::PreparedNetwork;
pub use noise::{mean_noise, white_noise};
pub use notice::{Notice, NoticeKind};
pub use objective::{Breakdown, Objective, TermLoss};
pub use optimise::lbfgs;
pub use options::{
    Accepts, AdamOptions, Choices, Colours, Each, Effort, Init, Iterations, LayerWeight, LayerWeights,
    LossScale, NUMBERS_OF_PAINTINGS, NoSheet, OPTIONS, Optimiser, OptionRow, OptionsError, Paper, Recorded,
    SYNONYMS, Scale, Scales, Sheet, Size, StyleLoss, TransferOptions, Transport, TvPoints, VALUE_SYNONYMS,
    default_history, did_you_mean, nearest, option_name,
};
pub use painter::Painter;
pub use picture::{Mask, Picture, PictureError};
pub use plain_objective::PlainObjective;
pub use preset::Preset;
pub use provenance::{Provenance, ProvenanceError, Stopped};
pub use record::{Input, Record, RecordError, Role, Value};
pub use run::{Measure, Run};
pub use said::Said;
pub use saved_scene::SavedSceneError;
pub use start::first_picture;
pub(crate) use subject::{Coverages, Masks};
pub use subject::{
    Masked, Photo, Region, RegionMask, Scene, Source, StyleImage, Subject, SubjectError, Target, Targets,
    Vanished, View,
};
pub use terms::TermSpec;
pub use transfer::{Painting, transfer, transfer_with};
/// The crates below: whose types stand in signatures here, and whose parts can be used by themselves.
pub use {impasto_autodiff, impasto_lbfgs, impasto_tensor, impasto_vgg};
