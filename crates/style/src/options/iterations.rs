//! How many iterations a transfer has at each size.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Iterations at each size, from the coarsest on. Sizes that have none of their own have the last one.
///
/// As text: one number, or several with commas between them: `1000,500` is 1000 at the coarsest size and 500 at all others. In a
/// checkpoint a single one is a number.
///
/// ```
/// use impasto_style::Iterations;
///
/// let iterations: Iterations = "1000,500".parse()?;
/// assert_eq!([0, 1, 2].map(|scale| iterations.at(scale)), [1000, 500, 500]);
/// assert_eq!(Iterations::from(100).at(7), 100);
/// # Ok::<(), std::num::ParseIntError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iterations {
    /// Those of the coarsest sizes, as far as they differ from `others`.
    first: Vec<usize>,
    /// Those of all others.
    others: usize,
}

impl Iterations {
    /// Those of the coarsest sizes, and those of all others.
    pub const fn new(first: Vec<usize>, others: usize) -> Self {
        Self { first, others }
    }

    /// Those of a scale, from 0 on.
    pub fn at(&self, scale: usize) -> usize {
        self.first.get(scale).copied().unwrap_or(self.others)
    }

    /// The most that any scale may have.
    pub fn most(&self) -> usize {
        self.all().max().unwrap_or_default()
    }

    /// Those that are said, in their order.
    pub(crate) fn all(&self) -> impl Iterator<Item = usize> {
        self.first.iter().copied().chain([self.others])
    }
}

/// So many at each size.
impl From<usize> for Iterations {
    fn from(iterations: usize) -> Self {
        Self { first: Vec::new(), others: iterations }
    }
}

impl FromStr for Iterations {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let mut first = text.split(',').map(|number| number.trim().parse()).collect::<Result<Vec<_>, _>>()?;
        let others = first.pop().unwrap_or_default();
        Ok(Self { first, others })
    }
}

impl fmt::Display for Iterations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.iter().try_for_each(|iterations| write!(f, "{iterations},"))?;
        self.others.fmt(f)
    }
}

impl Serialize for Iterations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.first.is_empty() { self.others.serialize(serializer) } else { serializer.collect_str(self) }
    }
}

impl<'de> Deserialize<'de> for Iterations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(usize),
            List(String),
        }
        match Written::deserialize(deserializer)? {
            Written::One(iterations) => Ok(iterations.into()),
            Written::List(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}
