//! Every test of the crate that needs no program of its own, in one program: it is linked once.

mod common;
mod embedded;
mod formats;
mod inspect;
mod normalise;
mod preprocessing;
