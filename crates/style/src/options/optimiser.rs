//! The method of minimisation, and how much it remembers.

use super::OptionsError;

/// Grey levels that Adam moves a value by, at most, in one iteration, unless it is told otherwise.
const LEARNING_RATE: f64 = 2.0;

/// The method of minimisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimiser {
    /// L-BFGS with a strong Wolfe line search.
    Lbfgs {
        /// Pairs (s, y) that are kept; None is [`default_history`] of the variables.
        history: Option<usize>,
    },
    /// Adam.
    Adam {
        /// lr, in grey levels of 0 to 255.
        learning_rate: f64,
    },
}

impl Optimiser {
    /// Both, with their names and their own defaults.
    pub const ALL: [(Self, &'static str); 2] =
        [(Self::Lbfgs { history: None }, "lbfgs"), (Self::Adam { learning_rate: LEARNING_RATE }, "adam")];

    /// `lbfgs` or `adam`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lbfgs { .. } => "lbfgs",
            Self::Adam { .. } => "adam",
        }
    }

    /// The pairs that are kept, none for as many as the picture's size allows; none at all where the method has no history.
    pub const fn history(self) -> Option<Option<usize>> {
        match self {
            Self::Lbfgs { history } => Some(history),
            Self::Adam { .. } => None,
        }
    }

    pub(super) fn set_history(&mut self, pairs: Option<usize>) -> Result<(), OptionsError> {
        let Self::Lbfgs { history } = self else {
            return Err(OptionsError::OtherMethod { option: "history", method: "lbfgs" });
        };
        *history = pairs;
        Ok(())
    }

    /// The step in grey levels; none where the method has none.
    pub const fn learning_rate(self) -> Option<f64> {
        match self {
            Self::Adam { learning_rate } => Some(learning_rate),
            Self::Lbfgs { .. } => None,
        }
    }

    pub(super) fn set_learning_rate(&mut self, rate: f64) -> Result<(), OptionsError> {
        let Self::Adam { learning_rate } = self else {
            return Err(OptionsError::OtherMethod { option: "learning-rate", method: "adam" });
        };
        *learning_rate = rate;
        Ok(())
    }

    /// The same with the history written out that a picture of that many variables has
    /// ([`TransferOptions::variables`](super::TransferOptions::variables)).
    #[must_use]
    pub fn for_picture(self, variables: usize) -> Self {
        match self {
            Self::Lbfgs { history: None } => Self::Lbfgs { history: Some(default_history(variables)) },
            other => other,
        }
    }
}

/// The pairs that L-BFGS keeps unless it is told otherwise, for that many variables, the H W 3 numbers of a picture or the H W of
/// its light: 100 up to 322 x 322 x 3, then fewer with the cube of the side, but at least 16.
///
/// More pairs save iterations, and each takes the memory of one picture (two vectors of half precision). With this many, a
/// transfer of any size up to 512 x 512 stays below 600 MiB, because the network's own responses shrink with the picture too.
///
/// ```
/// use impasto_style::default_history;
/// assert_eq!(default_history(256 * 256 * 3), 100);
/// assert_eq!(default_history(512 * 512 * 3), 25);
/// assert_eq!(default_history(1024 * 1024 * 3), 16);
/// ```
pub fn default_history(variables: usize) -> usize {
    const MOST: f64 = 100.0;
    const LEAST: f64 = 16.0;
    const AT_512: f64 = 25.0;
    let ratio = (512 * 512 * 3) as f64 / variables.max(1) as f64;
    (AT_512 * ratio * ratio.sqrt()).clamp(LEAST, MOST) as usize
}
