//! How many iterations a transfer has at each size.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Effort;

/// The text of [`Iterations::Auto`].
const AUTO: &str = "auto";

/// Iterations at each size.
///
/// As text: `auto`, or one number, or several with commas between them: `1000,500` is 1000 at the coarsest size and 500 at all
/// others. In a checkpoint a single one is a number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Iterations {
    /// As the [`Effort`](crate::Effort) says for each size.
    Auto,
    /// So many at each size.
    Same(usize),
    /// One or more numbers, from the coarsest size on. Sizes that have none of their own have the last one.
    List(Vec<usize>),
}

impl Iterations {
    /// Those of a scale, by its number from 0 on and its longest side in pixels.
    pub fn at(&self, scale: usize, size: usize, effort: Effort) -> usize {
        match self.said() {
            [] => effort.iterations(size),
            said => said[scale.min(said.len() - 1)],
        }
    }

    /// Those that are said, in their order; none of [`Self::Auto`].
    pub(crate) fn said(&self) -> &[usize] {
        match self {
            Self::Auto => &[],
            Self::Same(iterations) => std::slice::from_ref(iterations),
            Self::List(list) => list,
        }
    }
}

/// So many at each size.
impl From<usize> for Iterations {
    fn from(iterations: usize) -> Self {
        Self::Same(iterations)
    }
}

impl FromStr for Iterations {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        if text == AUTO {
            return Ok(Self::Auto);
        }
        let list = text.split(',').map(|number| number.trim().parse()).collect::<Result<Vec<_>, _>>()?;
        Ok(if let [iterations] = list[..] { Self::Same(iterations) } else { Self::List(list) })
    }
}

impl fmt::Display for Iterations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str(AUTO),
            _ => f.write_str(&self.said().iter().map(usize::to_string).collect::<Vec<_>>().join(",")),
        }
    }
}

impl Serialize for Iterations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Same(iterations) => iterations.serialize(serializer),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Iterations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Same(usize),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Same(iterations) => Ok(iterations.into()),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}
