//! Studies of style transfer: what the method does, seen in pictures, charts and numbers.
//!
//! The method itself is [`impasto_style`]; everything here calls it, and nothing there knows of it.
//!
//! | question | part |
//! |---|---|
//! | what does a layer know, how do weights trade photo for painting: many transfers as one table | [`study`] |
//! | what happened in a run: one HTML page | [`mod@explain`] |
//! | are the gradients right: all of them against finite differences | [`gradcheck`] |
//! | labelled contact sheets | [`sheet`] |
//! | charts as SVG | [`plot`] |
#![forbid(unsafe_code)]

pub mod explain;
pub mod gradcheck;
pub mod plot;
pub mod sheet;
pub mod study;
