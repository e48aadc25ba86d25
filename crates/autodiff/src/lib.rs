//! Manual reverse-mode differentiation of a VGG chain, and the losses of Gatys, Ecker and Bethge (2015).
#![forbid(unsafe_code)]

mod chain;

pub use chain::{Chain, ConvLayer, Layer, Pooling};
