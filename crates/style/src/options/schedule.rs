//! The sizes that a transfer paints at, coarse to fine.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use super::TransferOptions;

/// The longest side that a coarse scale has at least: half an octave below 128.
const SMALLEST_SCALE: usize = 96;
/// The most scales: from 128 pixels they reach 16,384.
pub(super) const MOST_SCALES: usize = 8;

/// One stage of a coarse-to-fine transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Pixels of the longest side.
    pub size: usize,
    /// Iterations.
    pub iterations: usize,
}

/// How many sizes a transfer paints at, coarse to fine.
///
/// As text: `auto`, or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scales {
    /// As many as fit down to about 128 pixels: 1 below 192, 2 from 192 on, 3 from 384, 4 from 768.
    Auto,
    /// That many, or as many as fit.
    Count(usize),
}

impl FromStr for Scales {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Count) }
    }
}

impl fmt::Display for Scales {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Count(count) => count.fmt(f),
        }
    }
}

impl TransferOptions {
    /// The sizes from coarse to fine of a result with that longest side. A coarse one that would be smaller than 96 pixels is left out.
    pub fn schedule(&self, longest: usize) -> Vec<Scale> {
        let most = match self.scales {
            Scales::Auto => MOST_SCALES,
            Scales::Count(count) => count,
        };
        let size = |halvings: usize| longest >> halvings;
        let halvings = (0..most).rev().filter(|&halvings| halvings == 0 || size(halvings) >= SMALLEST_SCALE);
        halvings.map(|halvings| Scale { size: size(halvings), iterations: self.iterations }).collect()
    }
}
