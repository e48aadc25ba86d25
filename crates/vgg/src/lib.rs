//! VGG-16 and VGG-19: their tables, preprocessing conventions, weight files and the embedded weights.
//!
//! # The networks
//! Five blocks of 3x3 convolutions, each followed by a ReLU; between the blocks a 2x2 pooling halves height and width.
//! The fully connected layers are not needed. conv4_2 is the second convolution of the fourth block; every response is
//! taken after the ReLU, so relu4_2 is another name of the same.
//!
//! ```text
//! block              1      2      3      4      5
//! filters N         64    128    256    512    512
//! convolutions       2      2      3      3      3      VGG-16, in this crate
//!                    2      2      4      4      4      VGG-19, the paper's
//! positions M       HW   HW/4  HW/16  HW/64 HW/256      for a picture of H x W
//! ```
//!
//! ```
//! # #[cfg(feature = "embedded-weights")] {
//! use impasto_autodiff::{Pooling, reference};
//! use impasto_tensor::{Shape, Tensor};
//!
//! let network = impasto_vgg::Network::embedded()?;
//! let black = Tensor::zeros(Shape::new(16, 24, 3))?; // R, G, B in 0..=255
//! let chain = network.chain_to("relu3_1", Pooling::Average)?;
//! assert_eq!(chain.layers.len(), 5 + 2); // five convolutions, two poolings
//! let f = reference::responses(&chain, &black, 6)?.pop();
//! assert_eq!(f.map(|f| f.shape()), Some(Shape::new(4, 6, 256)));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the network sees
//! A picture x in R, G, B from 0 to 255 becomes the input z, and a gradient comes back by the chain rule:
//!
//! ```text
//! z_c = (scale x_c - mean_c) / std_c        dL/dx_c = dL/dz_c scale / std_c
//! ```
//!
//! Files follow one of three conventions ([`Convention`]): torchvision's scale, or Oxford's with the channels in the order
//! B, G, R or R, G, B. With the wrong one a picture still comes out, only worse; so a file's convention is told from its
//! metadata, its first filter, its names or its hash, and if none of them decides it, the caller is asked ([`Decision`]).
//! Once loaded, all networks are alike: kernels are (ky, kx, in, out), and conv1_1 reads R, G, B.
//!
//! # Modules
//! | what | where |
//! |---|---|
//! | the tables | [`Arch`], `arch.rs` |
//! | a network with its weights; the embedded one | [`Network`], `network.rs` |
//! | z from x | [`Preprocessing`], `preprocessing.rs` |
//! | readers, one file per format: PyTorch, safetensors, HDF5, MATLAB, Caffe, ONNX, NumPy | `formats/` |
//! | from a file's tensors to layers; its convention | `assemble.rs`, `decide.rs`, `known.rs` |
//! | every filter's mean response made 1, as in the paper | [`Activations`], `normalise.rs` |
//! | writing, looking into, and finding files | `convert.rs`, `inspect.rs`, `resolve.rs` |
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
