//! Studies of style transfer: what the method does, seen in pictures, charts and numbers.
//!
//! The method itself is [`impasto_style`]; everything here calls it, and nothing there knows of it.
//!
//! | question | part |
//! |---|---|
//! | what does a layer know, how do weights trade photo for painting: many transfers as one table | [`study`] |
//! | what happened in a run: one HTML page | [`mod@explain`] |
//! | are the gradients right: all of them against finite differences | [`gradcheck`] |
//! | which numbers is all that made of: a folder of arrays for NumPy | [`dump`] |
//! | what has a network to say of a picture: an archive of arrays | [`features`] |
//! | labelled contact sheets | [`sheet`] |
//! | charts as SVG | [`plot`] |
#![forbid(unsafe_code)]

pub mod dump;
pub mod explain;
pub mod features;
pub mod gradcheck;
mod npy;
mod origin;
pub mod plot;
pub mod sheet;
pub mod study;

pub use origin::Origin;
