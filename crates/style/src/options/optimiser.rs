//! The method of minimisation, and how much it remembers.

use impasto_lbfgs::Adam;

use super::OptionsError;

/// The method of minimisation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Optimiser {
    /// L-BFGS with a strong Wolfe line search.
    Lbfgs {
        /// Pairs (s, y) that are kept; None is [`default_history`] of the variables.
        history: Option<usize>,
    },
    /// Adam.
    Adam(AdamOptions),
}

/// What Adam does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamOptions {
    /// lr, in grey levels of 0 to 255: a value moves by that much at most in one iteration, about.
    pub learning_rate: f64,
    /// beta2, in [0, 1).
    pub beta2: f64,
    /// How much of its weight in the mean of the iterates each keeps from one to the next, in [0, 1); 0 takes no mean.
    pub average_decay: f64,
    /// Whether values are brought back to 0..=255 after each step.
    pub clamped: bool,
    /// Whether a size begins with the moments of the size before.
    pub carried: bool,
}

impl Default for AdamOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl AdamOptions {
    /// Steps of 2 grey levels, and nothing beyond the paper's algorithm.
    pub const DEFAULT: Self =
        Self { learning_rate: 2.0, beta2: 0.999, average_decay: 0.0, clamped: false, carried: false };

    /// The method for so many iterations of values in 0..=255.
    pub(crate) fn method(self, max_iterations: usize) -> Adam {
        let Self { learning_rate, beta2, average_decay, clamped, .. } = self;
        let bounds = clamped.then_some((0.0, 255.0));
        Adam { max_iterations, learning_rate, beta2, average_decay, bounds, ..Adam::default() }
    }
}

impl Optimiser {
    /// Both, with their names and their own defaults.
    pub const ALL: [(Self, &'static str); 2] =
        [(Self::Lbfgs { history: None }, "lbfgs"), (Self::Adam(AdamOptions::DEFAULT), "adam")];

    /// `lbfgs` or `adam`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lbfgs { .. } => "lbfgs",
            Self::Adam(_) => "adam",
        }
    }

    /// The pairs that are kept, none for as many as the picture's size allows; none at all where the method has no history.
    pub const fn history(self) -> Option<Option<usize>> {
        match self {
            Self::Lbfgs { history } => Some(history),
            Self::Adam(_) => None,
        }
    }

    pub(super) fn set_history(&mut self, pairs: Option<usize>) -> Result<(), OptionsError> {
        let Self::Lbfgs { history } = self else {
            return Err(OptionsError::OtherMethod { option: "history", method: "lbfgs" });
        };
        *history = pairs;
        Ok(())
    }

    /// What Adam does; none where it is another method.
    pub const fn adam(self) -> Option<AdamOptions> {
        match self {
            Self::Adam(adam) => Some(adam),
            Self::Lbfgs { .. } => None,
        }
    }

    /// What Adam does, for an option of it to be changed.
    pub(super) fn adam_mut(&mut self, option: &'static str) -> Result<&mut AdamOptions, OptionsError> {
        match self {
            Self::Adam(adam) => Ok(adam),
            Self::Lbfgs { .. } => Err(OptionsError::OtherMethod { option, method: "adam" }),
        }
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
