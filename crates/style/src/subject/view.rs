//! What is measured of a subject's pictures.

use impasto_autodiff::{Guide, Tap};

use crate::Picture;

/// Which picture of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The photo: what is compared place by place is its.
    Photo,
    /// A painting, by its number from 0 on: what is summed over places is theirs.
    Painting(usize),
}

/// What is measured at once: a picture of a scene at some taps, where guides say.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Which picture.
    pub source: Source,
    /// The picture.
    pub picture: &'a Picture,
    /// Where it is looked at, and for which losses.
    pub taps: &'a [Tap],
    /// What of the picture counts at each tap; empty where all of it does.
    pub guides: &'a [Option<Guide>],
}
