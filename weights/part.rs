//! A part of `vgg16.safetensors`, the weights of VGG-16's convolutions in half precision: the public registry takes 10 MiB a crate, and
//! the file has 28. impasto-vgg puts the parts together.
#![forbid(unsafe_code)]

/// The bytes of this part.
pub static PART: &[u8] = include_bytes!("part-of-vgg16.safetensors");
