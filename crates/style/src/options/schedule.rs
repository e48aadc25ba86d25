//! The sizes that a transfer paints at, coarse to fine.

use std::f64::consts::SQRT_2;
use std::fmt;
use std::num::{ParseFloatError, ParseIntError};
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::TransferOptions;

/// The most scales that can be asked for: by factors of sqrt 2 from 128 pixels they reach 23,170.
pub(super) const MOST_SCALES: usize = 16;
/// What each size may be times the one before.
pub(super) const FACTORS: RangeInclusive<f64> = 1.1..=16.0;

/// What a scale factor of sqrt 2 is called.
const SQRT_2_NAME: &str = "sqrt2";

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
#[non_exhaustive]
pub enum Scales {
    /// As many as fit down to the smallest size. By halves down to 96 pixels: 1 below 192, 2 from 192 on, 3 from 384, 4 from 768.
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
    /// The sizes from coarse to fine of a result with that longest side, L: L / F^i to the nearest pixel, F the scale factor;
    /// rounded down where F is 2. A coarse one below [`TransferOptions::smallest_scale`] is left out.
    pub fn sizes(&self, longest: usize) -> Vec<usize> {
        let most = match self.scales {
            Scales::Auto => MOST_SCALES,
            Scales::Count(count) => count,
        };
        let size = |steps: usize| match self.scale_factor {
            2.0 => longest >> steps,
            factor => (longest as f64 / factor.powf(steps as f64)).round() as usize,
        };
        let coarse = (1..most).map(size).take_while(|&size| size >= self.smallest_scale);
        let mut sizes: Vec<usize> = [longest].into_iter().chain(coarse).collect();
        sizes.dedup();
        sizes.reverse();
        sizes
    }

    /// [`Self::sizes`], with the iterations at each.
    pub fn schedule(&self, longest: usize) -> Vec<Scale> {
        let sizes = self.sizes(longest).into_iter().enumerate();
        sizes
            .map(|(index, size)| Scale { size, iterations: self.iterations.at(index, size, self.effort) })
            .collect()
    }

    /// The most iterations at the result's size, whatever scales come before.
    pub(crate) fn most_iterations(&self, longest: usize) -> usize {
        let said = self.iterations.said().iter().copied().max();
        said.unwrap_or_else(|| self.effort.iterations(longest))
    }
}

/// A scale factor of a text: a number, or `sqrt2`.
pub(super) fn parse_scale_factor(text: &str) -> Result<f64, ParseFloatError> {
    if text == SQRT_2_NAME { Ok(SQRT_2) } else { text.parse() }
}

/// The text of a scale factor.
pub(super) fn scale_factor_text(factor: f64) -> String {
    if factor == SQRT_2 { SQRT_2_NAME.to_owned() } else { factor.to_string() }
}
