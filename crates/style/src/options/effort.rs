//! How much work a picture is worth: iterations by the size of a scale.

/// What `--iterations auto` stands for: at a longest side of S pixels 12800 / S iterations, from 12 to 30, of which a draft has a
/// quarter and the best three times as many.
///
/// | effort | 128 | 256 | 512 | 1024 | 2048 | 4096 |
/// |---|---|---|---|---|---|---|
/// | draft | 8 | 8 | 6 | 3 | 3 | 3 |
/// | normal | 30 | 30 | 25 | 13 | 12 | 12 |
/// | best | 90 | 90 | 75 | 38 | 36 | 36 |
///
/// An evaluation's time grows with S^2. The coarse scales settle the large forms, and what iterations add at fine ones is mostly
/// grain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Effort {
    /// To see whether photo and painting go together.
    Draft,
    /// What is worth its time.
    #[default]
    Normal,
    /// For the last of many drafts.
    Best,
}

/// Iterations times pixels of the longest side.
const ITERATIONS_BY_SIDE: f64 = 12_800.0;
/// The fewest and the most iterations of a normal effort.
const FEWEST: f64 = 12.0;
const MOST: f64 = 30.0;

impl Effort {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Draft, "draft"), (Self::Normal, "normal"), (Self::Best, "best")];

    /// Iterations at a scale whose longest side has `size` pixels, at least 1.
    pub fn iterations(self, size: usize) -> usize {
        let part = match self {
            Self::Draft => 0.25,
            Self::Normal => 1.0,
            Self::Best => 3.0,
        };
        (part * (ITERATIONS_BY_SIDE / size as f64).clamp(FEWEST, MOST)).round() as usize
    }
}
