//! impasto for web pages: a photo, a painting, the bytes of a weight file and options go in; one iteration a call comes out.
//!
//! A page makes a [`Network`] of a weight file that it has fetched, a [`Picture`] each of photo and painting, and a [`Painter`] of
//! them, in a worker if it is not to stand still. [`Painter::step`] makes one iteration and tells its losses, and
//! [`Painter::picture`] is the picture so far: whoever wants to stop calls `step` no more. Between two steps a loss can
//! be switched off or on ([`Painter::weigh`]). Whatever is wrong is an `Error` with one sentence. Nothing is sent anywhere.
#![forbid(unsafe_code)]

mod json;
mod network;
mod painter;
mod picture;

pub use network::Network;
pub use painter::Painter;
pub use picture::Picture;

/// The most bytes that pictures or a transfer may take, unless the option `memory-limit` says otherwise: half of what WebAssembly
/// can address. Larger pictures are worked on in bands, or refused with a sentence.
const MEMORY_LIMIT: u64 = 2 << 30;
